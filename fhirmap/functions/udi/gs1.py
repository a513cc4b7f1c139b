"""GS1 labels: as scanned (element strings with separators) or as printed (identifiers in parentheses).

Spec: GS1 General Specifications 3, 7.8.
"""

from __future__ import annotations

import re

from fhirmap.functions.identity import spreadsheet_exponent
from fhirmap.functions.udi.gs1_tables import (
    DATED,
    DATES,
    FIXED,
    GS,
    PARENTHESES,
    PREFIX,
    READABLE,
    READABLE_PART,
    SET_82,
    SHOWN_GS,
    SYMBOLOGY,
    UNPRINTABLE,
    Part,
    variable,
)
from fhirmap.functions.udi.parts import GS1, LabelParts, PartName, Udi, gs1_date, is_gtin_valid
from fhirmap.functions.udi.repair import Known, bodies, known, plausibility, split_at_lost_separator, timed_day
from fhirmap.runtime.cell_text import MISSING
from fhirmap.runtime.repairs import report_repair

__all__ = ["bare_number", "common_gs1", "printed_parts", "raw_gs1", "readable_gs1"]

_GTIN_14 = re.compile(r"[0-9]{14}")
_LONG_FIXED = re.compile(r"3[1-6][0-9][0-5]|41[0-7]")
"""Identifiers of more than two digits with a length of their own: measures, and numbers of places."""
_BARE = re.compile(r"([0-9](?:[ \u00a0\u202f]?[0-9]){0,14})(?:[.,]0+)?")
_DAY_OR_TIME = DATES | {"7003", "8008"}
# A word before the label, `UDI : (01)…`.
_CAPTION = re.compile(r"[^\W\d_][^()\d]*(?=\()")


def common_gs1(printed: str, gtin: str, before: str | None, lot: str, after: str | None) -> Udi:
    """GTIN, lot and expiry, ``before`` or ``after`` the lot: nine labels in ten. ``printed``: the label, if so read."""
    udi: Udi = {"issuer": GS1, "deviceIdentifier": gtin}
    problems: list[str] = []
    differing = bool(before and after and before != after)
    if differing:
        printed, before, after = "", None, None
    if lot.upper() not in MISSING:
        udi["lot"] = lot
    if printed:
        udi["humanReadable"] = printed
    elif before:
        udi["humanReadable"] = f"(01){gtin}(17){before}(10){lot}"
    elif after:
        udi["humanReadable"] = f"(01){gtin}(10){lot}(17){after}"
    else:
        udi["humanReadable"] = f"(01){gtin}(10){lot}"
    if not is_gtin_valid(gtin):
        problems.append("check-digit")
    expiry = before or after
    if expiry:
        day = gs1_date(expiry)
        if day:
            udi["expiry"] = day
        else:
            problems.append("date")
    if differing:
        problems.append("two-values")
    if problems:
        udi["problems"] = problems
    return udi


def readable_gs1(text: str) -> Udi | None:
    """A label as printed, each identifier in parentheses; nothing where it is not in that form."""
    parts = printed_parts(text)
    if parts is None:
        return None
    _report_zeros(parts, text)
    return _taken(parts, [])


def _report_zeros(parts: list[Part], text: str) -> None:
    """Warn of an article that the label has without the zeros in front that make it one of 14 digits."""
    article = next((value for identifier, value in parts if identifier == "01" and value[:1] == "0"), "")
    if article and article not in (compact := "".join(text.split())) and article.lstrip("0") in compact:
        report_repair("gtin_zero")


def printed_parts(text: str) -> list[Part] | None:
    """The parts of a label as printed; nothing where it is not in that form."""
    text = SHOWN_GS.sub(GS, _unmarked(text)).translate(PARENTHESES)
    caption = _CAPTION.match(text)
    if caption:
        text = text[caption.end() :]
    if not READABLE.fullmatch(text):
        return None
    parts: list[Part] = []
    for identifier, written in READABLE_PART.findall(text):
        value = written.strip(" \u00a0\u202f" + GS)
        if not _is_identifier(identifier):
            return None
        if identifier == "01" and len(value) in (8, 12, 13) and value.isdecimal():
            # An EAN-13 in the place of a GTIN-14 is the same number without its leading zero.
            value = value.zfill(14)
        parts.append((identifier, value))
    return parts


def bare_number(text: str) -> str | None:
    """A text of at most 15 digits, grouped by blanks or not, as a number; nothing for any other text."""
    if text.isascii() and text.isdecimal():
        return text if len(text) <= 15 else None
    shape = _BARE.fullmatch(text)
    return "".join(shape[1].split()) if shape else None


def raw_gs1(text: str, lot: str | None, serial: str | None) -> Udi:
    """A label as scanned; ``lot`` and ``serial`` are the source's own, for a separator that was lost."""
    row = known(lot, serial)
    marked = PREFIX.match(text) is not None
    text = _unmarked(text)
    number = None if marked else bare_number(text)
    if number and not (row.lot and row.lot in number) and not (row.serial and row.serial in number):
        return _shelf_number(number)
    if spreadsheet_exponent(text):
        return {"problems": ["exponent"]}
    found = [
        (read, [*problems, *lost])
        for body, problems in bodies(text)
        for read, lost in _ways(body, row)
        if _is_credible(read, body, row, marked=marked)
    ]
    # Of several that say as much the first is taken: the likeliest.
    best = max(found, key=lambda way: plausibility(way[0], row)) if len(found) > 1 else found[0] if found else None
    if number and not (best and _confirmed(best[0], row)):
        return _shelf_number(number)
    if best is None:
        return {"issuer": GS1, "problems": ["unreadable"]}
    if len(best[0]) != len(found[-1][0]) and not _confirmed(best[0], row):
        # A blank was taken for the separator.
        _report_zeros(best[0], text)
        return _taken(best[0], [*best[1], "gs-lost"])
    _report_zeros(best[0], text)
    return _taken(*best)


def _unmarked(text: str) -> str:
    """A text without the symbology prefix that it begins with."""
    prefix = SYMBOLOGY.match(text)
    return text[prefix.end() :] if prefix else text


def _shelf_number(number: str) -> Udi:
    """A number alone: a GTIN, mistyped where its check digit is wrong. It is never cut into parts of a label, since a
    mistyped EAN-13 reads as a weight and a serial as well."""
    if len(number) == 15 and number[:2] == "01" and is_gtin_valid(number[2:]):
        return _taken([("01", number[2:].zfill(14))], ["ambiguous"])
    if len(number) not in (8, 12, 13, 14):
        return {"issuer": GS1, "problems": ["check-digit", "unreadable"]}
    problems = [] if is_gtin_valid(number) else ["check-digit"]
    if not problems and number[:2] == "17" and gs1_date(number[2:8]) and number[8:10] in ("", "10", "21"):
        problems.append("ambiguous")
    return _taken([("01", number.zfill(14))], problems)


def _ways(body: str, row: Known) -> list[tuple[list[Part], list[str]]]:
    """The ways to read an element string, the likeliest first, each with what was lost in it."""
    ways = [_elements(body, row)]
    short = body[2:15]
    if body[:2] == "01" and not (ways[0] and is_gtin_valid(body[2:16])) and short.isdecimal() and is_gtin_valid(short):
        # An EAN-13 may come after the identifier of a GTIN-14; then what follows is cut one digit too late.
        ways.append(_elements(f"010{body[2:]}", row))
    return [way for way in ways if way]


def _is_credible(parts: list[Part], body: str, row: Known, *, marked: bool) -> bool:
    """Is this more than a text that begins with the digits of an identifier? ``marked``: by its symbology prefix."""
    return (
        marked
        or body[:2] == "01"
        or (GS in body and len(parts) > 1)
        or any(
            identifier == "01" or (identifier in _DAY_OR_TIME and _day(identifier, value))
            for identifier, value in parts
        )
        or _confirmed(parts, row)
    )


def _confirmed(parts: list[Part], row: Known) -> bool:
    return any(row.of(identifier) == value.upper() for identifier, value in parts if identifier in ("10", "21"))


def _elements(body: str, row: Known) -> tuple[list[Part], list[str]] | None:
    """The element string cut into (identifier, value); nothing where it cannot be."""
    uncut = _uncut(body)
    if uncut is None:
        return None
    parts: list[Part] = []
    problems: list[str] = []
    present = frozenset(identifier for identifier, _ in uncut)
    for identifier, value in uncut:
        most = 20
        if identifier in ("10", "21"):
            said = row.of(identifier)
            if value.upper() == said or (
                not (row.lot or row.serial)
                and len(value) <= most
                and "01" in present
                and not ("17" not in present and DATED.fullmatch(value))
            ):
                parts.append((identifier, value))
                continue
        elif identifier == "7003":
            most = 10
        elif identifier == "8008":
            most = 12
        else:
            parts.append((identifier, value))
            continue
        found = split_at_lost_separator(identifier, value, most, row, present - {identifier})
        if found:
            problems = ["gs-lost"]
        parts += found or [(identifier, value)]
    return parts, problems


def _uncut(body: str) -> list[Part] | None:
    """The parts as the separators that are there cut them; nothing where one is no part."""
    parts: list[Part] = []
    at, end = 0, len(body)
    while at < end:
        start = body[at : at + 2]
        length = FIXED.get(start)
        if length:
            stop = at + length
            digits = 2 if start < "31" else 4 if start < "41" else 3
            value = body[at + digits : stop]
            if start == "01" and (stop > end or GS in value):
                short = body.find(GS, at)
                stop = end if short < 0 else short
                value = body[at + 2 : stop]
                if len(value) not in (8, 12, 13) or not is_gtin_valid(value):
                    return None
                value = value.zfill(14)
            if stop > end or not value.isdecimal() or (digits > 2 and not _LONG_FIXED.match(body, at)):
                return None
            parts.append((body[at : at + digits], value))
            at = stop + 1 if body[stop : stop + 1] == GS else stop
            continue
        shape = variable(body[at : at + 4])
        if shape is None:
            return None
        digits = shape[0]
        stop = body.find(GS, at)
        if stop < 0:
            stop = end
        value = body[at + digits : stop]
        if not value:
            return None
        parts.append((body[at : at + digits], value))
        at = stop + 1
    return parts


def _is_identifier(identifier: str) -> bool:
    """Is this the whole of an application identifier?"""
    start = identifier[:2]
    if start in FIXED:
        return len(identifier) == 2 if start < "31" else _LONG_FIXED.fullmatch(identifier) is not None
    shape = variable(identifier)
    return shape is not None and shape[0] == len(identifier)


def _day(identifier: str, value: str) -> str:
    """The day of an identifier that has one; empty where it is no day."""
    if identifier == "7003":
        return timed_day(value) if len(value) == 10 else ""
    return timed_day(value) if identifier == "8008" else gs1_date(value)


_NAMES: dict[str, PartName] = {
    "01": "deviceIdentifier",
    "10": "lot",
    "21": "serial",
    "17": "expiry",
    "7003": "expiry",
    "11": "manufactured",
    "8008": "manufactured",
}


def _taken(parts: list[Part], problems: list[str]) -> Udi:
    """The parts of a label as a UDI; what cannot be one is left out of the form that people read, and reported."""
    reading = LabelParts(GS1, problems)
    shown: list[Part] = []
    for identifier, value in parts:
        name = _NAMES.get(identifier)
        if not SET_82.fullmatch(value):
            reading.problem("characters")
            continue
        if identifier == "01" and not (_GTIN_14.fullmatch(value) and is_gtin_valid(value)):
            reading.problem("check-digit")
        taken = value
        if identifier in ("17", "11", "7003", "8008"):
            taken = _day(identifier, value)
        if name and not taken:
            reading.problem("date")
        elif name:
            reading.take(name, taken)
        if UNPRINTABLE.search(value):
            reading.problem("unprintable")
        elif (identifier, value) not in shown and not (name in ("lot", "serial") and len(value) > 20):
            shown.append((identifier, value))
    kept = [part for part in shown if _NAMES.get(part[0]) not in reading.differing]
    return reading.finished("".join([f"({identifier}){value}" for identifier, value in kept]))
