"""Records of files, whatever their kind: the rows of a reader by key, revision and record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Fault, Record
from fhirmap.source_plan import SourcePlan
from fhirmap.sources.address import Address
from fhirmap.sources.documents import ReadPath, resolved
from fhirmap.sources.files.column_rows import ColumnBlock
from fhirmap.sources.files.file_checks import FileChecks
from fhirmap.sources.files.file_index import file_index
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.key_records import KeyRecords, trimmed_cell
from fhirmap.sources.files.plan_files import PlanFiles
from fhirmap.sources.files.row_order import OrderedRows, RowOrder
from fhirmap.sources.files.row_spool import NO_SPACE, KeyedRow, RowSpool, keeping
from fhirmap.sources.files.source_files import SourceFile, Stamp, reading
from fhirmap.sources.keys import RecordKeys, cell_text
from fhirmap.sources.lost_rows import LostRows
from fhirmap.sources.protocol import Source
from fhirmap.sources.readings import NOTHING, ReadFile, Unread
from fhirmap.sources.revisions import Revision, Revisions
from fhirmap.sources.samples import Sample
from fhirmap.sources.store_rows import RowIndex, StoreRow, join_text
from fhirmap.texts import Text

__all__ = ["FileSource"]


AddKey: TypeAlias = Callable[[str, Revision | None], None]
"""What takes the key and the revision of a row."""


@dataclass(slots=True)
class FileScan:
    """What was read. ``rows``: of the files that can be read, each with its key.

    ``total``: how many rows there are; ``lost``: those of them whose key may be lost; ``keyless``: of these, those
    without any; ``lost_rows``: they, by the texts in them. ``counts``: of the rows of a key and revision. ``stamps``:
    of the files that can be read; ``broken``: why the others cannot. ``unfinished``: how many are being written.
    """

    rows: RowSpool
    has_lines: bool
    revisions: Revisions = field(default_factory=Revisions)
    counts: Counter[tuple[str, Revision | None]] = field(default_factory=Counter)
    stamps: dict[SourceFile, Stamp] = field(default_factory=dict)
    broken: dict[SourceFile, Fault] = field(default_factory=dict)
    total: int = 0
    lost: int = 0
    keyless: int = 0
    lost_rows: LostRows = field(default_factory=LostRows)
    unfinished: int = 0

    @property
    def add(self) -> AddKey:
        """What counts a row with a key."""
        return self._add_line if self.has_lines else self.revisions.add

    def _add_line(self, key: str, revision: Revision | None) -> None:
        self.revisions.add(key, revision)
        self.counts[key, revision] += 1

    def kept(self) -> Iterator[KeyedRow]:
        """The rows of all files that could be read, to the end even if the files are read anew meanwhile."""
        with self.rows.reading():
            yield from chain.from_iterable(map(self.rows.rows, self.stamps))

    @property
    def lacks_lines(self) -> bool:
        """May a record lack lines, or its latest revision, since a file, or a line without its key, could not be
        read?"""
        return bool(self.broken or self.unfinished or self.keyless)


class _LostRow(NamedTuple):
    """A row whose key may be lost, and the texts in it. ``key``: the one that it seems to have, or empty."""

    key: str
    pieces: Sequence[str]
    origin: str


@dataclass(slots=True)
class KeyLines:
    """The lines of one key and revision, until the last of them."""

    origin: str
    left: int
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class FileSource(Source):
    """Files of one kind as a stream of records.

    The files are read once, to prove them and to count the rows of each key; meanwhile their rows wait in a temporary
    file (`RowSpool`), which records are made of: they are those of that moment. So the lines of a
    record need not be together, nor in one file, and only records that are not complete yet are held. Shape: cells
    under the names that the map gives, or the document's own tree; the lines of a record as a list under each ``lines``
    child. Of several files (a folder, a pattern, an archive) one that cannot be read is one record without a key, with
    that fault; alone it is an error.
    Raises: ConfigError FM701, FM702, FM724, and those of the kind's reader.
    """

    def __init__(self, address: Address, plan: SourcePlan) -> None:
        self._plan = plan
        self._files = PlanFiles(address, plan)
        self._is_tree = plan.kind.is_tree
        self._keys = RecordKeys(plan)
        self._key_cells = [self._files.cell_reader(name) for name in plan.key]
        self._made = KeyRecords(plan)
        self._lines = self._made.lines
        self._scanned: FileScan | None = None

    def close(self) -> None:
        """Forget what was read; nothing stays open between two readings."""
        self._files.close()
        self._forget()

    def _forget(self) -> None:
        if self._scanned is not None:
            self._scanned.rows.close()
        self._scanned = None

    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """The columns of all files, or every dotted path at which some record holds something."""
        names: dict[str, None] = {}
        for file in self._files.set.listing().files:
            names |= dict.fromkeys(self._files.reader(file).names())
        return {self._plan.name: tuple(names)}

    def check(self) -> list[Diagnostic]:
        """What the map names and the files lack, and what the analyst should know of them: `FileChecks`."""
        return FileChecks(self._files, self._lines).found()

    def samples(self, count: int) -> Iterator[Sample]:
        """The first whole rows, as rows of the record and of its lines."""
        held: list[tuple[SourceFile, FileRow]] = []
        for file, row in self._files.all_rows():
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
                resolved({name: trimmed_cell(row.cells.get(name)) for name in names}, self._files.paths(file, shape))
                for file, row in held
            ]
            yield Sample("", shape, rows, attributes=attributes)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _scan(self) -> FileScan:
        """Read everything, if that was not done or the files have changed since."""
        listing = self._files.set.listing()
        scan = self._scanned
        if scan is None or scan.stamps != _stamps([file for file in listing.files if file not in scan.broken]):
            self._forget()
            scan = FileScan(RowSpool(self._files.shown), bool(self._lines))
            try:
                for file in listing.files:
                    self._scan_file(file, scan)
            except BaseException:
                scan.rows.close()
                raise
            self._scanned = scan
        scan.unfinished = len(listing.unfinished)
        return scan

    def _scan_file(self, file: SourceFile, scan: FileScan) -> None:
        """Read a file to its end. Of several, one that turns out to be broken counts for nothing."""
        is_several = self._files.set.is_several
        held: list[tuple[str, Revision | None]] = []
        add: AddKey = (lambda *key: held.append(key)) if is_several else scan.add
        lost: list[_LostRow] = []
        try:
            stamps = _stamps([file])
            count = self._put(file, scan.rows, add, lost)
            if _stamps([file]) != stamps:
                raise ConfigError("FM724", source=file.shown, reason=Text("reasons.file_changed"))
        except ConfigError as error:
            if not is_several or error.diagnostic().variant == NO_SPACE:
                raise
            scan.broken[file] = _file_fault(error.diagnostic())
            return
        scan.stamps |= stamps
        scan.total += count
        scan.lost += len(lost)
        for entry in lost:
            scan.keyless += not entry.key
            scan.lost_rows.add(entry.pieces, entry.origin, entry.key)
        for key in held:
            scan.add(*key)

    def _put(self, file: SourceFile, spool: RowSpool, add: AddKey, lost: list[_LostRow]) -> int:
        """Put the rows of a file into the spool; how many there are. Columns stay columns: of these, only what says
        which rows there are becomes values now."""
        shapes = self._plan.shape.walk() if self._lines else (self._plan.shape,)
        paths = tuple({path.name: path for shape in shapes for path in self._files.paths(file, shape)}.values())
        if not self._plan.kind.is_columnar:
            return spool.put(file, self._keyed(file, self._files.rows(file), paths, add, lost))
        names = (*self._plan.key, *((self._plan.latest.column,) if self._plan.latest else ()))
        blocks = (
            ColumnBlock(columns, list(self._keyed(file, rows, (), add, lost)), paths)
            for columns, rows in self._files.columns(file, names)
        )
        return spool.put_blocks(file, blocks)

    def _keyed(
        self,
        file: SourceFile,
        rows: Iterable[FileRow],
        paths: tuple[ReadPath, ...],
        add: AddKey,
        lost: list[_LostRow],
    ) -> Iterator[KeyedRow]:
        """The rows of a file. Each key is given to ``add``; a row whose key may be another row's, or cannot be read
        (then empty), is put in ``lost``."""
        name, key_of, is_several = file.name, self._keys.key, self._files.set.is_several
        is_revised = self._plan.latest is not None
        first, *others = self._key_cells
        for row in rows:
            cells, faults, is_lost = row.cells, row.faults, row.is_lost
            if faults and is_several:
                faults[:] = [_of_file(fault, file) for fault in faults]
            parts = [cell_text(first(cells))]
            if others:
                parts += [cell_text(cell(cells)) for cell in others]
            key = key_of(parts)
            revision = self._made.revision(cells, is_lost=is_lost) if is_revised and key else None
            if key:
                add(key, revision)
            if is_lost:
                if not _is_no_record(row):
                    lost.append(_LostRow(key, row.pieces, name + row.place))
                cells = dict.fromkeys(cells)
            elif not key:
                if any(column in self._plan.key for fault in faults for column in fault.columns):
                    lost.append(_LostRow(key, (), name + row.place))
                else:
                    faults.append(self._keys.fault(parts, cells=[cell(cells) for cell in self._key_cells]))
            if paths:
                cells = resolved(cells, paths)
            yield key, revision, cells, name + row.place, tuple(faults) if faults else (), is_lost

    def unread(self) -> Unread:
        """Files that could not be read or are being written, and damaged rows whose key may be lost."""
        scan = self._scanned
        return NOTHING if scan is None else Unread(len(scan.broken), scan.unfinished, scan.lost)

    def read_files(self) -> Iterator[ReadFile]:
        """The files of the last reading that could be read: of a folder or a pattern, an archive there as one file."""
        scan, root = self._scanned, self._files.set.root
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
                lambda files=files: (key for file in files for key, *_ in scan.rows.rows(file)),  # type: ignore[misc]
                lambda stamps=stamps: _stamps(list(stamps)) == stamps,  # type: ignore[misc]
            )

    def count(self) -> int | None:
        """How many records there are."""
        scan = self._scan()
        return len(scan.revisions) if self._lines else scan.total

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        """Every record, each where the last of its lines is, or those of ``keys``.

        Raises: as the class says.
        """
        scan = self._scan()
        found = chain(self._ordered(scan), (Record("", {}, file.name, (fault,)) for file, fault in scan.broken.items()))
        if keys is None:
            yield from found
            return
        wanted = frozenset(keys)
        yield from (record for record in found if record.key in wanted)

    def joined_rows(self, names: Sequence[str]) -> Iterator[StoreRow]:
        """Every row of every file with the texts of the columns ``names``: a `JoinableSource`.

        Raises: as the class says; of several files each has to be readable.
        """
        read = [self._files.cell_reader(name) for name in names]
        for file in self._files.set.listing().files:
            paths = self._files.paths(file, self._plan.shape)
            for row in self._files.rows(file):
                if _is_no_record(row):
                    continue
                parts = tuple(join_text(cell(row.cells)) for cell in read)
                values = dict.fromkeys(row.cells) if row.is_lost else row.cells
                values = resolved(values, paths) if paths else values
                yield StoreRow(parts, values, tuple(row.faults), f"{file.name}{row.place}", row.is_lost, row.pieces)

    def joined_index(self, names: Sequence[str]) -> RowIndex | None:
        """The same rows by these texts, where they can be found without reading them all: an `IndexedSource`."""
        return (
            None
            if self._lines
            else file_index(self._files.set.listing().files, self._plan, self._files.needed(), names)
        )

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
        cells = self._made.cells(order.names)
        with keeping(self._files.shown), OrderedRows[Record]() as rows:
            for record in found:
                rows.add(order.key(cells(record.values)), record)
            yield from rows

    def _single(self, scan: FileScan) -> Iterator[Record]:
        if self._plan.latest is None and scan.revisions.are_single:
            for key, _, cells, origin, faults, _ in scan.kept():
                yield Record(key, cells, origin, faults)
            return
        state_of, is_revised = scan.revisions.state, self._plan.latest is not None
        for key, revision, cells, origin, faults, _ in scan.kept():
            state = state_of(key, revision) if key else "current"
            if is_revised or state != "current":
                faults = (*faults, *self._made.faults(state, are_odd=scan.revisions.are_odd(key)))
            if is_revised and key and state == "current":
                faults = (*faults, *self._lost_of(key, scan))
                if scan.lacks_lines:
                    faults = (*faults, Fault("FM779", "warning", rule="lines", variant="revision"))
            yield Record(key, cells, origin, faults, state == "superseded")

    def _grouped(self, scan: FileScan) -> Iterator[Record]:
        groups: dict[tuple[str, Revision | None], KeyLines] = {}
        for key, revision, cells, origin, faults, is_lost in scan.kept():
            if not key:
                yield self._made.without_key(origin, faults)
                continue
            place = (key, revision)
            group = groups.setdefault(place, KeyLines(origin, scan.counts[place]))
            if not is_lost:
                group.rows.append(cells)
            group.faults += faults
            group.left -= 1
            if group.left <= 0:
                yield self._whole(key, revision, groups.pop(place), scan)

    def _whole(self, key: str, revision: Revision | None, group: KeyLines, scan: FileScan) -> Record:
        """The record of a key: what its lines agree on, and the lines."""
        is_old = self._plan.latest is not None and scan.revisions.state(key, revision) == "superseded"
        odd = scan.revisions.are_odd(key)
        if not is_old:
            group.faults += self._lost_of(key, scan)
        record = self._made.whole(key, group.rows, group.origin, group.faults, is_old=is_old, are_odd=odd)
        if scan.lacks_lines and not is_old:
            return record._replace(faults=(*record.faults, Fault("FM779", "warning", rule="lines")))
        return record

    def _lost_of(self, key: str, scan: FileScan) -> Iterator[Fault]:
        """FM779 of a record whose key is in a row that cannot be read: it is one of its lines, or a later revision."""
        origin = scan.lost_rows.origin_of(self._keys.parts(key), key)
        if origin:
            yield Fault("FM779", rule="lines", args={"origin": origin}, variant="lost")


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


def _stamps(files: Sequence[SourceFile]) -> dict[SourceFile, Stamp]:
    found: dict[SourceFile, Stamp] = {}
    for file in files:
        with reading(file):
            found[file] = file.stamp()
    return found
