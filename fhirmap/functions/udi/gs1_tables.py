"""GS1's application identifiers and the forms in which element strings are scanned and printed.

Spec: GS1 General Specifications 3, 7.8.
"""

from __future__ import annotations

import re

__all__ = [
    "DATED",
    "FIXED",
    "GS",
    "PREFIX",
    "PRINTED",
    "RAW",
    "READABLE",
    "READABLE_PART",
    "SCANNED",
    "SHOWN_GS",
    "VARIABLE",
    "Part",
]

Part = tuple[str, str]
"""An application identifier and its value."""

GS = "\x1d"
"""The separator that ends a part of variable length."""

# Application identifiers with a length of their own (GS1 General Specifications, 7.8.5), by their first two digits.
FIXED = {"00": 20, "01": 16, "02": 16, "03": 16, "04": 18, "20": 4, "41": 16}
FIXED |= dict.fromkeys(("11", "12", "13", "14", "15", "16", "17", "18", "19"), 8)
FIXED |= dict.fromkeys(("31", "32", "33", "34", "35", "36"), 10)
# The others end at a GS or with the string: digits of the identifier, and the most characters that may follow.
VARIABLE = {"10": (2, 20), "21": (2, 20), "22": (2, 20), "30": (2, 8), "37": (2, 8), "90": (2, 30)}
VARIABLE |= {f"9{digit}": (2, 90) for digit in "123456789"}
VARIABLE |= {"23": (3, 28), "24": (3, 30), "25": (3, 30), "40": (3, 30), "42": (3, 20), "71": (3, 20)}
VARIABLE |= {"39": (4, 18), "43": (4, 70), "70": (4, 30), "72": (4, 30), "80": (4, 90), "81": (4, 70), "82": (4, 70)}

RAW = re.compile(r"(?:\][CQdeJ][0-9])?\x1d?([0-9]{4,}[!-~\x1d]*)")
# Nine labels in ten: GTIN, expiry, lot, in either order, as scanned or as printed.
# A lot without the signs that replace a lost separator (`<GS>`, `^]`, `~`, `#`, `|`).
SCANNED = re.compile(r"(?:\]d2|\]C1)?01([0-9]{14})(?:17([0-9]{6}))?10([!\"%-;=?A-Z_a-z]{1,20})(?:\x1d17([0-9]{6}))?")
# A lot that ends as an expiry date would, had the separator between them been lost.
DATED = re.compile(r".+17[2-4][0-9][01][0-9][0-3][0-9]")
PRINTED = re.compile(r"\(01\)([0-9]{14})(?:\(17\)([0-9]{6}))?\(10\)([!-'*-~]{1,20})(?:\(17\)([0-9]{6}))?")
PREFIX = re.compile(r"\][CQdeJ][0-9]")
SHOWN_GS = re.compile(r"<GS>|\{GS\}|\[GS\]|\\x1[dD]|\\u001[dD]|\\035|\^\]|␝|~|#|\||\x1e", re.IGNORECASE)
READABLE = re.compile(r"(?:\([0-9]{2,4}\)[^()\x1d]+)+")
READABLE_PART = re.compile(r"\(([0-9]{2,4})\)([^()\x1d]+)")
