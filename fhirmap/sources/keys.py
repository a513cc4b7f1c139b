"""Which texts are keys: of records, and of the rows that are joined to them.

A word of absence (`NULL`, `N/A`, `-`, `INCONNU`, what the map's `null` names) and a number without its digits
(`1,20E+05`) are in the rows of many records. As keys they would make one record of these, or hang the rows of one
patient under another. A column that an element of type `code` reads may hold any text, but for the map's own words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from fhirmap.data import RawValue
from fhirmap.decimals import decimal_text
from fhirmap.records import Fault
from fhirmap.runtime.cell_text import is_no_key
from fhirmap.source_plan import Child, ChildKind, RowLayout, SourcePlan
from fhirmap.sources import names as naming

__all__ = ["KeyColumn", "RecordKeys", "cell_text", "is_lines_of", "join_columns", "join_fault", "revision_column"]

_BETWEEN = "|"
"""Between the parts of a key, as it is shown."""
_EXACT = 1e15
_REFERENCE = re.compile("[0-9A-Za-z/-]+")


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """What a column of a key takes for none. ``nulls``: the map's own words; ``is_code``: no others.

    ``has_numbers``: one of the words is a number, so that a whole number may be none.
    """

    nulls: frozenset[str] = frozenset()
    is_code: bool = False
    has_numbers: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "has_numbers", any(word[-1:].isdecimal() for word in self.nulls))

    def is_word(self, text: str) -> bool:
        """Does a trimmed text that is not empty mean that there is no key?"""
        if text in self.nulls:
            return True
        # Most keys are such references, which no word of absence is: that costs less to see than `is_no_key`.
        is_reference = text[-1].isdecimal() and (text.isalnum() or _REFERENCE.fullmatch(text))
        return not (self.is_code or is_reference) and is_no_key(text)


class RecordKeys:
    """The keys of a plan's records, from the texts of their columns."""

    def __init__(self, plan: SourcePlan) -> None:
        children = plan.shape.children
        lines = [child.shape for child in children if child.kind == ChildKind.LINES or child.table == plan.name]
        self._names = plan.key
        self._columns = [_column(plan, *((layout, name) for layout in (plan.shape, *lines))) for name in plan.key]
        self._only = self._columns[0] if len(self._columns) == 1 else None

    def key(self, parts: Sequence[str]) -> str:
        """The key that the trimmed texts of its columns make; empty where one of them is no key."""
        if self._only is not None:
            (text,) = parts
            return "" if not text or self._only.is_word(text) else text
        for column, part in zip(self._columns, parts, strict=True):
            if not part or column.is_word(part):
                return ""
        return _BETWEEN.join(parts)

    def parts(self, key: str) -> list[str]:
        """The texts of its columns that a key was made of; more than these where one of them has a `|` in it."""
        return [key] if self._only is not None else key.split(_BETWEEN)

    def has_word(self, parts: Sequence[str]) -> bool:
        """Does some column hold a word of absence, or a number without its digits?"""
        return any(column.is_word(part) for column, part in zip(self._columns, parts, strict=True) if part)

    def fault(self, parts: Sequence[str], table: str = "", cells: Sequence[RawValue] = ()) -> Fault:
        """FM717 of a record that has no key: a part of it is empty, means that there is none, is no text or several.

        ``table``: the one that the columns are of, where there are several. ``cells``: what the parts are texts of,
        where that may be no text.
        """
        columns = tuple(f"{table}.{name}" if table else name for name in self._names)
        held = [cell for part, cell in zip(parts, cells, strict=False) if not part and _is_held(cell)]
        are_several = any(isinstance(cell, list) and len(cell) > 1 for cell in held)
        variant = "word" if self.has_word(parts) else "several" if are_several else "form" if held else ""
        return Fault("FM717", rule="key", args={"columns": ", ".join(self._names)}, variant=variant, columns=columns)


def _is_held(cell: RawValue) -> bool:
    """Is there something that is no text?"""
    return cell is not None and cell != [] and not isinstance(cell, str)


def cell_text(value: RawValue) -> str:
    """A key's cell of a file as text, trimmed: empty where it is absent, or no text, number or date.

    A float that may have lost digits (from 10^15 on) is none. `sql_rows.key_text` says what is a key in a database
    alone.

    Example:
        >>> cell_text(" 0012 "), cell_text(149.0), cell_text(1e15), cell_text([1])
        ('0012', '149', '', '')
    """
    if isinstance(value, str):
        text = value.strip()
        return text if text.isascii() else text.strip("\ufeff").strip()
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal) and value.is_finite():
        return decimal_text(value.to_integral_value() if value == value.to_integral_value() else value)
    if isinstance(value, float) and abs(value) < _EXACT:
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return ""


def join_columns(plan: SourcePlan, child: Child, parent: RowLayout) -> tuple[KeyColumn, ...]:
    """The columns by which rows of ``child`` are joined to one of ``parent``, pair by pair."""
    return tuple(_column(plan, (child.shape, own), (parent, above)) for own, above in child.on)


def is_lines_of(child: Child, above: str) -> bool:
    """Are the rows of a child lines of the very rows of the table ``above`` that they hang from?"""
    return child.table == above and all(own == other for own, other in child.on)


def join_fault(child: Child, above: str, variant: str) -> Fault:
    """FM755 of a record to which rows of ``child`` are not joined, though their keys may be taken for the same.

    ``above``: the table of the rows that they hang from; ``variant``: why not, as the code's page has it.
    """
    pairs = [(f"{child.table}.{own}", f"{above}.{other}") for own, other in child.on]
    shown = ", ".join(own if is_lines_of(child, above) else f"{own} = {other}" for own, other in pairs)
    columns = tuple(dict.fromkeys(name for pair in pairs for name in pair))
    args = {"columns": shown, "table": child.table}
    return Fault("FM755", rule="join", args=args, variant=variant, position=child.position, columns=columns)


def revision_column(plan: SourcePlan) -> KeyColumn:
    """The column of `latest by`, whose words of absence are no revision."""
    return _column(plan, (plan.shape, plan.latest.column)) if plan.latest else KeyColumn()


def _column(plan: SourcePlan, *places: tuple[RowLayout, str]) -> KeyColumn:
    """What all elements that read the column in one of ``places`` say of it."""
    read = [
        column
        for layout, name in places
        for column in layout.columns
        if column.name == name or naming.fold(column.name) == naming.fold(name)
    ]
    words = (*plan.nulls, *(word for column in read for word in column.nulls))
    return KeyColumn(frozenset(words), any(column.type == "code" for column in read))
