"""ICCBBA labels (ISBT 128).

Spec: ISBT 128 standard, data structures 1, 4, 5, 8, 9 and 32-37.
"""

from __future__ import annotations

import re

from fhirmap.functions.udi.parts import ICCBBA, LabelParts, Udi, ordinal_date

__all__ = ["iccbba"]

# A day is `cyyjjj`; the structures that begin with `&` have hours and minutes after it.
_ICCBBA_PARTS = re.compile(
    r"=/(?P<product>[0-9A-Z]{16})|=,(?P<serial>[0-9A-Z]{6})|(?:=>|&>(?=[0-9]{10}))(?P<expiry>[0-9]{6})"
    r"|(?:=\}|&\}(?=[0-9]{10}))(?P<made>[0-9]{6})|&,1(?P<lot>[0-9A-Z]{1,18})|=(?P<donation>[0-9A-Z]{15})"
    r"|=[^0-9A-Z][0-9A-Z]+|&[^0-9A-Z][0-9A-Z]+"
)
_TIME = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9]")
_CENTURIES = {"9": 1900, "0": 2000, "1": 2100}


def iccbba(text: str) -> Udi:
    """An ISBT 128 label: data structures one after the other, in any order."""
    text = "".join(text.split()).upper()
    reading = LabelParts(ICCBBA)
    at = 0
    while part := _ICCBBA_PARTS.match(text, at):
        timed = part[0][0] == "&" and bool(part["expiry"] or part["made"])
        at = part.end() + (4 if timed else 0)
        if part["product"]:
            reading.take("deviceIdentifier", part["product"])
        elif part["serial"]:
            reading.take("serial", part["serial"])
        elif part["lot"]:
            reading.take("lot", part["lot"])
        elif part["expiry"] or part["made"]:
            day = _day(part["expiry"] or part["made"])
            if not day or (timed and not _TIME.fullmatch(text, part.end(), at)):
                reading.problem("date")
            else:
                reading.take("expiry" if part["expiry"] else "manufactured", day)
    if at != len(text):
        return {"issuer": ICCBBA, "problems": [*reading.problems, "unreadable"]}
    return reading.finished(text)


def _day(text: str) -> str:
    """`cyyjjj` as a FHIR date: the century's digit, the year, the day of it; empty where there is none such."""
    century = _CENTURIES.get(text[0])
    return ordinal_date(text[1:], century) if century else ""
