"""Where the entries of a JSON document are: its brackets, quotes and commas, read in one pass without its values.

The text is never held whole. What is between two commas of the list is an entry, whatever it is: one that is no JSON
costs itself alone. Objects that are JSON are passed many at a time, which a decoder proves; others one by one.
"""

from __future__ import annotations

import codecs
import re
from array import array
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import IO

import msgspec

from fhirmap.sources.files.json_entries import cut_entries

__all__ = ["EntryParts", "JsonOutline", "MisplacedSign", "NamedTwice", "place_in", "scan", "texts_of"]

_CHUNK = 1 << 20
_PART, _LARGEST_PART = 1 << 12, 1 << 18
"""Objects are passed together, up to so many bytes of them: few, so that one is soon found again, or more where one is
larger."""
_PLAIN = rb'[^"{}\[\],]++'
_STRING = rb'"(?:[^"\\]++|\\.)*+"'


def _atom(inner: bytes) -> bytes:
    """An object or a list that holds nothing but ``inner`` and what is no bracket."""
    held = rb"(?:" + _PLAIN + rb"|,|" + _STRING + inner + rb")*+"
    return rb"\{" + held + rb"\}|\[" + held + rb"\]"


# Small objects are passed in one step: most of a document's brackets are theirs.
_SMALL = _atom(rb"|" + _atom(b""))
_TO_BRACKET = re.compile(rb"(?:" + _PLAIN + rb"|,|" + _STRING + rb"|" + _SMALL + rb")*+([{}\[\]])", re.DOTALL)
_TO_COMMA = re.compile(rb"(?:" + _PLAIN + rb"|" + _STRING + rb"|" + _SMALL + rb")*+([{}\[\],])", re.DOTALL)
_BLANK = re.compile(rb"[ \t\r\n]*+")
_TEXT = re.compile(_STRING, re.DOTALL)
_SCALAR = re.compile(rb'[^,{}\[\]":\s]++')
_NEXT_COMMA = re.compile(rb"[ \t\r\n]*+,")
_VALUES = msgspec.json.Decoder(list[msgspec.Raw])
"""Finds where each value of a list ends, without making it."""
_NO_BRACES = bytes(sorted({*range(256)} - {*b"{}"}))
_STEPS = bytes.maketrans(b"{}", b"\x01\xff")
"""By how much each brace changes how deep a text is, as a signed byte."""
_OPEN, _COMMA, _COLON = b"{[", 0x2C, 0x3A
_TO_CLOSING = {0x7B: 0x7D, 0x5B: 0x5D}
"""The brackets and their other halves."""


class MisplacedSign(Exception):
    """The document has another sign at ``offset`` than its structure needs, or ends there (``is_end``)."""

    def __init__(self, offset: int, *, is_end: bool) -> None:
        super().__init__()
        self.offset = offset
        self.is_end = is_end


class NamedTwice(Exception):
    """An object on the way to the entries has a member twice that is read. ``name``: of the member."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def _array() -> array[int]:
    return array("Q")


@dataclass(slots=True)
class EntryParts:
    """The entries of a document in parts of its text: each holds one, or several with commas between them.

    ``starts``, ``ends``: the offsets of the first byte of each part, and of that after its last; ``firsts``: the number
    of its first entry, from 0. ``total``: how many entries there are. A part that holds several is JSON.
    """

    starts: array[int] = field(default_factory=_array)
    ends: array[int] = field(default_factory=_array)
    firsts: array[int] = field(default_factory=_array)
    total: int = 0

    def add(self, start: int, end: int, count: int = 1) -> None:
        """A part with the next ``count`` entries."""
        self.starts.append(start)
        self.ends.append(end)
        self.firsts.append(self.total)
        self.total += count

    def count(self, part: int) -> int:
        """How many entries a part holds."""
        after = self.firsts[part + 1] if part + 1 < len(self.firsts) else self.total
        return after - self.firsts[part]

    def part_of(self, entry: int) -> int:
        """The part in which an entry is."""
        return bisect_right(self.firsts, entry) - 1


def texts_of(part: bytes, count: int) -> list[bytes]:
    """The text of each of the ``count`` entries of a part; empty ones where it holds others by now."""
    if count == 1:
        return [part]
    whole = b"[" + part + b"]"
    try:
        found = [bytes(value) for value in _VALUES.decode(whole)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Nested more deeply than can be read from here, or the file was changed.
        found = cut_entries(whole, ()) or []
    return found if len(found) == count else [b""] * count


@dataclass(slots=True)
class JsonOutline:
    """Where the entries of a document are.

    ``depth``: how many names of the path lead to them; ``is_list``: are they the items of a list, rather than one
    value? ``found``: was anything there? ``members``: the members of each object on the way, by name, where they were
    asked for. ``names``: those of the object at which the path ended, with the places of their values. ``end``: where
    the document ends. ``trailing``: where something comes after it; None where nothing does. ``damage``: the first byte
    that is no UTF-8, None without.
    """

    entries: EntryParts = field(default_factory=EntryParts)
    depth: int = 0
    is_list: bool = False
    found: bool = False
    is_object: bool = False
    members: list[dict[str, tuple[int, int]]] = field(default_factory=list)
    names: dict[str, tuple[int, int]] = field(default_factory=dict)
    start: int = 0
    end: int = 0
    trailing: int | None = None
    damage: int | None = None


def scan(stream: IO[bytes], path: Sequence[str], wanted: Sequence[Collection[str]] = ()) -> JsonOutline:
    """Where the entries at ``path`` are, or the list on the way to them, or the one value that is there.

    ``wanted``: for each object on the way, from the outermost, the members of which the places are asked for. Reading
    goes on to the end of the document. Raises: MisplacedSign, NamedTwice, OSError.
    """
    outline = JsonOutline()
    text = _Scanner(stream, outline)
    first = text.sign()
    outline.start = text.offset
    outline.is_object = first == 0x7B
    _OutlineWalk(text, outline, path, wanted).value(0)
    outline.end = text.offset
    text.blanks()
    if not text.is_at_end:
        outline.trailing = text.offset
    return outline


class _Scanner:
    """A part of the document, from where reading is."""

    def __init__(self, stream: IO[bytes], outline: JsonOutline) -> None:
        self._stream = stream
        self._outline = outline
        self._proof: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        self._base = 0
        self._proved = 0
        self._pending = 0
        self._again_from = 0  # where objects are passed together again
        self.held = b""
        self.at = 0
        self.more()
        if self.held.startswith(codecs.BOM_UTF8):
            self.at = len(codecs.BOM_UTF8)

    @property
    def offset(self) -> int:
        return self._base + self.at

    @property
    def is_at_end(self) -> bool:
        return self.at == len(self.held) and not self.more()

    def more(self) -> bool:
        """Hold more of the document; False where there is no more. What was passed is held no longer."""
        rest = self.held[self.at :]
        # A long text is looked at again from its start: so by half of it at least.
        chunk = self._stream.read(max(_CHUNK, len(rest)))
        self._base += self.at
        self.held, self.at = rest + chunk, 0
        self._prove(chunk)
        return bool(chunk)

    def _prove(self, chunk: bytes) -> None:
        if self._proof is None:
            return
        try:
            self._proof.decode(chunk, final=not chunk)
            self._pending = len(self._proof.getstate()[0])
        except UnicodeDecodeError as error:
            self._outline.damage = self._proved - self._pending + error.start
            self._proof = None
        self._proved += len(chunk)

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        """What comes next. Raises: MisplacedSign where the document ends before it."""
        while True:
            found = pattern.match(self.held, self.at)
            if found is not None and found.end() < len(self.held):
                self.at = found.end()
                return found
            # Also at the end of what is held, where it may go on.
            if not self.more():
                if found is None:
                    raise MisplacedSign(self._base + len(self.held), is_end=True)
                found = pattern.match(self.held, self.at)
                assert found is not None
                self.at = found.end()
                return found

    def blanks(self) -> None:
        self.match(_BLANK)

    def sign(self) -> int:
        """The next byte that is no blank, which is not passed. Raises: MisplacedSign at the end."""
        self.blanks()
        if self.is_at_end:
            raise MisplacedSign(self.offset, is_end=True)
        return self.held[self.at]

    def passed(self, sign: int) -> None:
        """Pass this sign. Raises: MisplacedSign where it is another."""
        if self.sign() != sign:
            raise MisplacedSign(self.offset, is_end=False)
        self.at += 1

    def text(self) -> str:
        """Pass a text in quotes. Raises: MisplacedSign where there is none."""
        if self.sign() != 0x22:
            raise MisplacedSign(self.offset, is_end=False)
        raw = self.match(_TEXT)[0]
        try:
            return str(msgspec.json.decode(raw, type=str))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""

    def value(self) -> tuple[int, int]:
        """Pass a value; where it starts and ends. Raises: MisplacedSign."""
        sign = self.sign()
        start = self.offset
        if sign in _OPEN:
            self.at += 1
            self.inside(_TO_CLOSING[sign])
        elif sign == 0x22:
            self.match(_TEXT)
        elif _SCALAR.match(self.held, self.at):
            self.match(_SCALAR)
        else:
            raise MisplacedSign(start, is_end=False)
        return start, self.offset

    def inside(self, closing: int) -> None:
        """Pass what is in a bracket, and its other half, ``closing``. Raises: MisplacedSign."""
        waiting = [closing]
        while waiting:
            sign = self._next(_TO_BRACKET)
            if sign in _TO_CLOSING:
                waiting.append(_TO_CLOSING[sign])
            elif waiting.pop() != sign:
                raise MisplacedSign(self.offset - 1, is_end=False)

    def item(self) -> int:
        """Pass an item of a list, whatever it is, and the comma or bracket after it, which it returns.

        Raises: MisplacedSign.
        """
        while (sign := self._next(_TO_COMMA)) in _TO_CLOSING:
            self.inside(_TO_CLOSING[sign])
        if sign == 0x7D:
            raise MisplacedSign(self.offset - 1, is_end=False)
        return sign

    def _next(self, pattern: re.Pattern[bytes]) -> int:
        """Pass what leads to the next sign that ``pattern`` ends with, and that sign, which it returns.

        Raises: MisplacedSign where the document ends before it.
        """
        while (found := pattern.match(self.held, self.at)) is None:
            if not self.more():
                raise MisplacedSign(self._base + len(self.held), is_end=True)
        self.at = found.end()
        return self.held[self.at - 1]

    def objects(self) -> int:
        """Pass objects with commas between them, and the comma after them; how many there were.

        None is passed where what comes next is no such part; it is not looked for again there.
        """
        if self.offset < self._again_from:
            return 0
        size, end = _PART, self.at
        while end == self.at and size <= _LARGEST_PART:
            if len(self.held) - self.at < size:
                self.more()
            end = _last_end(self.held, self.at, min(self.at + size, len(self.held)))
            size *= 2
        comma = _NEXT_COMMA.match(self.held, end)
        try:
            count = len(_VALUES.decode(b"[" + self.held[self.at : end] + b"]"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            count = 0
        if comma is None or not count:
            self._again_from = self.offset + size // 2
            return 0
        self.at = comma.end()
        return count


def _last_end(text: bytes, start: int, end: int) -> int:
    """Where the last object ends that is between ``start`` and ``end`` and has a comma after it; ``start`` where none
    does. Braces alone are counted, those in texts with them, so it is a guess."""
    signs = array("b", text[start:end].translate(_STEPS, _NO_BRACES))
    depths = list(accumulate(signs))
    if 0 not in depths:
        return start
    place = end
    for sign, depth in zip(reversed(signs), reversed(depths), strict=True):
        if sign < 0:
            place = text.rfind(b"}", start, place)
            if depth == 0 and _NEXT_COMMA.match(text, place + 1):
                return place + 1
    return start


@dataclass(frozen=True, slots=True)
class _OutlineWalk:
    text: _Scanner
    outline: JsonOutline
    path: Sequence[str]
    wanted: Sequence[Collection[str]]

    def value(self, depth: int) -> None:
        """Pass the value to which so many names of the path led."""
        sign, outline = self.text.sign(), self.outline
        if sign == 0x5B:
            outline.found = outline.is_list = True
            outline.depth = depth
            self.items()
        elif sign == 0x7B and depth < len(self.path):
            self.object(depth)
        else:
            start, end = self.text.value()
            outline.found = depth == len(self.path)
            outline.depth = depth
            if outline.found:
                outline.entries.add(start, end)

    def object(self, depth: int) -> None:
        """Pass an object on the way."""
        text, outline = self.text, self.outline
        name, wanted = self.path[depth], self.wanted[depth] if depth < len(self.wanted) else ()
        members: dict[str, tuple[int, int]] = {}
        seen: dict[str, tuple[int, int]] = {}
        outline.members.append(members)
        has_led_on = False
        text.passed(0x7B)
        while text.sign() != 0x7D:
            if seen:
                text.passed(_COMMA)
            member = text.text()
            text.passed(_COLON)
            text.sign()
            start = text.offset
            if member == name:
                if has_led_on:
                    raise NamedTwice(name)
                has_led_on = True
                self.value(depth + 1)
            else:
                text.value()
            seen[member] = (start, text.offset)
            if member in wanted:
                if member in members:
                    raise NamedTwice(member)
                members[member] = (start, text.offset)
        text.passed(0x7D)
        if not has_led_on:
            outline.depth, outline.names = depth, seen

    def items(self) -> None:
        """Pass a list: each of its items is an entry."""
        text, entries = self.text, self.outline.entries
        text.passed(0x5B)
        sign = _COMMA
        while sign == _COMMA:
            start = text.offset
            count = text.objects()
            if count:
                entries.add(start, text.offset - 1, count)
                continue
            sign = text.item()
            is_alone = sign == 0x5D and not entries.total and text.offset - 1 - start < _CHUNK
            if not (is_alone and self._is_blank(start)):
                entries.add(start, text.offset - 1)

    def _is_blank(self, start: int) -> bool:
        """Is the text from ``start`` to the bracket that was just passed blank?"""
        text = self.text
        begin = text.at - (text.offset - start)
        return begin >= 0 and not text.held[begin : text.at - 1].strip()


def place_in(stream: IO[bytes], offset: int) -> tuple[int, int]:
    """Line and column, from 1, of the byte at ``offset``. Raises: OSError."""
    line, last, done = 1, b"", 0
    stream.seek(0)
    while done < offset and (chunk := stream.read(min(_CHUNK, offset - done))):
        done += len(chunk)
        lines = chunk.count(b"\n")
        line += lines
        last = chunk[chunk.rfind(b"\n") + 1 :] if lines else last + chunk
    return line, len(last.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")) + 1
