"""What scanners, keyboards and copying do to a GS1 label, undone where that is certain.

A separator that was lost between two parts is put back where the lot and serial of the source's own columns, or a
single possible reading, say where it was; a text typed through a French keyboard layout is translated back.
"""

from __future__ import annotations

import re

from fhirmap.functions.udi.gs1_tables import GS, PREFIX, RAW, SHOWN_GS, VARIABLE, Part
from fhirmap.functions.udi.parts import gs1_date, is_gtin_valid

__all__ = ["plausibility", "repaired", "split_at_lost_separator"]

_AZERTY = re.compile(r"(?:\][CQde][à&é\"'(\-è_ç])?à&[à&é\"'(\-è_ç]{14}.*")
_FROM_AZERTY = str.maketrans("&é\"'(-è_çàQqAaWwZz?,)", "1234567890AaQqZzWwMm-")


def repaired(text: str, shape: re.Match[str] | None) -> tuple[re.Match[str] | None, list[str]]:
    """The element string that ``text`` was before a keyboard layout, a shown separator or a second barcode changed it,
    with what was wrong. ``shape``: ``text`` itself where it is one already."""
    problems: list[str] = []
    if shape is None:
        if _AZERTY.fullmatch(text):
            problems.append("keyboard-layout")
            text = text.translate(_FROM_AZERTY)
        text = "".join(text.split(" "))
    # A second barcode scanned after the first one begins with its own symbology prefix.
    text = PREFIX.sub(GS, SHOWN_GS.sub(GS, text)).lstrip(GS).replace(GS + GS, GS)
    return RAW.fullmatch(text), problems


def plausibility(parts: list[Part], lot: str | None, serial: str | None) -> int:
    """How many parts are what they say: a right check digit, a day of the calendar, the lot and serial of the row."""
    known = {"10": lot, "21": serial}
    right = {"01": is_gtin_valid, "11": gs1_date, "17": gs1_date}
    return sum(
        bool(right[identifier](value))
        if identifier in right
        else identifier in known and known[identifier] in (value, None)
        for identifier, value in parts
    )


def split_at_lost_separator(
    identifier: str, value: str, most: int, lot: str | None, serial: str | None
) -> list[Part] | None:
    """The parts that ``value`` holds if the separator inside it was lost; nothing where it need not have been.

    What the source's own columns say decides; without it only a value that is too long for one part is cut, and
    only where there is a single way to do so.
    """
    hint = {"10": lot, "21": serial}.get(identifier)
    if hint:
        return _after(identifier, value, hint, lot, serial)
    if serial and identifier == "10" and value.endswith("21" + serial) and len(value) > len(serial) + 2:
        return [(identifier, value[: -len(serial) - 2]), ("21", serial)]
    if len(value) <= most:
        return None
    ways = [(cut, tail) for cut in range(1, most + 1) if (tail := _tail(value[cut:], lot, serial))]
    return [(identifier, value[: ways[0][0]]), *ways[0][1]] if len(ways) == 1 else None


def _after(identifier: str, value: str, hint: str, lot: str | None, serial: str | None) -> list[Part] | None:
    """``value`` as the lot or serial that the row names and the parts after it; nothing where it is not both."""
    tail = _tail(value[len(hint) :], lot, serial) if value.startswith(hint) and value != hint else None
    return [(identifier, hint), *tail] if tail else None


def _tail(text: str, lot: str | None, serial: str | None) -> list[Part] | None:
    """``text`` as parts that may well follow a lot: dates that are dates, a serial, a lot, a reference, a count."""
    parts: list[Part] = []
    while text:
        identifier = text[:2]
        if identifier in ("11", "17"):
            if not gs1_date(text[2:8]):
                return None
            parts.append((identifier, text[2:8]))
            text = text[8:]
            continue
        if (
            identifier not in ("10", "21")
            and text[:3] != "240"
            and not (identifier in ("30", "37") and text[2:].isdecimal())
        ):
            return None
        width = 3 if text[:3] == "240" else 2
        digits, value = text[:width], text[width:]
        hint = {"10": lot, "21": serial}.get(digits)
        rest = _after(digits, value, hint, lot, serial) if hint else None
        if rest:
            return [*parts, *rest]
        if not value or len(value) > VARIABLE[identifier][1]:
            return None
        return [*parts, (digits, value)]
    return parts
