"""Raw cells become values: what generated readers call for every column that is not plain text already.

Text is trimmed of all Unicode blanks; empty text is absent. What does not convert, is absent though required, or occurs
too often is a fault with the column named and the value never shown; the value then counts as absent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from fhirmap.data import PathSteps, RawValue
from fhirmap.decimals import decimal_text
from fhirmap.errors import TransformFailed
from fhirmap.fhir_types import INTEGER_RANGES
from fhirmap.records import CalendarText, Fault, TreeText
from fhirmap.runtime.transforms.dates import RepeatedTime, SkippedTime, ZoneNeeded, parser

_INTEGER = re.compile(r"[+-]?\d{1,38}", re.ASCII)
_WIDEST = 10**38
"""Whole numbers are narrower: the widest that databases keep. Python writes no more than 4300 digits at once."""
_SHORT = 19
"""A whole number of fewer digits is in every range but for zero, which is no positive count."""
# How spreadsheets and decimal columns write a count: `2,0` is two; `1,000` may be one or a thousand.
_COUNT = re.compile(r"\s*(\d{1,4})[.,]0{1,2}\s*", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_FLOAT_DIGITS = 15
"""Decimals of so many figures are the same again after they were floats."""
_COUNTS = frozenset(("positiveInt", "unsignedInt"))
_CALENDAR = (CalendarText, date, time)
"""A database's or a driver's own dates and times (a datetime is a date)."""
_TRUE = frozenset(("true", "1", "t"))
_FALSE = frozenset(("false", "0", "f"))


class UnreadDocument(bytes):
    """In the place of what a path should lead to: the text there that is no JSON, or the plain value where it ends."""

    @property
    def text(self) -> str:
        """The trimmed text, for the words that mean no value."""
        return self.decode("utf-8", "replace").strip()


@dataclass(frozen=True, slots=True)
class Cell:
    """One column that a model reads: what a fault of it says."""

    element: str
    """`Operation.date`."""
    column: str
    """`INTERVENTION.date_debut`."""
    type: str
    position: str
    name: str = ""
    """The raw row's key."""
    minimum: int = 0
    maximum: int | None = 1
    format: str | None = None
    zone: str | None = None
    nulls: frozenset[str] = frozenset()
    decimal: str = "."
    """The mark before the decimals of a number."""
    thousands: str = ""
    """What groups the digits of a number; a blank is any blank."""
    decimals: int = 0
    """How many of the digits are decimals, where they are written without a mark."""
    is_date: bool = False
    """Does a rule read a date of this text?"""
    is_flag: bool = False
    """Does a rule know words for yes and no here?"""


def unreadable(cell: Cell, faults: list[Fault]) -> None:
    """Note that a cell does not convert to its type."""
    variant = "format" if cell.format else ""
    args = {"column": cell.column, "type": cell.type, "format": cell.format or ""}
    faults.append(_fault("FM410", "conversion", cell, args, variant))


def pathless(raw: RawValue, cell: Cell, faults: list[Fault]) -> None:
    """Note that there is no value in a cell or at a path into it, or several, unless the text there means none."""
    if isinstance(raw, list) and len(raw) > 1 and cell.maximum == 1:
        too_many(cell, len(raw), faults)
        return
    if isinstance(raw, str | UnreadDocument):
        text = raw.text if isinstance(raw, UnreadDocument) else raw.strip()
        if not text or text in cell.nulls:
            return
    if isinstance(raw, UnreadDocument):
        faults.append(_fault("FM410", "conversion", cell, {"column": cell.column, "type": cell.type}, "document"))
    else:
        unreadable(cell, faults)


def zoneless(cell: Cell, faults: list[Fault]) -> None:
    """Note that what a cell holds depends on a time zone that nothing says."""
    faults.append(_fault("FM727", "zone", cell, {"column": cell.column, "type": cell.type}))


def absent(cell: Cell, faults: list[Fault]) -> None:
    """Note that a required element is not there."""
    faults.append(_fault("FM411", "required", cell, {"column": cell.column, "element": cell.element}))


def too_many(cell: Cell, count: int, faults: list[Fault]) -> None:
    """Note that an element occurs more often than its model allows."""
    args = {"column": cell.column, "element": cell.element, "count": count, "most": cell.maximum}
    faults.append(_fault("FM412", "cardinality", cell, args))


def _fault(code: str, rule: str, cell: Cell, args: Mapping[str, object], variant: str = "") -> Fault:
    return Fault(
        code,
        path=cell.element,
        element=cell.element,
        rule=rule,
        args=args,
        variant=variant,
        position=cell.position,
        columns=(cell.column,),
    )


# --- values -----------------------------------------------------------------------------------------------------------


def as_text(raw: RawValue, cell: Cell, faults: list[Fault]) -> str:
    """A cell that is no text, as text: whole numbers, exact decimals and dates by theirs; empty where it has none.

    A float keeps 15 figures at most: one that needs more has lost its digits already (a number of 16 figures read from
    a spreadsheet, a sum), and is none.
    """
    if type(raw) is int and -_WIDEST < raw < _WIDEST:
        return str(raw)
    if raw is None:
        return ""
    if isinstance(raw, str):
        return raw.strip()
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int):
        return _digits(raw, cell, faults)
    if isinstance(raw, Decimal):
        return decimal_text(raw) if raw.is_finite() else _none(cell, faults)
    if isinstance(raw, float) and math.isfinite(raw) and abs(raw) < 1e15:
        exact = Decimal(repr(raw))
        if raw.is_integer() or len(exact.as_tuple().digits) <= _FLOAT_DIGITS:
            return str(int(raw)) if raw.is_integer() else decimal_text(exact)
    if isinstance(raw, datetime | date | time):
        return raw.isoformat()
    pathless(raw, cell, faults)
    return ""


def _digits(raw: int, cell: Cell, faults: list[Fault]) -> str:
    """A whole number as text, if it has fewer digits than Python writes at once (4300)."""
    try:
        return str(raw)
    except ValueError:
        return _none(cell, faults)


def _none(cell: Cell, faults: list[Fault]) -> str:
    unreadable(cell, faults)
    return ""


def implied(raw: RawValue, cell: Cell, faults: list[Fault]) -> RawValue:
    """A cell of digits alone, with a sign or none, as the number that it is with the decimals that its map declares.

    A blank cell and a word of absence stay as they are; any other text or number is a fault and none.

    Example:
        >>> implied("0000389500", Cell("", "", "decimal", "", decimals=3), [])
        Decimal('389.500')
    """
    if isinstance(raw, float | Decimal) and math.isfinite(raw) and raw == int(raw):
        raw = int(raw)
    text = raw.strip() if type(raw) is str else as_text(raw, cell, faults)
    if not text or text in cell.nulls:
        return text
    if isinstance(raw, bool) or not _INTEGER.fullmatch(text):
        return _none(cell, faults)
    return Decimal(f"{text}E-{cell.decimals}")


def as_integer(raw: RawValue, cell: Cell, faults: list[Fault]) -> int | None:
    """A whole number."""
    if type(raw) is int and not cell.nulls and 0 < raw < _WIDEST:  # in the range of every type
        return raw
    if type(raw) is str and raw.isdecimal() and raw.isascii() and len(raw) < _SHORT and raw not in cell.nulls:
        number = int(raw)
        if number or cell.type not in _COUNTS:
            return number
    if isinstance(raw, Decimal) and raw.is_finite() and raw.adjusted() < 18 and raw == raw.to_integral_value():
        raw = int(raw)
    if isinstance(raw, int) and not isinstance(raw, bool) and _in_range(raw, cell.type):
        return None if cell.nulls and str(raw) in cell.nulls else int(raw)
    before = len(faults)
    text = as_text(raw, cell, faults)
    if not text or text in cell.nulls:
        return None
    if isinstance(raw, str):  # a database's own number is not written in the model's marks
        text = number_text(text, cell)
    if _INTEGER.fullmatch(text) and _in_range(int(text), cell.type):
        return int(text)
    if len(faults) == before:
        unreadable(cell, faults)
    return None


def number_text(text: str, cell: Cell) -> str:
    """A number in the marks of its model, as one with a point and no groups; no number where it is written otherwise.

    Example:
        >>> number_text("1 234,50", Cell("", "", "decimal", "", decimal=",", thousands=" "))
        '1234.50'
    """
    if cell.decimal == "." and not cell.thousands:
        return text
    shape = _written_number(cell.decimal, cell.thousands).fullmatch(text)
    if shape is None:
        return ""
    whole = "".join(sign for sign in shape[1] if sign.isdecimal() or sign in "+-")
    return f"{whole}.{shape[2]}" if shape[2] else whole


@cache
def _written_number(decimal: str, thousands: str) -> re.Pattern[str]:
    group = r"[ \u00a0\u2009\u202f]" if thousands.isspace() else re.escape(thousands)
    grouped = rf"\d{{1,3}}(?:{group}\d{{3}})+|" if thousands else ""
    return re.compile(rf"([+-]?(?:{grouped}\d+))(?:{re.escape(decimal)}(\d+))?", re.ASCII)


def _in_range(number: int, type_name: str) -> bool:
    """Is a count none below its type's least? Keys are counted wider than 32 bits, and are no fault."""
    if abs(number) >= _WIDEST:
        return False
    return type_name not in _COUNTS or number >= INTEGER_RANGES[type_name][0]


def as_decimal(raw: RawValue, cell: Cell, faults: list[Fault]) -> Decimal | None:
    """A number with the digits it is written with."""
    if type(raw) is Decimal and not cell.nulls and raw.is_finite() and "E" not in str(raw):
        return raw
    written = isinstance(raw, str)
    if isinstance(raw, float):
        raw = repr(raw)
    text = raw.strip() if type(raw) is str else as_text(raw, cell, faults)
    if not text or text in cell.nulls:
        return None
    if written and (cell.decimal != "." or cell.thousands):
        text = number_text(text, cell)
    try:
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
    except InvalidOperation:
        pass
    unreadable(cell, faults)
    return None


def as_boolean(raw: RawValue, cell: Cell, faults: list[Fault]) -> bool | None:
    """`true`, `false`, or the `1` and `0` that databases keep."""
    if isinstance(raw, bool):
        return raw
    text = as_text(int(raw) if isinstance(raw, int) else raw, cell, faults)
    if text in cell.nulls:
        return None
    text = text.lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text:
        unreadable(cell, faults)
    return None


def date_reader(cell: Cell) -> Callable[[Any, list[Fault]], str | None]:
    """A function that reads cells of a date, dateTime, instant or time in the model's format and zone."""
    parse = parser(cell.format, cell.type, cell.zone)
    parse_own = parser(None, cell.type, cell.zone)
    takes_days = cell.type == "date" and not cell.nulls

    def read(raw: RawValue, faults: list[Fault]) -> str | None:
        if takes_days and type(raw) is date:
            return raw.isoformat()
        is_text = type(raw) is str
        text = raw.strip() if is_text else as_text(raw, cell, faults)
        if not text or text in cell.nulls:
            return None
        try:
            # A database's own date needs no format.
            found = parse(text) if is_text or not isinstance(raw, _CALENDAR) else parse_own(text)
        except (ZoneNeeded, SkippedTime, RepeatedTime) as error:
            _note_zone(error, cell, faults)
            return None
        if found is None:
            unreadable(cell, faults)
        return found

    return read


def _note_zone(error: Exception, cell: Cell, faults: list[Fault]) -> None:
    """Note why the zone of a cell gives no moment: it has none, or has that time of day never or twice."""
    if isinstance(error, ZoneNeeded):
        zoneless(cell, faults)
        return
    variant = "twice" if isinstance(error, RepeatedTime) else ""
    faults.append(_fault("FM728", "zone", cell, {"column": cell.column, "zone": cell.zone or ""}, variant))


# --- rows -------------------------------------------------------------------------------------------------------------


def lacking(row: Mapping[str, Any], names: Iterable[str]) -> TransformFailed:
    """The failure of a row that has not every column that the map reads (None is there without a value): FM417, which
    names those it lacks."""
    missing = set(names) - row.keys()  # what is no row at all has no keys either
    columns = [f"`{name}`" for name in sorted(missing) if not _has_column(row, name)]
    return TransformFailed("FM417", columns=", ".join(columns), count=len(columns))


def _has_column(row: RawValue, name: str) -> bool:
    """Has the row this column, or the one above it that which `../x` names?"""
    while name.startswith("../") and isinstance(row, Mapping):
        row, name = row.get(".."), name.removeprefix("../")
    return isinstance(row, Mapping) and name in row


def at(row: RawValue, path: PathSteps) -> RawValue:
    """What a document holds at ``path``; through lists, all that their items hold, or the item at a place.

    An item alone is a list of one. `#text` is the text of what has members beside it, and of a plain text. Where the
    path leads on from a plain value, an `UnreadDocument` of that value.
    """
    if path and path[0] == "/":
        while isinstance(row, Mapping) and ".." in row:
            row = row[".."]
        path = path[1:]
    for index, step in enumerate(path):
        if isinstance(step, tuple):
            row = _kept(row, *step)
        elif isinstance(step, int):
            items = row if isinstance(row, list) else [row]
            row = items[step] if step < len(items) else None
        elif isinstance(row, Mapping):
            row = row.get(step)
        elif isinstance(row, list):
            rest = path[index:]
            found = [at(entry, rest) for entry in row]
            flat = [inner for entry in found for inner in (entry if isinstance(entry, list) else [entry])]
            return [entry for entry in flat if entry is not None]
        elif isinstance(row, str) and step == "#text":
            row = str(row)
        elif isinstance(row, TreeText):
            row = row.members.get(step)
        else:
            return _misplaced(row)
    return row


def _kept(row: RawValue, inner: PathSteps, text: str) -> RawValue:
    """Of a list the items, or the one item there is, that have ``text`` at ``inner``; None for an item that has not."""
    if isinstance(row, list):
        return [item for item in row if _has(item, inner, text)]
    return row if isinstance(row, UnreadDocument) or _has(row, inner, text) else None


def _has(item: RawValue, inner: PathSteps, text: str) -> bool:
    found = at(item, inner)
    return any(_written(value) == text for value in (found if isinstance(found, list) else [found]))


def _written(value: RawValue) -> str | None:
    """A plain value as its document writes it, trimmed; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    return str(value).strip() if isinstance(value, str | int | float) else None


def _misplaced(value: RawValue) -> UnreadDocument | None:
    """In the place of what a plain value should hold and cannot; None where there is no value either."""
    if isinstance(value, UnreadDocument):
        return value
    text = "" if value is None else str(value)
    return UnreadDocument(text.encode("utf-8", "surrogatepass")) if text.strip() else None


def one(raw: RawValue, cell: Cell, faults: list[Fault]) -> RawValue:
    """The one cell that an element may have."""
    if not isinstance(raw, list):
        return raw
    held = [entry for entry in raw if entry is not None]
    if len(held) > 1:
        too_many(cell, len(held), faults)
        return None
    return held[0] if held else None


def rows(raw: RawValue, cell: Cell, faults: list[Fault]) -> Sequence[Mapping[str, Any]]:
    """The child rows of an element, counted against its model."""
    if type(raw) is list and (cell.maximum is None or len(raw) <= cell.maximum):
        for entry in raw:
            if type(entry) is not dict:
                break
        else:  # as tables and most documents have them
            return raw
    if raw is None:
        held: list[Any] = []
    elif isinstance(raw, Mapping | TreeText):
        held = [_members(raw)]
    elif isinstance(raw, list | tuple):
        held = [_members(entry) for entry in raw if isinstance(entry, Mapping | TreeText)]
        for entry in raw:
            if entry is not None and not isinstance(entry, Mapping | TreeText):
                pathless(entry, cell, faults)
                break
    else:
        pathless(raw, cell, faults)
        return ()
    if cell.maximum is not None and len(held) > cell.maximum:
        too_many(cell, len(held), faults)
        return ()
    return held


def under(rows: Iterable[Mapping[str, Any]], row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Child rows that have their parent, ``row``, under `..`: copies, since a record does not hold itself."""
    return [{**entry, "..": row} for entry in rows]


def _members(row: Mapping[str, Any] | TreeText) -> Mapping[str, Any]:
    """A row of columns: of a text with members those and, as `#text`, itself."""
    return {**row.members, "#text": str(row)} if isinstance(row, TreeText) else row


def folded(raw: RawValue, name: str, value: str, cell: Cell, faults: list[Fault]) -> dict[str, RawValue] | None:
    """Rows of one attribute each as one row, whose columns are the attributes; None where there is none.

    ``name``, ``value``: the columns of an attribute's name and value. One that is there twice with other values is a
    fault (FM464), and absent. Shape: `[{"code": "TAILLE", "valeur": "54"}]` becomes `{"TAILLE": "54"}`.
    """
    found: dict[str, RawValue] = {}
    differing: set[str] = set()
    for row in raw if isinstance(raw, list | tuple) else ():
        if not {name, value} <= row.keys():
            raise lacking(row, (name, value))
        key, held = _trimmed(row[name]), row[value]
        if not key or held is None or _trimmed(held) == "":
            continue
        if _trimmed(found.setdefault(key, held)) != _trimmed(held):
            differing.add(key)
    for _ in differing:
        args = {"column": f"{cell.column}.{name}" if cell.column else name}
        faults.append(_fault("FM464", "attributes", cell, args))
    return {key: held for key, held in found.items() if key not in differing} or None


def parts(raw: RawValue, separator: str) -> RawValue:
    """The texts that one text holds between separators, trimmed, the blank ones too; what is no text as it is."""
    if isinstance(raw, list):
        return [part for entry in raw for part in (entry.split(separator) if isinstance(entry, str) else [entry])]
    return list(raw.split(separator)) if isinstance(raw, str) else raw


def item_rows(raw: RawValue) -> RawValue:
    """The items of a list that are no objects, each as a row whose column `value` it is; anything else as it is.

    The text of one that has members beside it is its `value`, unless a member is called so.
    """
    if isinstance(raw, TreeText):
        return {"value": str(raw), **_members(raw)}
    if not isinstance(raw, list):
        return raw
    return [item_rows(item) if isinstance(item, TreeText) else _item_row(item) for item in raw]


def _item_row(item: RawValue) -> RawValue:
    return item if isinstance(item, Mapping) else {"value": item}


def part_rows(raw: RawValue, separator: str) -> list[dict[str, RawValue]]:
    """The texts that one text holds, each as a row whose column `value` it is; not the blank ones at the end.

    A blank one in between is a row without a value, so that the position of the next ones is right.
    """
    found = parts(raw, separator)
    held = found if isinstance(found, list) else [] if found is None else [found]
    while held and (held[-1] is None or _trimmed(held[-1]) == ""):
        held.pop()
    return [{"value": part} for part in held]


def times(raw: RawValue, cell: Cell, faults: list[Fault]) -> int:
    """How often a row counts: its quantity, once where that is absent. A negative one is a fault."""
    if type(raw) is int and 0 <= raw <= 1000 and not (cell.nulls and str(raw) in cell.nulls):
        return raw
    whole = _COUNT.fullmatch(raw) if isinstance(raw, str) else None
    count = as_integer(whole[1] if whole else raw, cell, faults)
    if count is None:
        return 1
    if not 0 <= count <= 1000:
        unreadable(cell, faults)
        return 1
    return count


def within(faults: list[Fault], start: int, parent: str, index: int) -> None:
    """Say of the faults from ``start`` on which child row they are of: `Operation.poses[2].lot`."""
    for number in range(start, len(faults)):
        fault = faults[number]
        rest = fault.path.partition(".")[2]
        faults[number] = replace(fault, path=f"{parent}[{index}].{rest}" if rest else f"{parent}[{index}]")


def disagreeing(lines: RawValue, cells: Sequence[Cell], faults: list[Fault], paths: Sequence[PathSteps] = ()) -> None:
    """Note the columns of a record that its lines do not agree on; a line that says nothing agrees with all.

    A text that the map takes for absent says nothing. ``paths``: of lines that are documents, where each cell is.
    """
    if not isinstance(lines, list | tuple) or len(lines) < 2:
        return
    held = [line for line in lines if type(line) is dict or isinstance(line, Mapping)]
    for number, cell in enumerate(cells):
        raws = [at(line, paths[number]) for line in held] if paths else [line.get(cell.name) for line in held]
        if raws and type(raws[0]) is str and raws.count(raws[0]) == len(raws):  # as most are
            continue
        texts = [_trimmed(raw) for raw in raws]
        found = {text for text in texts if text and text not in cell.nulls}
        if len(found) > 1:
            args = {"column": cell.column, "count": len(found)}
            faults.append(_fault("FM413", "agreement", cell, args))


def _trimmed(raw: object) -> str:
    return "" if raw is None else str(raw).strip()
