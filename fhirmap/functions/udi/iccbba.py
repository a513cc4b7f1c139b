"""ICCBBA labels (ISBT 128).

Spec: ISBT 128 standard, data structures 32-37.
"""

from __future__ import annotations

import re

from fhirmap.functions.udi.parts import ICCBBA, Udi, finished, ordinal_date

__all__ = ["iccbba"]

_ICCBBA_PARTS = re.compile(
    r"=/(?P<product>[0-9A-Z]{16})|=,(?P<serial>[0-9A-Z]{6})|=>(?P<expiry>[0-9]{6})|=\}(?P<made>[0-9]{6})"
    r"|&,1(?P<lot>[0-9A-Z]{1,18})|=(?P<donation>[0-9A-Z]{15})|=[^0-9A-Z][0-9A-Z]+|&[^0-9A-Z][0-9A-Z]+"
)


def iccbba(text: str) -> Udi:
    """An ISBT 128 label: data structures one after the other."""
    udi: Udi = {"issuer": ICCBBA}
    problems: list[str] = []
    at = 0
    for part in _ICCBBA_PARTS.finditer(text):
        if part.start() != at:
            break
        at = part.end()
        if part["product"]:
            udi["deviceIdentifier"] = part["product"]
        elif part["serial"]:
            udi["serial"] = part["serial"]
        elif part["lot"]:
            udi["lot"] = part["lot"]
        elif part["expiry"] or part["made"]:
            written = part["expiry"] or part["made"]
            day = ordinal_date(written[1:])
            if not day:
                problems.append("date")
            elif part["expiry"]:
                udi["expiry"] = day
            else:
                udi["manufactured"] = day
    if at != len(text):
        return {"issuer": ICCBBA, "problems": [*problems, "unreadable"]}
    udi["humanReadable"] = text
    return finished(udi, problems)
