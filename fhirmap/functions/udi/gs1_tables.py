"""GS1's application identifiers and the forms in which element strings are scanned and printed.

Spec: GS1 General Specifications 3, 7.8, 7.11.
"""

from __future__ import annotations

import re

__all__ = [
    "DATED",
    "DATES",
    "FIXED",
    "FORMULA",
    "FULL_DATE",
    "GS",
    "INTACT",
    "LABEL_TEXT",
    "PARENTHESES",
    "PREFIX",
    "PRINTED",
    "RAW",
    "READABLE",
    "READABLE_PART",
    "SCANNABLE",
    "SCANNED",
    "SEPARATED",
    "SET_82",
    "SHEET_ESCAPE",
    "SHOWN_GS",
    "SYMBOLOGY",
    "UNPRINTABLE",
    "Part",
    "has_brackets",
    "variable",
]

Part = tuple[str, str]
"""An application identifier and its value."""

GS = "\x1d"
"""The separator that ends a part of variable length."""

# Application identifiers with a length of their own (GS1 General Specifications, 7.8.5), by their first two digits.
FIXED = {"00": 20, "01": 16, "02": 16, "03": 16, "04": 18, "20": 4, "41": 16}
FIXED |= dict.fromkeys(("11", "12", "13", "14", "15", "16", "17", "18", "19"), 8)
FIXED |= dict.fromkeys(("31", "32", "33", "34", "35", "36"), 10)

# The others end at a GS or with the string: the most characters that may follow (3.2).
_VARIABLE = {"10": 20, "21": 20, "22": 20, "30": 8, "37": 8, "90": 30} | {f"9{digit}": 90 for digit in "123456789"}
_VARIABLE |= {"235": 28, "240": 30, "241": 30, "242": 6, "243": 20, "250": 30, "251": 30, "253": 30, "254": 20}
_VARIABLE |= {"255": 25, "400": 30, "401": 30, "402": 17, "403": 30, "420": 20, "421": 12, "422": 3, "423": 15}
_VARIABLE |= {"424": 3, "425": 15, "426": 3, "427": 3} | dict.fromkeys((f"71{digit}" for digit in "01234567"), 20)
for _start, _most in (("390", 15), ("391", 18), ("392", 15), ("393", 18), ("394", 4), ("395", 6), ("703", 30)):
    _VARIABLE |= dict.fromkeys((f"{_start}{digit}" for digit in "0123456789"), _most)
for _start in ("430", "431", "432", "433"):
    _VARIABLE |= dict.fromkeys((f"{_start}{digit}" for digit in "0123456789"), 70)
for _start in ("723", "725"):
    _VARIABLE |= dict.fromkeys((f"{_start}{digit}" for digit in "0123456789"), 90)
_VARIABLE |= {"7001": 13, "7002": 30, "7003": 10, "7004": 4, "7005": 12, "7006": 6, "7007": 12, "7008": 3, "7009": 10}
_VARIABLE |= {"7010": 2, "7011": 10, "7020": 20, "7021": 20, "7022": 20, "7023": 30, "7040": 4, "7041": 4}
_VARIABLE |= {"7240": 20, "7241": 2, "7242": 25, "8001": 14, "8002": 20, "8003": 30, "8004": 30, "8005": 6, "8006": 18}
_VARIABLE |= {"8007": 34, "8008": 12, "8009": 50, "8010": 30, "8011": 12, "8012": 20, "8013": 25, "8014": 25}
_VARIABLE |= {"8017": 18, "8018": 18, "8019": 10, "8020": 25, "8026": 18, "8030": 90, "8110": 70, "8111": 4}
_VARIABLE |= {"8112": 70, "8200": 70}

DATES = frozenset({"11", "12", "13", "15", "16", "17"})
"""Identifiers whose value is a day, `YYMMDD`."""


def variable(text: str) -> tuple[int, int] | None:
    """Digits of the identifier that ``text`` begins with, and the most characters after it; nothing for no such."""
    for digits in (2, 3, 4):
        most = _VARIABLE.get(text[:digits])
        if most:
            return digits, most
    return None


SET_82 = re.compile(r"[!\"%-?A-Z_a-z]+")
"""Characters that a lot, a serial or another part may hold (7.11, table 7.11-1)."""

LABEL_TEXT = re.compile(r"[!\"%-?A-Z_a-z]{1,20}")
"""A lot or serial that a label can hold."""
FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FORMULA = re.compile(r"=(?:\"([^\"]*)\"|([0-9]{8,14}))")
"""What makes a spreadsheet leave the digits of a number alone, `="0401…"`."""
SCANNABLE = re.compile(r"[0-9]{2}[!\"%-?A-Z_a-z\x1d]*")
SEPARATED = re.compile(r"[0-9]{2}[!\"%-?A-Z_a-z]*\x1d[!\"%-?A-Z_a-z\x1d]*")
"""An element string that has a separator: `%1D` may be three characters of a part in it."""

INTACT = re.compile(r"[0-9]{2}[!\"'*-;=?A-Z_a-z\x1d]*")
"""An element string in which nothing shows a separator by another sign."""
RAW = re.compile(r"[0-9]{2}[^\x00-\x1c\x1e-\x1f]*", re.DOTALL)
# Nine labels in ten: GTIN, expiry, lot, in either order, as scanned or as printed.
# A lot without the signs that begin a shown separator (`<GS>`, `^`, `~`, `&#29;`, `%1D`, `(GS)`).
SCANNED = re.compile(r"(?:\]d2|\]C1)?01([0-9]{14})(?:17([0-9]{6}))?10([!\"'*-;=?A-Z_a-z]{1,20})(?:\x1d17([0-9]{6}))?")
# A lot or serial that ends as an expiry date would, had the separator between them been lost.
DATED = re.compile(r".+17[2-4][0-9][01][0-9][0-3][0-9]")
PRINTED = re.compile(r"\(01\)([0-9]{14})(?:\(17\)([0-9]{6}))?\(10\)([!\"'*-;=?A-Z_a-z]{1,20})(?:\(17\)([0-9]{6}))?")
SYMBOLOGY = re.compile(r"\][A-Za-z][0-9]")
"""What a reader writes before a code to say of which kind it is (ISO/IEC 15424)."""
PREFIX = re.compile(r"\](?:C1|d2|e[0-3]|Q3|J1)")
"""Those of GS1's own codes: in the middle of a text a second code begins there."""
_NAMES = r"<(?:GS|FNC1|GS1|0x1D|1D|F1)>|\{(?:GS|FNC1|0x1D)\}|\[(?:GS|FNC1|0x1D)\]|\((?:GS|FNC1|0x1D)\)"
# `\X1D\` is HL7's, `_x001D_` that of a sheet's XML.
_ESCAPES = r"\\x1D\\?|\\u001D|\\u\{1D\}|\\035|\\029|&#29;|&#x1D;|%1D|_x001D_"
SHOWN_GS = re.compile(rf"{_NAMES}|{_ESCAPES}|\^\]|␝|[\^~#|\x1c\x1e\x1f\t\r\n]", re.IGNORECASE)
UNPRINTABLE = re.compile(rf"[()]|{SHOWN_GS.pattern}", re.IGNORECASE)
"""What a part may hold as it is scanned, and what is read as another sign where it is printed: parentheses are those of
an identifier, `<GS>` is a separator."""
PARENTHESES = str.maketrans("（）[]{}", "()()()")
"""Other brackets in the place of parentheses: documents of the CDA have braces."""


def has_brackets(text: str) -> bool:
    """May it be a label as printed, an identifier in brackets before each part?"""
    return "(" in text or "[" in text or "{" in text or "（" in text


SHEET_ESCAPE = "_x001d_"
"""What a sheet's XML holds for the separator, in lower case: its signs may be those of a lot, too."""
READABLE = re.compile(r"(?:\(\s*[0-9]{2,4}\s*\)[^()]+)+")
READABLE_PART = re.compile(r"\(\s*([0-9]{2,4})\s*\)([^()]+)")
