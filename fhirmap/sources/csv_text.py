"""The characters of a text file: its encoding proved before a record is read, its lines cut into fields, each fault
with its line.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fhirmap.errors import ConfigError
from fhirmap.texts import Text, os_reason

_CHUNK = 1 << 20
_FIELD_LIMIT = 1 << 28
_SEPARATOR = re.compile(r"\ufeff?\"?sep=([^\r\n\"])\"?[,;\t|]*\r?\n?", re.IGNORECASE)
DELIMITERS = (";", ",", "\t", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class CsvLine:
    """One line's fields. ``number``: where it starts, from 1. ``problem``: a variant of FM719 where it could not be
    cut.
    """

    number: int
    cells: list[str]
    problem: str = ""


def open_failure(error: OSError, shown: str, path: Path) -> ConfigError:
    """FM701 for a file that is not there, FM702 for one that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return ConfigError("FM701", source=shown, path=str(path))
    reason = Text("reasons.is_folder") if isinstance(error, IsADirectoryError) else os_reason(error, "cannot_be_read")
    return ConfigError("FM702", source=shown, reason=reason)


def proved_encoding(path: Path, shown: str, declared: str) -> str:
    """The encoding of the file: its byte-order mark's, else the declared one (UTF-8 by default), every byte tried.

    Raises: ConfigError FM705 with the byte and line of the first one that does not exist in it, or where a file
    declared in an 8-bit encoding is UTF-8 throughout; FM701, FM702.
    """
    declared = declared or "utf-8"
    try:
        codecs.lookup(declared)
    except LookupError:
        raise ConfigError("FM705", variant="unknown", encoding=declared, source=shown) from None
    try:
        with path.open("rb") as file:
            start = file.read(4)
        encoding = next((name for mark, name in _MARKS if start.startswith(mark)), declared)
        _prove(path, shown, encoding)
    except OSError as error:
        raise open_failure(error, shown, path) from None
    return encoding


def _prove(path: Path, shown: str, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    other: codecs.IncrementalDecoder | None = None
    if not encoding.lower().startswith(("utf", "u8")):
        other = codecs.getincrementaldecoder("utf-8")()
    offset, line, accent_line = 0, 1, 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeError as error:
                if not isinstance(error, UnicodeDecodeError):
                    # UTF-16 and UTF-32 that start without a byte-order mark.
                    raise ConfigError("FM705", source=shown, encoding=encoding, offset=0, line=1) from None
                before = error.object[: error.start].decode(encoding, "replace")
                raise ConfigError(
                    "FM705",
                    source=shown,
                    encoding=encoding,
                    offset=offset - pending + error.start,
                    line=line + before.count("\n"),
                ) from None
            if other is not None:
                other = _still_utf8(other, chunk)
            if not accent_line and not chunk.isascii():
                index = next(index for index, byte in enumerate(chunk) if byte > 127)
                accent_line = line + chunk.count(b"\n", 0, index)
            line += text.count("\n")
            offset += len(chunk)
            if not chunk:
                break
    if other is not None and accent_line:
        # No real text in an 8-bit encoding has only accents that happen to be well-formed UTF-8.
        raise ConfigError("FM705", variant="utf8", source=shown, encoding=encoding, line=accent_line)


def _still_utf8(decoder: codecs.IncrementalDecoder, chunk: bytes) -> codecs.IncrementalDecoder | None:
    try:
        decoder.decode(chunk, final=not chunk)
    except UnicodeDecodeError:
        return None
    return decoder


def separator_line(path: Path, shown: str, encoding: str) -> str:
    """The delimiter that a first line `sep=;` names, as spreadsheets write and read it; empty without such a line."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            shape = _SEPARATOR.fullmatch(file.readline(16))
    except OSError as error:
        raise open_failure(error, shown, path) from None
    return shape[1] if shape else ""


def read_lines(path: Path, shown: str, encoding: str, delimiter: str) -> Iterator[CsvLine]:
    """Every line that is not blank, the first (names) included; not a line `sep=;` before it. Quoted fields may hold
    delimiters and line breaks.

    Raises: ConfigError FM712 (a quote is never closed), FM701, FM702.
    """
    # The limit is the module's; a lower one would only turn a long cell into a broken line.
    csv.field_size_limit(max(csv.field_size_limit(), _FIELD_LIMIT))
    try:
        with path.open(encoding=encoding, newline="") as file:
            first = file.readline(16)
            skipped = 1 if _SEPARATOR.fullmatch(first) else 0
            if not skipped:
                file.seek(0)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            while True:
                number = reader.line_num + 1 + skipped
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    if "unexpected end" in str(error) or "field limit" in str(error):
                        raise ConfigError("FM712", source=shown, line=number) from None
                    yield CsvLine(number, [], "quote")
                    continue
                if any(cell and not cell.isspace() for cell in cells):
                    yield CsvLine(number, cells)
    except OSError as error:
        raise open_failure(error, shown, path) from None
