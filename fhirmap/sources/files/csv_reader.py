"""The rows of a CSV file: its encoding and delimiter proved, its line of names found, its lines cut into cells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Fault
from fhirmap.source_plan import SourcePlan
from fhirmap.sources.files.csv_text import DELIMITERS, CsvLine, has_width, read_lines, separator_line
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.flat_columns import (
    check_columns,
    column_named,
    column_places,
    columns_needed,
    picker,
    trimmed,
)
from fhirmap.sources.files.names_line import names_line, signs_of_data
from fhirmap.sources.files.row_ends import FillDown, begins_with
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.sources.files.text_lines import is_damaged, proved_encoding

__all__ = ["CsvReader", "UnreadCell"]

_MOST_TITLES = 20
"""Lines in which the names are looked for."""


class UnreadCell(str):
    """In the place of a cell whose text is damaged, or perhaps another column's. Empty."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class CsvHead:
    """How a file is read. ``names``: of its columns, from the line ``names_line`` or from the model.

    ``first``: the line at which reading begins, the names or the first row; ``separator``: what a first line `sep=;`
    names.
    """

    encoding: str
    delimiter: str
    names: tuple[str, ...]
    names_line: int
    first: int
    separator: str = ""


class CsvReader:
    """The lines of a CSV file as rows.

    Raises (all but ``__init__``): ConfigError FM701, FM702, FM704, FM705, FM711, FM712.
    """

    def __init__(self, file: SourceFile, plan: SourcePlan) -> None:
        self._file = file
        self._plan = plan
        self._found: CsvHead | None = None

    def head(self) -> CsvHead:
        """Encoding, delimiter and names."""
        if self._found is None:
            self._found = self._head()
        return self._found

    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(name for name in self.head().names if name)

    def sample(self, count: int) -> list[dict[str, str]]:
        """The trimmed cells of the first ``count`` whole lines, by name; the last of a name that occurs twice."""
        names = self.head().names
        whole = (line for line in self._body() if len(line.cells) >= len(names) and not line.problem)
        return [dict(zip(names, map(trimmed, line.cells), strict=False)) for line in islice(whole, count)]

    # --- names --------------------------------------------------------------------------------------------------------

    def _head(self) -> CsvHead:
        plan, file = self._plan, self._file
        encoding = proved_encoding(file, plan.encoding)
        # The file's own word about itself comes before the map's.
        separator = separator_line(file, encoding)
        if separator:
            proved_encoding(file, plan.encoding, names=2)
        declared = separator or self._declared_delimiter()
        delimiters = (declared,) if declared else DELIMITERS
        if plan.names or plan.names_line == 0:
            return self._without_names(encoding, delimiters, separator)
        needed = columns_needed(plan)
        best: tuple[int, int, int, CsvHead] | None = None
        for delimiter in delimiters:
            for line in self._candidates(encoding, delimiter, needed):
                names = tuple(map(trimmed, line.cells))
                known = sum(column_named(name, names, plan) is not None for name in needed)
                found = CsvHead(encoding, delimiter, names, line.number, line.number, separator)
                # The first line, unless a later one has more of the columns; what separates most, if none is known.
                rank = (known, -line.number if needed else 0, len(names), found)
                if best is None or rank[:3] > best[:3]:
                    best = rank
        if best is None:
            raise self._no_names()
        found = best[3]
        if not self._delimiter_meant(found):
            self._refuse_data(found, needed)
        return found

    def _no_names(self) -> ConfigError:
        """Of a file that has no line where the names should be."""
        line, shown = self._plan.names_line, self._file.shown
        if line is None:
            return ConfigError("FM711", source=shown)
        return ConfigError("FM711", variant="short", source=shown, line=line, position=self._plan.position)

    def _refuse_data(self, found: CsvHead, needed: Collection[str]) -> None:
        """A first row in the place of the names would be shown as names, and lost as a record."""
        lines = read_lines(self._file, found.encoding, found.delimiter, start=found.first)
        below = [line.cells for line in islice(lines, 1, _MOST_TITLES + 1)]
        if signs := signs_of_data(found.names, needed, below):
            args: dict[str, Any] = {"line": found.names_line, "sign": signs[0].shown, "position": self._plan.position}
            raise ConfigError("FM711", variant="data", source=self._file.shown, **args)

    def _candidates(self, encoding: str, delimiter: str, needed: Collection[str]) -> Iterator[CsvLine]:
        """The lines that may be the names: some, if the columns are known; else the one that looks like them."""
        start, plan = self._plan.names_line or 1, self._plan
        lines = read_lines(self._file, encoding, delimiter, start=start)
        if plan.names_line is not None:
            return islice(lines, 1)
        first = list(islice(lines, _MOST_TITLES))
        return iter(first if needed else _guessed(first))

    def _without_names(self, encoding: str, delimiters: Sequence[str], separator: str) -> CsvHead:
        """The head of a file whose first line is a row: the model names the columns, or they are numbered."""
        best: CsvHead | None = None
        for delimiter in delimiters:
            first = next(read_lines(self._file, encoding, delimiter), None)
            width = len(self._plan.names or (first.cells if first else ()))
            names = self._plan.names or tuple(str(number) for number in range(1, width + 1))
            found = CsvHead(encoding, delimiter, names, 0, 1, separator)
            if first is not None and self._plan.names and len(first.cells) == width:
                return found
            if best is None or len(names) > len(best.names):
                best = found
        assert best is not None
        return best

    def _declared_delimiter(self) -> str:
        return "\t" if self._plan.delimiter in ("\\t", "tab") else self._plan.delimiter

    def check(self, needed: Mapping[str, str]) -> list[Diagnostic]:
        """Columns that are missing or occur twice, a wrong delimiter (FM704); a first line `sep=;` and lines before the
        names (FM753); lines after the one that ends the rows (FM759)."""
        try:
            head = self.head()
        except ConfigError as error:
            found = error.diagnostic()
            if found.code != "FM711" or not found.variant:
                raise
            return [found]
        if undivided := self._undivided(head):
            # Every column is missing for this one reason.
            return [undivided]
        lacking = check_columns(self._file.shown, needed, head.names, self._plan)
        return [*lacking, *self._lines_before(head), *self._lines_after()]

    def _undivided(self, head: CsvHead) -> Diagnostic | None:
        """FM704 of a file that another delimiter divides into the columns that are read."""
        mark = self._delimiter_meant(head)
        if not mark:
            return None
        args = {"table": self._file.shown, "declared": _in_map(head.delimiter), "mark": _in_map(mark)}
        return Diagnostic("FM704", args={**args, "position": self._plan.position}, variant="delimiter")

    def _lines_before(self, head: CsvHead) -> Iterator[Diagnostic]:
        args: dict[str, object] = {"source": self._file.shown, "position": self._plan.position}
        if head.separator:
            declared = self._declared_delimiter()
            variant = "differs" if declared and declared != head.separator else ""
            marks = {"mark": _in_map(head.separator), "declared": _in_map(declared)}
            yield Diagnostic("FM753", args={**args, **marks}, variant=variant)
        elif head.names_line > 1 and self._plan.names_line is None:
            yield Diagnostic("FM753", args={**args, "line": head.names_line}, variant="titles")

    def _lines_after(self) -> Iterator[Diagnostic]:
        """FM759 where lines come after the one at which reading stops."""
        until, body = self._plan.until, self._body()
        if until and any(not line.problem and begins_with(line.cells, until) for line in body):
            count = sum(1 for _ in body)
            if count:
                args = {"source": self._file.shown, "count": count, "until": until, "position": self._plan.position}
                yield Diagnostic("FM759", args=args, variant="lines")

    def _delimiter_meant(self, head: CsvHead) -> str:
        """The delimiter of a file that the declared one leaves in one column; empty where it separates."""
        needed = columns_needed(self._plan)
        if len(head.names) > 1 or any(column_named(name, head.names, self._plan) for name in needed):
            return ""
        known = dict.fromkeys(DELIMITERS, 0)
        for mark in DELIMITERS:
            first = next(read_lines(self._file, head.encoding, mark, start=head.first), None)
            names = [trimmed(cell) for cell in first.cells] if first else []
            known[mark] = sum(column_named(name, names, self._plan) is not None for name in needed)
        return max(known, key=known.__getitem__) if any(known.values()) else ""

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _body(self) -> Iterator[CsvLine]:
        head = self.head()
        width = len(head.names) if self._plan.names else 0
        lines = read_lines(self._file, head.encoding, head.delimiter, start=head.first, width=width)
        if head.names_line:
            next(lines, None)
        return lines

    def rows(self, needed: Collection[str]) -> Iterator[FileRow]:
        """Each line; one that cannot be cut, or has another number of fields than the names, is lost."""
        return self.rows_of(self._body(), needed)

    def rows_of(self, lines: Iterable[CsvLine], needed: Collection[str]) -> Iterator[FileRow]:
        """The rows that ``lines`` of the file are, each as it is taken."""
        head = self.head()
        if undivided := self._undivided(head):
            raise ConfigError.of(undivided)
        return self._rows_at(lines, head, column_places(self._file.shown, needed, head.names, self._plan))

    def _rows_at(self, lines: Iterable[CsvLine], head: CsvHead, places: Mapping[str, int]) -> Iterator[FileRow]:
        """The rows that ``lines`` are, with the cells at ``places``."""
        encoding, names, width = head.encoding, list(head.names), len(head.names)
        fill = FillDown([places[name] for name in self._plan.fill]) if self._plan.fill else None
        until = self._plan.until
        pick, first = picker([*places.values()]), names[0]
        is_simple = not until and fill is None
        for number, cells, problem, last, place, is_damaged_line, pieces in lines:
            faults: list[Fault] = []
            if is_simple and len(cells) == width and not is_damaged_line and cells[0].strip() != first:
                yield FileRow(dict(zip(places, pick(cells), strict=True)), f":{number}", number, faults)
                continue
            is_lost = False
            if problem:
                line = CsvLine(number, cells, problem, last, place)
                if fill:
                    fill.forget()
                empty, uncut = dict.fromkeys(places), [_uncut(line, names)]
                yield FileRow(empty, f":{number}", number, uncut, is_lost=True, pieces=pieces)
                continue
            if until and begins_with(cells, until):
                return
            if len(cells) != width and not has_width(cells, width):
                args = {"line": number, "found": len(cells), "expected": width}
                variant = "declared" if self._plan.names else ""
                faults.append(Fault("FM719", rule="line", args=args, variant=variant))
                is_lost = True
            elif cells[0].strip() == names[0] and [trimmed(cell) for cell in cells[:width]] == names:
                faults.append(Fault("FM719", rule="line", args={"line": number}, variant="names"))
                is_lost = True
            if fill:
                cells = self._filled(fill, cells, encoding, is_lost=is_lost, is_damaged_line=is_damaged_line)
            count = len(cells)
            row = {name: cells[at] if at < count else None for name, at in places.items()}
            for name, cell in row.items() if is_damaged_line else ():
                if cell is not None and ("\0" in cell or is_damaged(cell, encoding)):
                    row[name] = UnreadCell()
                    where: dict[str, object] = {"column": name, "line": number, "encoding": encoding}
                    variant = "" if "\0" in cell else "bytes"
                    faults.append(Fault("FM723", rule="text", args=where, variant=variant, columns=(name,)))
            yield FileRow(row, f":{number}", number, faults, is_lost, cells if is_lost else ())

    def _filled(
        self, fill: FillDown, cells: list[str], encoding: str, *, is_lost: bool, is_damaged_line: bool
    ) -> list[str]:
        """The cells with the blank ones of the columns of `fill` taken from above."""
        if is_lost:
            fill.forget()
            return cells
        damaged = range(len(cells)) if is_damaged_line else ()
        return fill.filled(cells, [at for at in damaged if "\0" in cells[at] or is_damaged(cells[at], encoding)])


def _guessed(lines: Sequence[CsvLine]) -> Sequence[CsvLine]:
    """The line that looks like the names of the others; where none does, the fullest one, which is then refused."""
    places, texts = [], []
    after = 1
    for place, line in enumerate(lines):
        # Blank lines are not among them, and say where a title ends.
        blank = range(after, line.number)
        places += [place] * (len(blank) + 1)
        texts += [*([] for _ in blank), line.cells]
        after = max(line.number, line.last) + 1
    found = names_line(texts)
    if found is not None:
        return [lines[places[found]]]
    return sorted(lines, key=lambda line: -sum(map(bool, line.cells)))[:1]


def _in_map(delimiter: str) -> str:
    """A delimiter as a map writes it."""
    return "\\t" if delimiter == "\t" else delimiter


def _uncut(line: CsvLine, names: Sequence[str]) -> Fault:
    """FM719 of a line that could not be cut into fields."""
    column = (names[line.place : line.place + 1] or [""])[0] or str(line.place + 1)
    args = {"line": line.number, "last": line.last, "column": column}
    columns = (column,) if line.place >= 0 else ()
    return Fault("FM719", rule="line", args=args, variant=line.problem, columns=columns)
