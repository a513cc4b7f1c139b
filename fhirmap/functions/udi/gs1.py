"""GS1 labels: as scanned (element strings with separators) or as printed (identifiers in parentheses).

Spec: GS1 General Specifications 3, 7.8.
"""

from __future__ import annotations

import re

from fhirmap.functions.identity import MISSING, spreadsheet_exponent
from fhirmap.functions.udi.gs1_tables import (
    DATED,
    FIXED,
    GS,
    PREFIX,
    RAW,
    READABLE,
    READABLE_PART,
    SHOWN_GS,
    VARIABLE,
    Part,
)
from fhirmap.functions.udi.parts import GS1, Udi, finished, gs1_date, is_gtin_valid
from fhirmap.functions.udi.repair import plausibility, repaired, split_at_lost_separator

__all__ = ["common_gs1", "raw_gs1", "readable_gs1"]

_SHELF = re.compile(r"[0-9]{12,14}")
_GTIN_14 = re.compile(r"[0-9]{14}")


def common_gs1(printed: str, gtin: str, before: str | None, lot: str, after: str | None) -> Udi:
    """GTIN, lot and expiry, ``before`` or ``after`` the lot: nine labels in ten. ``printed``: the label, if so read."""
    udi: Udi = {"issuer": GS1, "deviceIdentifier": gtin}
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
    expiry = before or after
    if expiry:
        day = gs1_date(expiry)
        if day:
            udi["expiry"] = day
        else:
            udi["problems"] = ["date"]
    if not is_gtin_valid(gtin):
        udi["problems"] = ["check-digit", *udi.get("problems", ())]
    return udi


def readable_gs1(text: str) -> Udi:
    """A label as printed: each identifier in parentheses."""
    udi: Udi = {"issuer": GS1}
    if not READABLE.fullmatch(text):
        return {"issuer": GS1, "problems": ["unreadable"]}
    parts = [(identifier, value.strip()) for identifier, value in READABLE_PART.findall(text)]
    problems: list[str] = []
    for index, (identifier, value) in enumerate(parts):
        if identifier == "01" and len(value) < 14 and value.isdecimal():
            # An EAN-13 in the place of a GTIN-14 is the same number without its leading zero.
            parts[index] = (identifier, value.zfill(14))
    _take_gs1(parts, udi, problems)
    udi["humanReadable"] = "".join([f"({identifier}){value}" for identifier, value in parts])
    return finished(udi, problems)


def raw_gs1(text: str, lot: str | None, serial: str | None) -> Udi:
    """A label as scanned; ``lot`` and ``serial`` are the source's own, for a separator that was lost."""
    problems: list[str] = []
    shape = RAW.fullmatch(text)
    if shape is None and spreadsheet_exponent(text):
        return {"problems": ["exponent"]}
    if shape is None or SHOWN_GS.search(text) or PREFIX.search(text):
        shape, problems = repaired(text, shape)
    if shape is None:
        return {"problems": [*problems, "unreadable"]}
    body = shape[1]
    if _SHELF.fullmatch(body) and is_gtin_valid(body):
        number = body.zfill(14)
        return finished({"issuer": GS1, "deviceIdentifier": number, "humanReadable": f"(01){number}"}, problems)
    lost: list[str] = []
    parts = _elements(body, lot, serial, lost)
    if body[:2] == "01" and not (parts and is_gtin_valid(body[2:16])) and is_gtin_valid(body[2:15]):
        # An EAN-13 may come after the identifier of a GTIN-14; then what follows is cut one digit too late.
        lost_too: list[str] = []
        shifted = _elements(f"010{body[2:]}", lot, serial, lost_too)
        if shifted and (parts is None or plausibility(shifted, lot, serial) > plausibility(parts, lot, serial)):
            parts, lost = shifted, lost_too
    if parts is None:
        return {"issuer": GS1, "problems": [*problems, "unreadable"]}
    problems += lost
    udi: Udi = {"issuer": GS1}
    _take_gs1(parts, udi, problems)
    udi["humanReadable"] = "".join([f"({identifier}){value}" for identifier, value in parts])
    return finished(udi, problems)


def _elements(body: str, lot: str | None, serial: str | None, problems: list[str]) -> list[Part] | None:
    """The element string cut into (identifier, value); nothing where it cannot be."""
    parts: list[Part] = []
    at, end = 0, len(body)
    while at < end:
        start = body[at : at + 2]
        length = FIXED.get(start)
        if length:
            stop = at + length
            digits = 2 if start < "31" else 4 if start < "41" else 3
            value = body[at + digits : stop]
            if stop > end or not value.isdecimal():
                return None
            parts.append((body[at : at + digits], value))
            at = stop + 1 if body[stop : stop + 1] == GS else stop
            continue
        if start not in VARIABLE:
            return None
        digits, most = VARIABLE[start]
        stop = body.find(GS, at)
        if stop < 0:
            stop = end
        identifier, value = body[at : at + digits], body[at + digits : stop]
        if not value or not identifier.isdecimal():
            return None
        at = stop + 1
        hint = lot if start == "10" else serial if start == "21" else None
        dated = identifier == "10" and not (lot or serial) and "17" not in dict(parts) and DATED.fullmatch(value)
        if value == hint or (len(value) <= most and not (lot or serial or dated)):
            parts.append((identifier, value))
            continue
        if dated and stop == end and gs1_date(value[-6:]):
            parts += [(identifier, value[:-8]), ("17", value[-6:])]
            problems.append("gs-lost")
        else:
            parts += _separated(identifier, value, most, lot, serial, problems)
    return parts


def _separated(  # noqa: PLR0913 - the columns that show where a lot ends
    identifier: str, value: str, most: int, lot: str | None, serial: str | None, problems: list[str]
) -> list[Part]:
    """``value`` as the parts it holds where the separator between them was lost, else as it is."""
    found = split_at_lost_separator(identifier, value, most, lot, serial)
    if found or len(value) > most:
        problems.append("gs-lost")
    return found or [(identifier, value)]


def _take_gs1(parts: list[Part], udi: Udi, problems: list[str]) -> None:
    for identifier, value in parts:
        if identifier == "01":
            udi["deviceIdentifier"] = value
            if not (_GTIN_14.fullmatch(value) and is_gtin_valid(value)):
                problems.append("check-digit")
        elif identifier == "10" or identifier == "21":
            if value.upper() not in MISSING:
                udi["lot" if identifier == "10" else "serial"] = value
        elif identifier == "17" or identifier == "11":
            day = gs1_date(value)
            if not day:
                problems.append("date")
            elif identifier == "17":
                udi["expiry"] = day
            else:
                udi["manufactured"] = day
