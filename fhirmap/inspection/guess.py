"""What kind of values a text column holds, from a sample: FHIR type, date format, words of absence. Careful: what may
be an identifier is text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from itertools import islice

from fhirmap.data import RawValue
from fhirmap.inspection.date_forms import CERTAIN_FORMS, DateForm
from fhirmap.runtime.cell_text import is_no_value
from fhirmap.runtime.reading import Cell
from fhirmap.runtime.shown_code import shown_code
from fhirmap.runtime.transforms.dates import ZoneNeeded, parser
from fhirmap.sources.column_words import words_of
from fhirmap.sources.data_signs import DataSign, data_sign
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


_MOST_LOOKED_AT = 200
_OF_PERSONS = frozenset((
    "insee", "nss", "secu", "nom", "noms", "prenom", "prenoms", "patronyme", "naissance", "ddn",
    "name", "names", "surname", "forename", "firstname", "lastname", "family", "given", "dob", "birth", "birthdate",
))  # fmt: skip


def identifies_person(name: str, texts: Iterable[str]) -> bool:
    """Does a column hold who somebody is, by its name or by its texts? A key is shown everywhere: it is none.

    Example:
        >>> [identifies_person(name, []) for name in ("NOM", "nom_naissance", "id_sejour")]
        [True, True, False]
        >>> identifies_person("code", ["1 49 11 38 970 617 59"])
        True
    """
    if not _OF_PERSONS.isdisjoint(words_of(name)):
        return True
    held = list(islice((text for text in texts if text), _MOST_LOOKED_AT))
    numbers = sum(data_sign(text) is DataSign.PERSON_NUMBER for text in held)
    return 2 * numbers > len(held)


_ZERO_DATE = re.compile(
    r"0{8}|0{12}|0{14}|0{4}-00-00(?:[T ]00:00(?::00(?:\.0+)?)?)?|00[/.-]00[/.-]0{2,4}(?: 00:00(?::00)?)?"
)
"""What programs write for no day."""
_MOST_NULLS = 3
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,8})")
_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,14})\.\d+")
_YEARS = range(1850, 2101)
_DAY = DateForm("yyyy-MM-dd", "date")
_CLOCK = DateForm("", "time")
"""Read without a format: `08:15`, `08:15:30`."""


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
    moments = _those(texts, lambda text: _moment(text) is not _Moment.NONE)
    if moments:
        return Guess("dateTime", is_local=any(_moment(text) is _Moment.LOCAL for text in texts)), moments
    for form in (_DAY, _CLOCK, *CERTAIN_FORMS):
        count = _those(texts, partial(_fits, form))
        if count:
            is_own = form in (_DAY, _CLOCK)
            return Guess(form.type, "" if is_own else form.format, is_local=form.type == "dateTime"), count
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


class _Moment(Enum):
    """What a text in FHIR's own form of a day with a time is."""

    NONE = 0
    LOCAL = 1
    WITH_OFFSET = 2


def _moment(text: str) -> _Moment:
    if len(text) <= len(_DAY.format) or not _is_of_our_times(text):
        return _Moment.NONE
    try:
        found = parser(None, "dateTime", None)(text)
    except ZoneNeeded:
        return _Moment.LOCAL
    return _Moment.NONE if found is None else _Moment.WITH_OFFSET


def _fits(form: DateForm, text: str) -> bool:
    """Is ``text`` written so, as a run reads it? A local time in any zone: which one it is does not matter here."""
    try:
        found = parser(form.format or None, form.type, "Z" if form.type == "dateTime" else None)(text)
    except ZoneNeeded:
        return False
    return found is not None and (form.type == "time" or _is_of_our_times(found))


def _is_of_our_times(text: str) -> bool:
    """Does it begin with a year that records have? Numbers of eight digits are days of other years as often as not."""
    return text[:4].isdecimal() and int(text[:4]) in _YEARS


def are_nearly_all(count: int, whole: Sized) -> bool:
    """Are ``count`` of ``whole`` so many that the others are mistakes: nine of ten?"""
    return count * 10 >= len(whole) * 9 > 0


def _all(test: Callable[[str], object], texts: list[str]) -> bool:
    return all(test(text) for text in texts)


def _are_codes(texts: list[str]) -> bool:
    """Numbers of five digits and more that all have the same length name things (postal codes, record numbers)."""
    lengths = {len(text) for text in texts}
    return len(lengths) == 1 and min(lengths) >= 5
