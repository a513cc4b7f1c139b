"""Dates in formats: what a model's `format` and `toDate(text, format)` read, and Unix times.

Spec: FML, transforms, date formats. Codes are case-sensitive, other characters are themselves. Precision is what the
format holds, no more. Ours, `unix` and `unix-ms`: seconds and milliseconds since 1970-01-01T00:00:00Z; `hl7`: dates
and times of HL7 v2 and CDA, in the precision that each text has.

A local time with a zone gets the offset that holds there on that day. The hour that is skipped in spring does not
exist; of the two that are alike in autumn the first is meant (summer time), and that it was chosen is said. Without a
zone there is no dateTime of a local time, and no day of an instant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import cache, lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any
from unicodedata import combining, normalize
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fhirmap.errors import TransformFailed
from fhirmap.fhir_types import HL7_FORMAT, UNIX_FORMATS
from fhirmap.texts import Text

_NAMES_OF_MONTHS = (
    ("jan", "janv", "january", "janvier"),
    ("feb", "fev", "fevr", "february", "fevrier"),
    ("mar", "march", "mars"),
    ("apr", "avr", "april", "avril"),
    ("may", "mai"),
    ("jun", "june", "juin"),
    ("jul", "juil", "july", "juillet"),
    ("aug", "aou", "august", "aout"),
    ("sep", "sept", "september", "septembre"),
    ("oct", "october", "octobre"),
    ("nov", "november", "novembre"),
    ("dec", "december", "decembre"),
)
_MONTHS = {name: number for number, names in enumerate(_NAMES_OF_MONTHS, 1) for name in names}
"""Months in English and French, as they are spelt out and shortened; without accents, in lower case."""
_MONTH = r"(?P<named_month>[A-Za-z\u00c0-\u00ff\u0300-\u036f]{3,12})\.?"
_CODES = {
    "yyyy": r"(?P<year>\d{4})",
    "yy": r"(?P<short_year>\d{2})",
    "MMMM": _MONTH,
    "MMM": _MONTH,
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "dd": r"(?P<day>\d{2})",
    "d": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{2})",
    "H": r"(?P<hour>\d{1,2})",
    "hh": r"(?P<half_hour>\d{2})",
    "h": r"(?P<half_hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "m": r"(?P<minute>\d{1,2})",
    "ss": r"(?P<second>\d{2})",
    "s": r"(?P<second>\d{1,2})",
    "a": r"(?P<half>[AaPp]\.?[Mm]\.?)",
    "Z": r"(?P<offset>Z|[+-]\d{2}(?::?\d{2})?)",
    "z": r"(?P<offset>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)",
}
_BLANK = r"[ \u00a0\u2009\u202f]"
_BLANKS = f"{_BLANK}+"
"""Any blanks, where a format has one."""
_OFFSET = r"Z|[+-]\d{2}(?::?\d{2}(?::\d{2})?)?"
_ISO = re.compile(
    rf"(\d{{4}})(?:-(\d{{2}})(?:-(\d{{2}})(?:[Tt ](\d{{2}}):(\d{{2}})(?::(\d{{2}})(?:\.(\d+))?)?\s?({_OFFSET})?)?)?)?"
)
_TIME = re.compile(rf"(\d{{2}}):(\d{{2}})(?::(\d{{2}})(\.\d+)?)?\s?({_OFFSET})?")
_HL7 = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d{2})(?:(?P<day>\d{2})(?:(?P<hour>\d{2})(?:(?P<minute>\d{2})"
    r"(?:(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?)?)?)?)?(?P<offset>[+-]\d{4})?",
    re.ASCII,
)
_HL7_TIME = re.compile(
    r"(?P<hour>\d{2})(?P<minute>\d{2})(?:(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?(?P<offset>[+-]\d{4})?",
    re.ASCII,
)
_NUMBER = re.compile(r"-?\d{1,17}(\.\d{1,9})?", re.ASCII)
Parse = Callable[[str], str | None]
"""Text of a cell -> FHIR text, None where it does not fit. Raises `ZoneNeeded`, `SkippedTime`, `RepeatedTime`."""


class ZoneNeeded(Exception):
    """A time of day without a zone, or an instant whose day (or time of day) depends on one, and no zone is given."""


class SkippedTime(Exception):
    """A local time that its zone skips, when clocks are put forward."""


class RepeatedTime(Exception):
    """A local time that its zone has twice, when clocks are put back: nothing says which of the two is meant."""


@cache
def parser(format_text: str | None, kind: str, zone: str | None) -> Parse:
    """A function that turns text in ``format_text`` (None: FHIR's own form) into FHIR text of type ``kind``.

    ``kind``: date, dateTime, instant, time. ``zone``: where local times are local, and where a date's day is counted:
    a name (`Europe/Paris`) or an offset (`+10:00`).
    Raises: ValueError where there is no such zone.

    Example:
        >>> parser("yyyyMMddHHmmss", "date", "Europe/Paris")("20250320004500")
        '2025-03-20'
        >>> parser(None, "date", "Europe/Paris")("2025-05-26T23:15:00Z")
        '2025-05-27'
    """
    place = place_of(zone) if zone else None
    if format_text is not None and format_text in UNIX_FORMATS:
        return _unix(UNIX_FORMATS[format_text], kind, place)
    if format_text == HL7_FORMAT:
        return lambda text: _from_hl7(text, kind, place)
    if format_text is None:
        return _iso(kind, place)
    if format_text.startswith("yyyyMMdd") and kind == "date" and set(format_text[8:]) <= set("Hms"):
        return _compact_date(len(format_text))
    if kind == "date" and sorted(format_text) == sorted("yyyyMMdd" + "".join(_separators(format_text))):
        return _fixed_date(format_text)
    pattern = _pattern(format_text)
    return lambda text: _by_pattern(text, pattern, kind, place)


def _separators(format_text: str) -> list[str]:
    return [letter for letter in format_text if not letter.isalpha()]


def _fixed_date(format_text: str) -> Parse:
    """Year, month and day at fixed places, as `yyyy-MM-dd` or `dd.MM.yyyy` have them."""
    if format_text == "yyyy-MM-dd":
        return _day
    places = [slice(format_text.index(part), format_text.index(part) + len(part)) for part in ("yyyy", "MM", "dd")]
    year, month, day = places
    gaps = [index for index, letter in enumerate(format_text) if not letter.isalpha()]
    width = len(format_text)
    pick: Callable[[str], object] = itemgetter(*gaps) if gaps else len
    literals = pick(format_text)

    def parse(text: str) -> str | None:
        if len(text) != width or pick(text) != literals or not text.isascii():
            return None
        found = f"{text[year]}-{text[month]}-{text[day]}"
        try:
            date.fromisoformat(found)
        except ValueError:
            return None
        return found

    return parse


def _compact_date(width: int) -> Parse:
    def parse(text: str) -> str | None:
        if len(text) != width or not text.isascii() or not text.isdigit():
            return None
        if width > 8 and not _is_clock(text[8:]):
            return None
        found = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
        try:
            date.fromisoformat(found)
        except ValueError:
            return None
        return found

    return parse


def _is_clock(digits: str) -> bool:
    """`HHmm`, `HHmmss` within a day?"""
    return digits[:2] < "24" and digits[2:4] < "60" and digits[4:6] < "60"


def _day(text: str) -> str | None:
    """``text`` if it is a day of the calendar, in ten characters."""
    # `fromisoformat` takes weeks (`2025-W01-1`), too.
    if len(text) != 10 or text[7] != "-" or not text.isascii():
        return None
    try:
        date.fromisoformat(text)
    except ValueError:
        return None
    return text


@cache
def _pattern(format_text: str) -> re.Pattern[str]:
    pieces: list[str] = []
    has_names = "MMM" in format_text
    for _, letters in groupby(format_text):
        piece = "".join(letters)
        if piece[0] == "S":
            pieces.append(rf"(?P<fraction>\d{{{len(piece)}}})")
        elif piece in ("Z", "z"):
            # `10:00+01` and `10:00 +01` are one time.
            pieces = pieces[:-1] if pieces[-1:] == [_BLANKS] else pieces
            pieces.append(f"{_BLANK}*{_CODES[piece]}")
        elif piece in ("d", "dd") and has_names:
            pieces.append(f"{_CODES[piece]}(?:er|ER|st|nd|rd|th)?")
        elif piece in _CODES:
            pieces.append(_CODES[piece])
        elif piece[0] == " ":
            pieces.append(_BLANKS)
        else:
            pieces.append(re.escape(piece))
    return re.compile("".join(pieces), re.ASCII)


def place_of(zone: str) -> tzinfo:
    """The zone that a name or an offset means.

    Raises: ValueError where there is none.
    """
    if zone == "Z" or zone[:1] in ("+", "-"):
        return _offset(zone)
    try:
        return ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        raise ValueError from None


def _unix(units: int, kind: str, place: tzinfo | None) -> Parse:
    """Reads numbers of ``units`` a second, counted from 1970 on."""

    def parse(text: str) -> str | None:
        if not _NUMBER.fullmatch(text):
            return None
        microseconds = int(Decimal(text).scaleb(6)) // units
        try:
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
            if place is None:
                if kind != "instant":
                    raise ZoneNeeded
            else:
                moment = moment.astimezone(place)
        except OverflowError:
            return None
        return _shown(moment, kind, _rest(moment.microsecond))

    return parse


def _rest(microseconds: int) -> str:
    """A fraction of a second as a time shows it."""
    if not microseconds:
        return ""
    return f".{microseconds // 1000:03}" if microseconds % 1000 == 0 else f".{microseconds:06}"


def _by_pattern(text: str, pattern: re.Pattern[str], kind: str, zone: tzinfo | None) -> str | None:
    match = pattern.fullmatch(text)
    return _written(match.groupdict(), kind, zone) if match else None


def _iso(kind: str, zone: tzinfo | None) -> Parse:
    """Reads FHIR's own form; a day alone, which is most common, at once."""
    if kind == "time":
        return lambda text: _time(text, zone)
    if kind == "instant":
        return lambda text: _from_iso(text, kind, zone)

    def parse(text: str) -> str | None:
        if len(text) == 10:
            return _day(text)
        if len(text) == 19 and zone is not None and (text[10] == "T" or text[10] == " ") and text.isascii():
            return _local_second(text, kind, zone)
        return _from_iso(text, kind, zone)

    return parse


def _local_second(text: str, kind: str, zone: tzinfo) -> str | None:
    """A local day and time of 19 characters, as databases write them."""
    if not text[4] == text[7] == "-" or not text[13] == text[16] == ":":
        return _from_iso(text, kind, zone)
    try:
        moment = datetime.fromisoformat(text)
        if kind == "date":
            return text[:10]
        return f"{text[:10]}T{text[11:]}{_offset_once(moment.replace(tzinfo=zone))}"
    except (ValueError, OverflowError):
        return None


def _from_iso(text: str, kind: str, zone: tzinfo | None) -> str | None:
    match = _ISO.fullmatch(text)
    if match is None or not text.isascii():
        return None
    names = ("year", "month", "day", "hour", "minute", "second", "fraction", "offset")
    return _written(dict(zip(names, match.groups(), strict=True)), kind, zone)


def _from_hl7(text: str, kind: str, zone: tzinfo | None) -> str | None:
    """Spec: HL7 v2.9, 2A.3.22 (DTM) and 2A.3.75 (TM); CDA R2, TS. A time of day may be a whole date and time, too."""
    match = _HL7_TIME.fullmatch(text) if kind == "time" else None
    match = match or _HL7.fullmatch(text)
    if match is None:
        return None
    parts = match.groupdict()
    # An offset is of a time of day: after a day it says nothing of it.
    if parts["hour"] is None:
        parts["offset"] = None
    return None if kind == "instant" and parts["second"] is None else _written(parts, kind, zone)


def _time(text: str, zone: tzinfo | None) -> str | None:
    match = _TIME.fullmatch(text)
    if match is None or not text.isascii() or not _is_clock(f"{match[1]}{match[2]}{match[3] or '00'}"):
        return None
    if match[5] and not _is_offset_of(match[5], zone):
        return None
    return f"{match[1]}:{match[2]}:{match[3] or '00'}{match[4] or ''}"


def _is_offset_of(offset: str, zone: tzinfo | None) -> bool:
    """Is a time of day with this offset one of the zone's own, summer or winter? Without a day no other can be."""
    if zone is None:
        raise ZoneNeeded
    try:
        return _offset(offset).utcoffset(None) in _offsets(zone)
    except ValueError:
        return False


@cache
def _offsets(zone: tzinfo) -> frozenset[timedelta | None]:
    """The offsets that a zone has had in this century."""
    months = ((year, month) for year in range(2000, 2031) for month in (1, 4, 7, 10))
    return frozenset(datetime(year, month, 15, tzinfo=zone).utcoffset() for year, month in months)


def _written(parts: dict[str, str | None], kind: str, zone: tzinfo | None) -> str | None:
    """FHIR text of type ``kind`` from the parts of a date, in the precision that is there."""
    hour = _hour(parts)
    if kind == "time":
        if hour is None:
            return None
        minute, second = int(parts.get("minute") or 0), int(parts.get("second") or 0)
        return _time(f"{hour:02}:{minute:02}:{second:02}{_fraction(parts)}{_plain(parts.get('offset'))}", zone)
    year, month, day = _year(parts), _month(parts), parts.get("day")
    if year is None:
        return None
    if month is None or day is None:
        partial = year if month is None else f"{year}-{month:02}"
        return partial if _day(f"{partial}-01" if month else f"{year}-01-01") and kind != "instant" else None
    text = _day(f"{year}-{month:02}-{int(day):02}")
    if text is None or hour is None:
        return text if kind != "instant" else None
    return _moment(text, hour, parts, kind, zone)


def _moment(day: str, hour: int, parts: dict[str, str | None], kind: str, zone: tzinfo | None) -> str | None:
    try:
        clock = f"{hour:02}:{int(parts.get('minute') or 0):02}:{int(parts.get('second') or 0):02}"
        local = datetime.fromisoformat(f"{day}T{clock}")
        offset = parts.get("offset")
        if offset:
            if zone is None and kind == "date":
                raise ZoneNeeded
            moment = local.replace(tzinfo=_offset(offset))
            moment = moment.astimezone(zone) if zone else moment
        elif kind == "date":
            return day
        elif zone is None:
            raise ZoneNeeded
        else:
            return f"{day}T{clock}{_fraction(parts)}{_offset_once(local.replace(tzinfo=zone))}"
    except (ValueError, OverflowError):
        return None
    return _shown(moment, kind, _fraction(parts))


def _offset_once(moment: datetime) -> str:
    """The offset of a local time that its zone has once, as FHIR writes it.

    Raises: SkippedTime, RepeatedTime.
    """
    before, after = moment.utcoffset(), moment.replace(fold=1).utcoffset()
    assert before is not None and after is not None
    if before != after:
        raise SkippedTime if before < after else RepeatedTime
    return "Z" if moment.tzinfo is UTC else _offset_text(before)


@cache
def _offset_text(offset: timedelta) -> str:
    """`+01:00`: hours and minutes."""
    return datetime(2000, 1, 1, tzinfo=timezone(offset)).isoformat()[19:25]


def _shown(moment: datetime, kind: str, fraction: str) -> str:
    """FHIR text of type ``kind`` of a moment in the zone in which it is shown."""
    text = moment.isoformat(timespec="seconds")
    if kind == "date":
        return text[:10]
    if kind == "time":
        return f"{text[11:19]}{fraction}"
    return f"{text[:19]}{fraction}{'Z' if moment.tzinfo is UTC else text[19:25]}"


def _plain(offset: str | None) -> str:
    return "Z" if offset in ("UTC", "GMT") else offset or ""


@lru_cache(maxsize=256)
def _offset(text: str) -> timezone:
    """`Z`, `+01`, `+0100` or `+01:00`.

    Raises: ValueError for what no place on earth has.
    """
    if text in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4] or 0), int(digits[4:6] or 0)
    if minutes > 59 or seconds > 59 or hours > 14:
        raise ValueError
    span = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-span if text[0] == "-" else span)


def _fraction(parts: dict[str, str | None]) -> str:
    return f".{parts['fraction']}" if parts.get("fraction") else ""


def _hour(parts: dict[str, str | None]) -> int | None:
    half = parts.get("half_hour")
    if half:
        late = (parts.get("half") or "a")[0] in "Pp"
        return int(half) % 12 + (12 if late else 0) if 1 <= int(half) <= 12 else 99
    return int(parts["hour"]) if parts.get("hour") else None  # type: ignore[arg-type]


def _year(parts: dict[str, str | None]) -> str | None:
    if parts.get("year"):
        return parts["year"]
    short = parts.get("short_year")
    # Two digits: the century that keeps the year within 20 years to come, as HL7 v2 and spreadsheets have it.
    limit = (datetime.now(UTC).year + 20) % 100
    return f"{20 if int(short) <= limit else 19}{short}" if short else None


def _month(parts: dict[str, str | None]) -> int | None:
    if parts.get("month"):
        return int(parts["month"] or 0)
    if parts.get("named_month"):
        plain = "".join(sign for sign in normalize("NFD", parts["named_month"] or "") if not combining(sign))
        return _MONTHS.get(plain.lower(), 0)
    return None


def _converted(text: object, format_text: str | None, kind: str, zone: str | None) -> str | None:
    if text is None or text == "":
        return None
    wanted: dict[str, Any] = {
        "wanted": kind,
        "format": format_text or Text("values.own_form"),
        "length": len(str(text)),
    }
    try:
        found = parser(format_text, kind, zone)(str(text))
    except ZoneNeeded:
        raise TransformFailed("FM451", variant="local" if kind == "dateTime" else "zone", **wanted) from None
    except SkippedTime:
        raise TransformFailed("FM451", variant="skipped", **wanted) from None
    except RepeatedTime:
        raise TransformFailed("FM451", variant="twice", **wanted) from None
    except ValueError:
        raise TransformFailed("FM451", variant="no_zone", **wanted) from None
    if found is None:
        raise TransformFailed("FM451", **wanted)
    return found


def to_date(text: object, format_text: str | None = None, zone: str | None = None) -> str | None:
    """The FHIR date that ``text`` writes; of an instant, the day that it is in ``zone``.

    Raises: ``TransformFailed`` FM451 where it does not fit the format, or its day depends on a zone that is not given.
    Spec: FML, transforms, toDate. The zone is ours.

    Example:
        >>> to_date("20/03/2025", "dd/MM/yyyy"), to_date("2025-07-13T22:30:00Z", None, "Europe/Paris")
        ('2025-03-20', '2025-07-14')
    """
    return _converted(text, format_text, "date", zone)


def to_date_time(text: object, format_text: str | None = None, zone: str | None = None) -> str | None:
    """The FHIR dateTime that ``text`` writes: in ``zone``, else in the offset it has.

    Raises: ``TransformFailed`` FM451 where it does not fit the format, has a time of day and neither, or the zone skips
    that time or has it twice.
    Spec: FML, transforms, toDateTime. The zone is ours.

    Example:
        >>> to_date_time("202503201015+0200", "yyyyMMddHHmmZ")
        '2025-03-20T10:15:00+02:00'
        >>> to_date_time("202503201015", "yyyyMMddHHmm", "Europe/Paris")
        '2025-03-20T10:15:00+01:00'
    """
    return _converted(text, format_text, "dateTime", zone)


def to_time(text: object, format_text: str | None = None, zone: str | None = None) -> str | None:
    """The FHIR time that ``text`` writes; with an offset, where it is one of ``zone``'s.

    Raises: ``TransformFailed`` FM451 where it does not fit the format.
    Spec: FML, transforms, toTime. The zone is ours.

    Example:
        >>> to_time("1015", "HHmm")
        '10:15:00'
    """
    return _converted(text, format_text, "time", zone)


def _from_unix(seconds: object, kind: str, zone: str | None) -> str | None:
    if seconds is None:
        return None
    wanted: dict[str, Any] = {"wanted": kind, "format": Text("values.unix_seconds"), "length": len(str(seconds))}
    try:
        found = parser("unix", kind, zone or "Z")(str(seconds))
    except ValueError:
        raise TransformFailed("FM451", variant="no_zone", **wanted) from None
    if found is None:
        raise TransformFailed("FM451", **wanted)
    return found


def unix_to_date_time(seconds: object, zone: str | None = None) -> str | None:
    """The dateTime of a Unix time in seconds, in ``zone`` (`Europe/Paris`, `+10:00`), UTC by default.

    Units: seconds since 1970-01-01T00:00:00Z.
    Raises: ``TransformFailed`` FM451 where it is no number, or there is no such zone.
    Spec: FML, transforms, unixToDateTime; it has offsets for zones, names are ours.

    Example:
        >>> unix_to_date_time(0), unix_to_date_time(1752445800, "Europe/Paris")
        ('1970-01-01T00:00:00Z', '2025-07-14T00:30:00+02:00')
    """
    return _from_unix(seconds, "dateTime", zone)


def unix_to_date(seconds: object, zone: str | None = None) -> str | None:
    """The date of a Unix time in seconds, in ``zone``, UTC by default.

    Example:
        >>> unix_to_date(86400), unix_to_date(1752445800, "Europe/Paris")
        ('1970-01-02', '2025-07-14')
    """
    return _from_unix(seconds, "date", zone)


def unix_to_time(seconds: object, zone: str | None = None) -> str | None:
    """The time of day of a Unix time in seconds, in ``zone``, UTC by default.

    Example:
        >>> unix_to_time(3661)
        '01:01:01'
    """
    return _from_unix(seconds, "time", zone)
