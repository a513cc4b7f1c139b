"""The lines of a text file in an encoding: proved for the file as a whole, and damage here and there marked.

A byte that is none in the encoding is one record's trouble where it is alone, and a wrong encoding where most accents
are such bytes: the file is then refused, by one message.
"""

from __future__ import annotations

import codecs
import io
import re
from collections import Counter
from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache
from typing import IO

from fhirmap.errors import ConfigError
from fhirmap.sources.files.source_files import SourceFile, reading

__all__ = [
    "DAMAGE",
    "Accents",
    "LineKind",
    "decoded",
    "has_damage",
    "is_damaged",
    "is_utf8",
    "marked_encoding",
    "may_have_damage",
    "open_text",
    "proved_encoding",
]

DAMAGE = "\udcff"
"""In the place of bytes that are no text in the encoding. No text that was read has it otherwise."""

_HANDLER = "fhirmap.damage"
_CHUNK = 1 << 20
_LONG_LINE = 1 << 24
"""Bytes of a line that are held at once, at most: one of two gigabytes fits into a small archive."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZEROS = (
    ("utf-32-le", [False, True, True, True]),
    ("utf-32-be", [True, True, True, False]),
    ("utf-16-le", [False, True, False, True]),
    ("utf-16-be", [True, False, True, False]),
)
"""Which of the first four bytes are zero in a text without a byte-order mark."""
_UTF8 = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
"""What every letter of UTF-8 that is none of ASCII has."""
_LETTERS = frozenset("àâäáãåæçèéêëîïíôöóõøùûüúñßœÀÂÄÁÃÅÆÇÈÉÊËÎÏÍÔÖÓÕØÙÛÜÚÑŒ’°²³€«»–—…µ·\xa0".encode("cp1252"))
"""What accents and signs of Western Europe are in its 8-bit encoding."""


def _mark_damage(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return DAMAGE * (error.end - error.start), error.end


codecs.register_error(_HANDLER, _mark_damage)


def open_text(file: SourceFile, encoding: str) -> IO[str]:
    """The file as text, each byte that is none as `DAMAGE`, line ends as they are.

    Raises: what `reading` translates.
    """
    return io.TextIOWrapper(file.open(), encoding=encoding, errors=_HANDLER, newline="")


def decoded(raw: bytes, encoding: str) -> str:
    """The bytes as text, each that is none as `DAMAGE`."""
    return raw.decode(encoding, _HANDLER)


def marked_encoding(start: bytes) -> str:
    """The encoding that a byte-order mark at the start of a file names; empty without one."""
    return next((name for mark, name in _MARKS if start.startswith(mark)), "")


def is_utf8(raw: bytes) -> bool:
    """Is ``raw`` text in UTF-8?"""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_eight_bit(encoding: str) -> bool:
    """Is each byte a letter of its own in ``encoding``: may a text in UTF-8 look like one in it?"""
    return not encoding.lower().startswith(("utf", "u8"))


def is_damaged(text: str, encoding: str) -> bool:
    """Has ``text`` bytes that are none in the encoding, or is it UTF-8 in a file of an 8-bit encoding?"""
    if text.isascii():
        return False
    if DAMAGE in text:
        return True
    return is_eight_bit(encoding) and is_utf8(text.encode(encoding, "replace"))


def has_damage(text: str, encoding: str) -> bool:
    """Has some line of a text (they end with a line feed) bytes that are none, or is it UTF-8: is it `is_damaged`?"""
    if not may_have_damage(text, encoding) or DAMAGE in text:
        return DAMAGE in text
    sign = _sign_of_utf8(encoding)
    if sign is None:
        return any(is_damaged(line, encoding) for line in text.split("\n"))
    return any(is_damaged(_line_at(text, found), encoding) for found in sign.finditer(text))


def may_have_damage(text: str, encoding: str) -> bool:
    """Might some part of a text be `is_damaged`? False costs little, and is sure."""
    if text.isascii():
        return False
    if DAMAGE in text:
        return True
    if not is_eight_bit(encoding):
        return False
    sign = _sign_of_utf8(encoding)
    return sign is None or sign.search(text) is not None


@lru_cache
def _sign_of_utf8(encoding: str) -> re.Pattern[str] | None:
    """What a letter of UTF-8 that is none of ASCII looks like in ``encoding``: two bytes at least, as its letters.

    None where that is not known: in an encoding whose letters have several bytes, or that has no ASCII.
    """
    ascii_bytes, high = bytes(range(128)), range(128, 256)
    pairs = b"".join(bytes((first, second)) for first in high for second in range(256))
    if decoded(ascii_bytes, encoding) != ascii_bytes.decode() or len(decoded(pairs, encoding)) != len(pairs):
        return None
    letters = {byte: letter for byte in high if (letter := decoded(bytes((byte,)), encoding)) != DAMAGE}
    raw = {letter: letter.encode(encoding, "replace")[0] for letter in letters.values()}
    lead, short, more = (
        "".join(re.escape(letter) for letter, byte in raw.items() if first <= byte <= last)
        for first, last in ((0xC2, 0xF4), (0xC2, 0xDF), (0x80, 0xBF))
    )
    if not (short and more) or min(raw.values()) < 128:
        return None
    return re.compile(f"[{lead}][{more}](?:(?<=[{short}][{more}])|[{more}])")


def _line_at(text: str, found: re.Match[str]) -> str:
    """The line of a text that a match is in."""
    end = text.find("\n", found.end())
    return text[text.rfind("\n", 0, found.start()) + 1 : end if end >= 0 else None]


class LineKind(Enum):
    """What a line is in an encoding. ``FOREIGN``: UTF-8 in a file of an 8-bit encoding."""

    ASCII = auto()
    GOOD = auto()
    DAMAGED = auto()
    FOREIGN = auto()


class Accents:
    """What the lines (or records) of a file say of its encoding."""

    def __init__(self) -> None:
        self.lines = 0
        self.kinds: Counter[LineKind] = Counter()
        self._western = 0

    def add(self, raw: bytes, encoding: str) -> LineKind:
        """Count a line of bytes; what it is."""
        if raw.isascii():
            return self.count(LineKind.ASCII)
        utf8 = is_utf8(raw)
        if not is_eight_bit(encoding):
            kind = LineKind.GOOD if utf8 else LineKind.DAMAGED
        else:
            kind = LineKind.FOREIGN if utf8 else LineKind.GOOD if _is_text(raw, encoding) else LineKind.DAMAGED
        if kind is LineKind.DAMAGED:
            self._western += all(byte in _LETTERS for byte in raw if byte > 127)
        return self.count(kind)

    def count(self, kind: LineKind) -> LineKind:
        """Count a line of this kind."""
        self.lines += 1
        self.kinds[kind] += 1
        return kind

    @property
    def is_utf8(self) -> bool:
        """Is most of a file that should be in an 8-bit encoding UTF-8?"""
        return self.kinds[LineKind.FOREIGN] > self.kinds[LineKind.GOOD] + self.kinds[LineKind.DAMAGED]

    @property
    def is_other(self) -> bool:
        """Is the file in another encoding, rather than damaged here and there?

        More accents are wrong than right, and they are in most lines, or they are many and the letters of the 8-bit
        encoding of Western Europe.
        """
        damaged = self.kinds[LineKind.DAMAGED]
        if damaged <= self.kinds[LineKind.GOOD] + self.kinds[LineKind.FOREIGN]:
            return False
        return 2 * damaged > self.lines or (damaged > 2 and 2 * self._western > damaged)


def proved_encoding(file: SourceFile, declared: str, *, names: int = 1, strict: bool = False) -> str:
    """The encoding of the file: its byte-order mark's, else the declared one (UTF-8 by default), every byte tried.

    ``names``: how many of the first lines may hold no damage, since they name columns. ``strict``: no line may.

    Raises: ConfigError FM705 with the byte and line of the first one that does not exist in it, or where a file
    declared in an 8-bit encoding is UTF-8, or one without a mark UTF-16; FM701, FM702.
    """
    declared = declared or "utf-8"
    try:
        codecs.lookup(declared)
    except LookupError:
        raise ConfigError("FM705", variant="unknown", encoding=declared, source=file.shown) from None
    with reading(file):
        with file.open() as stream:
            start = stream.read(4)
        encoding = marked_encoding(start) or declared
        wide = next((name for name, zeros in _ZEROS if [byte == 0 for byte in start] == zeros), "")
        if wide and "a".encode(encoding) == b"a":
            raise ConfigError("FM705", variant="wide", encoding=encoding, source=file.shown, real=wide)
        _prove(file, encoding, names, strict=strict)
    return encoding


def _prove(file: SourceFile, encoding: str, names: int, *, strict: bool) -> None:
    found = Accents()
    is_wide = "a\n".encode(encoding) != b"a\n" and encoding != "utf-8-sig"
    first: dict[LineKind, tuple[int, int]] = {}
    try:
        for kind, line, offset in _wide_lines(file, encoding, found) if is_wide else _lines(file, encoding, found):
            first.setdefault(kind, (line, offset))
    except UnicodeError:
        # UTF-16 and UTF-32 that start without a byte-order mark.
        raise ConfigError("FM705", source=file.shown, encoding=encoding, offset=0, line=1) from None
    for kind, is_whole in ((LineKind.FOREIGN, found.is_utf8), (LineKind.DAMAGED, found.is_other)):
        line, offset = first.get(kind, (0, 0))
        if line and (is_whole or strict or line <= names):
            variant = "utf8" if kind is LineKind.FOREIGN else ""
            raise ConfigError("FM705", variant=variant, source=file.shown, encoding=encoding, offset=offset, line=line)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """What a file holds, in parts that end with a line, or within one that is very long: between two characters."""
    held = b""
    while chunk := stream.read(_CHUNK) + stream.readline(_LONG_LINE):
        chunk, held = held + chunk, b""
        if not chunk.endswith(b"\n"):
            begun = next((rank for rank in range(-1, -4, -1) if chunk[rank:][:1] >= b"\xc0"), 0)
            if begun:
                chunk, held = chunk[:begun], chunk[begun:]
        yield chunk
    if held:
        yield held


def _lines(file: SourceFile, encoding: str, found: Accents) -> Iterator[tuple[LineKind, int, int]]:
    """Each line that is damaged or foreign, its number from 1, and where in the file its first such byte is."""
    offset, eight_bit = 0, is_eight_bit(encoding)
    with file.open() as stream:
        for chunk in _chunks(stream):
            if chunk.isascii():
                found.lines += chunk.count(b"\n")
                offset += len(chunk)
                continue
            # Where nothing looks like UTF-8, and all is text, each line is good.
            is_good = not _UTF8.search(chunk) and _is_text(chunk, encoding) if eight_bit else is_utf8(chunk)
            if is_good:
                lines = chunk.splitlines()
                found.lines += len(lines)
                found.kinds[LineKind.GOOD] += sum(not line.isascii() for line in lines)
                offset += len(chunk)
                continue
            for raw in chunk.splitlines(keepends=True):
                kind = found.add(raw, encoding)
                if kind in (LineKind.DAMAGED, LineKind.FOREIGN):
                    yield kind, found.lines, offset + _first_damage(raw, encoding)
                offset += len(raw)


def _wide_lines(file: SourceFile, encoding: str, found: Accents) -> Iterator[tuple[LineKind, int, int]]:
    """The same of an encoding whose letters are wider than a byte."""
    plain = encoding.lower().replace("_", "-").removesuffix("-le").removesuffix("-be")
    offset = len("".encode(encoding))
    with open_text(file, encoding) as lines:
        for line in lines:
            if DAMAGE in line:
                before = line[: line.index(DAMAGE)]
                found.count(LineKind.DAMAGED)
                yield LineKind.DAMAGED, found.lines, offset + len(before.encode(f"{plain}-le", "surrogatepass"))
            else:
                found.count(LineKind.ASCII if line.isascii() else LineKind.GOOD)
            offset += len(line.encode(f"{plain}-le", "surrogatepass"))


def _is_text(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _first_damage(raw: bytes, encoding: str) -> int:
    try:
        raw.decode("utf-8" if encoding == "utf-8-sig" else encoding)
    except UnicodeDecodeError as error:
        return error.start
    return 0
