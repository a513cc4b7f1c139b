"""What scanners, keyboards and copying do to a GS1 label, undone where that is certain.

A separator that was lost between two parts is put back where the lot and serial of the source's own columns, or a
single possible reading, say where it was; a text typed through a French keyboard layout is translated back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from fhirmap.functions.udi.gs1_tables import DATES, GS, INTACT, PREFIX, RAW, SEPARATED, SHOWN_GS, Part
from fhirmap.functions.udi.parts import gs1_date, is_gtin_valid
from fhirmap.runtime.cell_text import MISSING

__all__ = ["Known", "bodies", "known", "plausibility", "split_at_lost_separator", "timed_day"]

_AZERTY = re.compile(r"(?:\][CQde][à&é\"'(\-è_ç])?(?:à&|&[à&è]|é&)[à&é\"'(\-è_ç]*.*")
_FROM_AZERTY = str.maketrans("&é\"'(-è_çàQqAaWwZz?,)", "1234567890AaQqZzWwMm-")
_GTIN = re.compile(r"[0-9]{14}")
_TIMED = re.compile(r"([0-9]{6})(?:[01][0-9]|2[0-3])(?:[0-5][0-9]){0,2}")


class Known(NamedTuple):
    """The lot and the serial that the row's own columns hold, without blanks and in capitals; empty where unknown."""

    lot: str
    serial: str

    def of(self, identifier: str) -> str:
        """What the row says of an application identifier; empty where nothing."""
        return self.lot if identifier == "10" else self.serial if identifier == "21" else ""


def known(lot: str | None, serial: str | None) -> Known:
    """``lot`` and ``serial`` as a label would hold them; a word of absence is none."""
    return Known(_said(lot), _said(serial))


def _said(value: str | None) -> str:
    if not value:
        return ""
    said = "".join(value.split()).upper()
    return "" if said in MISSING else said


def bodies(text: str) -> Iterator[tuple[str, list[str]]]:
    """The element strings that ``text`` may have been before a keyboard layout, a shown separator or a second barcode
    changed it, the likeliest first, each with what was wrong.

    A blank may be in the place of the separator, or be of a person's own grouping.
    """
    problems: list[str] = []
    if INTACT.fullmatch(text) and GS + GS not in text:
        yield text, problems
        return
    if SEPARATED.fullmatch(text):
        yield text, problems
    if not RAW.fullmatch(text) and _AZERTY.fullmatch(text):
        problems = ["keyboard-layout"]
        text = text.translate(_FROM_AZERTY)
    # A second barcode scanned after the first one begins with its own symbology prefix.
    text = PREFIX.sub(GS, SHOWN_GS.sub(GS, text)).replace(" " + GS, GS).replace(GS + " ", GS)
    words = text.split()
    # U+001D is white space to Python, and the one that is kept.
    words = "".join(" " if sign.isspace() and sign != GS else sign for sign in text).split(" ")
    whole = [word for word in words if word]
    if len(whole) > 1:
        yield _tidied(GS.join(whole)), problems
    yield _tidied("".join(whole)), problems


def _tidied(text: str) -> str:
    return GS.join(part for part in text.split(GS) if part)


def timed_day(text: str) -> str:
    """The day of `YYMMDD` and a time of the day, as AI 7003 and 8008 write it; empty where it is none."""
    shape = _TIMED.fullmatch(text)
    return gs1_date(shape[1]) if shape else ""


def plausibility(parts: list[Part], row: Known) -> int:
    """How many parts are what they say: a right check digit, a day of the calendar, the lot and serial of the row."""
    total = 0
    for identifier, value in parts:
        if identifier == "01":
            total += bool(_GTIN.fullmatch(value) and is_gtin_valid(value))
        elif identifier in DATES:
            total += bool(gs1_date(value))
        elif identifier in ("10", "21"):
            said = row.of(identifier)
            total += 3 if said == value.upper() else not said
    return total


def split_at_lost_separator(
    identifier: str, value: str, most: int, row: Known, present: frozenset[str]
) -> list[Part] | None:
    """The parts that ``value`` holds if the separator inside it was lost; nothing where it need not have been.

    What speaks for a cut is a lot or serial that the row has too, a GTIN with its right check digit on a label that has
    none else, or an expiry date; a lost separator speaks against it, and two cuts of the same weight leave the value
    whole. ``most``: characters that the part may have. ``present``: identifiers that the label has elsewhere.
    """
    if len(value) > 200:
        return None
    whole = _weight(identifier, value, row) - (20 if len(value) > most else 0)
    found = _Cuts(value, row, present | {identifier}).after(identifier, 0, most, whole_too=False)
    if found is None or found.ways != 1 or found.weight <= whole:
        return None
    return found.parts


def _weight(identifier: str, value: str, row: Known) -> int:
    said = row.of(identifier)
    if said:
        return 10 if value.upper() == said else 0
    return 1


@dataclass(slots=True)
class _Found:
    weight: int
    ways: int
    parts: list[Part]


_END = _Found(0, 1, [])


@dataclass(slots=True)
class _Cuts:
    """The best way to read the rest of a value, from each place in it."""

    value: str
    row: Known
    present: frozenset[str]
    seen: dict[int, _Found | None] = field(default_factory=dict)

    def at(self, start: int) -> _Found | None:
        if start == len(self.value):
            return _END
        if start not in self.seen:
            self.seen[start] = _best([*self._fixed(start), *self._variable(start)])
        return self.seen[start]

    def after(self, identifier: str, start: int, most: int, *, whole_too: bool = True) -> _Found | None:
        """The value of ``identifier`` from ``start`` on, and what follows it."""
        end = len(self.value)
        ways = []
        for stop in range(start + 1, min(start + most, end) + 1):
            rest = self.at(stop) if stop < end or whole_too else None
            if rest is None or any(entry[0] == identifier for entry in rest.parts):
                continue
            piece = self.value[start:stop]
            weight = _weight(identifier, piece, self.row) + rest.weight - (5 if stop < end else 0)
            ways.append(_Found(weight, rest.ways, [(identifier, piece), *rest.parts]))
        return _best(ways)

    def _fixed(self, start: int) -> list[_Found]:
        """A GTIN, a day, or a day with a time."""
        identifier = self.value[start : start + 2]
        dated = not (self.row.lot and self.row.serial) and self.value[start + 2 : start + 3] in ("2", "3", "4")
        ways: list[tuple[str, int, int]] = []
        if identifier == "01":
            gtin = self.value[start + 2 : start + 16]
            if _GTIN.fullmatch(gtin) and is_gtin_valid(gtin):
                ways.append(("01", 14, 7))
        elif identifier in DATES and gs1_date(self.value[start + 2 : start + 8]):
            ways.append((identifier, 6, (6 if dated else 3) if identifier == "17" else 1))
        timed = self.value[start : start + 4]
        if timed in ("7003", "8008"):
            for length in (10,) if timed == "7003" else (12, 10, 8):
                if timed_day(self.value[start + 4 : start + 4 + length]):
                    ways.append((timed, length, 6 if timed == "7003" else 1))
        found = []
        for name, length, weight in ways:
            stop = start + len(name) + length
            rest = None if name in self.present or stop > len(self.value) else self.at(stop)
            if rest and all(entry[0] != name for entry in rest.parts):
                part = (name, self.value[start + len(name) : stop])
                found.append(_Found(weight + rest.weight, rest.ways, [part, *rest.parts]))
        return found

    def _variable(self, start: int) -> list[_Found]:
        """A lot, a serial, a reference, a count."""
        found = []
        for name, most in (("10", 20), ("21", 20), ("240", 30), ("30", 8), ("37", 8)):
            if name in self.present or not self.value.startswith(name, start):
                continue
            first = start + len(name)
            if most == 8:
                piece = self.value[first:]
                if piece.isdecimal() and len(piece) <= most:
                    found.append(_Found(0, 1, [(name, piece)]))
                continue
            way = self.after(name, first, most)
            if way:
                found.append(way)
        return found


def _best(ways: list[_Found]) -> _Found | None:
    if not ways:
        return None
    weight = max(way.weight for way in ways)
    best = [way for way in ways if way.weight == weight]
    return _Found(weight, sum(way.ways for way in best), best[0].parts)
