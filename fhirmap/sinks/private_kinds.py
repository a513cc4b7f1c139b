"""What may be of a person in a receiver's words though no payload holds it, by what it looks like.

Numbers of eleven digits or more, telephone numbers, full dates, e-mail addresses, tokens, and words that may be a name.
Each rule is one pass over the folded words. What is innocent and looks so is masked too: the answer itself is in the
journal.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from fhirmap.sinks.plain_words import OF_CUES, OF_NAMES, PARTICLES, STATES, TITLES, is_cue, plain_words
from fhirmap.texts.folded_text import FoldedText, fold, unescaped

__all__ = ["KINDS", "is_free_text", "kinds_in", "numbers_in"]

Span = tuple[int, int]
"""First letter and the one after the last, of a `FoldedText`."""

KINDS = frozenset(("token", "address", "number", "date", "name"))

_LONG = 11
_GAP = 4
"""Signs between two digits of one number at most."""
_MONTHS = frozenset(
    [
        "aou",
        "aout",
        "apr",
        "april",
        "aug",
        "august",
        "avr",
        "avril",
        "dec",
        "december",
        "decembre",
        "feb",
        "february",
        "fev",
        "fevr",
        "fevrier",
        "jan",
        "january",
        "janv",
        "janvier",
        "juil",
        "juillet",
        "juin",
        "jul",
        "july",
        "jun",
        "june",
        "mai",
        "mar",
        "march",
        "mars",
        "may",
        "nov",
        "november",
        "novembre",
        "oct",
        "october",
        "octobre",
        "sep",
        "sept",
        "september",
        "septembre",
    ]
)
_DAY = re.compile(r"(?:0?[1-9]|[12][0-9]|3[01])(?:er|st|nd|rd|th|eme|e)?")
_YEAR = re.compile(r"(?:1[89]|20)[0-9]{2}|[0-9]{2}")
_OPAQUE = re.compile(r"[A-Za-z0-9_\-.~+/=]{16,}")
_UUID = re.compile(
    r"(?<![0-9A-Za-z_-])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}(?![0-9A-Za-z_-])"
)
_CUE_WORDS = 3
"""Words after a cue that may be a name."""
_BEGINNING = frozenset(".:!?;\n\"'«([{/|")
"""What a sentence, or a part of one with a capital, begins after."""


def kinds_in(folded: FoldedText, known: Collection[str] = ()) -> Iterator[tuple[str, int, int]]:
    """What could be of a person, each with its kind. ``known``: folded words that are no names."""
    own = _uuids(folded)
    for kind, found in (
        ("token", _tokens(folded)),
        ("address", _addresses(folded)),
        ("number", numbers_in(folded)),
        ("date", _dates(folded)),
        ("name", _names(folded, known)),
    ):
        for start, end in found:
            if start not in own or own[start] != own.get(end - 1):
                yield kind, start, end
    for start, end in _bearer_tokens(folded):
        yield "token", start, end


def is_free_text(identifier: str) -> bool:
    """Is an identifier rather a sentence: with blanks, and two words of letters or a date?

    Example:
        >>> is_free_text("DUPONT Marie 3"), is_free_text("ABC-2025-00012")
        (True, False)
    """
    words = unescaped(identifier).split()
    if len(words) < 2:
        return False
    of_letters = sum(sum(sign.isalpha() for sign in word) > 1 for word in words)
    return of_letters > 1 or any(True for _ in _dates(fold(identifier)))


def _uuids(folded: FoldedText) -> dict[int, int]:
    """Of each letter in a UUID, which one it is of. What is all in one is no one's."""
    spans = _spans_of(folded, (found.span() for found in _UUID.finditer(folded.original)))
    return {at: start for start, end in spans for at in range(start, end)}


def numbers_in(folded: FoldedText) -> Iterator[Span]:
    """Numbers of eleven digits or more, whatever is between these, with the letter of Corsica; telephone numbers."""
    letters, gaps = folded.letters, folded.gaps
    start = count = 0
    for at in range(len(letters) + 1):
        is_digit = at < len(letters) and letters[at].isdecimal()
        is_corsican = at < len(letters) and letters[at] in "ab" and 5 <= count <= 7 and letters[at - 1] == "2"
        if (is_digit or is_corsican) and (not count or gaps[at] <= _GAP):
            start = start if count else at
            count += 1
            continue
        if count >= _LONG or _is_telephone(letters[start : start + count]):
            yield start, start + count
        start, count = at, int(is_digit)


def _is_telephone(digits: str) -> bool:
    return len(digits) == 10 and digits[0] == "0" and digits[1] in "123456789"


def _dates(folded: FoldedText) -> Iterator[Span]:
    """Full dates: three numbers, eight digits in a row, or a month in words with a number beside it."""
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
    if len(words) < 3 or any(folded.gaps[start] > _GAP for start, _ in words[1:]):
        return None
    one, two, three = (folded.letters[start:end] for start, end in words)
    between = {folded.original[folded.ends[end - 1]] for _, end in words[:2]}
    if ":" in between:
        return None
    three, has_time, _ = three.partition("t")  # what follows in ISO's form is a time
    if not (_is_date(three, two, one) or _is_date(one, two, three)):
        return None
    end = words[2][1]
    while has_time and end < len(folded.letters) and folded.original[folded.ends[end - 1]] in ":.+-":
        end += 1
        while not folded.begins(end):
            end += 1
    return words[0][0], end


def _around_month(folded: FoldedText, words: list[Span], number: int) -> Iterator[Span]:
    """The month at ``number`` with the day and the year beside it."""
    first = last = number
    for step in (-1, 1):
        place = number + step
        for _ in range(3):
            if not 0 <= place < len(words):
                break
            start, end = words[place]
            word = folded.letters[start:end]
            if _DAY.fullmatch(word) or _YEAR.fullmatch(word):
                first, last = min(first, place), max(last, place)
            elif word not in ("of", "de", "the", "le"):
                break
            place += step
    if first != last:
        yield words[first][0], words[last][1]


def _glued_month(folded: FoldedText, start: int, end: int) -> Iterator[Span]:
    """``13feb1951``: a month with its numbers in one word."""
    word = folded.letters[start:end]
    if 6 <= len(word) <= 15 and not word.isalpha() and word.strip("0123456789") in _MONTHS:
        yield start, end


def _spans_of(folded: FoldedText, places: Iterator[tuple[int, int]]) -> Iterator[Span]:
    """The letters of places in the original, which come in their order."""
    at, last = 0, len(folded.letters)
    for begin, stop in places:
        while at < last and folded.ends[at] <= begin:
            at += 1
        start = at
        while at < last and folded.starts[at] < stop:
            at += 1
        if at > start:
            yield start, at


def _tokens(folded: FoldedText) -> Iterator[Span]:
    """Long strings that mix letters and digits."""

    def places() -> Iterator[tuple[int, int]]:
        for found in _OPAQUE.finditer(folded.original):
            for begin, stop in _pieces(found):
                piece = folded.original[begin:stop]
                digits = sum(sign.isdigit() for sign in piece)
                is_mixed = digits >= 3 and len(piece) - digits >= 3
                if piece.startswith("eyJ") or (is_mixed and len(piece) >= 20):
                    yield begin, stop

    yield from _spans_of(folded, places())


def _bearer_tokens(folded: FoldedText) -> Iterator[Span]:
    """What follows `Bearer`."""
    words = list(folded.words())
    for number, (start, end) in enumerate(words[:-1]):
        if folded.letters[start:end] == "bearer":
            begin = folded.starts[words[number + 1][0]]
            stop = begin
            while stop < len(folded.original) and not folded.original[stop].isspace():
                stop += 1
            yield from _spans_of(folded, iter([(begin, stop)]))


def _pieces(found: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Between the slashes and dots of an address or a path; a token of three parts is one piece."""
    text, begin = found[0], found.start()
    if text.startswith("eyJ"):
        yield found.span()
        return
    for piece in re.finditer(r"[^/.]+", text):
        yield begin + piece.start(), begin + piece.end()


def _addresses(folded: FoldedText) -> Iterator[Span]:
    """E-mail addresses: the word around an `@`."""

    def places() -> Iterator[tuple[int, int]]:
        text, done = folded.original, 0
        at = text.find("@")
        while at >= 0:
            begin, stop = at, at + 1
            while begin > done and not (text[begin - 1].isspace() or text[begin - 1] in "<>()[],;:\"'"):
                begin -= 1
            while stop < len(text) and not (text[stop].isspace() or text[stop] in "<>()[],;:\"'"):
                stop += 1
            if begin < at and stop > at + 1:
                yield begin, stop
            done = stop
            at = text.find("@", stop)

    yield from _spans_of(folded, places())


def _names(folded: FoldedText, known: Collection[str]) -> Iterator[Span]:
    """Words with a capital that are no word of receivers, and those after a cue (`patient`, `nom`).

    After a cue what has a capital is a name, whatever else it could be: there are people called Petit and McDonald.
    """
    left, before = 0, ""
    for start, end in folded.words():
        word, signs = folded.letters[start:end], folded.signs[start:end]
        is_capital = signs[0].isupper() or signs[0].istitle()
        if is_cue(word) or (word == "m" and is_capital):
            left = _CUE_WORDS
        elif word in OF_NAMES or (left == _CUE_WORDS and word in OF_CUES):
            continue
        elif word in known or word in STATES:
            left = 0
        elif word in PARTICLES:
            left = left if is_capital else 0
        elif left and is_capital and not (before not in TITLES and _ends_a_sentence(folded, start)):
            if len(word) > 1:
                yield start, end
            left -= 1
        elif not word.isalpha() or _is_plain(word, is_capital and not _begins_a_sentence(folded, start)):
            left = 0
        else:
            is_name = len(word) > 1 and (left or is_capital)
            if is_name and not _is_technical(signs) and not _is_error_code(folded, start, end):
                yield start, end
            left = max(0, left - 1)
        before = word


def _is_plain(word: str, is_exact: bool) -> bool:
    """Is a word one of receivers' own, or, unless ``is_exact``, of the same stem as one?"""
    plain = plain_words()
    if word in plain:
        return True
    forms = (word[:-1], word + "s", word + "e", word + "r")
    return not is_exact and len(word) > 4 and any(form in plain for form in forms)


def _between(folded: FoldedText, start: int) -> str:
    """What is between the word at ``start`` and the one before."""
    return folded.original[folded.ends[start - 1] if start else 0 : folded.starts[start]]


def _begins_a_sentence(folded: FoldedText, start: int) -> bool:
    return start == 0 or not _BEGINNING.isdisjoint(_between(folded, start))


def _ends_a_sentence(folded: FoldedText, start: int) -> bool:
    return ". " in _between(folded, start)


def _is_technical(signs: Sequence[str]) -> bool:
    """`birthDate`, `StructureDefinition`: of a structure, where a capital follows a small letter."""
    return any(one.islower() and other.isupper() for one, other in pairwise(signs))


def _is_error_code(folded: FoldedText, start: int, end: int) -> bool:
    """`HAPI-0450`, `ORA-00001`: few capitals, a dash, a number that is no year."""
    if not 2 <= end - start <= 5 or not all(sign.isupper() for sign in folded.signs[start:end]):
        return False
    if end >= len(folded.letters) or _between(folded, end) != "-":
        return False
    stop = end + 1
    while not folded.begins(stop) and stop - end <= 6:
        stop += 1
    number = folded.letters[end:stop]
    return 3 <= len(number) <= 6 and number.isdecimal() and _YEAR.fullmatch(number) is None
