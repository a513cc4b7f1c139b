"""The entries of a JSON document that cannot be read whole: cut out of the text, so that one costs itself alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from fhirmap.data import JsonValue

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[{}\[\],:"]', re.DOTALL)
_SIGNS = re.compile(r'[",:\[\]{}]+')
_LONGEST_CUT = 1 << 16
"""Bytes of an entry that cannot be read in which a key is looked for."""
_OPEN, _CLOSE = (b"{", b"["), (b"}", b"]")


def _number(text: str) -> Decimal:
    """A number with its digits; none where its exponent is larger than decimals go, which its reader refuses."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_DECODER_OF_ALL = msgspec.json.Decoder(float_hook=_number)


@dataclass(frozen=True, slots=True)
class UnreadEntry:
    """In the place of an entry that cannot be read. ``is_double``: since it names a key twice; ``is_damaged``: since
    bytes of it are of another encoding. ``pieces``: the texts and numbers in it, as far as it is not too long."""

    is_double: bool = False
    is_damaged: bool = False
    pieces: tuple[str, ...] = field(default=(), compare=False, repr=False)


def decode(raw: bytes) -> JsonValue:
    """The value that ``raw`` writes. Raises: msgspec.DecodeError, UnicodeDecodeError, RecursionError."""
    try:
        return _DECODER.decode(raw)
    except InvalidOperation:
        return _DECODER_OF_ALL.decode(raw)


def decode_entry(raw: bytes) -> JsonValue:
    """The value that ``raw`` writes, or an `UnreadEntry`: no JSON, nested too deeply, a key that is named twice."""
    try:
        found = decode(raw)
        return UnreadEntry(is_double=True, pieces=_pieces(raw)) if repeats_a_key(raw, found) else found
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UnreadEntry(is_damaged=not _is_utf8(raw), pieces=_pieces(raw))


def _pieces(raw: bytes) -> tuple[str, ...]:
    """What is between the signs of JSON in a text that may be none."""
    return tuple(_SIGNS.split(raw[:_LONGEST_CUT].decode("utf-8", "replace")))


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def decode_entries(texts: Sequence[bytes]) -> list[JsonValue]:
    """What `decode_entry` says of each of the texts."""
    try:
        found = [_DECODER.decode(text) for text in texts]
        if not repeats_a_key(b"[" + b",".join(texts) + b"]", found):
            return found
    except (InvalidOperation, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # one of them cannot be read
    return [decode_entry(text) for text in texts]


def decode_in_parts(raw: bytes, levels: int = 8) -> JsonValue:
    """The value that ``raw`` writes, an `UnreadEntry` in the place of what cannot be read, ``levels`` deep at most."""
    found = decode_entry(raw)
    if not isinstance(found, UnreadEntry) or not levels or not _is_balanced(raw):
        return found
    opening, cuts = _items(raw, 0) or (b"", [])
    if opening not in _OPEN:
        return found
    if opening == b"[":
        return [decode_in_parts(cut, levels - 1) for cut in cuts]
    members: dict[str, Any] = {}
    for cut in cuts:
        name, colon, value = _halves(cut)
        key = decode_entry(name) if colon else None
        if isinstance(key, str):
            members[key] = decode_in_parts(value, levels - 1)
    return members


def _halves(member: bytes) -> tuple[bytes, bytes, bytes]:
    """The name, the colon and the value of a member of an object; no colon where there is none."""
    for match in _TOKEN.finditer(member):
        if match.group() == b":":
            return member[: match.start()], b":", member[match.end() :]
    return member, b"", b""


def texts_in(raw: bytes) -> Iterator[bytes]:
    """The texts of a document, names included, in their quotes."""
    return (match.group() for match in _TOKEN.finditer(raw) if match.group().startswith(b'"'))


def repeats_a_key(raw: bytes, decoded: JsonValue) -> bool:
    """Does some object in ``raw`` name a key twice? ``decoded`` is what was read of it, with the last value of each.

    What was read has all colons of the text but those of members that were dropped. Raises: RecursionError.
    """
    # A colon may be written as an escape, which is read as a colon. One sign is found sooner than several.
    if b"\\" in raw and b"\\u003" in raw:
        return _repeats_exactly(raw)
    return raw.count(b":") != msgspec.json.encode(decoded).count(b":")


def _repeats_exactly(raw: bytes) -> bool:
    found = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        held = dict(pairs)
        found = found or len(held) < len(pairs)
        return held

    try:
        json.loads(raw, object_pairs_hook=members, parse_float=str, parse_int=str)
    except ValueError:
        return False
    return found


def cut_entries(text: bytes, path: Sequence[str]) -> list[bytes] | None:
    """The texts of the entries of the list at ``path``, or of the one object there; None where it cannot be found.

    Brackets and quotes alone are looked at: they must balance.
    """
    if not _is_balanced(text):
        return None
    place: int | None = 0
    for name in path:
        place = _member(text, place, name) if place is not None else None
    if place is None:
        return None
    items = _items(text, place)
    if items is None:
        return None
    opening, cuts = items
    return cuts if opening == b"[" else [text[place:]] if not path else None


def _is_balanced(text: bytes) -> bool:
    """Does each bracket have its other half, in order, and each quote its own?"""
    waiting: list[bytes] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == b'"':
            return False
        if token in _OPEN:
            waiting.append(_CLOSE[_OPEN.index(token)])
        elif token in _CLOSE and (not waiting or waiting.pop() != token):
            return False
    return not waiting


def _member(text: bytes, start: int, name: str) -> int | None:
    """Where the value of the member ``name`` of the object at ``start`` begins; None where there is none, or two."""
    depth, last, found = 0, b"", []
    for match in _TOKEN.finditer(text, start):
        token = match.group()
        if token in _OPEN:
            if depth == 0 and token != b"{":
                return None
            depth += 1
        elif token in _CLOSE:
            depth -= 1
            if depth == 0:
                break
        elif token == b":" and depth == 1 and _is_text(last, name):
            found.append(match.end())
        last = token
    return found[0] if len(found) == 1 else None


def _is_text(token: bytes, text: str) -> bool:
    try:
        return bool(msgspec.json.decode(token) == text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _items(text: bytes, start: int) -> tuple[bytes, list[bytes]] | None:
    """The bracket that opens the value at ``start``, and the texts between its commas; None where it never ends."""
    opening, begun, cuts = b"", 0, []
    for end, token, depth in _levels(text, start):
        if not opening:
            opening, begun = token, end
        elif (token == b"," and depth == 1) or depth == 0:
            cuts.append(text[begun : end - 1])
            begun = end
        if opening and depth == 0:
            return opening, [] if len(cuts) == 1 and not cuts[0].strip() else cuts
    return None


def _levels(text: bytes, start: int) -> Iterator[tuple[int, bytes, int]]:
    """The end of each sign, the sign, and how deep it is after it."""
    depth = 0
    for match in _TOKEN.finditer(text, start):
        token = match.group()
        depth += token in _OPEN
        depth -= token in _CLOSE
        yield match.end(), token, depth
