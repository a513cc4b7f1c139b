"""Records from a CSV file: one per line, or one per key, whose lines may be anywhere in the file (`lines`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Fault, Record
from fhirmap.source_plan import Child, ChildKind, SourceColumn, SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources.address import Address
from fhirmap.sources.attribute_names import unknown_attributes
from fhirmap.sources.documents import DocumentColumn, ReadPath, column_and_path, paths_of, value_of
from fhirmap.sources.files.csv_text import DELIMITERS, CsvLine, has_width, read_lines, separator_line
from fhirmap.sources.files.text_lines import is_damaged, proved_encoding
from fhirmap.sources.keys import RecordKeys, revision_column
from fhirmap.sources.revisions import NO_REVISION, Revision, Revisions, revision_of
from fhirmap.sources.samples import Sample
from fhirmap.texts import Text

CsvRow: TypeAlias = dict[str, str | None]
"""A line's cells under the names that the map gives; None for one that is not there, or cannot be read."""


class UnreadCell(str):
    """In the place of a cell whose text is damaged, or perhaps another column's. Empty."""

    __slots__ = ()


@dataclass(slots=True)
class _Scan:
    """What the first reading found: the encoding, the columns and how often each key occurs."""

    encoding: str
    delimiter: str
    header: list[str]
    places: dict[str, int]
    paths: dict[str, tuple[ReadPath, ...]]
    """By model: what is read of cells that hold documents."""
    stamp: tuple[int, int]
    revisions: Revisions = field(default_factory=Revisions)


@dataclass(slots=True)
class _KeyLines:
    """The lines of one key, until the last of them."""

    first: int
    rows: list[CsvRow] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    left: int = 0


class CsvFile:
    """A CSV file as a stream of records.

    The file is read twice: once to prove its encoding, its quotes and to count the lines of each key, then to yield. So
    the lines of a record need not be together and only records that are not complete yet are held. Shape: cells
    under the names that the map gives; the lines of a record as a list under each ``lines`` child.
    Raises: ConfigError FM701, FM702, FM704, FM705, FM711, FM712, FM724.
    """

    def __init__(self, address: Address, plan: SourcePlan) -> None:
        self._address = address
        self._plan = plan
        self._path = address.path or Path(address.url)
        self._scanned: _Scan | None = None
        latest = (plan.latest.column,) if plan.latest else ()
        self._keys = RecordKeys(plan)
        self._revision_column = revision_column(plan)
        self._not_paths = frozenset((*plan.key, *(entry.column for entry in plan.order), *latest))
        self._lines = [child for child in plan.shape.children if child.kind == ChildKind.LINES]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing stays open between two readings."""

    # --- layout -------------------------------------------------------------------------------------------------------

    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the first line."""
        return {self._plan.name: tuple(name for name in self._head()[2] if name)}

    def _needed(self) -> dict[str, str]:
        """Each column that is read, with the place in the map that names it."""
        plan = self._plan
        own = [*plan.key, *(entry.column for entry in plan.order), *((plan.latest.column,) if plan.latest else ())]
        found = dict.fromkeys(own, plan.position)
        for shape in plan.shape.walk():
            found |= {column.name: column.position or plan.position for column in shape.columns}
        return found

    def _head(self) -> tuple[str, str, list[str]]:
        """Encoding, delimiter and names of the first line."""
        encoding = proved_encoding(self._path, self._address.shown, self._plan.encoding)
        declared = self._declared_delimiter()
        # The file's own word about itself comes before the map's.
        mark = separator_line(self._path, self._address.shown, encoding)
        if mark:
            proved_encoding(self._path, self._address.shown, self._plan.encoding, names=2)
        declared = mark or declared
        best: tuple[int, int, str, list[str]] | None = None
        for delimiter in (declared,) if declared else DELIMITERS:
            header = self._first_line(encoding, delimiter)
            if header is None:
                raise ConfigError("FM711", source=self._address.shown)
            known = self._count_known(header)
            if best is None or (known, len(header)) > best[:2]:
                best = (known, len(header), delimiter, header)
        assert best is not None
        return encoding, best[2], best[3]

    def _declared_delimiter(self) -> str:
        return "\t" if self._plan.delimiter in ("\\t", "tab") else self._plan.delimiter

    def sample(self, count: int) -> tuple[list[str], list[dict[str, str]], str]:
        """Names of the first line, the cells of the first ``count`` whole lines by name, and the delimiter."""
        encoding, delimiter, header = self._head()
        found: list[dict[str, str]] = []
        for line in islice(read_lines(self._path, self._address.shown, encoding, delimiter), 1, count + 1):
            if len(line.cells) >= len(header) and not line.problem:
                found.append({name: _clean(cell) for name, cell in zip(header, line.cells, strict=False)})
        return header, found, delimiter

    def samples(self, count: int) -> Iterator[Sample]:
        """The first whole lines, as rows of the record and of its lines."""
        header, rows, _ = self.sample(count)
        kinds = [(self._plan.shape, None), *((child.shape, child.attributes) for child in self._lines)]
        for shape, attributes in kinds:
            places = {name: self._column(name, header) for name in shape.column_names}
            held = [{name: row[place.column] for name, place in places.items() if place} for row in rows]
            whole = [_resolved(row, paths_of(shape, dict.fromkeys(header))) for row in held]
            yield Sample("", shape, whole, attributes=attributes)

    def check(self) -> list[Diagnostic]:
        """Columns that are missing or occur twice, a wrong delimiter (FM704); a first line `sep=;` (FM753); a `where`,
        which is SQL (FM715)."""
        encoding, delimiter, header = self._head()
        mark = self._delimiter_meant(encoding, header)
        if mark:
            # Every column is missing for this one reason.
            args = {"table": self._address.shown, "declared": _in_map(delimiter), "mark": _in_map(mark)}
            return [Diagnostic("FM704", args={**args, "position": self._plan.position}, variant="delimiter")]
        found = [entry for name, place in self._needed().items() for entry in self._check_column(name, place, header)]
        found += self._separator_line(encoding)
        if self._plan.where:
            args = {"what": self._address.shown, "position": self._plan.position}
            found.append(Diagnostic("FM715", args=args, variant="file"))
        if not any(entry.is_error for entry in found):
            found += self._unknown_attributes(encoding, delimiter, header)
        return found

    def _unknown_attributes(self, encoding: str, delimiter: str, header: list[str]) -> list[Diagnostic]:
        """Attributes that no line has (FM774)."""
        found: list[Diagnostic] = []
        for child in self._lines:
            place = self._column(child.attributes.name, header) if child.attributes else None
            if child.attributes is None or place is None:
                continue
            at = header.index(place.column)
            lines = islice(read_lines(self._path, self._address.shown, encoding, delimiter), 1, None)
            names = (line.cells[at] for line in lines if at < len(line.cells) and not line.problem)
            found += unknown_attributes(self._address.shown, child.attributes, names)
        return found

    def _separator_line(self, encoding: str) -> list[Diagnostic]:
        """A first line `sep=;`, which names the delimiter and is no line of names (FM753)."""
        mark = separator_line(self._path, self._address.shown, encoding)
        if not mark:
            return []
        args = {"source": self._address.shown, "mark": _in_map(mark), "position": self._plan.position}
        declared = self._declared_delimiter()
        variant = "differs" if declared and declared != mark else ""
        return [Diagnostic("FM753", args={**args, "declared": _in_map(declared)}, variant=variant)]

    def _delimiter_meant(self, encoding: str, header: list[str]) -> str:
        """The delimiter of a file that the declared one leaves in one column; empty where it separates."""
        if len(header) > 1 or self._count_known(header):
            return ""
        known = {mark: self._count_known(self._first_line(encoding, mark) or []) for mark in DELIMITERS}
        return max(known, key=known.__getitem__) if any(known.values()) else ""

    def _first_line(self, encoding: str, delimiter: str) -> list[str] | None:
        """The names of the first line under this delimiter; None in an empty file."""
        first = next(read_lines(self._path, self._address.shown, encoding, delimiter), None)
        return None if first is None else [_clean(cell) for cell in first.cells]

    def _count_known(self, header: list[str]) -> int:
        """How many of the columns that are read this first line names."""
        return sum(column_and_path(name, header) is not None for name in self._needed())

    def _check_column(self, name: str, place: str, header: list[str]) -> list[Diagnostic]:
        args = {"table": self._address.shown, "column": name, "source": self._address.shown, "position": place}
        found = self._column(name, header)
        if found is None:
            return [Diagnostic("FM704", args=args, **naming.like(name, [entry for entry in header if entry]))]
        count = header.count(found.column)
        return [Diagnostic("FM704", args={**args, "count": count}, variant="double")] if count > 1 else []

    # --- reading ------------------------------------------------------------------------------------------------------

    def _scan(self) -> _Scan:
        if self._scanned is None or self._scanned.stamp != self._stamp():
            stamp = self._stamp()
            encoding, delimiter, header = self._head()
            places = {name: self._place(name, header) for name in self._needed()}
            paths = {shape.model: paths_of(shape, dict.fromkeys(header)) for shape in self._plan.shape.walk()}
            scan = _Scan(encoding, delimiter, header, places, paths, stamp)
            for line in self._body(scan):
                row = self._row(line, scan, [])
                key = self._key(row)
                if key:
                    scan.revisions.add(key, self._revision(row))
            self._scanned = scan
        return self._scanned

    def _place(self, name: str, header: list[str]) -> int:
        found = self._column(name, header)
        if found is None:
            like = naming.like(name, [entry for entry in header if entry])
            raise ConfigError("FM704", table=self._address.shown, column=name, source=self._address.shown, **like)
        return header.index(found.column)

    def _column(self, name: str, header: list[str]) -> DocumentColumn | None:
        """The column that the map calls ``name``; for an element's, one that it leads into."""
        found = column_and_path(name, dict.fromkeys(header))
        return None if found is None or (found.steps and name in self._not_paths) else found

    def _stamp(self) -> tuple[int, int]:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            raise ConfigError("FM701", source=self._address.shown, path=str(self._path)) from None
        return status.st_size, status.st_mtime_ns

    def _body(self, scan: _Scan) -> Iterator[CsvLine]:
        lines = read_lines(self._path, self._address.shown, scan.encoding, scan.delimiter)
        next(lines, None)
        return lines

    def _row(self, line: CsvLine, scan: _Scan, faults: list[Fault]) -> CsvRow:
        """The cells that the map reads; what is wrong with the line goes to ``faults``."""
        cells, wanted = line.cells, len(scan.header)
        if line.problem:
            faults.append(_uncut(line, scan.header))
            return dict.fromkeys(scan.places)
        if len(cells) != wanted and not has_width(cells, wanted):
            args = {"line": line.number, "found": len(cells), "expected": wanted}
            faults.append(Fault("FM719", rule="line", args=args))
        elif cells[0].strip() == scan.header[0] and [_clean(cell) for cell in cells[:wanted]] == scan.header:
            faults.append(Fault("FM719", rule="line", args={"line": line.number}, variant="names"))
        row = {name: cells[place] if place < len(cells) else None for name, place in scan.places.items()}
        for name, cell in row.items() if line.is_damaged else ():
            if cell is not None and ("\0" in cell or is_damaged(cell, scan.encoding)):
                row[name] = UnreadCell()
                where: dict[str, object] = {"column": name, "line": line.number, "encoding": scan.encoding}
                variant = "" if "\0" in cell else "bytes"
                faults.append(Fault("FM723", rule="text", args=where, variant=variant, columns=(name,)))
        if faults and self._plan.latest and _may_have_moved(faults):
            row[self._plan.latest.column] = UnreadCell()
        return row

    def _parts(self, row: Mapping[str, str | None]) -> list[str]:
        """The texts of the key's columns."""
        return [_clean(row.get(name)) for name in self._plan.key]

    def _key(self, row: Mapping[str, str | None]) -> str:
        """The business key; empty where there is none."""
        return self._keys.key(self._parts(row))

    def _revision(self, row: Mapping[str, str | None]) -> Revision | None:
        """What distinguishes revisions, comparable; None where they do not count."""
        latest = self._plan.latest
        if latest is None:
            return None
        cell = row.get(latest.column)
        return NO_REVISION if isinstance(cell, UnreadCell) else revision_of(_clean(cell), self._revision_column)

    def count(self) -> int | None:
        """How many records the file holds."""
        revisions = self._scan().revisions
        return len(revisions) if self._lines else revisions.total

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        """Every record, each where the last of its lines is, or those of ``keys``.

        Raises: ConfigError FM704, FM705, FM711, FM712, FM724.
        """
        scan = self._scan()
        wanted = None if keys is None else frozenset(keys)
        for record in self._grouped(scan) if self._lines else self._single(scan):
            if wanted is None or record.key in wanted:
                yield record
        if self._stamp() != scan.stamp:
            raise ConfigError("FM724", source=self._address.shown, reason=Text("reasons.file_changed"))

    def _single(self, scan: _Scan) -> Iterator[Record]:
        for line in self._body(scan):
            faults: list[Fault] = []
            row = self._row(line, scan, faults)
            key = self._key(row)
            values = _resolved(
                dict.fromkeys(row) if _may_have_moved(faults) else row, scan.paths[self._plan.shape.model]
            )
            if not key:
                yield self._keyless(line.number, values, self._parts(row), faults)
                continue
            latest = self._plan.latest
            state = scan.revisions.state(key, self._revision(row))
            if state == "double":
                faults.append(self._key_fault("FM718"))
            if latest and state != "superseded" and scan.revisions.are_odd(key):
                faults.append(Fault("FM756", rule="key", args={"columns": latest.column}, columns=(latest.column,)))
            yield Record(key, values, self._origin(line.number), tuple(faults), state == "superseded")

    def _grouped(self, scan: _Scan) -> Iterator[Record]:
        groups: dict[str, _KeyLines] = {}
        for line in self._body(scan):
            faults: list[Fault] = []
            row = self._row(line, scan, faults)
            key = self._key(row)
            if not key:
                empty = dict.fromkeys(self._plan.shape.column_names) | {child.key: [] for child in self._lines}
                yield self._keyless(line.number, empty, self._parts(row), faults)
                continue
            group = groups.setdefault(key, _KeyLines(line.number, left=scan.revisions.count(key)))
            if not _may_have_moved(faults):
                group.rows.append(row)
            group.faults += faults
            group.left -= 1
            if group.left <= 0:
                yield self._whole(key, groups.pop(key), scan.paths)

    def _whole(self, key: str, group: _KeyLines, paths: Mapping[str, tuple[ReadPath, ...]]) -> Record:
        """The record of a key: what its lines agree on, and the lines."""
        faults, nulls = group.faults, self._plan.nulls
        values: dict[str, Any] = dict.fromkeys(self._plan.shape.column_names)
        for column in self._plan.shape.columns:
            texts = [text for row in group.rows if (text := _clean(row.get(column.name)))]
            # A text that the map takes for absent says nothing against the others.
            found = dict.fromkeys(text for text in texts if text not in nulls and text not in column.nulls)
            found = found or dict.fromkeys(texts[:1])
            if len(found) > 1:
                faults.append(_disagreement(column))
            elif found:
                values[column.name] = next(iter(found))
        values = _resolved(values, paths[self._plan.shape.model])
        for child in self._lines:
            below = paths[child.shape.model]
            values[child.key] = [_resolved(_line(row, child), below) for row in group.rows]
        return Record(key, values, self._origin(group.first), tuple(faults))

    def _keyless(self, number: int, values: Mapping[str, Any], parts: Sequence[str], faults: list[Fault]) -> Record:
        unread = {column for fault in faults for column in fault.columns}
        if not _may_have_moved(faults) and not unread.intersection(self._plan.key):
            faults.append(self._keys.fault(parts))
        return Record("", values, self._origin(number), tuple(faults))

    def _key_fault(self, code: str) -> Fault:
        return Fault(code, rule="key", args={"columns": ", ".join(self._plan.key)}, columns=self._plan.key)

    def _origin(self, number: int) -> str:
        return f"{self._path.name}:{number}"


def _in_map(delimiter: str) -> str:
    """A delimiter as a map writes it."""
    return "\\t" if delimiter == "\t" else delimiter


def _clean(cell: str | None) -> str:
    return "" if cell is None else cell.strip().strip("\ufeff").strip()


def _uncut(line: CsvLine, header: Sequence[str]) -> Fault:
    """FM719 of a line that could not be cut into fields."""
    column = (header[line.place : line.place + 1] or [""])[0] or str(line.place + 1)
    args = {"line": line.number, "last": line.last, "column": column}
    columns = (column,) if line.place >= 0 else ()
    return Fault("FM719", rule="line", args=args, variant=line.problem, columns=columns)


def _may_have_moved(faults: list[Fault]) -> bool:
    """Are the fields of a line perhaps another column's? Its values cannot be trusted then."""
    return bool(faults) and any(fault.code == "FM719" for fault in faults)


def _line(row: Mapping[str, str | None], child: Child) -> CsvRow:
    return {column.name: row[column.name] for column in child.shape.columns}


def _resolved(row: Mapping[str, Any], paths: tuple[ReadPath, ...]) -> dict[str, Any]:
    """The row with what paths lead to in place of the cells that they lead into."""
    return {**row, **{path.name: value_of(row.get(path.name), path) for path in paths}}


def _disagreement(column: SourceColumn) -> Fault:
    args = {"column": column.name}
    return Fault(
        "FM720", element=column.element, rule="lines", args=args, position=column.position, columns=(column.name,)
    )
