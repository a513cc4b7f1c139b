"""The rows of a file of lines of fixed width: columns are the first and last character of a line, from 1.

Characters are counted after decoding, so that an accent is one in any encoding. A line that ends early is taken for one
whose blanks at the end were left out, unless a number, a date or the key ends in the middle. Blank lines are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

from fhirmap.data import RawValue
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.fhir_types import DATES, NUMBERS
from fhirmap.records import Fault
from fhirmap.source_plan import Repetition, SourceColumn, SourcePlan
from fhirmap.sources.files.csv_reader import UnreadCell
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.flat_columns import columns_needed
from fhirmap.sources.files.source_files import SourceFile, reading
from fhirmap.sources.files.text_lines import is_damaged, may_have_damage, open_text, proved_encoding

__all__ = ["FixedReader", "places_of"]

_POSITIONS = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?", re.ASCII)
_PARENT = "../"
_END_OF_FILE = "\x1a"
"""What programs of the 1980s, and some exports still, put after the last line."""


def places_of(name: str) -> slice | None:
    """The characters of a line that a column named `12-31` (or `28`) has; None for another name.

    Example:
        >>> "2025HANCHE"[places_of("5-7")]
        'HAN'
    """
    found = _POSITIONS.fullmatch(name)
    if found is None:
        return None
    first, last = int(found[1]), int(found[2] or found[1])
    return slice(first - 1, last) if 1 <= first <= last else None


@dataclass(slots=True)
class FixedLine:
    """A line, without its end, and what is wrong with it. ``tab``: where its first tab is, from 0; its length else."""

    number: int
    text: str
    tab: int
    faults: list[Fault] = field(default_factory=list)

    def fault(self, variant: str, column: str = "", **args: object) -> None:
        """Note FM766 of this line."""
        columns = (column,) if column else ()
        known: dict[str, object] = {"line": self.number, "column": column}
        self.faults.append(Fault("FM766", rule="line", args=known | args, variant=variant, columns=columns))

    def fault_of_tab(self) -> None:
        """Note the tab of this line, if that was not done."""
        if all(fault.variant != "tab" for fault in self.faults):
            self.fault("tab", place=self.tab + 1)


@dataclass(frozen=True, slots=True)
class CountedColumn:
    """A column of counted groups. ``inner``: the columns of a group's row with their places in it, none where a group
    is one text; ``above``: those of the line itself, which its row has too."""

    name: str
    groups: Repetition
    inner: tuple[tuple[str, slice], ...]
    above: tuple[tuple[str, slice], ...]
    is_row: bool


def _counted(column: SourceColumn) -> CountedColumn:
    assert column.repetition is not None
    names = column.below.column_names if column.below is not None else ()
    places = [(name, place) for name in names if (place := places_of(name.removeprefix(_PARENT))) is not None]
    above = tuple(entry for entry in places if entry[0].startswith(_PARENT))
    inner = tuple(entry for entry in places if not entry[0].startswith(_PARENT))
    return CountedColumn(column.name, column.repetition, inner, above, column.below is not None)


class FixedReader:
    """The lines of a file as rows: the texts at positions, the groups that a number in the line counts as lists.

    Raises (all but ``__init__``): ConfigError FM701, FM702, FM705; `rows` FM704 where no line reaches the key or the
    revision.
    """

    def __init__(self, file: SourceFile, plan: SourcePlan) -> None:
        self._file = file
        self._plan = plan

    @cached_property
    def _encoding(self) -> str:
        return proved_encoding(self._file, self._plan.encoding, names=0)

    @cached_property
    def _groups(self) -> dict[str, CountedColumn]:
        """The columns of counted groups, in the order of the model."""
        columns = [column for layout in self._plan.shape.walk() for column in layout.columns]
        return {column.name: _counted(column) for column in columns if column.repetition}

    @cached_property
    def _exact(self) -> frozenset[str]:
        """Columns that no blanks end: where the line ends in one, a part of it is missing."""
        columns = [column for layout in self._plan.shape.walk() for column in layout.columns]
        below = [inner for column in columns if column.below for inner in column.below.columns]
        return frozenset((*self._plan.key, *(column.name for column in (*columns, *below) if _is_exact(column))))

    def names(self) -> Collection[str]:
        """The positions that the plan reads: a line has no names."""
        return [name for name in columns_needed(self._plan) if name not in self._groups]

    def check(self, needed: Mapping[str, str]) -> list[Diagnostic]:
        """Positions that no line reaches: FM704 for the key and the revision, FM726 for others, which may be blank."""
        ends = {name: place for name in needed if (place := places_of(name)) is not None}
        longest = 0
        for line in self._lines():
            longest = max(longest, len(line.text))
            if all(place.start < longest for place in ends.values()):
                return []
        required = self._required()
        found: list[Diagnostic] = []
        for name, place in ends.items():
            if longest and place.start >= longest:
                shown = self._file.shown
                args = {"table": shown, "source": shown, "column": name, "length": longest, "position": needed[name]}
                found.append(Diagnostic("FM704" if name in required else "FM726", args=args, variant="positions"))
        return found

    def _required(self) -> dict[str, str]:
        """The positions without which a line is no record, with the place in the map that names them."""
        plan = self._plan
        names = (*plan.key, *((plan.latest.column,) if plan.latest else ()))
        known = columns_needed(plan)
        return {name: known[name] for name in names}

    # --- rows ---------------------------------------------------------------------------------------------------------

    def rows(self, needed: Collection[str]) -> Iterator[FileRow]:
        """Every line that is not blank.

        What is wrong with a column is a fault of the line: FM723 (damaged text), FM766 (a tab before it, a number or
        key that is cut off, groups that are not as many as counted). A text of a group that is cut off (FM766) and
        text after the last group (FM767) are warnings.
        """
        required = {name: place for name, place in self._required().items() if name in needed}
        if lacking := self.check(required):
            raise ConfigError.of(lacking[0])
        places = {name: place for name in needed if name not in self._groups and (place := places_of(name)) is not None}
        wanted = frozenset(needed).intersection(self._groups)
        last = max((place.stop for place in places.values()), default=0)
        for line in self._lines():
            text = line.text
            cells: dict[str, RawValue] = {name: text[place] for name, place in places.items()}
            if line.tab < len(text) or len(text) < last:
                self._check_cells(line, cells, places)
            if "\0" in text or may_have_damage(text, self._encoding):
                self._check_text(line, cells)
            if wanted:
                self._add_groups(line, cells, wanted)
            yield FileRow(cells, f":{line.number}", line.number, line.faults)

    def _lines(self) -> Iterator[FixedLine]:
        with reading(self._file), open_text(self._file, self._encoding) as file:
            for number, raw in enumerate(file, 1):
                text = raw.rstrip("\r\n").removeprefix("\ufeff").rstrip(_END_OF_FILE)
                if text and not text.isspace():
                    tab = text.find("\t")
                    yield FixedLine(number, text, tab if tab >= 0 else len(text))

    def _check_cells(self, line: FixedLine, cells: dict[str, RawValue], places: Mapping[str, slice]) -> None:
        """Cells that the line ends in, and those after a tab, which moves what comes after it."""
        length = len(line.text)
        for name, place in places.items():
            if line.tab < length and place.stop > line.tab:
                line.fault_of_tab()
                cells[name] = UnreadCell()
            elif name in self._exact and _is_cut(line.text, place):
                line.fault("cut", name)
                cells[name] = UnreadCell()

    def _check_text(self, line: FixedLine, cells: dict[str, RawValue]) -> None:
        for name, cell in cells.items():
            if isinstance(cell, str) and not (cell.isascii() and "\0" not in cell):
                cells[name] = self._sound(line, cell, name)

    def _sound(self, line: FixedLine, cell: str, column: str) -> str:
        """The cell, or an unread one where its text is damaged."""
        if cell.isascii() and "\0" not in cell:
            return cell
        if "\0" not in cell and not is_damaged(cell, self._encoding):
            return cell
        args = {"column": column, "line": line.number, "encoding": self._encoding}
        variant = "" if "\0" in cell else "bytes"
        line.faults.append(Fault("FM723", rule="text", args=args, variant=variant, columns=(column,)))
        return UnreadCell()

    # --- counted groups -----------------------------------------------------------------------------------------------

    def _add_groups(self, line: FixedLine, cells: dict[str, RawValue], needed: Collection[str]) -> None:
        """The groups of a line; those whose place is not known are no value, and a fault."""
        end: int | None = 0
        ends: dict[str, int | None] = {}
        for name, column in self._groups.items():
            starts = self._starts(line, column, ends)
            ends[name] = None if starts is None else starts.stop
            end = None if starts is None or end is None else max(end, starts.stop)
            if name in needed:
                cells[name] = None if starts is None else self._rows_of(line, column, starts)
        if end is not None and line.text[end:].strip():
            args = {"line": line.number, "place": end + 1}
            line.faults.append(Fault("FM767", "warning", rule="line", args=args))

    def _starts(self, line: FixedLine, column: CountedColumn, ends: Mapping[str, int | None]) -> range | None:
        """Where the groups of a column begin, from 0, and where the last one ends; None where that cannot be known."""
        groups, text = column.groups, line.text
        start = groups.start - 1 if groups.start is not None else ends.get(groups.after)
        if line.tab < len(text):
            line.fault_of_tab()
            return None
        if start is None:
            return None
        first, last = groups.count
        said = text[first - 1 : last].strip()
        is_none = not said and not text[start:].strip()
        # A line that ends before its counts, or in one, was cut off: they are digits, which nothing leaves out.
        if len(text) < last or not (is_none or (said.isascii() and said.isdecimal())):
            line.fault("count", column.name, place=f"{first}-{last}")
            return None
        end = start + int(said or 0) * groups.width
        # Of the last group, blanks at the end may be left out; not all of it.
        if end > start and end - groups.width >= len(text):
            line.fault("beyond", column.name, place=f"{first}-{last}")
            return None
        return range(start, end, groups.width)

    def _rows_of(self, line: FixedLine, column: CountedColumn, starts: range) -> list[RawValue]:
        """The groups that begin at ``starts``."""
        groups = line.text[starts.start : starts.stop]
        is_plain = len(groups) == starts.stop - starts.start and groups.isascii() and "\0" not in groups
        if not is_plain or column.above:
            return [self._group(line, column, start) for start in starts]
        # Most groups: whole, and nothing in them that might be damaged.
        text, width = line.text, column.groups.width
        cut = [text[start : start + width] for start in starts]
        return [{name: group[place] for name, place in column.inner} for group in cut] if column.is_row else cut

    def _group(self, line: FixedLine, column: CountedColumn, start: int) -> RawValue:
        """The row that a group is, or its text."""
        end = start + column.groups.width
        text = line.text[start:end]
        is_whole = text.isascii() and end <= len(line.text) and "\0" not in text
        if not column.is_row:
            self._warn_of_cut(line, column, text, slice(0, column.groups.width), "")
            return text if is_whole else self._sound(line, text, column.name)
        row: dict[str, RawValue] = {name: text[place] for name, place in column.inner}
        for name, place in column.above:
            row[name] = self._sound(line, line.text[place], name)
        for name, place in () if is_whole else column.inner:
            label = f"{column.name}.{name}"
            if name in self._exact and _is_cut(text, place):
                line.fault("cut", label)
                row[name] = UnreadCell()
            else:
                row[name] = self._sound(line, text[place], label)
                self._warn_of_cut(line, column, text, place, name)
        return row

    def _warn_of_cut(self, line: FixedLine, column: CountedColumn, text: str, place: slice, name: str) -> None:
        """Note a text in which the line ends, where blanks are not what is left out: all other groups fill it."""
        if _is_cut(text, place) and (column.name, name) in self._filled:
            args = {"line": line.number, "column": f"{column.name}.{name}" if name else column.name}
            line.faults.append(Fault("FM766", "warning", rule="line", args=args, variant="cut_text"))

    @cached_property
    def _filled(self) -> frozenset[tuple[str, str]]:
        """The texts of groups, by column and name in it, that go to their last character wherever the line does."""
        filled: dict[tuple[str, str], bool] = {}
        for line in self._lines():
            ends: dict[str, int | None] = {}
            for column in self._groups.values():
                starts = self._starts(line, column, ends)
                ends[column.name] = None if starts is None else starts.stop
                inner = column.inner if column.is_row else (("", slice(0, column.groups.width)),)
                for start, (name, place) in product(starts or (), inner):
                    text = line.text[start + place.start : start + place.stop]
                    if start + place.stop <= len(line.text) and not text.isspace():
                        known = filled.get((column.name, name), True)
                        filled[column.name, name] = known and not text[-1].isspace()
        return frozenset(entry for entry, is_filled in filled.items() if is_filled)


def _is_exact(column: SourceColumn) -> bool:
    return column.type in NUMBERS or column.type in DATES


def _is_cut(text: str, place: slice) -> bool:
    """Does the text end in the middle of what is at ``place``?"""
    return place.start < len(text) < place.stop and not text[place].isspace()
