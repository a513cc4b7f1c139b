"""HIBC labels: primary and secondary parts, their link, and their check characters.

Spec: ANSI/HIBC 2.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from fhirmap.functions.udi.parts import HIBCC, LabelParts, Udi, calendar_date, gs1_date, ordinal_date

__all__ = ["HIBC", "checked", "hibc"]

_HIBC_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
_HIBC_VALUES = bytes.maketrans(_HIBC_SIGNS.encode(), bytes(range(43)))
HIBC = re.compile(r"\+[0-9A-Z\-. $/+%]+")
_HIBC_PRIMARY = re.compile(r"\+([A-Z][0-9A-Z]{3}[0-9A-Z]{1,18}[0-9])(?:/(.*))?")
# A secondary part: `$` or `$$`, a quantity, `+` for a serial, a qualifier that says how the date is written, the rest.
_HIBC_SECONDARY = re.compile(
    r"\$\$(?P<serial_first>\+)?(?:8[0-9]{2}|9[0-9]{5})?(?P<long_serial>\+)?"
    r"(?:2(?P<mdy>[0-9]{6})|3(?P<ymd>[0-9]{6})|4(?P<ymdh>[0-9]{8})|5(?P<julian>[0-9]{5})|6(?P<julianh>[0-9]{7})|7|(?P<my>[01][0-9]{3}))"
    r"(?P<long>[^/$+]*)"
    r"|\$(?P<serial>\+)?(?P<short>[^/$+]+)"
    r"|(?P<plain_julian>[0-9]{5})(?P<plain>[^/$+]*)"
)
_HIBC_EXTRA = re.compile(r"/(14D|16D|S|Q)?([^/]*)")
_CODES_BETWEEN = re.compile(r"[\r\n\t\x1d\x1e]+")
_MOST = 18


class _Labels(NamedTuple):
    """A primary label and a secondary one, each without its check character; empty where there is none."""

    primary: str
    secondary: str


def hibc(text: str) -> Udi:
    """A HIBC label: a primary part, a secondary part, or two labels scanned as one, in either order."""
    text = _CODES_BETWEEN.sub("", text)
    if not HIBC.fullmatch(text):
        text = text.upper()
        if not HIBC.fullmatch(text):
            return {"issuer": HIBCC, "problems": ["unreadable"]}
    reading = LabelParts(HIBCC)
    labels, text = _separate(text, reading)
    rest = labels.secondary
    if labels.primary:
        shape = _HIBC_PRIMARY.fullmatch(labels.primary)
        if shape is None:
            return {"issuer": HIBCC, "problems": [*reading.problems, "unreadable"]}
        reading.take("deviceIdentifier", shape[1])
        rest = rest or shape[2] or ""
    if rest:
        _take_hibc(rest, reading)
    return reading.finished(text)


def _separate(text: str, reading: LabelParts) -> tuple[_Labels, str]:
    """The labels of a text, a secondary one without its link; and the text with a check character put back that was a
    space."""
    pairs = list(_pairs(text))
    sound = [pair for pair in pairs if not (checked(pair.primary)[1] or checked(pair.secondary)[1])]
    linked = [pair for pair in sound if checked(pair.secondary)[0][-1] == pair.primary[-1]]
    if linked or sound:
        pair = (linked or sound)[0]
        if not linked:
            reading.problem("link")
        return _Labels(pair.primary[:-1], pair.secondary[1:-2]), text
    body, problem = checked(text)
    alone = body[1:2] in ("$", *"0123456789")
    if problem:
        # A space that a trimming reader took off the end, or put there.
        tried = _damaged(text, pairs, reading)
        if tried:
            return tried
        if text != text.rstrip(" ") and not checked(text.rstrip(" "))[1]:
            text = text.rstrip(" ")
            body, problem = checked(text)
        if problem == "space":
            text += " "
        elif problem:
            reading.problem(problem)
    return (_Labels("", body[1:-1]) if alone else _Labels(body, "")), text


def _damaged(text: str, pairs: list[_Labels], reading: LabelParts) -> tuple[_Labels, str] | None:
    """Two labels of which one has a wrong check character, or lost one that was a space."""
    for pair in pairs:
        secondary, problem = checked(pair.secondary)
        if problem == "space" and not checked(pair.primary)[1] and text.endswith(pair.secondary):
            return _Labels(pair.primary[:-1], secondary[1:-1]), text + " "
    for pair in pairs:
        if pair.secondary.startswith("+$") and checked(text)[1]:
            reading.problem("check-digit")
            return _Labels(pair.primary[:-1], pair.secondary[1:-2]), text
    return None


def _pairs(text: str) -> Iterator[_Labels]:
    """Where a second label may begin: the texts of the primary and the secondary one, with their check characters."""
    at = text.find("+", 1)
    while at > 0:
        for left in (text[:at], text[:at].rstrip(" ")):
            for primary, secondary in ((left, text[at:]), (text[at:], left)):
                if (
                    len(secondary) > 3
                    and secondary[1] in "$0123456789"
                    and "/" not in primary[:-1]
                    and _HIBC_PRIMARY.fullmatch(primary[:-1])
                ):
                    yield _Labels(primary, secondary)
        at = text.find("+", at + 1)


def checked(text: str) -> tuple[str, str]:
    """The label without its check character, and what is wrong with that character.

    A check character may be a space, which every trimming reader takes off: then the sum over all that is left is the
    space's own 38.
    """
    if _hibc_sum(text[:-1]) == _HIBC_SIGNS.index(text[-1]):
        return text[:-1], ""
    if _hibc_sum(text) == 38:
        return text, "space"
    return text[:-1], "check-digit"


def _hibc_sum(text: str) -> int:
    return sum(text.encode().translate(_HIBC_VALUES)) % 43


def _take_hibc(text: str, reading: LabelParts) -> None:
    shape = _HIBC_SECONDARY.match(text)
    rest = text[shape.end() :] if shape else text if text.startswith("$") else f"/{text}"
    if shape:
        value = shape["long"] or shape["short"] or shape["plain"]
        if value:
            is_serial = shape["long_serial"] or shape["serial_first"] or shape["serial"]
            reading.take("serial" if is_serial else "lot", value, _MOST)
        written = _hibc_date(shape)
        if written:
            reading.take("expiry", written)
        elif written is None:
            reading.problem("date")
    if rest and not rest.startswith("/"):
        reading.problem("unreadable")
    for kind, value in _HIBC_EXTRA.findall(rest):
        if kind == "S":
            reading.take("serial", value, _MOST)
        elif kind in ("14D", "16D"):
            day = calendar_date(int(value[:4]), value[4:]) if len(value) == 8 and value.isdecimal() else ""
            if not day:
                reading.problem("date")
            else:
                reading.take("expiry" if kind == "14D" else "manufactured", day)


def _hibc_date(shape: re.Match[str]) -> str | None:
    """The expiry of a secondary part; empty where it has none, nothing where it is no day."""
    hour = (shape["ymdh"] or shape["julianh"] or "00")[-2:]
    if hour > "23":
        return None
    if shape["mdy"]:
        return gs1_date(shape["mdy"][4:] + shape["mdy"][:4]) or None
    if shape["my"]:
        return gs1_date(f"{shape['my'][2:]}{shape['my'][:2]}00") or None
    day = shape["ymd"] or (shape["ymdh"] or "")[:6]
    if day:
        return gs1_date(day) or None
    ordinal = shape["julian"] or (shape["julianh"] or "")[:5] or shape["plain_julian"]
    return (ordinal_date(ordinal) or None) if ordinal else ""
