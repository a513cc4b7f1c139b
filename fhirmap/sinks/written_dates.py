"""Dates that are written out in full: in numbers of any order, with a month in words or in Roman numbers, in words.

Each rule is one pass over the folded words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhirmap.texts.folded_text import FoldedText

__all__ = ["GAP", "Span", "is_part_of_date", "is_year", "written_dates"]

Span = tuple[int, int]
"""First letter and the one after the last, of a `FoldedText`."""
GAP = 4
"""Signs between two digits of one number at most."""

_MONTHS = frozenset((
    "aou", "aout", "apr", "april", "aug", "august", "avr", "avril", "dec", "december", "decembre", "feb",
    "february", "fev", "fevr", "fevrier", "jan", "january", "janv", "janvier", "juil", "juillet", "juin", "jul",
    "july", "jun", "june", "mai", "mar", "march", "mars", "may", "nov", "november", "novembre", "oct",
    "october", "octobre", "sep", "sept", "september", "septembre",
))  # fmt: skip
_DAY = re.compile(r"(?:0?[1-9]|[12][0-9]|3[01])(?:er|st|nd|rd|th|eme|e)?")
_YEAR = re.compile(r"(?:1[89]|20)[0-9]{2}|[0-9]{2}")
_ROMAN = frozenset(("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"))
_SPELLED = frozenset((
    "un", "premier", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze",
    "treize", "quatorze", "quinze", "seize", "vingt", "trente", "quarante", "cinquante", "soixante", "cent",
    "cents", "mille", "mil", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth",
    "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth",
    "seventeenth", "eighteenth", "nineteenth", "twentieth", "twenty", "thirtieth", "thirty", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "forty", "fifty", "sixty", "seventy",
    "eighty", "ninety", "hundred",
))  # fmt: skip
"""Of days and years in words, but for English ones below thirteen: they are of sentences (`one may`)."""
_PREFIXES = frozenset(("ap", "eb", "eq", "ge", "gt", "le", "lt", "ne", "sa"))
"""Of a date that FHIR's search compares with (R4 search.html#prefix)."""
_BESIDE = 3
"""Words beside a month that a day or a year in digits is looked for among."""
_LONGEST_SPELLED = 9
"""Words of a year: `mille neuf cent quatre vingt dix neuf`."""


def is_year(digits: str) -> bool:
    """Are they a year of four digits, of people that live, or of two?"""
    return _YEAR.fullmatch(digits) is not None


def is_part_of_date(word: str) -> bool:
    """May a folded word be a day, a month, a year, or more of a date?"""
    in_digits = word[2:] if word[:2] in _PREFIXES else word
    return word in _MONTHS or word in _SPELLED or (in_digits[:1].isdecimal() and len(word) <= 10)


def written_dates(folded: FoldedText) -> Iterator[Span]:
    """Full dates: three numbers, eight digits in a row, or a month in words with a number beside it.

    Example:
        >>> from fhirmap.texts.folded_text import fold
        >>> [list(written_dates(fold(words))) for words in ("le 3 mars", "3.II.1951", "rang 3")]
        [[(2, 7)], [(0, 7)], []]
    """
    words = list(folded.words())
    for number, (start, end) in enumerate(words):
        word = folded.letters[start:end]
        if len(word) == 8 and word.isdecimal() and _is_compact(word):
            yield start, end
        elif word in _MONTHS:
            yield from _around_month(folded, words, number)
        else:
            found = _numeric_date(folded, words[number : number + 3])
            if found is not None:
                yield found
        yield from _glued_month(folded, start, end)


def _is_compact(digits: str) -> bool:
    return _is_date(digits[:4], digits[4:6], digits[6:]) or _is_date(digits[4:], digits[2:4], digits[:2])


def _is_date(year: str, month: str, day: str) -> bool:
    """Are they a date, in one order of month and day or the other?"""
    if not (year + month + day).isdecimal() or _YEAR.fullmatch(year) is None or len(month) > 2 or len(day) > 2:
        return False
    small, great = sorted((int(month), int(day)))
    return 1 <= small <= 12 and great <= 31


def _numeric_date(folded: FoldedText, words: list[Span]) -> Span | None:
    if len(words) < 3 or any(folded.gaps[start] > GAP for start, _ in words[1:]):
        return None
    one, two, three = (folded.letters[start:end] for start, end in words)
    between = {folded.original[folded.ends[end - 1]] for _, end in words[:2]}
    if ":" in between:
        return None
    three, has_time, _ = three.partition("t")  # what follows in ISO's form is a time
    if two in _ROMAN:
        two = "1"
    if not (_is_date(three, two, one) or _is_date(one, two, three)):
        return None
    end = words[2][1]
    while has_time and end < len(folded.letters) and folded.original[folded.ends[end - 1]] in ":.+-":
        end += 1
        while not folded.begins(end):
            end += 1
    return words[0][0], end


def _around_month(folded: FoldedText, words: list[Span], number: int) -> Iterator[Span]:
    """The month at ``number`` with the day and the year beside it, in digits or in words."""
    first = last = number
    month = folded.letters[slice(*words[number])]
    for step in (-1, 1):
        place, is_spelled = number + step, False
        for count in range(_LONGEST_SPELLED):
            if not 0 <= place < len(words):
                break
            word = folded.letters[slice(*words[place])]
            was_spelled, is_spelled = is_spelled, word in _SPELLED and month != "may"
            if is_spelled or (count < _BESIDE and (_DAY.fullmatch(word) or _YEAR.fullmatch(word))):
                first, last = min(first, place), max(last, place)
            elif not (word in ("of", "de", "the", "le") and count < _BESIDE) and not (
                word in ("et", "and") and was_spelled
            ):
                break
            place += step
    if first != last:
        yield words[first][0], words[last][1]


def _glued_month(folded: FoldedText, start: int, end: int) -> Iterator[Span]:
    """``13feb1951``: a month with its numbers in one word."""
    word = folded.letters[start:end]
    if 6 <= len(word) <= 15 and not word.isalpha() and word.strip("0123456789") in _MONTHS:
        yield start, end
