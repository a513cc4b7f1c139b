"""The tables that a project's map reads, as frames: of the databases and files that its project file names.

The project's own source looks at the layout first, so that what is missing is said as a run says it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError, ProjectError
from fhirmap.runner.project import Project
from fhirmap.runner.source import located
from fhirmap.source_plan import Child, RowLayout, SourceKind, SourcePlan, path_steps
from fhirmap.sources import names as naming
from fhirmap.sources.address import Address
from fhirmap.sources.files.csv_reader import CsvReader
from fhirmap.sources.files.source_files import FileSet, SourceFile, reading
from fhirmap.sources.files.text_lines import DAMAGE, open_text
from fhirmap.spark.frame_columns import joined_children, missing_column
from fhirmap.spark.jdbc_tables import DatabaseTables
from fhirmap.spark.spark_faults import spark_errors_as

__all__ = ["ProjectTables"]

_LINES = (".ndjson", ".jsonl")
_CHUNK = 1 << 20


class ProjectTables:
    """The frames of a plan's tables, by the names that the map has for them.

    Raises: ConfigError FM70x for a place that cannot be reached, FM710 for a driver of JDBC that Spark lacks;
    ProjectError FM768 for what Spark does not read as the map's own source does.
    """

    def __init__(self, spark: SparkSession, project: Project) -> None:
        self._spark = spark
        self._project = project
        self._databases: dict[str, DatabaseTables] = {}

    def of(self, plan: SourcePlan) -> dict[str, DataFrame]:
        """The tables of ``plan``."""
        with ExitStack() as stack:
            name = plan.name if plan.kind.is_sql else plan.shape.model
            order = [entry.column for entry in (*plan.order, *((plan.latest,) if plan.latest else ()))]
            found = {name: self._table(plan, plan.name, plan.query, _texts(plan.shape, order), stack)}
            for child, around in _children(plan.shape, plan):
                store = child.store or around
                order = [entry.column for entry in child.order or store.order]
                query = child.query or (store.query if child.store else "")
                table = store.name if child.store and store.kind.is_sql else child.table
                found[child.table] = self._table(store, table, query, _texts(child.shape, order), stack)
            return found

    def _table(self, plan: SourcePlan, name: str, query: str, as_texts: list[str], stack: ExitStack) -> DataFrame:
        address = self._project.source_address(plan.source)
        if plan.kind.is_sql:
            database = self._databases.get(plan.source)
            if database is None:
                database = self._databases[plan.source] = DatabaseTables(self._spark, address, plan.zone)
                stack.callback(database.close)
            return database.table(name, query, as_texts)
        with spark_errors_as("FM702", address.shown):
            if plan.kind is SourceKind.PARQUET:
                return self._spark.read.parquet(*_places(address))
            if plan.kind is SourceKind.CSV:
                return self._csv(address, plan)
            if plan.kind is SourceKind.JSON:
                return self._json(address, plan)
        raise _not_read("files", plan)

    def _csv(self, address: Address, plan: SourcePlan) -> DataFrame:
        """A file of one row a line, below the names of its columns: Spark has no other."""
        files = FileSet(address).listing().files
        head, *others = {CsvReader(file, plan).head() for file in files}
        names = [name or f"_c{number}" for number, name in enumerate(head.names)]
        is_plain = head.names_line == 1 and not head.separator and len(set(map(naming.fold, names))) == len(names)
        if others or not is_plain or plan.names or plan.fill or plan.until:
            raise _not_read("lines_of_file", plan)
        for file in files:
            _prove(file, head.encoding)
        # Looking for the columns itself, Spark would take signs in the names of files for patterns.
        columns = StructType([StructField(name, StringType()) for name in names])
        reader = self._spark.read.option("header", True).option("multiLine", True).option("escape", '"')
        reader = reader.option("sep", head.delimiter).option("encoding", head.encoding).option("mode", "FAILFAST")
        reader = reader.option("ignoreLeadingWhiteSpace", True).option("ignoreTrailingWhiteSpace", True)
        return reader.csv(list(_places(address)), columns)

    def _json(self, address: Address, plan: SourcePlan) -> DataFrame:
        """The documents of a list, or of each line; numbers as they are written."""
        files = FileSet(address).listing().files
        by_line = {file.inner_suffix in _LINES for file in files}
        if len(by_line) > 1:
            raise _not_read("files", plan)
        reader = self._spark.read.option("primitivesAsString", True).option("mode", "FAILFAST")
        rows = reader.option("multiLine", not any(by_line)).json(list(_places(address)))
        for step in path_steps(plan.name):
            if not isinstance(step, str):
                raise _not_read("files", plan)
            if step not in rows.columns:
                raise ProjectError([located(missing_column(plan.shape.model, step, plan.position, rows.columns))])
            kind = rows.schema[step].dataType
            if isinstance(kind, ArrayType) and isinstance(kind.elementType, StructType):
                rows = rows.selectExpr(f"inline(`{step.replace('`', '``')}`)")
            else:
                rows = rows.select(f"`{step.replace('`', '``')}`.*")
        return rows


def _prove(file: SourceFile, encoding: str) -> None:
    """Raises: ConfigError FM768 where bytes of the file are no text: Spark would read U+FFFD without a word."""
    with reading(file), open_text(file, encoding) as text:
        while part := text.read(_CHUNK):
            if DAMAGE in part:
                raise ConfigError("FM768", variant="bytes_of_file", source=file.shown)


def _places(address: Address) -> Iterator[str]:
    """The files of an address as Spark takes them: those of this machine, or of folders that all of them share.

    Raises: ConfigError FM768 for members of an archive.
    """
    for file in FileSet(address).listing().files:
        if file.member:
            raise ConfigError("FM768", variant="archive", source=address.shown)
        yield f"file://{_escaped(file.path.resolve())}"


def _escaped(path: Path) -> str:
    """A path in which nothing is a pattern of Spark's."""
    return "".join(f"\\{letter}" if letter in "*?[]{}\\" else letter for letter in path.as_posix())


def _children(layout: RowLayout, plan: SourcePlan) -> Iterator[tuple[Child, SourcePlan]]:
    """Each kind of row that is joined, with the plan of what it is joined to."""
    for child in joined_children(layout):
        yield child, plan
        yield from _children(child.shape, child.store or plan)


def _texts(shape: RowLayout, order: list[str]) -> list[str]:
    """The columns that elements read and nothing is sorted by."""
    return [column.name for column in shape.columns if column.element and column.name not in order]


def _not_read(variant: str, plan: SourcePlan) -> ProjectError:
    args: dict[str, object] = {"kind": plan.kind.value, "model": plan.shape.model, "position": plan.position}
    return ProjectError([located(Diagnostic("FM768", args=args, variant=variant))])
