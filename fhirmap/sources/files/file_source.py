"""Records of files, whatever their kind: the rows of a reader by key, revision and record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias, cast

from fhirmap.data import PathSteps, RawValue
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Fault, Record
from fhirmap.runtime.reading import at
from fhirmap.source_plan import Child, ChildKind, RowLayout, SourceColumn, SourceKind, SourcePlan, path_steps
from fhirmap.sources import names as naming
from fhirmap.sources.address import Address
from fhirmap.sources.attribute_names import unknown_attributes
from fhirmap.sources.documents import ReadPath, paths_of, resolved
from fhirmap.sources.files.csv_reader import UnreadCell
from fhirmap.sources.files.document_paths import (
    PathRead,
    PathsFound,
    look_ups_with_conditions,
    path_meant,
    paths_in,
    paths_read,
    without_conditions,
)
from fhirmap.sources.files.file_index import file_index
from fhirmap.sources.files.file_rows import FileReader, FileRow, ReaderFactory
from fhirmap.sources.files.flat_columns import columns_needed
from fhirmap.sources.files.row_filter import RowFilter, filter_of, is_kept
from fhirmap.sources.files.row_order import OrderedRows, RowOrder
from fhirmap.sources.files.source_files import FileSet, SourceFile, Stamp, reading
from fhirmap.sources.keys import RecordKeys, cell_text, revision_column
from fhirmap.sources.readings import NOTHING, ReadFile, Unread
from fhirmap.sources.revisions import NO_REVISION, Revision, Revisions, number_revision, revision_of
from fhirmap.sources.samples import Sample
from fhirmap.sources.store_rows import RowIndex, StoreRow, join_text
from fhirmap.texts import Text

__all__ = ["FileSource", "open_reader"]

_READERS: Mapping[SourceKind, tuple[str, str]] = {
    SourceKind.CSV: ("csv_reader", "CsvReader"),
    SourceKind.SHEET: ("sheet_reader", "SheetReader"),
    SourceKind.FIXED: ("fixed_reader", "FixedReader"),
    SourceKind.PARQUET: ("parquet_reader", "ParquetReader"),
    SourceKind.JSON: ("json_reader", "JsonReader"),
    SourceKind.XML: ("xml_reader", "XmlReader"),
    SourceKind.HL7: ("hl7_reader", "Hl7Reader"),
}
"""Where the reader of each kind is: it is loaded when a file of that kind is opened."""
Trees: TypeAlias = Iterator[Mapping[str, Any]]
ReaderOf: TypeAlias = Callable[[SourceFile], FileReader]
_RECORDS_LACKING = ("FM714", "FM781")
_SAMPLE = 1000
"""Documents in which paths are looked for before all are."""


def open_reader(file: SourceFile, plan: SourcePlan) -> FileReader:
    """The reader of a file of the plan's kind."""
    module, name = _READERS[plan.kind]
    found = getattr(import_module(f"fhirmap.sources.files.{module}"), name)
    return cast(ReaderFactory, found)(file, plan)


@dataclass(slots=True)
class FileScan:
    """What the first reading found.

    ``total``: how many rows there are; ``lost``: those of them whose key may be lost; ``keyless``: of these, those
    without any. ``counts``: of the lines of a key
    and revision, where a record has lines. ``stamps``: of the files that can be read; ``broken``: why the others
    cannot. ``unfinished``: how many are being written.
    """

    revisions: Revisions = field(default_factory=Revisions)
    counts: Counter[tuple[str, Revision | None]] = field(default_factory=Counter)
    stamps: dict[SourceFile, Stamp] = field(default_factory=dict)
    broken: dict[SourceFile, Fault] = field(default_factory=dict)
    total: int = 0
    lost: int = 0
    keyless: int = 0
    unfinished: int = 0

    @property
    def lacks_lines(self) -> bool:
        """May a record lack lines, since a file, or a line without its key, could not be read?"""
        return bool(self.broken or self.unfinished or self.keyless)


@dataclass(slots=True)
class KeyLines:
    """The lines of one key and revision, until the last of them."""

    origin: str
    left: int
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class FileSource:
    """Files of one kind as a stream of records.

    The files are read twice: once to prove them and to count the rows of each key, then to yield. So the lines of a
    record need not be together, nor in one file, and only records that are not complete yet are held. Shape: cells
    under the names that the map gives, or the document's own tree; the lines of a record as a list under each ``lines``
    child. Of several files (a folder, a pattern, an archive) one that cannot be read is one record without a key, with
    that fault; alone it is an error.
    Raises: ConfigError FM701, FM702, FM724, and those of the kind's reader.
    """

    def __init__(self, address: Address, plan: SourcePlan) -> None:
        self._address = address
        self._plan = plan
        self._files = FileSet(address)
        self._readers: dict[SourceFile, FileReader] = {}
        self._scanned: FileScan | None = None
        self._keys = RecordKeys(plan)
        self._revision_column = revision_column(plan)
        self._known: dict[str, str] | None = None
        self._condition: RowFilter | None = None
        self._lines = [child for child in plan.shape.children if child.kind == ChildKind.LINES]
        self._is_tree = plan.kind.is_tree

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget what was read; nothing stays open between two readings."""
        self._readers.clear()
        self._scanned = None

    # --- layout -------------------------------------------------------------------------------------------------------

    def _reader(self, file: SourceFile) -> FileReader:
        """The reader of a file. Of several, only the last one is kept: each may hold its whole file."""
        found = self._readers.get(file)
        if found is None:
            if self._files.is_several:
                self._readers.clear()
            found = self._readers[file] = open_reader(file, self._plan)
        return found

    def _needed(self) -> dict[str, str]:
        """Each column or path that is read, with the place in the map that names it. Raises: ConfigError FM715."""
        if self._known is None:
            self._condition = filter_of(self._plan)
            asked = self._condition.names if self._condition is not None else ()
            self._known = {**dict.fromkeys(asked, self._plan.position), **columns_needed(self._plan)}
        return self._known

    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """The columns of all files, or every dotted path at which some record holds something."""
        names: dict[str, None] = {}
        for file in self._files.listing().files:
            names |= dict.fromkeys(self._reader(file).names())
        return {self._plan.name: tuple(names)}

    def check(self) -> list[Diagnostic]:
        """Columns and paths that are not there (FM704, FM726), attributes that no line has (FM774), what the analyst
        should know of the first file that can be read (FM753), and files that are being written (FM788)."""
        listing = self._files.listing()
        found: list[Diagnostic] = []
        found += self._check_first(listing.files)
        if listing.unfinished:
            count, first = len(listing.unfinished), listing.unfinished[0]
            args = {"source": self._address.shown, "count": count, "file": first, "position": self._plan.position}
            found.append(Diagnostic("FM788", args=args))
        if self._is_tree:
            # Where the records' path or a namespace is wrong, every path is missing for this one reason.
            if not any(entry.code in _RECORDS_LACKING for entry in found):
                found += self._check_conditions()
                said = {entry.args.get("column") for entry in found}
                found += [entry for entry in self._check_paths() if entry.args.get("column") not in said]
        elif not any(entry.is_error for entry in found):
            found += self._unknown_attributes()
        return found

    def _check_first(self, files: Sequence[SourceFile]) -> list[Diagnostic]:
        """What the first file says that is as it should be; else what is wrong with the first of them."""
        worst: list[Diagnostic] | None = None
        failure: ConfigError | None = None
        for file in files:
            try:
                found = self._reader(file).check(self._needed())
            except ConfigError as error:
                failure = failure or error
                continue
            if not any(entry.is_error for entry in found):
                return found
            worst = worst or found
        if worst is not None:
            return worst
        if failure is not None:
            raise failure
        return []

    def _check_paths(self) -> list[Diagnostic]:
        """Paths that no record has: an error for key and revision, a warning for others, which may be optional."""
        plan = self._plan
        needed = [*plan.key, *((plan.latest.column,) if plan.latest else ())]
        paths = PathsFound(paths_read(plan), needed)
        count = 0
        try:
            for tree in self._trees():
                paths.look(tree)
                count += 1
                if paths.is_settled:
                    break
            there = paths_in(islice(self._trees(), _SAMPLE)) if paths.lacking else {}
            known = dict.fromkeys((*there, *self._names_of_first())) if paths.lacking else {}
        except ConfigError as error:
            if error.code != "FM714":
                raise
            entry = error.diagnostic()
            return [replace(entry, args={**entry.args, "position": plan.position})]
        found = [self._lacking(name, "FM704", plan.position, "json_list") for name in paths.listed]
        for read in paths.lacking.values() if count else ():
            if read.name not in there:  # else it is there, and null
                code, variant = ("FM704", "json") if read.name in needed else ("FM726", "")
                found.append(self._lacking(read.name, code, read.place, variant, known))
        return found

    def _check_conditions(self) -> list[Diagnostic]:
        """Paths of the conditions, of the records and of what they look up, that nothing has."""
        plan = self._plan
        asked = self._condition.names if self._condition is not None else ()
        names = [name for name in asked if name not in plan.key]
        found = self._check_condition(names, plan.position, self._unfiltered, self._names_of_first)
        shape = without_conditions(plan.shape)
        for steps, child in look_ups_with_conditions(plan.shape):
            condition = filter_of(replace(plan, where=child.where, shape=child.shape, position=child.position))
            assert condition is not None
            rows = partial(self._looked_up, replace(plan, shape=shape), steps)
            found += self._check_condition(condition.names, child.position or plan.position, rows)
        return found

    def _check_condition(
        self,
        names: Sequence[str],
        position: str,
        rows: Callable[[], Trees],
        more: Callable[[], Collection[str]] = tuple,
    ) -> list[Diagnostic]:
        """Paths of a condition that none of ``rows`` has, kept or not: it would take each for blank.

        An error where one that is there, or is among ``more``, is spelt almost so; else a warning, since only what is
        to be left out may have it, and today there may be none.
        """
        paths = PathsFound((PathRead(name, position, path_steps(name)) for name in names), ())
        count = 0
        try:
            for row in rows() if names else ():
                paths.look(row)
                count += 1
                if paths.is_settled:
                    break
            if not count or not paths.lacking:
                return []
            there = dict.fromkeys((*paths_in(islice(rows(), _SAMPLE)), *more()))
        except ConfigError:  # reading says so again
            return []
        found = []
        for name in (read.name for read in paths.lacking.values() if read.name not in there):
            meant = path_meant(name, filter(naming.may_be_shown, there))
            known = there if meant is None else dict.fromkeys((meant, *there))
            found.append(self._lacking(name, "FM704" if meant else "FM726", position, "where", known))
        return found

    def _unfiltered(self, reader_of: ReaderOf | None = None, asked: Mapping[str, str] | None = None) -> Trees:
        """The trees of all rows, also of those that the condition leaves out."""
        for file in self._files.listing().files:
            try:
                reader = (reader_of or self._reader)(file)
                yield from (row.cells for row in reader.rows(asked or self._asked()) if not row.is_lost)
            except ConfigError:
                if not self._files.is_several:
                    raise

    def _looked_up(self, plan: SourcePlan, steps: PathSteps) -> Trees:
        """What all rows of ``plan`` have looked up, to which ``steps`` lead."""
        for row in self._unfiltered(lambda file: open_reader(file, plan), columns_needed(plan)):
            held = at(row, steps)
            yield from (item for item in (held if isinstance(held, list) else ()) if isinstance(item, Mapping))

    def _names_of_first(self) -> Collection[str]:
        """The paths of the first file that can be read. Of XML, rows have only what is read of them."""
        for file in self._files.listing().files if self._plan.kind is SourceKind.XML else ():
            with suppress(ConfigError):
                return self._reader(file).names()
        return ()

    def _lacking(
        self, name: str, code: str, position: str, variant: str, there: Collection[str] | None = None
    ) -> Diagnostic:
        args = {"table": self._address.shown, "column": name, "source": self._address.shown, "position": position}
        if there is None:
            return Diagnostic(code, args=args, variant=variant)
        return Diagnostic(code, args=args, variant=variant, **naming.like(name, there))

    def _trees(self) -> Iterator[Mapping[str, Any]]:
        return (row.cells for _, row in self._all_rows(FileScan()) if not row.is_lost)

    def _unknown_attributes(self) -> list[Diagnostic]:
        """Attributes that no line has (FM774)."""
        found: list[Diagnostic] = []
        for child in self._lines:
            if child.attributes is not None:
                name = child.attributes.name
                rows = self._all_rows(FileScan())
                cells = (row.cells.get(name) for _, row in rows if not row.is_lost)
                found += unknown_attributes(self._address.shown, child.attributes, cells)
        return found

    def samples(self, count: int) -> Iterator[Sample]:
        """The first whole rows, as rows of the record and of its lines."""
        scan = FileScan()
        held: list[tuple[SourceFile, FileRow]] = []
        for file, row in self._all_rows(scan):
            if not row.is_lost:
                held.append((file, row))
            if len(held) == count:
                break
        if self._is_tree:
            yield Sample("", self._plan.shape, [row.cells for _, row in held], is_tree=True)
            return
        kinds = [(self._plan.shape, None), *((child.shape, child.attributes) for child in self._lines)]
        for shape, attributes in kinds:
            names = shape.column_names
            rows = [
                resolved({name: trimmed_cell(row.cells.get(name)) for name in names}, self._paths(file, shape))
                for file, row in held
            ]
            yield Sample("", shape, rows, attributes=attributes)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _all_rows(self, scan: FileScan) -> Iterator[tuple[SourceFile, FileRow]]:
        """Every row of every file; those that are broken are noted in ``scan``."""
        for file in self._files.listing().files:
            try:
                for row in self._kept(file):
                    yield file, row
            except ConfigError as error:
                self._break(file, error, scan)

    def _break(self, file: SourceFile, error: ConfigError, scan: FileScan) -> None:
        if not self._files.is_several:
            raise error
        scan.broken[file] = _file_fault(error.diagnostic())

    def _scan(self) -> FileScan:
        """Read everything once, if that was not done or the files have changed since."""
        listing = self._files.listing()
        if self._scanned is None or self._scanned.stamps != self._stamps(
            [file for file in listing.files if file not in self._scanned.broken]
        ):
            scan = FileScan()
            for file in listing.files:
                stamp = self._stamps([file])
                try:
                    lacking = self._column_lacking(file)
                    if lacking is not None:
                        scan.broken[file] = _file_fault(lacking)
                        continue
                    found = self._keys_of(file)
                    # Of several files, one that turns out to be broken counts for nothing.
                    for key, revision, is_lost in list(found) if self._files.is_several else found:
                        scan.total += 1
                        scan.lost += is_lost
                        scan.keyless += is_lost and not key
                        if not key:
                            continue
                        scan.revisions.add(key, revision)
                        if self._lines:
                            scan.counts[key, revision] += 1
                    scan.stamps |= stamp
                except ConfigError as error:
                    self._break(file, error, scan)
            self._scanned = scan
        self._scanned.unfinished = len(listing.unfinished)
        return self._scanned

    def _column_lacking(self, file: SourceFile) -> Diagnostic | None:
        """What a file of several lacks: the first reading asks for the columns of the key alone.

        Of a file by itself, `check` has said it.
        """
        if not self._files.is_several or self._is_tree:
            return None
        return next((entry for entry in self._reader(file).check(self._needed()) if entry.is_error), None)

    def unread(self) -> Unread:
        """Files that could not be read or are being written, and damaged rows whose key may be lost."""
        scan = self._scanned
        return NOTHING if scan is None else Unread(len(scan.broken), scan.unfinished, scan.lost)

    def read_files(self) -> Iterator[ReadFile]:
        """The files of the last reading that could be read: of a folder or a pattern, an archive there as one file."""
        scan, root = self._scanned, self._files.root
        if scan is None or root is None:
            return
        broken = {file.path for file in scan.broken}
        by_path: dict[Path, list[SourceFile]] = {}
        for file in scan.stamps:
            if file.path not in broken:
                by_path.setdefault(file.path, []).append(file)
        for path, files in by_path.items():
            stamps = {file: scan.stamps[file] for file in files}
            yield ReadFile(
                path,
                path.relative_to(root).as_posix(),
                lambda files=files: (key for file in files for key, _, _ in self._keys_of(file)),  # type: ignore[misc]
                lambda stamps=stamps: self._stamps(list(stamps)) == stamps,  # type: ignore[misc]
            )

    def _stamps(self, files: Sequence[SourceFile]) -> dict[SourceFile, Stamp]:
        found: dict[SourceFile, Stamp] = {}
        for file in files:
            with reading(file):
                found[file] = file.stamp()
        return found

    def _keys_of(self, file: SourceFile) -> Iterator[tuple[str, Revision | None, bool]]:
        """Key and revision of each row, and whether that may be another row's key, or none although it has one."""
        for row in self._kept(file, self._asked()):
            key = self._keys.key(self._parts(row))
            is_lost = not _is_no_record(row) if row.is_lost else not key and self._is_key_unread(row)
            yield key, self._revision(row) if key else None, is_lost

    def _is_key_unread(self, row: FileRow) -> bool:
        return any(column in self._plan.key for fault in row.faults for column in fault.columns)

    def _value(self, row: FileRow, name: str) -> RawValue:
        """What the row holds under a name, or at a path; the one item that a filter of a path leaves."""
        if not self._is_tree:
            return row.cells.get(name)
        steps = path_steps(name)
        found = at(row.cells, steps)
        if isinstance(found, list) and len(found) == 1 and any(isinstance(step, tuple) for step in steps):
            return found[0]
        return None if isinstance(found, list) else found

    def _parts(self, row: FileRow) -> list[str]:
        """The texts of the key's columns."""
        return [cell_text(self._value(row, name)) for name in self._plan.key]

    def _revision(self, row: FileRow) -> Revision | None:
        """What distinguishes revisions, comparable; None where they do not count."""
        latest = self._plan.latest
        if latest is None:
            return None
        cell = self._value(row, latest.column)
        if row.is_lost or isinstance(cell, UnreadCell):
            return NO_REVISION
        if isinstance(cell, Decimal) and cell.is_finite():
            return number_revision(cell)
        text = cell_text(cell)
        if not text and cell is not None and not isinstance(cell, str):
            return NO_REVISION
        return revision_of(text, self._revision_column)

    def count(self) -> int | None:
        """How many records there are."""
        scan = self._scan()
        return len(scan.revisions) if self._lines else scan.total

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        """Every record, each where the last of its lines is, or those of ``keys``.

        Raises: as the class says.
        """
        scan = self._scan()
        wanted = None if keys is None else frozenset(keys)
        for record in self._ordered(scan):
            if wanted is None or record.key in wanted:
                yield record
        for file, fault in scan.broken.items():
            if wanted is None or "" in wanted:
                yield Record("", {}, file.name, (fault,))
        if self._stamps(list(scan.stamps)) != scan.stamps:
            raise ConfigError("FM724", source=self._address.shown, reason=Text("reasons.file_changed"))

    def joined_rows(self, names: Sequence[str]) -> Iterator[StoreRow]:
        """Every row of every file with the texts of the columns ``names``: a `JoinableSource`.

        Raises: as the class says; of several files each has to be readable.
        """
        for file in self._files.listing().files:
            paths = self._paths(file, self._plan.shape)
            for row in self._kept(file):
                if _is_no_record(row):
                    continue
                parts = tuple(join_text(self._value(row, name)) for name in names)
                values = dict.fromkeys(row.cells) if row.is_lost else row.cells
                values = resolved(values, paths) if paths else values
                yield StoreRow(parts, values, tuple(row.faults), f"{file.name}{row.place}", row.is_lost)

    def joined_index(self, names: Sequence[str]) -> RowIndex | None:
        """The same rows by these texts, where they can be found without reading them all: an `IndexedSource`."""
        return None if self._lines else file_index(self._files.listing().files, self._plan, self._needed(), names)

    def _rows(self, scan: FileScan) -> Iterator[tuple[SourceFile, FileRow]]:
        """The rows of the files that could be read."""
        for file in scan.stamps:
            for row in self._kept(file):
                if row.faults and self._files.is_several:
                    row.faults[:] = [_of_file(fault, file) for fault in row.faults]
                yield file, row

    def _asked(self) -> dict[str, str]:
        """Those of the columns and paths that say which rows are read and whose they are."""
        latest = (self._plan.latest.column,) if self._plan.latest else ()
        names = {*self._plan.key, *latest, *self._plan.fill}
        needed = self._needed()
        names.update(self._condition.names if self._condition is not None else ())
        return {name: place for name, place in needed.items() if name in names}

    def _kept(self, file: SourceFile, needed: Mapping[str, str] | None = None) -> Iterator[FileRow]:
        """The rows of a file for which the condition holds, and those of which that cannot be said."""
        rows = self._reader(file).rows(self._needed() if needed is None else needed)
        condition = self._condition
        if condition is None:
            yield from rows
            return
        for row in rows:
            if is_kept(condition, row, [self._value(row, name) for name in condition.names]):
                yield row

    def _paths(self, file: SourceFile, shape: RowLayout) -> tuple[ReadPath, ...]:
        """What is read of cells that hold documents."""
        return () if self._is_tree else paths_of(shape, dict.fromkeys(self._reader(file).names()))

    def _ordered(self, scan: FileScan) -> Iterator[Record]:
        """The records in the order that the plan asks for, or that of the files."""
        if self._lines:
            yield from self._grouped(scan)
            return
        found = self._single(scan)
        if not self._plan.order:
            yield from found
            return
        order = RowOrder.of_plan(self._plan)
        with OrderedRows[Record]() as rows:
            for record in found:
                rows.add(order.key([self._cell(record.values, name) for name in order.names]), record)
            yield from rows

    def _single(self, scan: FileScan) -> Iterator[Record]:
        latest, shape = self._plan.latest, self._plan.shape
        last: SourceFile | None = None
        paths: tuple[ReadPath, ...] = ()
        for file, row in self._rows(scan):
            if file is not last:
                last, paths = file, self._paths(file, shape)
            values = dict.fromkeys(row.cells) if row.is_lost else row.cells
            if paths:
                values = resolved(values, paths)
            origin = f"{file.name}{row.place}"
            parts = self._parts(row)
            key = self._keys.key(parts)
            if not key:
                yield self._keyless(origin, values, parts, row)
                continue
            faults = row.faults
            state = scan.revisions.state(key, self._revision(row))
            if state == "double":
                faults.append(self._key_fault("FM718"))
            if latest and state != "superseded" and scan.revisions.are_odd(key):
                faults.append(Fault("FM756", rule="key", args={"columns": latest.column}, columns=(latest.column,)))
            yield Record(key, values, origin, tuple(faults), state == "superseded")

    def _grouped(self, scan: FileScan) -> Iterator[Record]:
        groups: dict[tuple[str, Revision | None], KeyLines] = {}
        for file, row in self._rows(scan):
            origin = f"{file.name}{row.place}"
            parts = self._parts(row)
            key = self._keys.key(parts)
            if not key:
                empty = dict.fromkeys(self._plan.shape.column_names) | {child.key: [] for child in self._lines}
                yield self._keyless(origin, empty, parts, row)
                continue
            place = (key, self._revision(row))
            group = groups.setdefault(place, KeyLines(origin, scan.counts[place]))
            if not row.is_lost:
                group.rows.append(self._with_paths(file, row))
            group.faults += row.faults
            group.left -= 1
            if group.left <= 0:
                yield self._whole(key, place[1], groups.pop(place), scan)
        if groups:  # lines that the first reading counted are not there any more
            raise ConfigError("FM724", source=self._address.shown, reason=Text("reasons.file_changed"))

    def _with_paths(self, file: SourceFile, row: FileRow) -> Mapping[str, Any]:
        """A row with what is read of its cells that hold documents, for the record and for each of its lines."""
        paths = {path.name: path for shape in self._plan.shape.walk() for path in self._paths(file, shape)}
        return resolved(row.cells, tuple(paths.values())) if paths else row.cells

    def _whole(self, key: str, revision: Revision | None, group: KeyLines, scan: FileScan) -> Record:
        """The record of a key: what its lines agree on, and the lines."""
        faults = group.faults
        values: dict[str, Any] = dict.fromkeys(self._plan.shape.column_names)
        for column in self._plan.shape.columns:
            found = self._said(column, [self._cell(row, column.name) for row in group.rows])
            if len(found) > 1:
                faults.append(_disagreement(column))
            elif found:
                values[column.name] = found[0]
        for child in self._lines:
            order = RowOrder.of_plan(self._plan, child.order)
            rows = order.sorted(group.rows, self._cells(order.names)) if child.order else group.rows
            values[child.key] = [self._line(row, child) for row in rows]
        latest = self._plan.latest
        is_old = latest is not None and scan.revisions.state(key, revision) == "superseded"
        if latest is not None and not is_old and scan.revisions.are_odd(key):
            faults.append(Fault("FM756", rule="key", args={"columns": latest.column}, columns=(latest.column,)))
        if scan.lacks_lines and not is_old:
            faults.append(Fault("FM779", "warning", rule="lines"))
        return Record(key, values, group.origin, tuple(faults), is_old)

    def _cells(self, names: Sequence[str]) -> Callable[[Mapping[str, Any]], list[RawValue]]:
        return lambda row: [self._cell(row, name) for name in names]

    def _cell(self, row: Mapping[str, Any], name: str) -> RawValue:
        return at(row, path_steps(name)) if self._is_tree else row.get(name)

    def _said(self, column: SourceColumn, cells: Sequence[RawValue]) -> list[RawValue]:
        """What the lines say of a column, each once. A text that the map takes for absent says nothing of others."""
        held: dict[str, RawValue] = {}
        for cell in cells:
            value = trimmed_cell(cell)
            if value is not None and value != "" and value != []:
                held.setdefault(repr(value), value)
        nulls = (*self._plan.nulls, *column.nulls)
        found = [value for value in held.values() if not (isinstance(value, str) and value in nulls)]
        return found or list(held.values())[:1]

    def _line(self, row: Mapping[str, Any], child: Child) -> Mapping[str, Any]:
        return row if self._is_tree else {column.name: row.get(column.name) for column in child.shape.columns}

    def _keyless(self, origin: str, values: Mapping[str, Any], parts: Sequence[str], row: FileRow) -> Record:
        if not row.is_lost and not self._is_key_unread(row):
            row.faults.append(self._keys.fault(parts))
        return Record("", values, origin, tuple(row.faults))

    def _key_fault(self, code: str) -> Fault:
        return Fault(code, rule="key", args={"columns": ", ".join(self._plan.key)}, columns=self._plan.key)


def trimmed_cell(cell: RawValue) -> RawValue:
    """A text without blanks around it; any other cell as it is."""
    return cell_text(cell) if isinstance(cell, str) else cell


def _of_file(fault: Fault, file: SourceFile) -> Fault:
    """A fault that says of several files which one its line is in."""
    name = "last" if (fault.code, fault.variant) == ("FM719", "several") else "line"
    line = fault.args.get(name)
    if line is None:
        return fault
    of_file = Text("values.line_of_file", {"line": line, "file": file.name})
    return replace(fault, args={**fault.args, name: of_file})


def _is_no_record(row: FileRow) -> bool:
    """Are these the names of the columns once more?"""
    return any((fault.code, fault.variant) == ("FM719", "names") for fault in row.faults)


def _file_fault(entry: Diagnostic) -> Fault:
    """The fault of the one record that is given in the place of a file."""
    return Fault(entry.code, rule="file", args=entry.args, variant=entry.variant)


def _disagreement(column: SourceColumn) -> Fault:
    args = {"column": column.name}
    return Fault(
        "FM720", element=column.element, rule="lines", args=args, position=column.position, columns=(column.name,)
    )
