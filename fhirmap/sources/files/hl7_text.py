"""A file of HL7 v2 cut at its messages: bytes between one MSH and the next, whatever ends segments and frames messages.

Segments end with CR, LF or CRLF; a message may be in a frame of MLLP (0x0B before it, 0x1C after it).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO

__all__ = ["Block", "blocks"]

_CHUNK = 1 << 20
_LONGEST = 1 << 27
"""Bytes of a message."""
_MARK = codecs.BOM_UTF8
_BEFORE = re.compile(rb"(?:(?:\r|\x1c\r?)?\x0b|[\r\x1c])(?:\xef\xbb\xbf)?\Z")
"""What is between a message and the MSH of the next one."""
_REACH = 12
"""Bytes before a chunk from which on it may make a beginning."""


@dataclass(frozen=True, slots=True)
class Block:
    """The lines from one beginning of a message to the next; CR between them.

    ``line``: number of the first, from 1. ``is_message``: it begins with MSH; else it is what comes before the first.
    ``is_framed``: a frame begins with it. ``is_open``: that frame has no end. ``is_long``: it has more bytes than a
    message may have, and none of them are here.
    """

    line: int
    is_message: bool = False
    is_framed: bool = False
    text: bytes = b""
    is_open: bool = False
    is_long: bool = False

    def closed(self, text: bytes, end: bytes = b"") -> Block:
        """The block with its text. ``end``: what there is between it and the next one."""
        is_open = self.is_framed and not self.is_long and b"\x1c" not in end and b"\x1c" not in text
        return replace(self, text=b"" if self.is_long else text, is_open=is_open)


def blocks(file: IO[bytes], encoding: str = "utf-8") -> Iterator[Block]:
    """The blocks of a file, in its order. ``encoding``: one whose letters are wider than a byte makes text of UTF-8."""
    buffer, line, block, seen = b"\r", 0, Block(0), 0
    for chunk in _chunks(file, encoding):
        buffer += chunk
        begin = 0
        for start, end in _beginnings(buffer, max(seen - _REACH, 0)):
            if start > begin:
                yield block.closed(buffer[begin:start], buffer[start:end])
            line += buffer.count(b"\r", begin, end)
            begin, block = end, Block(line, True, b"\x0b" in buffer[start:end])
        buffer = buffer[begin:]
        if len(buffer) > _LONGEST:
            block = replace(block, is_long=True)
            line += buffer.count(b"\r", 0, len(buffer) - _REACH)
            buffer = buffer[-_REACH:]
        seen = len(buffer)
    if buffer:
        yield block.closed(buffer)


def _beginnings(buffer: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Where each MSH that begins a line or a frame is, and where what is before it begins."""
    # Few lines begin so: to look for the three letters is faster than for all that may be before them.
    place = buffer.find(b"MSH", start)
    while place >= 0:
        before = _BEFORE.search(buffer, max(place - _REACH, 0), place)
        if before is not None:
            yield before.start(), place
        place = buffer.find(b"MSH", place + 3)


def _chunks(file: IO[bytes], encoding: str) -> Iterator[bytes]:
    """The file with CR at the end of each line."""
    decoder = None if "a".encode(encoding) == b"a" or encoding == "utf-8-sig" else _wide_decoder(encoding)
    waiting = b""
    while chunk := file.read(_CHUNK):
        if decoder is not None:
            chunk = decoder.decode(chunk).encode()
        chunk = waiting + chunk
        waiting = chunk[-1:] if chunk.endswith(b"\r") else b""
        chunk = chunk[: len(chunk) - len(waiting)]
        yield chunk.replace(b"\r\n", b"\r").replace(b"\n", b"\r") if b"\n" in chunk else chunk
    if waiting:
        yield waiting


def _wide_decoder(encoding: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(encoding)("replace")
