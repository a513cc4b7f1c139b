"""The messages of a file of HL7 v2, each with what is wrong with its lines.

What is between messages and is no header or trailer of a batch is a fault, and so is a line of a message that is no
segment: a line break in a text, most often. Trailers say how many messages and batches there should be.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from fhirmap.errors import ConfigError
from fhirmap.records import Fault
from fhirmap.sources.files.hl7_text import Block, blocks
from fhirmap.sources.files.hl7_tree import HeaderSegment, Marks, Segment, marks_of
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.sources.files.text_lines import Accents, LineKind, decoded, is_damaged, marked_encoding

__all__ = ["Charset", "Hl7Message", "LostLines", "messages", "proved_charset"]

_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_TRAILER = re.compile(r"\r(?:FHS|BHS|BTS|FTS)(?![A-Za-z0-9])")
_BATCH = ("FHS", "BHS", "BTS", "FTS")
_CHARSET_PLACE = 17
_HEADER = 8
"""Characters of `MSH|^~\\&`."""
_CHUNK = 1 << 20
_CHARSETS = {
    "ASCII": "ascii",
    # What is sent under this name is its superset of Windows: ISO has no letters in 0x80 to 0x9F.
    "8859/1": "cp1252",
    **{f"8859/{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)},
    "UNICODE": "utf-8",
    "UNICODEUTF8": "utf-8",
    "UTF8": "utf-8",
    "GB180302000": "gb18030",
    "BIG5": "big5",
    "KSX1001": "euc_kr",
}
"""Names of MSH-18, without blanks and hyphens, and the encodings they are. Spec: HL7 v2.9, table 0211."""


@dataclass(frozen=True, slots=True)
class Charset:
    """What messages are written in that do not say so. ``declared``: does the map say it? ``wide``: the encoding of a
    file whose letters are wider than a byte, or UTF-8."""

    encoding: str
    declared: bool
    wide: str = "utf-8"


@dataclass(slots=True)
class Hl7Message:
    """The segments of a message, each with its line. ``is_damaged``: some field has a NUL, or bytes that are none in
    the message's encoding."""

    line: int
    marks: Marks
    segments: list[tuple[int, Segment]]
    faults: list[Fault] = field(default_factory=list)
    is_damaged: bool = False


@dataclass(frozen=True, slots=True)
class LostLines:
    """Lines of which nothing is read, since ``fault``."""

    line: int
    fault: Fault


class _After(NamedTuple):
    """The lines after a message; the first may be the rest of the message's last one."""

    lines: list[str]
    is_on_last: bool = False


@dataclass(slots=True)
class _Batches:
    """What was read since the headers of the batch and of the file."""

    messages: int = 0
    batches: int = 0
    open: dict[str, int] = field(default_factory=dict)
    """The line of each header whose trailer was not read yet."""


def proved_charset(file: SourceFile, declared: str) -> Charset:
    """What messages are written in that do not say so: the file's byte-order mark's, else the declared, else UTF-8.

    Raises: ConfigError FM705 where most of their accents are none in it; OSError.
    """
    try:
        codecs.lookup(declared or "utf-8")
    except LookupError:
        raise ConfigError("FM705", variant="unknown", encoding=declared, source=file.shown) from None
    with file.open() as opened:
        mark = marked_encoding(opened.read(4))
    if mark not in ("", "utf-8-sig"):
        return Charset("utf-8", True, mark)
    encoding = "utf-8" if mark else declared or "utf-8"
    if "a".encode(encoding) != b"a":
        return Charset("utf-8", True, encoding)
    found = Charset(encoding, bool(declared or mark))
    if encoding.lower() not in ("utf-8", "utf8") or not _is_utf8(file):
        _prove(file, found)
    return found


def _is_utf8(file: SourceFile) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with file.open() as opened:
            while chunk := opened.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _prove(file: SourceFile, charset: Charset) -> None:
    accents, first = Accents(), dict[LineKind, int]()
    with file.open() as opened:
        for block in blocks(opened):
            if block.is_message and not _named_charset(block.text):
                first.setdefault(accents.add(block.text, charset.encoding), block.line)
    for kind, is_whole, variant in (
        (LineKind.FOREIGN, accents.is_utf8, "utf8"),
        (LineKind.DAMAGED, accents.is_other, "message"),
    ):
        if is_whole and kind in first:
            encoding, line = charset.encoding, first[kind]
            raise ConfigError("FM705", variant=variant, source=file.shown, encoding=encoding, line=line)


def messages(file: SourceFile, charset: Charset) -> Iterator[Hl7Message | LostLines]:
    """Every message, and what is none, in the file's order.

    Raises: ConfigError FM784 (none: the file has no message); OSError.
    """
    batches, has_messages = _Batches(), False
    with file.open() as opened:
        for block in blocks(opened, charset.wide):
            after = (block.line, decoded(block.text, "utf-8").split("\r")) if not block.is_message else None
            if block.is_message:
                has_messages = True
                batches.messages += 1
                message, after = _message(block, charset)
                yield message
            if after is not None:
                yield from _between(*after, batches)
    if not has_messages:
        raise ConfigError("FM784", variant="none", source=file.shown)
    for name, line in batches.open.items():
        yield LostLines(line, _fault("unended", line, name=name))


def _fault(variant: str, line: int, **args: object) -> Fault:
    return Fault("FM784", rule="line", args={"line": line, **args}, variant=variant)


# --- one message ------------------------------------------------------------------------------------------------------


def _message(block: Block, charset: Charset) -> tuple[Hl7Message | LostLines, tuple[int, list[str]] | None]:
    """The message of a block, and the lines after it with the number of the first."""
    if block.is_long:
        return LostLines(block.line, _fault("long", block.line)), None
    encoding, fault = _encoding_of(block, charset)
    text = decoded(block.text, encoding)
    lines, after = _cut(text)
    between = (block.line + len(lines) - after.is_on_last, after.lines) if after else None
    marks = marks_of(lines[0], encoding)
    if marks is None:
        return LostLines(block.line, _fault("separators", block.line)), between
    message = Hl7Message(block.line, marks, [], [fault] if fault else [])
    message.is_damaged = "\0" in text or (not block.text.isascii() and is_damaged(text, encoding))
    if block.is_open:
        message.faults.append(_fault("frame", block.line))
    head = lines[0][:_HEADER]
    if text.find(head, 1) >= 0:
        # Inside a field, such signs are written otherwise: another message was put right after the end of a line.
        message.faults += [_fault("joined", block.line + n) for n, line in enumerate(lines) if head in line[1:]]
    separator, segments = marks.field, message.segments
    segments.append((block.line, HeaderSegment(lines[0], marks)))
    for number, line in enumerate(lines[1:], block.line + 1):
        if line[3:4] == separator and _is_name(line[:3]):
            segments.append((number, Segment(line, marks)))
        elif line and not line.isspace() and not _is_name(line.rstrip()):
            # A name alone is a segment that holds nothing.
            message.faults.append(_fault("", number))
    return message, between


def _cut(text: str) -> tuple[list[str], _After | None]:
    """The lines of a message, and those after its frame, or from the trailer of its batch on."""
    lines = text.split("\r")
    if "\x1c" not in text and not _TRAILER.search(text):
        return lines, None
    for place, line in enumerate(lines):
        own, is_end, rest = line.partition("\x1c")
        if is_end:
            return [*lines[:place], own], _After([rest, *lines[place + 1 :]], True)
        if line[:3] in _BATCH and _is_segment(line):
            return lines[:place], _After(lines[place:])
    return lines, None


@lru_cache(maxsize=1024)
def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _is_segment(line: str) -> bool:
    return not line[3:4].isalnum()


def _named_charset(text: bytes) -> str:
    """The encoding that a message's MSH-18 names, or its name in small letters where it is unknown; empty for none.

    ASCII counts for none where the message is not: it is what senders leave there.
    """
    header = text.partition(b"\r")[0]
    fields = header.split(header[3:4]) if header[3:4] else []
    if len(fields) <= _CHARSET_PLACE:
        return ""
    repetition = header[5:6] or b"~"
    name = fields[_CHARSET_PLACE].partition(repetition)[0].decode("ascii", "replace").upper()
    plain = name.strip('" \t').replace(" ", "").replace("-", "").replace("_", "")
    found = _CHARSETS.get(plain, plain.lower())
    return "" if found == "ascii" and not text.isascii() else found


def _encoding_of(block: Block, charset: Charset) -> tuple[str, Fault | None]:
    """The encoding of a message: what MSH-18 names, unless its bytes are none and the map's own fits."""
    if block.text.isascii() and b"\x1b" not in block.text:
        return "utf-8", None
    named = _named_charset(block.text) if charset.wide == "utf-8" else ""
    if not named:
        return charset.encoding, None
    if named not in _CHARSETS.values():
        return charset.encoding, None if charset.declared else _fault("charset", block.line)
    if charset.declared and _has_damage(block.text, named) and not _has_damage(block.text, charset.encoding):
        return charset.encoding, None
    return named, None


def _has_damage(raw: bytes, encoding: str) -> bool:
    return is_damaged(decoded(raw, encoding), encoding)


# --- between messages -------------------------------------------------------------------------------------------------


def _between(line: int, lines: Sequence[str], batches: _Batches) -> Iterator[LostLines]:
    """Headers and trailers of batches that say something else than what was read; other lines, together."""
    odd: list[int] = []
    for number, raw in enumerate(lines, line):
        text = raw.strip("\x0b\x1c\ufeff \t\x00\x1a")
        if text[:3] in _BATCH and _is_segment(text):
            yield from _of_batch(number, text, batches)
        elif text:
            odd.append(number)
    if odd:
        yield LostLines(odd[0], _fault("between" if len(odd) == 1 else "lines", odd[0], last=odd[-1]))


def _of_batch(line: int, text: str, batches: _Batches) -> Iterator[LostLines]:
    name = text[:3]
    if name in ("FHS", "BHS"):
        if name in batches.open:
            yield LostLines(batches.open[name], _fault("unended", batches.open[name], name=name))
        batches.open[name] = line
        batches.messages = 0
        batches.batches = batches.batches + 1 if name == "BHS" else 0
        return
    batches.open.pop("BHS" if name == "BTS" else "FHS", None)
    found = batches.messages if name == "BTS" else batches.batches
    said = text[4:].partition(text[3:4])[0].strip() if text[3:4] else ""
    # Where a file has no headers of batches, its messages are one.
    is_right = said.isdecimal() and (int(said) == found or (name == "FTS" and found == 0 and int(said) == 1))
    if said and not is_right:
        yield LostLines(line, _fault("count" if name == "BTS" else "batches", line, found=found))
    if name == "BTS":
        batches.messages = 0
