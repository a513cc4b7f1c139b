"""What may be of a person in a receiver's words though no payload holds it, by what it looks like.

Numbers of eleven digits or more, telephone numbers, full dates, e-mail addresses, tokens, and words that may be a name.
Each rule is one pass over the folded words. What is innocent and looks so is masked too: the answer itself is in the
journal.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from fhirmap.sinks.announced_values import announced_values, labelled_numbers
from fhirmap.sinks.cues import cues_of, given_names, is_cue
from fhirmap.sinks.encoded_words import encoded_words
from fhirmap.sinks.plain_words import OF_CUES, OF_NAMES, PARTICLES, STATES, TITLES, plain_words
from fhirmap.sinks.written_dates import GAP, Span, is_year, written_dates
from fhirmap.texts.folded_text import FoldedText, fold, folded_words, unescaped
from fhirmap.texts.public_names import public_names

__all__ = ["KINDS", "is_free_text", "kinds_in", "numbers_in"]

KINDS = frozenset(("token", "address", "number", "date", "name"))

_LONG = 11
_GLUED = 9
"""Digits of a long word that is a number though it has another sign in it (`2840510A23456`)."""
_OPAQUE = re.compile(r"[A-Za-z0-9_\-.~+/=]{16,}")
_UUID = re.compile(
    r"(?<![0-9A-Za-z_-])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}(?![0-9A-Za-z_-])"
)
_PART_OF_WORD = re.compile("[A-Z]+(?![a-z])|[A-Z]?[^A-Z]+")
_CUE_WORDS = 3
"""Words after a cue that may be a name."""
_AFTER_BEARER = frozenset(("realm", "scope", "error", "token", "tokens", "authentication", "missing", "is", "invalid"))
"""Words of sentences, and of a challenge (RFC 6750 section 3): what follows them has rules of its own."""
_OF_THINGS = frozenset(("name", "names"))
"""Cues that things have too: `name='date'` in a path."""
_BEGINNING = frozenset(".:!?;\n\"'«([{/|")
"""What a sentence, or a part of one with a capital, begins after."""


def kinds_in(folded: FoldedText, known: Collection[str] = ()) -> Iterator[tuple[str, int, int]]:
    """What could be of a person, each with its kind. ``known``: folded words that are no names."""
    own = _of_no_one(folded)
    for kind, found in (
        ("token", _tokens(folded)),
        ("address", _addresses(folded)),
        ("number", numbers_in(folded)),
        ("number", labelled_numbers(folded)),
        ("date", written_dates(folded)),
        ("name", _names(folded, known)),
    ):
        for start, end in found:
            begin = start
            while kind == "number" and begin < end and begin in own:
                begin += 1  # an object identifier before the number: `urn:oid:1.2.250.1.213.1.4.8|...`
            if begin < end and (begin not in own or own[begin] != own.get(end - 1)):
                yield kind, begin, end
    for kind, start, end in announced_values(folded):
        if start not in own or own[start] != own.get(end - 1):
            yield kind, start, end
    for start, end in _bearer_tokens(folded):
        yield "token", start, end


def is_free_text(identifier: str) -> bool:
    """Is an identifier rather a sentence: with blanks, and two words of letters or a date; or with a given name and
    another word?

    Example:
        >>> is_free_text("DUPONT Marie 3"), is_free_text("DUPONT_Marie_3"), is_free_text("ABC-2025-00012")
        (True, True, False)
    """
    letters = [word for word in folded_words(identifier) if word.isalpha() and len(word) > 1]
    if len(letters) > 1 and not given_names().isdisjoint(letters):
        return True
    words = unescaped(identifier).split()
    if len(words) < 2:
        return False
    of_letters = sum(sum(sign.isalpha() for sign in word) > 1 for word in words)
    return of_letters > 1 or any(True for _ in written_dates(fold(identifier)))


def _of_no_one(folded: FoldedText) -> dict[int, int]:
    """Of each letter in a UUID or a public name, which one it is of. What is all in one is no one's."""
    places = sorted([*(found.span() for found in _UUID.finditer(folded.original)), *public_names(folded.original)])
    spans = _spans_of(folded, iter(places))
    return {at: start for start, end in spans for at in range(start, end)}


def numbers_in(folded: FoldedText) -> Iterator[Span]:
    """Numbers of eleven digits or more, whatever is between these, with the letter of Corsica or a sign in a digit's
    place; telephone numbers."""
    letters = folded.letters
    start = count = 0
    for at in range(len(letters) + 1):
        is_digit = at < len(letters) and letters[at].isdecimal()
        is_corsican = at < len(letters) and letters[at] in "ab" and 5 <= count <= 7 and letters[at - 1] == "2"
        if (is_digit or is_corsican) and (not count or _is_in_number(folded, at)):
            start = start if count else at
            count += 1
            continue
        if count >= _LONG or _is_telephone(letters[start : start + count]):
            yield start, start + count
        start, count = at, int(is_digit)
    for start, end in folded.words():
        if end - start >= _LONG and _GLUED <= sum(map(str.isdecimal, letters[start:end])) < end - start:
            yield start, end


def _is_in_number(folded: FoldedText, at: int) -> bool:
    """May what is before the digit at ``at`` be within a number: few signs, or any number of blanks?"""
    return folded.gaps[at] <= GAP or folded.original[folded.ends[at - 1] : folded.starts[at]].isspace()


def _is_telephone(digits: str) -> bool:
    return len(digits) == 10 and digits[0] == "0" and digits[1] in "123456789"


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
    yield from _spans_of(folded, encoded_words(folded.original))


def _bearer_tokens(folded: FoldedText) -> Iterator[Span]:
    """What follows `Bearer`."""
    words = list(folded.words())
    for number, (start, end) in enumerate(words[:-1]):
        if folded.letters[start:end] == "bearer" and folded.letters[slice(*words[number + 1])] not in _AFTER_BEARER:
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
    """Words with a capital that are no word of receivers, those after a cue (`patient`, `nom`), and given names with
    what is beside them.

    After a cue what has a capital, or is assigned, is a name, whatever else it could be: there are people called Petit
    and McDonald.
    """
    left, before, passed, named = 0, "", None, False
    for start, end in folded.words():
        word, signs = folded.letters[start:end], folded.signs[start:end]
        is_capital = signs[0].isupper() or signs[0].istitle()
        last, passed = passed, None
        was_named, named = named and is_capital and _between(folded, start).isspace(), False
        if is_cue(word) or (word == "m" and is_capital):
            left = _CUE_WORDS
        elif word in OF_NAMES or (left == _CUE_WORDS and word in OF_CUES):
            continue
        elif not word.isascii() and any(map(_has_no_case, signs)):
            yield start, end  # no word of receivers is of such a script
            left = max(0, left - 1)
        elif word in known or word in STATES or cues_of(word):
            left = 0
        elif word in PARTICLES:
            left = left if is_capital else 0
        elif left == _CUE_WORDS and before not in _OF_THINGS and "=" in _between(folded, start):
            yield start, end
            left -= 1
        elif left and before not in TITLES and word in plain_words() and _between(folded, start) == ".":
            left = 0  # `Patient.Identifier` is a type's element
        elif left and is_capital and not (before not in TITLES and _ends_a_sentence(folded, start)):
            if len(word) > 1:
                yield start, end
            left -= 1
        elif word in given_names():
            if last is not None and folded.gaps[start] <= 2:
                yield last
            yield start, end
            left = max(left - 1, 1)
        elif not word.isalpha() or _is_plain(
            word, bool(left) or (is_capital and not _begins_a_sentence(folded, start))
        ):
            left = 0
        else:
            is_name = len(word) > 1 and (left or is_capital)
            if is_name and (was_named or not _is_technical(signs)) and not _is_error_code(folded, start, end):
                yield start, end
                named = is_capital
            elif len(word) > 2 and not is_capital:
                passed = start, end
            left = max(0, left - 1)
        before = word


def _has_no_case(sign: str) -> bool:
    return sign.isalpha() and not (sign.isupper() or sign.islower() or sign.istitle())


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
    """`birthDate`, `FHIRException`: of a structure, words as one of which none is a given name (`DUPONTMarie`)."""
    parts = [found[0].lower() for found in _PART_OF_WORD.finditer("".join(signs))]
    if len(parts) < 2 or not given_names().isdisjoint(parts):
        return False
    return any(one.islower() and other.isupper() for one, other in pairwise(signs)) or parts[-1] in plain_words()


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
    return 3 <= len(number) <= 6 and number.isdecimal() and not is_year(number)
