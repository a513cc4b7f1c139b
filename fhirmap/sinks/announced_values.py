"""What a word before it says is of a person or a secret: `birthDate=1951`, `SSN 28405`, `password: x`.

Alone such values look like anything: a year, a few digits, a word. Names after their cues: `private_kinds`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fhirmap.sinks.cues import BIRTHS, NUMBERS, SECRETS, cues_of, labels, words_between
from fhirmap.sinks.plain_words import STATES, plain_words
from fhirmap.sinks.written_dates import GAP, Span, is_part_of_date
from fhirmap.texts.folded_text import FoldedText

__all__ = ["announced_values", "labelled_numbers"]

_JOINING = frozenset(("and", "et", "puis", "then", "cle", "key"))
"""Between the parts of a number."""
_FEWEST_DIGITS = 3
"""Of a number that is announced: fewer are a count (`15 characters`)."""
_MOST_LABELS = 3
"""Labels in a row."""
_FEWEST_PARTS, _SHORTEST_LABELLED, _LONGEST_LABELLED = 4, 8, 15
"""Parts that have labels, and their digits."""
_ASSIGNED = re.compile(r"""["'\])]*\s{0,4}(?:=>?|:=?|->|>)\s{0,4}["'«\[({]*""")
_SCHEMES = frozenset(("basic", "bearer", "digest"))
_ENDS_SECRET = re.compile(r"""[\s"'<>&,;)\]}]""")


def announced_values(folded: FoldedText) -> Iterator[tuple[str, int, int]]:
    """What follows a cue, each with its kind: a date, a number or a token.

    Example:
        >>> from fhirmap.texts.folded_text import fold
        >>> list(announced_values(fold("birthDate=1951, SSN 28405, password: x")))
        [('date', 9, 13), ('number', 16, 21), ('token', 29, 30)]
    """
    words, done = list(folded.words()), 0
    for number, (start, end) in enumerate(words):
        word = folded.letters[start:end]
        kinds = set(cues_of(word))
        if number and folded.gaps[start] == 1 and folded.original[folded.starts[start] - 1] in "_-":
            kinds |= set(cues_of(folded.letters[words[number - 1][0] : end]))  # `api_key`
        if word in ("ne", "nes") and folded.signs[start + 1] in "éÉ":  # not `ne pas`
            kinds = {BIRTHS}
        if BIRTHS in kinds:
            yield from (("date", *found) for found in _after_birth(folded, words, number + 1))
        if NUMBERS in kinds:
            yield from (("number", *found) for found in _after_number(folded, words, number + 1))
        if SECRETS in kinds and number + 1 < len(words) and start >= done:
            for found in _after_secret(folded, words, number + 1):
                done = found[1]  # cues in a secret are of it
                yield "token", *found


def labelled_numbers(folded: FoldedText) -> Iterator[Span]:
    """Numbers whose parts have labels: `sexe 1, année 41, mois 02, ...`."""
    words = list(folded.words())
    first = last = -1
    parts = named = digits = 0
    for number, (start, end) in enumerate([*words, (len(folded.letters), len(folded.letters))]):
        word = folded.letters[start:end]
        if word.isdecimal() or word in ("2a", "2b"):
            # The first part has its label before it.
            first = number if not parts else first
            parts, named, digits, last = parts + 1, 0, digits + len(word), number
        elif word in labels() and named < _MOST_LABELS:
            named += 1
        else:
            are_labelled = parts >= _FEWEST_PARTS and last - first >= 2 * (parts - 1)
            if are_labelled and _SHORTEST_LABELLED <= digits <= _LONGEST_LABELLED:
                yield words[first][0], words[last][1]
            parts = named = digits = 0


def _first_after(folded: FoldedText, words: Sequence[Span], number: int) -> int:
    """The word at ``number``, or what comes after words that say nothing."""
    while number < len(words) and folded.letters[slice(*words[number])] in words_between():
        number += 1
    return number


def _between(folded: FoldedText, words: Sequence[Span], number: int) -> str:
    """What is between the word at ``number`` and the one before."""
    start = words[number][0]
    return folded.original[folded.ends[start - 1] : folded.starts[start]]


def _after_birth(folded: FoldedText, words: Sequence[Span], number: int) -> Iterator[Span]:
    first = _first_after(folded, words, number)
    if 0 < first < len(words) and folded.letters[slice(*words[first - 1])] in ("a", "at", "in"):
        first = (
            _first_after(folded, words, first + 1)
            if not is_part_of_date(folded.letters[slice(*words[first])])
            else first
        )
    last = first
    while last < len(words) and is_part_of_date(folded.letters[slice(*words[last])]):
        between = _between(folded, words, last)
        if len(between) > GAP or "[" in between or (last > first and "\n" in between):
            break
        last += 1
    if last > first:
        yield words[first][0], words[last - 1][1]


def _after_number(folded: FoldedText, words: Sequence[Span], number: int) -> Iterator[Span]:
    first = last = at = _first_after(folded, words, number)
    digits = 0
    while at < len(words) and len(_between(folded, words, at)) <= 2 * GAP:
        word = folded.letters[slice(*words[at])]
        found = sum(map(str.isdecimal, word))
        if found:
            digits, last = digits + found, at + 1
        elif not (digits and word in _JOINING):
            break
        at += 1
    if digits >= _FEWEST_DIGITS:
        yield words[first][0], words[last - 1][1]


def _after_secret(folded: FoldedText, words: Sequence[Span], number: int) -> Iterator[Span]:
    """What is assigned to the cue before ``number``, up to a blank or a quote."""
    between = _between(folded, words, number)
    if not _ASSIGNED.fullmatch(between):
        return
    word = folded.letters[slice(*words[number])]
    if word in _SCHEMES and number + 1 < len(words):
        number += 1
    elif word in STATES or (between.endswith(" ") and word in plain_words()):
        return
    start = words[number][0]
    end = start + 1
    while end < len(folded.letters) and not _ENDS_SECRET.search(
        folded.original, folded.ends[end - 1], folded.starts[end]
    ):
        end += 1
    yield start, end
