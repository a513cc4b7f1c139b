"""Dates, dateTimes and times with FHIRPath's precision semantics: what is not written is not known.

Spec: FHIRPath 2.0, "Date/Time Comparison" and "Date/Time Arithmetic". Comparisons answer None where the precision (or
a missing offset) leaves the answer open.
"""

from __future__ import annotations

import calendar
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_TIME = re.compile(r"(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d+)?))?)?", re.ASCII)
_OFFSET = re.compile(r"Z|[+-]\d\d:\d\d", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
"""What `datetime` reads without loss; it reads more than FHIRPath writes, and less."""
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_EARLIEST = (1, 1, 1, 0, 0, Decimal(0))
_DIGITS = {"date": {1: 4, 2: 6, 3: 8}, "time": {1: 2, 2: 4, 3: 6}, "dateTime": {1: 4, 2: 6, 3: 8, 4: 10, 5: 12, 6: 14}}
_CALENDAR_UNITS = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
_UNIT_SECONDS = {
    "week": Decimal(604800),
    "day": Decimal(86400),
    "hour": Decimal(3600),
    "minute": Decimal(60),
    "second": Decimal(1),
    "millisecond": Decimal("0.001"),
}
_UCUM_UNITS = {"wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second", "ms": "millisecond"}


@dataclass(frozen=True, slots=True)
class Temporal:
    """A date, dateTime or time.

    ``parts``: its components as far as written, the seconds a Decimal; ``offset`` in minutes.
    """

    kind: str
    text: str
    parts: tuple[int | Decimal, ...]
    offset: int | None = None

    def __str__(self) -> str:
        return self.text


def parse_date(text: str) -> Temporal | None:
    """The date that ``text`` writes, or None where it writes none."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    parts = tuple(int(part) for part in found.groups() if part)
    return Temporal("date", text, parts) if _is_calendar_day(parts) else None


def parse_date_time(text: str) -> Temporal | None:
    """The dateTime (or instant) that ``text`` writes: `2015`, `2015T`, `2015-02-04T14:34:28.123+10:00`."""
    day, mark, rest = text.partition("T")
    date = parse_date(day)
    if date is None or not rest:
        return Temporal("dateTime", day, date.parts) if date else None
    if len(date.parts) < 3:
        return None
    zone = _OFFSET.search(rest)
    time = parse_time(rest[: zone.start()] if zone else rest)
    if time is None or (zone and zone.end() != len(rest)):
        return None
    return Temporal("dateTime", day + mark + rest, date.parts + time.parts, _minutes(zone[0]) if zone else None)


def parse_time(text: str) -> Temporal | None:
    """The time of day that ``text`` writes, without offset."""
    text = text.removeprefix("T")
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = found.groups()
    parts: list[int | Decimal] = [int(hour)]
    if minute:
        parts.append(int(minute))
    if second:
        parts.append(Decimal(second))
    fits = parts[0] < 24 and all(part < 60 for part in parts[1:2]) and all(part < 61 for part in parts[2:])
    return Temporal("time", text, tuple(parts)) if fits else None


class Limit:
    """A whole day, or an instant to the second with its offset, that texts come before or after: `<= @2007-03-15`."""

    __slots__ = ("_holds", "_is_day", "_moment")

    def __init__(self, order: str, text: str) -> None:
        self._is_day = _DAY.fullmatch(text) is not None
        self._moment = _whole_moment(text, is_day=self._is_day)
        self._holds = _ORDERS[order]

    def holds(self, text: str) -> bool | None:
        """Is ``text`` on the side of the limit that is meant? None where it is not as precise: `compare` decides."""
        moment = _whole_moment(text, is_day=self._is_day)
        return None if moment is None or self._moment is None else self._holds(moment, self._moment)


def _whole_moment(text: str, *, is_day: bool) -> date | None:
    """The day, or the instant, that a text writes in full."""
    written = _DAY if is_day else _INSTANT
    if written.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text) if is_day else datetime.fromisoformat(text)
    except ValueError:
        return None


def compare(left: Temporal, right: Temporal) -> int | None:
    """-1, 0 or 1; None where the precisions or a missing offset leave it open."""
    if left.kind != "time" and (left.offset is None) != (right.offset is None):
        first, last = bounds(left)
        other_first, other_last = bounds(right)
        return -1 if last < other_first else 1 if first > other_last else None
    if left.offset is not None and right.offset is not None:
        return _compare_instants(left, right)
    for one, two in zip(left.parts, right.parts, strict=False):
        if one != two:
            return -1 if one < two else 1
    return 0 if len(left.parts) == len(right.parts) else None


def _compare_instants(left: Temporal, right: Temporal) -> int | None:
    """Order of two values with offsets: `10+01:00` is `09Z`, each as long as what it does not say."""
    first, last = bounds(left)
    other_first, other_last = bounds(right)
    if first == other_first and len(left.parts) == len(right.parts):
        return 0
    return -1 if last < other_first else 1 if first > other_last else None


def key_of(moment: Temporal) -> tuple[object, ...]:
    """What two values that `compare` finds equal have in common, and no others."""
    if moment.offset is None or moment.kind == "time":
        return (moment.kind == "time", moment.parts)
    return (len(moment.parts), bounds(moment)[0])


def is_equivalent(left: Temporal, right: Temporal) -> bool:
    """Same moment, same precision."""
    return compare(left, right) == 0


def bounds(moment: Temporal) -> tuple[Decimal, Decimal]:
    """First and last moment that a value may mean, in seconds (UTC) since the year 1; without an offset any zone from
    +14 to -12 counts.
    """
    earliest = _seconds((*moment.parts, *_EARLIEST[len(moment.parts) :]))
    latest = _seconds(_latest(moment.parts))
    if moment.offset is None:
        return earliest - 14 * 3600, latest + 12 * 3600
    return earliest - moment.offset * 60, latest - moment.offset * 60


def add(moment: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    """``moment`` shifted by ``amount`` units that it `takes`; None where that is outside the years 1 to 9999."""
    try:
        return _added(moment, amount, calendar_unit(unit))
    except (OverflowError, InvalidOperation):
        return None


def takes(kind: str, unit: str) -> bool:
    """Can a value of that kind be shifted by that unit? Not by UCUM's `a` and `mo`, nor a time of day by days."""
    name = calendar_unit(unit)
    return name in _CALENDAR_UNITS and (kind != "time" or name in ("hour", "minute", "second", "millisecond"))


def _added(moment: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    if moment.kind == "time":
        return _add_to_time(moment, amount, unit)
    if unit in ("year", "month"):
        return _add_months(moment, int(amount) * (12 if unit == "year" else 1))
    if unit not in ("second", "millisecond"):
        amount = Decimal(int(amount))
    seconds = amount * _UNIT_SECONDS[unit]
    if len(moment.parts) < 3:
        # A partial date counts in its own unit: days become whole months of 30 or years of 365 days, as the text says.
        days = int(seconds / 86400)
        return _add_months(moment, int(days / 365) * 12 if len(moment.parts) == 1 else int(days / 30))
    exact = (*moment.parts, *_EARLIEST[len(moment.parts) :])
    if len(moment.parts) == 3:
        seconds = Decimal(int(seconds / 86400) * 86400)
    whole = _moment(exact) + timedelta(microseconds=int(seconds * 1_000_000))
    parts: tuple[int | Decimal, ...] = (whole.year, whole.month, whole.day, whole.hour, whole.minute)
    second = Decimal(whole.second) + Decimal(whole.microsecond) / 1_000_000
    shown = moment.parts[5] if len(moment.parts) > 5 else Decimal(0)
    written = max(_decimals(shown), -_exponent(second.normalize()))
    parts = (*parts, second.quantize(Decimal(1).scaleb(-written)))[: len(moment.parts)]
    return build(moment.kind, parts, moment.offset, moment.text)


def calendar_unit(unit: str) -> str:
    """`days`, `day` and UCUM `d` as `day`; other units as they are."""
    if unit in _UCUM_UNITS:
        return _UCUM_UNITS[unit]
    return unit[:-1] if unit.endswith("s") and unit[:-1] in _CALENDAR_UNITS else unit


def precision(moment: Temporal) -> int:
    """Number of digits written: 4 for a year, 17 for a dateTime with milliseconds."""
    count = _DIGITS[moment.kind][len(moment.parts)]
    last = moment.parts[-1]
    return count + 3 if isinstance(last, Decimal) and _decimals(last) else count


def boundary(moment: Temporal, digits: int | None, *, high: bool) -> Temporal | None:
    """Least or greatest value that ``moment`` may mean, written with ``digits`` digits (default: all)."""
    kind = moment.kind
    counts = {count: length for length, count in _DIGITS["dateTime" if kind == "date" else kind].items()}
    full = 9 if kind == "time" else 8 if kind == "date" and digits is None else 17
    wanted = full if digits is None else digits
    if wanted != (9 if kind == "time" else 17) and wanted not in counts:
        return None
    if kind == "time":
        parts = (*moment.parts, *((59, Decimal("59.999")) if high else (0, Decimal(0)))[len(moment.parts) - 1 :])
    else:
        parts = _latest(moment.parts) if high else (*moment.parts, *_EARLIEST[len(moment.parts) :])
    if wanted in counts:
        return build(kind, parts[: counts[wanted]], None, "")
    second = Decimal(parts[-1]).quantize(Decimal("0.001"))
    offset = moment.offset if moment.offset is not None else (-720 if high else 840)
    return build(
        "time" if kind == "time" else "dateTime", (*parts[:-1], second), None if kind == "time" else offset, ""
    )


def build(kind: str, parts: tuple[int | Decimal, ...], offset: int | None, like: str) -> Temporal:
    """A value from its components, its text in FHIR's lexical form (`Z` kept where ``like`` has it)."""
    date: tuple[int | Decimal, ...] = () if kind == "time" else parts[:3]
    time = parts if kind == "time" else parts[3:]
    text = "-".join(f"{part:04d}" if rank == 0 else f"{part:02d}" for rank, part in enumerate(date))
    clock = ":".join(_two_digits(part) for part in time)
    if clock:
        text = f"{text}T{clock}" if text else clock
        if offset is not None:
            hours, minutes = divmod(abs(offset), 60)
            text += "Z" if like.endswith("Z") else f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"
    return Temporal(kind, text, parts, offset if clock else None)


def from_datetime(moment: datetime) -> Temporal:
    """A dateTime with milliseconds and offset."""
    text = moment.isoformat(timespec="milliseconds")
    parsed = parse_date_time(text)
    if parsed is None:
        raise ValueError(text)
    return parsed


def _seconds(parts: tuple[int | Decimal, ...]) -> Decimal:
    year, month, day, hour, minute = (int(part) for part in parts[:5])
    return Decimal(date(year, month, day).toordinal() * 86400 + hour * 3600 + minute * 60) + parts[5]


def _latest(parts: tuple[int | Decimal, ...]) -> tuple[int | Decimal, ...]:
    full = list(parts)
    if len(full) == 1:
        full.append(12)
    if len(full) == 2:
        full.append(calendar.monthrange(int(full[0]), int(full[1]))[1])
    full.extend((23, 59)[len(full) - 3 :])
    if len(full) == 5:
        full.append(Decimal("59.999"))
    return tuple(full)


def _moment(parts: tuple[int | Decimal, ...]) -> datetime:
    second = Decimal(parts[5])
    year, month, day, hour, minute = (int(part) for part in parts[:5])
    start = datetime(year, month, day, hour, minute, tzinfo=UTC)
    return start + timedelta(microseconds=int(second * 1_000_000))


def _add_months(moment: Temporal, months: int) -> Temporal | None:
    year, month = divmod(
        int(moment.parts[0]) * 12 + (int(moment.parts[1]) - 1 if len(moment.parts) > 1 else 0) + months, 12
    )
    if not 1 <= year <= 9999:
        return None
    parts: list[int | Decimal] = [year]
    if len(moment.parts) > 1:
        parts.append(month + 1)
    if len(moment.parts) > 2:
        parts.append(min(int(moment.parts[2]), calendar.monthrange(year, month + 1)[1]))
    return build(moment.kind, (*parts, *moment.parts[3:]), moment.offset, moment.text)


def _add_to_time(moment: Temporal, amount: Decimal, unit: str) -> Temporal:
    if unit in ("hour", "minute"):
        amount = Decimal(int(amount))
    hour, minute, second = (*moment.parts, 0, 0)[:3]
    total = (Decimal(hour) * 3600 + Decimal(minute) * 60 + Decimal(second) + amount * _UNIT_SECONDS[unit]) % 86400
    total = total + 86400 if total < 0 else total
    whole = int(total.to_integral_value(ROUND_FLOOR))
    parts = (whole // 3600, whole // 60 % 60, Decimal(whole % 60) + total - whole)
    return build("time", parts[: len(moment.parts)], None, "")


def _is_calendar_day(parts: tuple[int, ...]) -> bool:
    if parts[0] < 1 or (len(parts) > 1 and not 1 <= parts[1] <= 12):
        return False
    return len(parts) < 3 or 1 <= parts[2] <= calendar.monthrange(parts[0], parts[1])[1]


def _minutes(zone: str) -> int:
    if zone == "Z":
        return 0
    value = int(zone[1:3]) * 60 + int(zone[4:6])
    return -value if zone[0] == "-" else value


def _two_digits(part: int | Decimal) -> str:
    if isinstance(part, int):
        return f"{part:02d}"
    text = format(part, "f")
    return text if len(text.partition(".")[0]) > 1 else "0" + text


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return min(exponent, 0) if isinstance(exponent, int) else 0


def _decimals(value: int | Decimal) -> int:
    return -_exponent(value) if isinstance(value, Decimal) else 0
