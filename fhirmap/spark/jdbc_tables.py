"""Tables of a project's database as frames: by JDBC, or of a SQLite file, which one machine alone can read, by the
driver."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession

from fhirmap.errors import ConfigError
from fhirmap.sources.address import Address
from fhirmap.sources.sql_cells import BrokenText
from fhirmap.sources.sql_engine import engine_of
from fhirmap.sources.sql_errors import translated
from fhirmap.sources.sql_layout import SqlLayout
from fhirmap.spark.spark_faults import spark_errors_as

__all__ = ["DatabaseTables"]

_DRIVERS: Mapping[str, tuple[str, ...]] = {
    "postgresql": ("org.postgresql.Driver",),
    "mysql": ("org.mariadb.jdbc.Driver", "com.mysql.cj.jdbc.Driver"),
}
"""Classes of drivers, the first that is there is taken."""
_FETCHED = 10_000
"""Rows that a driver asks for at a time: PostgreSQL's would hold the whole table otherwise."""
_BACKENDS = {"mariadb": "mysql"}
_PROPERTIES: Mapping[str, Mapping[str, str]] = {
    "postgresql": {},
    # A number stays one, as it is in a run.
    "mysql": {"tinyInt1isBit": "false", "yearIsDateType": "false"},
}
_SAME_IN_JDBC = ("sslmode", "sslrootcert", "sslcert", "sslkey")
"""What PostgreSQL's drivers of Python and of Java call by one name."""


class DatabaseTables:
    """The tables of one database.

    Raises: ConfigError FM70x where it cannot be reached; FM710 where Spark lacks the driver for it.
    """

    def __init__(self, spark: SparkSession, address: Address, zone: str) -> None:
        self._spark = spark
        self._address = address
        self._engine = engine_of(address, zone)
        self._layout: SqlLayout | None = None

    def close(self) -> None:
        """Give the connections back that the layout was read by."""
        self._engine.dispose()

    def table(self, name: str, query: str, as_texts: Collection[str]) -> DataFrame:
        """The rows of a table or view under the name that the map has for it, or of a query's text.

        ``as_texts``: columns that need not be numbers: a `numeric` without a scale has the digits of each cell then.
        """
        source, kinds = self._source(name, query)
        if self._engine.dialect.name == "sqlite":
            return self._of_sqlite(source, name)
        return self._of_jdbc(source, [entry for entry in as_texts if _lacks_scale(kinds.get(entry))])

    def _source(self, name: str, query: str) -> tuple[str, Mapping[str, Any]]:
        """What comes after FROM, and the types of a table's columns."""
        if query:
            text = query.strip().rstrip(";")
            return f"(\n{text}\n) fhirmap_query", {}
        with translated(self._address.shown, name):
            if self._layout is None:
                self._layout = SqlLayout(sa.inspect(self._engine))
            table = self._layout.table(name)
        if table is None:
            raise ConfigError("FM703", table=name, source=self._address.shown, **self._layout.missing(name))
        quoted = self._engine.dialect.identifier_preparer.format_table(sa.table(table.name, schema=table.schema))
        return quoted, table.columns

    # --- JDBC ---------------------------------------------------------------------------------------------------------

    def _of_jdbc(self, source: str, as_texts: Collection[str]) -> DataFrame:
        url = self._engine.url
        backend = _BACKENDS.get(url.get_backend_name(), url.get_backend_name())
        reader = self._spark.read.format("jdbc").options(**_PROPERTIES.get(backend, {}))
        reader = reader.options(driver=self._driver(backend), dbtable=source, fetchsize=_FETCHED)
        # What has no zone in the database gets none by the way.
        reader = reader.options(preferTimestampNTZ=True, url=_jdbc_url(url, backend))
        given = {"user": url.username, "password": str(url.password) if url.password is not None else None}
        reader = reader.options(**{name: value for name, value in given.items() if value is not None})
        if as_texts:
            reader = reader.option("customSchema", ", ".join(f"`{name}` STRING" for name in as_texts))
        with spark_errors_as("FM702", self._address.shown):
            return reader.load()

    def _driver(self, backend: str) -> str:
        """The class of the driver that Spark has for this kind of database."""
        names = _DRIVERS.get(backend)
        if names is None:
            raise ConfigError("FM710", variant="frames", source=self._address.shown)
        jvm: Any = self._spark.sparkContext._jvm
        loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
        for name in names:
            try:
                loader.loadClass(name)
            except Py4JJavaError:
                continue
            return name
        raise ConfigError("FM710", variant="jdbc", source=self._address.shown, driver=names[0])

    # --- SQLite -------------------------------------------------------------------------------------------------------

    def _of_sqlite(self, source: str, name: str) -> DataFrame:
        with translated(self._address.shown, name), self._engine.connect() as connection:
            result = connection.exec_driver_sql(f"SELECT * FROM {source}")
            names = list(result.keys())
            columns = list(zip(*result, strict=True)) or [()] * len(names)
        for column, cells in zip(names, columns, strict=True):
            if any(isinstance(cell, BrokenText) for cell in cells):
                raise ConfigError("FM768", variant="bytes", table=name, column=column)
        return self._spark.createDataFrame(pa.Table.from_arrays(list(map(_arrow_column, columns)), names))


def _arrow_column(cells: Collection[object]) -> pa.Array:
    """Cells of SQLite as a column; texts where they are of several kinds, each as it would be shown."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if len(kinds) < 2:
        return pa.array(cells, None if kinds else pa.string())
    return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())


def _lacks_scale(kind: object) -> bool:
    """Does a column hold numbers of any digits? Spark would give each of them eighteen decimals."""
    return isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float) and kind.precision is None


def _jdbc_url(url: sa.URL, backend: str) -> str:
    """The address in JDBC's form, without user and password."""
    place = f"{url.host or 'localhost'}:{url.port}" if url.port else url.host or "localhost"
    given = "&".join(f"{name}={url.query[name]}" for name in _SAME_IN_JDBC if name in url.query)
    if backend == "mysql":
        given = "permitMysqlScheme"  # MariaDB's driver of Java, which Spark knows by the name of MySQL alone
    return f"jdbc:{backend}://{place}/{url.database or ''}" + (f"?{given}" if given else "")
