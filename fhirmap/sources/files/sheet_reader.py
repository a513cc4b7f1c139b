"""The rows of a sheet of a workbook: its names found, its cells as the values that they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice

from fhirmap.data import RawValue
from fhirmap.diagnostics import Diagnostic, listed
from fhirmap.errors import ConfigError
from fhirmap.records import Fault
from fhirmap.source_plan import SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources.files.csv_reader import UnreadCell
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.flat_columns import check_columns, column_named, column_places, columns_needed, trimmed
from fhirmap.sources.files.names_line import signs_of_data
from fhirmap.sources.files.row_ends import FillDown, begins_with, is_blank
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.sources.files.workbooks import OpenSheet, open_sheet

__all__ = ["SheetReader"]

_MOST_TITLES = 20
"""Filled rows in which the names are looked for."""
_EXACT = 10**15
"""Spreadsheets keep 15 digits of a number: a whole one from here on may have lost some."""
_DAY = timedelta(days=1)
_UNREAD = UnreadCell()

Cells = Sequence[RawValue]
Conversion = Callable[[RawValue], RawValue]


@dataclass(frozen=True, slots=True)
class SheetHead:
    """``names``: of the columns from A on, empty for one without; ``line``: of the names as the sheet counts its rows,
    0 where it has none; ``cells``: those of that row as they are."""

    names: tuple[str, ...]
    line: int
    cells: Cells = ()


class SheetReader:
    """The rows of a sheet, which is in memory as a whole while the reader is.

    Shape: text, bool, int for a whole number of 15 digits at most, float, date, datetime, time; None for a blank cell.
    A cell that holds an error, or a formula without its result, is a fault (FM764). Rows with nothing in them are left
    out.
    Raises (all but ``__init__``): ConfigError FM701, FM702, FM704, FM757, FM758.
    """

    def __init__(self, file: SourceFile, plan: SourcePlan) -> None:
        self._file = file
        self._plan = plan
        self._opened: OpenSheet | None = None
        self._found: SheetHead | None = None

    def sheet(self) -> OpenSheet:
        """The sheet with its cells."""
        if self._opened is None:
            self._opened = open_sheet(self._file, self._plan)
        return self._opened

    def head(self) -> SheetHead:
        """The names of the columns, and where they are."""
        if self._found is None:
            self._found = self._head()
        return self._found

    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(name for name in self.head().names if name)

    def first_rows(self, count: int) -> list[tuple[int, tuple[str, ...]]]:
        """The first filled rows as texts, with their numbers."""
        return [(number, tuple(map(_name, cells))) for number, cells in islice(self._filled(), count)]

    def _filled(self) -> Iterator[tuple[int, Cells]]:
        return ((number, cells) for number, cells in self._all() if not all(map(is_blank, cells)))

    def _head(self) -> SheetHead:
        plan, sheet = self._plan, self.sheet()
        if plan.names or plan.names_line == 0:
            width = sheet.first_column + sheet.cells.width
            return SheetHead(plan.names or tuple(map(letters, range(width))), 0)
        needed = columns_needed(plan)
        best: tuple[int, SheetHead] | None = None
        for number, cells in self._candidates():
            names = tuple(map(_name, cells))
            known = sum(column_named(name, names, plan) is not None for name in needed)
            # The first row, unless a later one has more of the columns.
            if best is None or known > best[0]:
                best = known, SheetHead(names, number, cells)
        if best is None:
            raise ConfigError(
                "FM758", variant="names", source=self._file.shown, sheet=sheet.shown, position=plan.position
            )
        self._prove(best[1])
        return best[1]

    def _candidates(self) -> Iterator[tuple[int, Cells]]:
        """The rows that may be the names, with their numbers."""
        line = self._plan.names_line
        if line is None:
            return islice(self._filled(), _MOST_TITLES if columns_needed(self._plan) else 1)
        return ((number, cells) for number, cells in islice(self._all(), line) if number == line and any(cells))

    def _prove(self, head: SheetHead) -> None:
        """Refuse a row of data in the place of the names: it would be shown as such.

        Raises: ConfigError FM758.
        """
        below = (cells for number, cells in self.first_rows(head.line + _MOST_TITLES) if number > head.line)
        for sign in signs_of_data(head.names, columns_needed(self._plan), below):
            raise ConfigError(
                "FM758",
                variant="data",
                source=self._file.shown,
                sheet=self.sheet().shown,
                line=head.line,
                sign=sign.shown,
                position=self._plan.position,
            )

    def _all(self) -> Iterator[tuple[int, Cells]]:
        """Every row from the first of the sheet, its cells from column A on."""
        sheet, number = self.sheet(), 0
        left = [None] * sheet.first_column
        cut = sheet.cells.iter_rows()
        while True:
            number += 1
            try:
                cells = next(cut)
            except StopIteration:
                number -= 1
                break
            except OverflowError:  # a number that is shown as a duration, of more days than Python counts
                cells = []
                places = range(sheet.first_column + sheet.cells.width)
                sheet.marks.unread[number - 1] = dict.fromkeys(places, "duration")
            yield number, [*left, *cells] if left else cells
        # Cells without a value may be all that the last rows have.
        for after in range(number + 1, max(sheet.marks.unread, default=-1) + 2):
            yield after, ()

    # --- check --------------------------------------------------------------------------------------------------------

    def check(self, needed: Mapping[str, str]) -> list[Diagnostic]:
        """Columns that are missing or occur twice (FM704); lines before the names (FM753); what is hidden, merged, or
        after the last row (FM759)."""
        head = self.head()
        found = check_columns(self._file.shown, needed, head.names, self._plan)
        args: dict[str, object] = {"source": self._file.shown, "position": self._plan.position}
        if head.line > 1 and self._plan.names_line is None and self._has_titles(head):
            found.append(Diagnostic("FM753", args={**args, "line": head.line}, variant="titles"))
        if not any(entry.is_error for entry in found):
            args["sheet"] = self.sheet().shown
            found += [
                Diagnostic("FM759", args={**args, **said}, variant=variant) for variant, said in self._seen(needed)
            ]
        return found

    def _has_titles(self, head: SheetHead) -> bool:
        before = (cells for number, cells in self._all() if number < head.line)
        return any(not all(map(is_blank, cells)) for cells in islice(before, head.line))

    def _seen(self, needed: Collection[str]) -> Iterator[tuple[str, Mapping[str, object]]]:
        """What a reader of the sheet sees otherwise than it is read: the variant of FM759 and its arguments."""
        sheet, head = self.sheet(), self.head()
        places = set(self._places(needed).values())
        width = sheet.first_column + sheet.cells.width
        if self._plan.names and len(self._plan.names) != width:
            yield "width", {"named": len(self._plan.names), "count": width, "last": letters(width - 1)}
        if sheet.is_hidden:
            yield "sheet", {}
        if not sheet.marks.is_known:
            yield "unknown", {}
        hidden = [row for row in sheet.marks.hidden_rows if row >= head.line]
        if hidden:
            yield "", {"count": len(hidden)}
        columns = [_shown(head.names[place], place) for place in sorted(places & sheet.marks.hidden_columns)]
        if columns:
            yield "columns", {"count": len(columns), "names": listed(columns)}
        merged = [entry for entry in sheet.merged if self._hides(entry, places)]
        if merged:
            yield "merged", {"count": len(merged), "line": min(entry[0][0] for entry in merged) + 1}
        after = self._after_the_end()
        if after:
            yield "after", {"count": after, "until": self._plan.until}

    def _hides(self, merged: tuple[tuple[int, int], tuple[int, int]], places: Collection[int]) -> bool:
        """Do merged cells leave one blank that is read, and that nothing fills?"""
        (top, left), (bottom, right) = merged
        filled = set(self._places(self._plan.fill).values())
        blank = set(range(left if bottom > top else left + 1, right + 1)) & set(places)
        return bottom >= self.head().line and not blank <= (filled if left == right else set())

    def _after_the_end(self) -> int:
        """How many filled rows come after the one at which reading stops."""
        if not self._plan.until:
            return 0
        is_over, count = False, 0
        for number, cells in self._all():
            if number > self.head().line and not all(map(is_blank, cells)):
                count += is_over
                is_over = is_over or begins_with(cells, self._plan.until)
        return count

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _places(self, names: Collection[str]) -> dict[str, int]:
        """The column of each name, from 0."""
        return column_places(self._file.shown, names, self.head().names, self._plan)

    def rows(self, needed: Collection[str]) -> Iterator[FileRow]:
        """Each row after the names that has something in it, until the one that ends them."""
        head, until, marks = self.head(), self._plan.until, self.sheet().marks
        read = self._read(needed)
        fill = FillDown([*self._places(self._plan.fill).values()]) if self._plan.fill else None
        names, line = list(head.cells), head.line
        first = next((place for place, name in enumerate(head.names) if name), 0) if names else -1
        width = max(first, *(place for _, place, _ in read), 0) + 1
        for number, cells in self._all():
            unread = marks.unread.get(number - 1)
            if (negative := marks.negative.get(number - 1)) and (times := _times(cells, negative)):
                unread = {**dict.fromkeys(times, "negative"), **(unread or {})}
            if number <= line or (unread is None and not _begins_filled(cells) and all(map(is_blank, cells))):
                continue
            faults: list[Fault] = []
            if unread is not None:
                faults = _faults(unread, read, number)
                if not faults and all(map(is_blank, cells)):
                    continue  # a formula that was copied down to where nothing is
                cells = _marked(cells, unread)
            if until and begins_with(cells, until) and not (unread and min(unread) < _first(cells)):
                break
            if fill is not None:
                cells = fill.filled(cells, unread or ())
            if len(cells) < width:
                cells = [*cells, *[None] * (width - len(cells))]
            is_lost = first >= 0 and cells[first] == names[first] and list(cells) == names
            if is_lost:
                faults.append(Fault("FM719", rule="line", args={"line": number}, variant="names"))
            held: dict[str, RawValue] = {}
            for name, place, convert in read:
                cell = cells[place]
                kind = type(cell)
                if kind is str:
                    held[name] = cell or None
                elif kind is float:
                    held[name] = _number(cell)
                else:
                    held[name] = cell if convert is None else convert(cell)
            yield FileRow(held, f":{number}", number, faults, is_lost)

    def _read(self, needed: Collection[str]) -> list[tuple[str, int, Conversion | None]]:
        """The name, the place and the conversion of each column that is read."""
        types: dict[str, set[str]] = {}
        for shape in self._plan.shape.walk():
            for column in shape.columns:
                types.setdefault(column.name, set()).add(column.type)
        return [(name, place, _conversion(types.get(name, set()))) for name, place in self._places(needed).items()]


def letters(place: int) -> str:
    """What a spreadsheet calls the column at a place from 0.

    Example:
        >>> letters(0), letters(25), letters(26)
        ('A', 'Z', 'AA')
    """
    found = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        found = chr(ord("A") + letter) + found
    return found


def _name(cell: RawValue) -> str:
    """The text of a cell of the names."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else trimmed(str(cell))


def _begins_filled(cells: Cells) -> bool:
    """Is something in the first cell, as the first look at it shows?"""
    start = cells[0] if cells else None
    return type(start) is str and start.isalnum()


def _first(cells: Cells) -> int:
    """The place of the first cell that is filled."""
    return next((place for place, cell in enumerate(cells) if not is_blank(cell)), len(cells))


def _times(cells: Cells, places: Iterable[int]) -> list[int]:
    """Those of the places at which a time is."""
    return [place for place in places if place < len(cells) and isinstance(cells[place], time | date)]


def _faults(unread: Mapping[int, str], read: Collection[tuple[str, int, object]], number: int) -> list[Fault]:
    """FM764 of each cell that is read and holds no value."""
    return [
        Fault("FM764", rule="cell", args={"column": name, "line": number}, variant=unread[place], columns=(name,))
        for name, place, _ in read
        if place in unread
    ]


def _marked(cells: Cells, unread: Collection[int]) -> list[RawValue]:
    """The cells, with a sign in the place of each that cannot be read."""
    width = max(len(cells), max(unread) + 1)
    return [_UNREAD if place in unread else cells[place] if place < len(cells) else None for place in range(width)]


# --- cells ------------------------------------------------------------------------------------------------------------


def _conversion(types: Collection[str]) -> Conversion | None:
    """How those cells of a column are read that are no text and no number, if its elements have these types."""
    dates = {entry for entry in types if entry}
    if dates and dates <= {"dateTime", "instant"}:
        return _moment
    return _clock if dates == {"time"} else None


def _number(cell: float) -> int | float:
    """Whole numbers as such: a spreadsheet has numbers with a point only."""
    return int(cell) if cell.is_integer() and abs(cell) < _EXACT else cell


def _moment(cell: RawValue) -> RawValue:
    """A day as its first moment: at midnight, a spreadsheet shows the hour or not, and the library gives the day."""
    if isinstance(cell, date) and not isinstance(cell, datetime):
        return datetime.combine(cell, time())
    return cell


def _clock(cell: RawValue) -> RawValue:
    """A duration below a day as the hour that it shows."""
    if isinstance(cell, timedelta) and timedelta() <= cell < _DAY:
        return (datetime.min + cell).time()
    return cell


def _shown(name: str, place: int) -> str:
    """The name of a column; its letters where the name looks like a value."""
    return name if naming.may_be_shown(name) else letters(place)
