"""HIBC labels: primary and secondary parts, and their check characters.

Spec: ANSI/HIBC 2.6.
"""

from __future__ import annotations

import re

from fhirmap.functions.identity import MISSING
from fhirmap.functions.udi.parts import HIBCC, Udi, finished, gs1_date, ordinal_date

__all__ = ["HIBC", "checked", "hibc"]

_HIBC_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
_HIBC_VALUES = bytes.maketrans(_HIBC_SIGNS.encode(), bytes(range(43)))
HIBC = re.compile(r"\+[0-9A-Z\-. $/+%]+")
_HIBC_PRIMARY = re.compile(r"\+([A-Z][0-9A-Z]{3}[0-9A-Z]{1,18}[0-9])(?:/(.*))?")
# A secondary part: `$` or `$$`, a quantity, `+` for a serial, a qualifier that says how the date is written, the rest.
_HIBC_SECONDARY = re.compile(
    r"\$\$(?:8[0-9]{2}|9[0-9]{5})?(?P<long_serial>\+)?"
    r"(?:2(?P<mdy>[0-9]{6})|3(?P<ymd>[0-9]{6})|4(?P<ymdh>[0-9]{8})|5(?P<julian>[0-9]{5})|6(?P<julianh>[0-9]{7})|7|(?P<my>[01][0-9]{3}))"
    r"(?P<long>[^/]*)"
    r"|\$(?P<serial>\+)?(?P<short>[^/$+]*)"
    r"|(?P<plain_julian>[0-9]{5})(?P<plain>[^/]*)"
)
_HIBC_EXTRA = re.compile(r"/(14D|16D|S|Q)([^/]*)")


def hibc(text: str) -> Udi:
    """A HIBC label: a primary part, a secondary part, or two labels scanned as one."""
    udi: Udi = {"issuer": HIBCC}
    problems: list[str] = []
    if not HIBC.fullmatch(text):
        text = text.upper()
        if not HIBC.fullmatch(text):
            return {"issuer": HIBCC, "problems": ["unreadable"]}
    second = text.find("+$", 1)
    if second > 0 and (text[second - 1] not in "/$" or not checked(text[:second])[1]):
        # Two labels scanned as one: each has its own check character.
        primary, problem = checked(text[:second])
        secondary, problem_of_second = checked(text[second:])
        if "check-digit" in (problem, problem_of_second):
            problems.append("check-digit")
        if problem_of_second == "space":
            text += " "
        rest = secondary[1:-1]
    else:
        if text != text.rstrip(" ") and _hibc_sum(text.rstrip(" ")) != 38:
            text = text.rstrip(" ")
        body, problem = checked(text)
        if problem == "space":
            text += " "
        elif problem:
            problems.append(problem)
        primary, rest = (body, "") if body[1:2] != "$" else ("", body[1:-1])
    if primary:
        shape = _HIBC_PRIMARY.fullmatch(primary)
        if shape is None:
            return {"issuer": HIBCC, "problems": [*problems, "unreadable"]}
        udi["deviceIdentifier"] = shape[1]
        rest = rest or shape[2] or ""
    if rest:
        _take_hibc(rest, udi, problems)
    udi["humanReadable"] = text
    return finished(udi, problems)


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


def _take_hibc(text: str, udi: Udi, problems: list[str]) -> None:
    shape = _HIBC_SECONDARY.match(text)
    rest = text[shape.end() :] if shape else f"/{text}"
    if shape:
        value = shape["long"] or shape["short"] or shape["plain"]
        if value and value not in MISSING:
            udi["serial" if shape["long_serial"] or shape["serial"] else "lot"] = value
        written = _hibc_date(shape)
        if written:
            udi["expiry"] = written
        elif written is None:
            problems.append("date")
    for kind, value in _HIBC_EXTRA.findall(rest):
        if kind == "S":
            udi["serial"] = value
        elif kind in ("14D", "16D"):
            day = gs1_date(value[2:])
            if not day or not value.startswith(day[:2]):
                problems.append("date")
            elif kind == "14D":
                udi["expiry"] = day
            else:
                udi["manufactured"] = day


def _hibc_date(shape: re.Match[str]) -> str | None:
    """The expiry of a secondary part; empty where it has none, nothing where it is no day."""
    if shape["ymd"]:
        return gs1_date(shape["ymd"]) or None
    if shape["mdy"]:
        return gs1_date(shape["mdy"][4:] + shape["mdy"][:4]) or None
    if shape["my"]:
        return gs1_date(f"{shape['my'][2:]}{shape['my'][:2]}00") or None
    if shape["ymdh"]:
        return gs1_date(shape["ymdh"][:6]) or None
    ordinal = shape["julian"] or (shape["julianh"] or "")[:5] or shape["plain_julian"]
    return (ordinal_date(ordinal) or None) if ordinal else ""
