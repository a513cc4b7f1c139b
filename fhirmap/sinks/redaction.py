"""Our own values in others' words: a receiver may quote what it was sent, and its words go to screens, reports and
mails.

Two ways beside one another. What is in the payload is found in any spelling (`payload_values`, `Redactor`). What the
receiver knows by itself is found by its kind (`private_kinds`): numbers, dates, tokens, addresses, names. Both compare
folded texts, in one pass over the words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from fhirmap.data import JsonValue
from fhirmap.sinks.plain_words import PARTICLES, plain_words
from fhirmap.sinks.private_kinds import KINDS, kinds_in, numbers_in
from fhirmap.texts.folded_text import FoldedText, fold, folded_words, has_escapes, without_accents
from fhirmap.texts.visible_text import visible

__all__ = ["Redactor", "may_quote", "payload_values", "quotes_a_value", "redact", "redact_numbers"]

_OF_PARAMETERS = ("name", "value", "part", "resource", "extension", "id", "_")
"""How the members of an item of Parameters begin."""
_RUN = 5
"""Letters or digits in a row of a value that give it away."""
_IN_IDENTIFIER = 6
"""Letters or digits of a value that an identifier does not have by chance."""
_WORDS_SHOWN = 4000
"""Signs of a receiver's words that are shown; the whole answer is in the journal."""
_MADE = re.compile(rf"\[(?:{'|'.join(sorted(KINDS))})\]")
"""A mark that says a kind."""
_NO_TEXT_IN_LIST = re.compile(rb"[\[,]\s*(?:[-0-9]|null|true|false)")
_LOWER_CASE = bytes(range(256)).lower()
_BETWEEN = bytes(sign for sign in range(128) if not (bytes([sign]).isalnum() or sign in b'"/'))
_STRUCTURAL = frozenset({"resourceType", "system", "code", "url", "version", "status", "fullUrl", "profile"})


def redact(words: str, values: Mapping[str, str], known: Collection[str] = ()) -> str:
    """``words`` with each of ``values`` replaced by its element's name, and what could be of a person by a mark. For
    several texts of one payload: `Redactor`."""
    return Redactor(values, known).redacted(words)


def redact_numbers(words: str) -> str:
    """``words`` with any long number (of a person, a device) replaced by a mark."""
    folded = fold(words)
    return _replaced(folded, {place: "number" for start, end in numbers_in(folded) for place in range(start, end)})


def payload_values(resource: Mapping[str, Any]) -> Mapping[str, str]:
    """Every text and number of a payload that could identify someone, with the name of its element."""
    found: dict[str, str] = {}
    _gather(resource, "value", found)
    return found


def _gather(node: JsonValue, name: str, found: dict[str, str]) -> None:
    if isinstance(node, dict):
        inner = str(node.get("name") or name) if isinstance(node.get("name"), str) else name
        for key, value in node.items():
            if not _is_structural(key, value, node):
                _gather(value, inner if key.startswith("value") or key == "part" else key, found)
    elif isinstance(node, list):
        for value in node:
            _gather(value, name, found)
    elif isinstance(node, str):
        # `Patient/12`: the type is no one's.
        found.setdefault(node.rpartition("/")[2] if name == "reference" else node, name)
    elif not isinstance(node, bool) and node is not None:
        found.setdefault(str(node), name)


def _is_structural(key: str, value: JsonValue, node: Mapping[str, Any]) -> bool:
    """Is a member of the payload's structure, or of its terminologies, and so of no one? A reference's `display` and
    an organisation's `name` may be."""
    if key == "display":
        return "code" in node or "system" in node
    if key == "name":
        return isinstance(value, str) and all(one.startswith(_OF_PARAMETERS) for one in node)
    return key in _STRUCTURAL


def quotes_a_value(identifier: str, values: Iterable[str]) -> bool:
    """Is a whole one of ``values`` in an identifier, in whatever spelling?"""
    letters = "".join(folded_words(identifier))
    found = ("".join(folded_words(value)) for value in values)
    return any(
        whole == letters or (len(whole) >= _IN_IDENTIFIER and whole in letters) for whole in found if len(whole) > 2
    )


def may_quote(identifier: str, payload: bytes) -> bool:
    """Could `quotes_a_value` be true of an identifier and the values of a payload, which is JSON? Without reading it:
    most identifiers have nothing of it."""
    letters = "".join(folded_words(identifier)).encode()
    plain = _plain_values(payload)
    if plain is None:
        return True
    whole, parts = plain.replace(b"/", b""), plain.replace(b"/", b'"')  # a reference's last part is a value of its own
    spans = [(0, len(letters))]
    for end in range(_IN_IDENTIFIER, len(letters) + 1):
        if b'%b"' % letters[end - _IN_IDENTIFIER : end] in whole:
            spans += ((start, end) for start in range(end - _IN_IDENTIFIER + 1))
    return any(b'"%b"' % letters[start:end] in found for start, end in spans for found in (whole, parts))


def _plain_values(payload: bytes) -> bytes | None:
    """The letters and digits of a payload, folded, with its quotes and slashes: each value has a quote before and after
    it. None where that is not so simple: with escapes, or with what is no text in a list."""
    if b"\\" in payload or _NO_TEXT_IN_LIST.search(payload):
        return None
    text = payload.decode("utf-8", "replace")
    return None if has_escapes(text) else without_accents(text).translate(_LOWER_CASE, _BETWEEN) + b'"'


@dataclass(slots=True)
class Redactor:
    """The values of one payload, folded once for all the words that may quote them.

    ``values``: with the names of their elements. ``known``: words that are of no person though they have a capital.
    """

    values: Mapping[str, str]
    known: Collection[str] = ()
    _whole: dict[str, str] = field(init=False, default_factory=dict)
    """Of one word or several without what is between them: these are looked for from word to word."""
    _runs: dict[str, str] = field(init=False, default_factory=dict)
    """What each run of `_RUN` letters is of."""
    _parts: dict[str, str] = field(init=False, default_factory=dict)
    """Of one word of several."""
    _longest: int = field(init=False, default=0)
    """Words that the longest of `_whole` has."""

    def __post_init__(self) -> None:
        for value, name in self.values.items():
            self._add(value, name)

    def redacted(self, words: str) -> str:
        """``words`` on one line, as far as they are shown, with marks for what they quote."""
        shown = words[: _WORDS_SHOWN + 256]
        folded = fold(shown)
        marks: dict[int, str] = {}
        self._mark(folded, marks, plain_words())
        for kind, start, end in kinds_in(folded, self.known):
            for at in range(start, end):
                marks.setdefault(at, kind)
        return visible(_replaced(folded, marks, _WORDS_SHOWN))

    def without_values(self, words: str) -> str:
        """``words`` with marks for the values alone: they are secrets, whatever words they are made of.

        A mark that is already there is left as it is, though a word of a value be its name.
        """
        folded = fold(words)
        marks: dict[int, str] = {}
        self._mark(folded, marks, frozenset())
        made = {at for found in _MADE.finditer(words) for at in range(*found.span())}
        return _replaced(folded, {at: name for at, name in marks.items() if folded.starts[at] not in made})

    def _add(self, value: str, name: str) -> None:
        parts = folded_words(value)
        whole = "".join(parts)
        for at in range(len(whole) - _RUN + 1):
            self._runs.setdefault(whole[at : at + _RUN], name)
        self._add_whole(whole, len(parts), name)
        for part in parts if len(parts) > 1 else ():
            if part.isalpha() and part not in PARTICLES:
                self._parts.setdefault(part, name)
        for spelling in _dates(value):
            self._add_whole(spelling, 3, name)

    def _add_whole(self, whole: str, parts: int, name: str) -> None:
        if len(whole) < 2 or (whole.isdecimal() and len(whole) < 4):
            return
        self._whole.setdefault(whole, name)
        # Between two letters that are one word in a value there may be a blank in a quote, and the other way round.
        self._longest = min(max(self._longest, parts, len(whole) if len(whole) < _RUN else 3), 8)

    def _mark(self, folded: FoldedText, marks: dict[int, str], ordinary: Collection[str]) -> None:
        """Where values are quoted. A word of ``ordinary`` ones that is only a part of a value says nothing of it."""
        self._mark_runs(folded, marks, ordinary)
        self._mark_words(folded, marks, ordinary)

    def _mark_runs(self, folded: FoldedText, marks: dict[int, str], ordinary: Collection[str]) -> None:
        """Runs of letters, and the words that they are in."""
        runs, letters, last = self._runs, folded.letters, len(folded.letters)
        done = 0
        for at in range(last - _RUN + 1):
            name = runs.get(letters[at : at + _RUN])
            if name is None:
                continue
            start, end = at, at + _RUN
            while start > done and not folded.begins(start):
                start -= 1
            while not folded.begins(end):
                end += 1
            if not _are_all(ordinary, folded, start, end):
                for place in range(max(start, done), end):
                    marks.setdefault(place, name)
            done = max(done, end)

    def _mark_words(self, folded: FoldedText, marks: dict[int, str], ordinary: Collection[str]) -> None:
        """Short values, and dates in the spellings that no run of theirs is in: whole words alone."""
        bounds = [start for start, _ in folded.words()]
        bounds.append(len(folded.letters))
        for number, start in enumerate(bounds[:-1]):
            for end in bounds[number + 1 : number + 1 + self._longest]:
                word = folded.letters[start:end]
                name = self._whole.get(word) or (None if word in ordinary else self._parts.get(word))
                if name is not None:
                    for place in range(start, end):
                        marks.setdefault(place, name)


def _are_all(ordinary: Collection[str], folded: FoldedText, start: int, end: int) -> bool:
    """Is each word between two letters an ordinary one?"""
    if not ordinary:
        return False
    begins = [start, *(at for at in range(start + 1, end) if folded.begins(at)), end]
    return all(folded.letters[one:other] in ordinary for one, other in pairwise(begins))


def _dates(value: str) -> Iterator[str]:
    """What a date is in other spellings, folded: only those that are no run of its own digits."""
    year, month, day = value[:4], value[5:7], value[8:10]
    if not (len(value) >= 10 and value[4] == value[7] == "-" and (year + month + day).isdecimal()):
        return
    short, plain_month, plain_day = year[2:], month.lstrip("0"), day.lstrip("0")
    for one, other in ((day, month), (month, day), (plain_day, plain_month), (plain_month, plain_day)):
        for form in (year, short):
            yield one + other + form
            yield form + one + other
    yield month + year
    yield plain_month + year


def _replaced(folded: FoldedText, marks: Mapping[int, str], most: int | None = None) -> str:
    """The original with a mark for each stretch of letters that has one; at most ``most`` signs of it."""
    original, at, place, last = folded.original, 0, 0, len(folded.letters)
    parts: list[str] = []
    stop = len(original) if most is None else most
    while place < last and at < stop:
        name = marks.get(place)
        if name is None:
            place += 1
            continue
        start = place
        # One mark for what one value is quoted by, also where a blank or a dash lies between its words.
        while place < last and marks.get(place) == name and (place == start or not _parted(folded, place, name)):
            place += 1
        begin = max(folded.starts[start], at)
        parts += (original[at : min(begin, stop)], f"[{_plain(name)}]" if begin < stop else "")
        at = max(folded.ends[place - 1], at)
    parts.append(original[at:stop])
    return "".join(parts) + ("…" if max(at, stop) < len(original) else "")


def _parted(folded: FoldedText, place: int, name: str) -> bool:
    """Is there more than blanks and dashes before the letter at ``place``? In a number or date there may be."""
    if folded.gaps[place] == 0:
        return False
    parting = "()[]{}\"'\n|" if name in ("date", "number") else "()[]{}\"'\n|,;:"
    return any(sign in parting for sign in folded.original[folded.ends[place - 1] : folded.starts[place]])


def _plain(name: str) -> str:
    return "".join(sign for sign in name if sign.isalnum() or sign in "_-.")
