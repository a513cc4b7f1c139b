"""What kind of values a text column holds, from a sample: FHIR type, date format, words of absence. Careful: what may
be an identifier is text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass, replace
from datetime import datetime

from fhirmap.data import RawValue
from fhirmap.runtime.cell_text import is_no_value
from fhirmap.runtime.reading import Cell
from fhirmap.runtime.shown_code import shown_code
from fhirmap.sources.fit import unread
from fhirmap.texts import Text


@dataclass(frozen=True, slots=True)
class Guess:
    """A FHIR primitive, the model's date format where it needs one, and whether its times are local ones without
    offset. ``nulls``: words of absence among the values.
    """

    type: str
    format: str = ""
    is_local: bool = False
    nulls: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class _Form:
    """How days or times are written: as ``pattern``, and so that ``strptime`` can read it (empty: any)."""

    pattern: re.Pattern[str]
    strptime: str
    guess: Guess

    def fits(self, text: str) -> bool:
        """Is ``text`` written so?"""
        return self.pattern.fullmatch(text) is not None and (not self.strptime or _is_date(text, self.strptime))


def _form(pattern: str, strptime: str, kind: str, written: str = "") -> _Form:
    return _Form(re.compile(pattern), strptime, Guess(kind, written, is_local=kind == "dateTime"))


_FORMS = (
    _form(r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d", "date"),
    _form(r"\d{2}/\d{2}/\d{4}", "%d/%m/%Y", "date", "dd/MM/yyyy"),
    _form(r"\d{2}\.\d{2}\.\d{4}", "%d.%m.%Y", "date", "dd.MM.yyyy"),
    _form(r"\d{2}-\d{2}-\d{4}", "%d-%m-%Y", "date", "dd-MM-yyyy"),
    _form(r"\d{2}/\d{2}/\d{2}", "%d/%m/%y", "date", "dd/MM/yy"),
    _form(r"\d{8}", "%Y%m%d", "date", "yyyyMMdd"),
    _form(r"\d{2}/\d{4}", "%m/%Y", "date", "MM/yyyy"),
    _form(r"\d{14}", "%Y%m%d%H%M%S", "dateTime", "yyyyMMddHHmmss"),
    _form(r"\d{12}", "%Y%m%d%H%M", "dateTime", "yyyyMMddHHmm"),
    _form(r"\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2}", "%d/%m/%Y %H:%M:%S", "dateTime", "dd/MM/yyyy HH:mm:ss"),
    _form(r"\d{2}/\d{2}/\d{4} \d{2}:\d{2}", "%d/%m/%Y %H:%M", "dateTime", "dd/MM/yyyy HH:mm"),
    _form(r"\d{2}:\d{2}(:\d{2})?", "", "time"),
)
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?")
_ZERO_DATE = re.compile(
    r"0{8}|0{12}|0{14}|0{4}-00-00(?:[T ]00:00(?::00(?:\.0+)?)?)?|00[/.-]00[/.-]0{2,4}(?: 00:00(?::00)?)?"
)
"""What programs write for no day."""
_MOST_NULLS = 3
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,8})")
_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,14})\.\d+")
_YEARS = range(1850, 2101)


def guess(texts: Iterable[str]) -> Guess:
    """The type that every text of the sample has; text where there is none, or only some have one.

    Example:
        >>> guess(["20250320", "20241231"])
        Guess(type='date', format='yyyyMMdd', is_local=False, nulls=())
        >>> guess(["000123", "000456"]).type, guess(["12", "7"]).type, guess(["31/02/2025"]).type
        ('string', 'integer', 'string')
    """
    held = [text for text in (entry.strip() for entry in texts) if text]
    if not held:
        return TEXT
    dates, count = _date_form(held)
    if count == len(held):
        return dates
    if all(text in ("true", "false") for text in held):
        return Guess("boolean")
    if _all(_INTEGER.fullmatch, held) and not _are_codes(held):
        return Guess("integer")
    if all(_DECIMAL.fullmatch(text) or _INTEGER.fullmatch(text) for text in held) and any("." in t for t in held):
        return Guess("decimal")
    return TEXT


def guess_most(texts: Iterable[str]) -> Guess:
    """The type that nearly all texts of the sample have, with the words of absence among them.

    Only dates are guessed past other texts: a number among texts is one of their signs, not their type.

    Example:
        >>> guess_most(["12/03/2025", "N/A"])
        Guess(type='date', format='dd/MM/yyyy', is_local=False, nulls=('N/A',))
        >>> guess_most(["2025-03-12"] * 19 + ["mars"]).type, guess_most(["17"] * 19 + ["17A"]).type
        ('date', 'string')
    """
    held = [text for text in (entry.strip() for entry in texts) if text]
    found = guess(held)
    if found != TEXT:
        return found
    words = absences(held)
    found = guess(text for text in held if text not in words)
    if found != TEXT:
        return replace(found, nulls=words)
    nulls = (*words, *zero_dates(held))
    rest = [text for text in held if text not in nulls]
    found, count = _date_form(rest)
    return replace(found, nulls=nulls) if count else TEXT


def absences(texts: Iterable[str]) -> tuple[str, ...]:
    """The words among ``texts`` by which programs say that there is no value, if they are few."""
    return _few(text for text in texts if is_no_value(text.strip()))


def zero_dates(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts among ``texts`` by which programs say that there is no day, if they are few."""
    return _few(text for text in texts if _ZERO_DATE.fullmatch(text.strip()))


def others(guess: Guess, cells: Iterable[RawValue], zone: str) -> Text | None:
    """A word on the cells that are not what nearly all are: each will be a fault of its record."""
    held = [cell for cell in cells if cell is not None and not (isinstance(cell, str) and not cell.strip())]
    times = zone if guess.is_local else None
    cell = Cell("", "", guess.type, "", format=guess.format or None, zone=times, nulls=frozenset(guess.nulls))
    count = len(unread(cell, held))
    return Text("inspection.others", {"count": count, "total": len(held)}) if count else None


def _few(texts: Iterable[str]) -> tuple[str, ...]:
    found = sorted({text.strip() for text in texts})
    return tuple(found) if len(found) <= _MOST_NULLS else ()


def _date_form(texts: Sequence[str]) -> tuple[Guess, int]:
    """The form of days or times that nearly all ``texts`` have, and how many; none have it where too few do."""
    instants = _those(texts, lambda text: _instant(text) is not None)
    if instants:
        is_local = not all(found[3] for found in map(_instant, texts) if found)
        return Guess("dateTime", is_local=is_local), instants
    for form in _FORMS:
        count = _those(texts, form.fits)
        if count:
            return form.guess, count
    return TEXT, 0


def _those(texts: Sequence[str], test: Callable[[str], object]) -> int:
    """How many of ``texts`` pass; 0 as soon as they cannot be nearly all."""
    missed, most = 0, len(texts) - -(-len(texts) * 9 // 10)
    for text in texts:
        if not test(text):
            missed += 1
            if missed > most:
                return 0
    return len(texts) - missed


def _instant(text: str) -> re.Match[str] | None:
    found = _ISO.fullmatch(text)
    return found if found is not None and _is_date(found[1], "%Y-%m-%d") else None


def are_nearly_all(count: int, whole: Sized) -> bool:
    """Are ``count`` of ``whole`` so many that the others are mistakes: nine of ten?"""
    return count * 10 >= len(whole) * 9 > 0


def _is_no_date(text: str) -> bool:
    """Is it what programs write for no day: a word, or zeros (`0000-00-00`, `00/00/0000`, `00000000`)?"""
    return is_no_value(text) or _ZERO_DATE.fullmatch(text) is not None


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
