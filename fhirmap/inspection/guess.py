"""What kind of values a text column holds, from a sample: FHIR type and date format. Careful: what may be an identifier
is text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from fhirmap.runtime.shown_code import shown_code


@dataclass(frozen=True, slots=True)
class Guess:
    """A FHIR primitive, the model's date format where it needs one, and whether its times are local ones without
    offset.
    """

    type: str
    format: str = ""
    is_local: bool = False


TEXT = Guess("string")

_MOST_CODES = 30
_LONGEST_CODE = 10


def codes_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The codes that a column holds, where it is a column of codes: few different ones, short, that come again.

    Example:
        >>> codes_of(["D", "G", "D", "D"]), codes_of(["DUVAL", "MARTIN"])
        (('D', 'G'), ())
    """
    held = [text for text in (entry.strip() for entry in texts) if text]
    found = sorted(set(held))
    if not found or len(found) > min(_MOST_CODES, len(held) // 2):
        return ()
    return tuple(found) if all(len(code) <= _LONGEST_CODE and shown_code(code, len(code)) for code in found) else ()


# (pattern, strptime's format, model's format, FHIR type)
_DATES = (
    (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d", "", "date"),
    (r"\d{2}/\d{2}/\d{4}", "%d/%m/%Y", "dd/MM/yyyy", "date"),
    (r"\d{2}\.\d{2}\.\d{4}", "%d.%m.%Y", "dd.MM.yyyy", "date"),
    (r"\d{2}-\d{2}-\d{4}", "%d-%m-%Y", "dd-MM-yyyy", "date"),
    (r"\d{2}/\d{2}/\d{2}", "%d/%m/%y", "dd/MM/yy", "date"),
    (r"\d{8}", "%Y%m%d", "yyyyMMdd", "date"),
    (r"\d{2}/\d{4}", "%m/%Y", "MM/yyyy", "date"),
    (r"\d{14}", "%Y%m%d%H%M%S", "yyyyMMddHHmmss", "dateTime"),
    (r"\d{12}", "%Y%m%d%H%M", "yyyyMMddHHmm", "dateTime"),
    (r"\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2}", "%d/%m/%Y %H:%M:%S", "dd/MM/yyyy HH:mm:ss", "dateTime"),
    (r"\d{2}/\d{2}/\d{4} \d{2}:\d{2}", "%d/%m/%Y %H:%M", "dd/MM/yyyy HH:mm", "dateTime"),
    (r"\d{2}:\d{2}(:\d{2})?", "", "", "time"),
)
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?")
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,8})")
_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,14})\.\d+")
_YEARS = range(1850, 2101)


def guess(texts: Iterable[str]) -> Guess:
    """The type that every text of the sample has; text where there is none, or only some have one.

    Example:
        >>> guess(["20250320", "20241231"])
        Guess(type='date', format='yyyyMMdd', is_local=False)
        >>> guess(["000123", "000456"]).type, guess(["12", "7"]).type, guess(["31/02/2025"]).type
        ('string', 'integer', 'string')
    """
    held = [text for text in (entry.strip() for entry in texts) if text]
    if not held:
        return TEXT
    iso = [_ISO.fullmatch(text) for text in held]
    if all(found is not None and _is_date(found.group(1), "%Y-%m-%d") for found in iso):
        return Guess("dateTime", is_local=not all(found is not None and found.group(3) for found in iso))
    for pattern, strptime, form, kind in _DATES:
        if all(re.fullmatch(pattern, text) and (not strptime or _is_date(text, strptime)) for text in held):
            return Guess(kind, form, kind == "dateTime")
    if all(text in ("true", "false") for text in held):
        return Guess("boolean")
    if _all(_INTEGER.fullmatch, held) and not _are_codes(held):
        return Guess("integer")
    if all(_DECIMAL.fullmatch(text) or _INTEGER.fullmatch(text) for text in held) and any("." in t for t in held):
        return Guess("decimal")
    return TEXT


def _all(test: Callable[[str], object], texts: list[str]) -> bool:
    return all(test(text) for text in texts)


def _are_codes(texts: list[str]) -> bool:
    """Numbers of five digits and more that all have the same length name things (postal codes, record numbers)."""
    lengths = {len(text) for text in texts}
    return len(lengths) == 1 and min(lengths) >= 5


def _is_date(text: str, form: str) -> bool:
    try:
        return datetime.strptime(text, form).year in _YEARS
    except ValueError:
        return False
