"""The lines of a large CSV file by the text of some of its columns: where each begins is kept, and nothing else.

Only the key of a line is cut out when the index is made; a line is read when it is asked for, by the reader that reads
all lines otherwise. A file in which fields go on over several lines cannot be read so.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from typing import IO

from fhirmap.sources.files.csv_reader import CsvHead, CsvReader
from fhirmap.sources.files.csv_text import CsvLine, cut_line, has_width
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.flat_columns import trimmed
from fhirmap.sources.files.source_files import SourceFile, reading
from fhirmap.sources.files.text_lines import decoded, is_damaged
from fhirmap.sources.key_index import KeyPlaces

__all__ = ["LineIndex", "line_index"]

_CHUNK = 1 << 20
_LONGEST = 1 << 24
_BLANKS = b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"
_MARK = b"\xef\xbb\xbf"
_BETWEEN = b"\x1f"


class _NotByLineError(Exception):
    """The file cannot be read line by line."""


class LineIndex:
    """Lines of a file by key. ``without_key``: where those begin that are whole without one; ``lost``: that are not."""

    def __init__(self, file: SourceFile, reader: CsvReader, needed: Collection[str], columns: Sequence[int]) -> None:
        self.without_key = array("Q")
        self.lost = array("Q")
        self._file = file
        self._head = reader.head()
        self._columns = columns
        self._delimiter = self._head.delimiter.encode()
        self._places = KeyPlaces()
        self._starts = array("Q")
        self._numbers = array("Q")
        self._waiting: deque[CsvLine] = deque()
        self._rows = reader.rows_of(self._asked(), needed)
        with reading(file):
            self._stream = file.open()
            try:
                self._gather()
            except BaseException:
                self._stream.close()
                raise

    def close(self) -> None:
        """Close the file; more than once does no harm."""
        self._stream.close()

    # --- making it ----------------------------------------------------------------------------------------------------

    def _gather(self) -> None:
        stream, offset, number = self._stream, *_begin(self._stream, self._head)
        while raw := stream.read(_CHUNK) + stream.readline(_LONGEST):
            if len(raw) >= _LONGEST or (b"\r" in raw and raw.count(b"\r") != raw.count(b"\r\n")):
                raise _NotByLineError
            self._starts.append(offset)
            self._numbers.append(number)
            lines = raw.split(b"\n")
            if not lines[-1]:
                lines.pop()
            offsets = list(accumulate((len(line) + 1 for line in lines), initial=offset))
            self._add(raw, lines, offsets)
            offset += len(raw)
            number += len(lines)

    def _add(self, raw: bytes, lines: list[bytes], offsets: list[int]) -> None:
        delimiter, separators = self._delimiter, len(self._head.names) - 1
        # One byte is found much faster than two.
        has_quotes = b'"' in raw and (delimiter + b'"' in raw or b'\n"' in raw or raw.startswith(b'"'))
        has_quotes = has_quotes or (_MARK[:1] in raw and _MARK in raw)
        between = b'"' + delimiter + b'"' if has_quotes else delimiter
        counts = [line.count(between) for line in lines]
        is_regular = counts.count(separators) == len(lines)
        is_whole: list[bool] = []
        if has_quotes and is_regular and self._are_all_in_quotes(lines):
            keys = self._of_plain(lines, between, _BLANKS + b'"')
        elif has_quotes:
            cut = [self._of_quoted(line) for line in lines]
            keys, is_whole = [key for key, _ in cut], [whole for _, whole in cut]
        elif is_regular:
            keys = self._of_plain(lines, between)
        else:
            is_whole = [self._is_whole(line, count) for line, count in zip(lines, counts, strict=True)]
            most = max(self._columns)
            padded = [line if count >= most else b"" for line, count in zip(lines, counts, strict=True)]
            keys = self._of_plain([line or delimiter * most for line in padded], between)
        if b"\0" in raw or (not raw.isascii() and not b"".join(keys).isascii()):
            keys = [key if key.isascii() and b"\0" not in key else self._normal(key) for key in keys]
        if is_whole and not all(is_whole):
            for place, whole in enumerate(is_whole):
                if not whole and lines[place].strip(_BLANKS + delimiter):
                    self.lost.append(offsets[place])
        without = [place for place, key in enumerate(keys) if not key]
        if without:
            for place in without:
                if (not is_whole or is_whole[place]) and lines[place].strip(_BLANKS + delimiter + b'"'):
                    self.without_key.append(offsets[place])
            offsets = [offset for offset, key in zip(offsets, keys) if key]  # noqa: B905 - one more offset
            keys = [key for key in keys if key]
        self._places.add(keys, offsets)

    def _are_all_in_quotes(self, lines: Sequence[bytes]) -> bool:
        """Is each field of lines that have the right number of `";"` in quotes, none of which is part of its text?"""
        count = 2 * len(self._head.names)
        return all(line[:1] == b'"' and line.endswith((b'"', b'"\r')) and line.count(b'"') == count for line in lines)

    def _of_plain(self, lines: Sequence[bytes], delimiter: bytes, around: bytes = _BLANKS) -> list[bytes]:
        """The keys of lines that have all their columns between delimiters; empty where a part of one is blank."""
        columns = self._columns
        if len(columns) == 1:
            place = columns[0]
            return [line.split(delimiter, place + 1)[place].strip(around) for line in lines]
        most = max(columns) + 1
        cut = [line.split(delimiter, most) for line in lines]
        return [_key([cells[place].strip(around) for place in columns]) for cells in cut]

    def _of_quoted(self, line: bytes) -> tuple[bytes, bool]:
        """The key of a line that may have quotes, and whether the line has all its fields."""
        line = line.removeprefix(_MARK).rstrip(b"\r")
        delimiter, names = self._delimiter, self._head.names
        if line[:1] == b'"' == line[-1:] and line.count(b'"') == 2 * len(names):
            cells = line[1:-1].split(b'"' + delimiter + b'"')
            if len(cells) == len(names):
                return _key([cells[place].strip(_BLANKS) for place in self._columns]), True
        if not (line[:1] == b'"' or delimiter + b'"' in line):
            cells = line.split(delimiter)
            parts = [cells[place].strip(_BLANKS) if place < len(cells) else b"" for place in self._columns]
            return _key(parts), self._is_whole(line, len(cells) - 1)
        found = cut_line(self._text(line), self._head.encoding, self._head.delimiter)
        if found is None:
            raise _NotByLineError
        return self._key_of(found).encode("utf-8", "surrogatepass"), has_width(found.cells, len(names))

    def _is_whole(self, line: bytes, count: int) -> bool:
        """Has a line without quotes as many fields as names, blank ones at its end aside?"""
        wanted = len(self._head.names) - 1
        return count == wanted or (
            count > wanted and not line.split(self._delimiter, wanted + 1)[-1].strip(_BLANKS + self._delimiter)
        )

    def _text(self, line: bytes) -> str:
        return decoded(line, self._head.encoding.removesuffix("-sig"))

    def _normal(self, key: bytes) -> bytes:
        """A key as it is asked for: in UTF-8, without blanks of any kind around its parts."""
        parts = [self._part(self._text(part)) for part in key.split(_BETWEEN)]
        return _key([part.encode("utf-8", "surrogatepass") for part in parts])

    def _key_of(self, line: CsvLine) -> str:
        parts = [self._part(line.cells[place]) if place < len(line.cells) else "" for place in self._columns]
        return "\x1f".join(parts) if all(parts) else ""

    def _part(self, cell: str) -> str:
        """A part of a key; empty where it is damaged."""
        return "" if "\0" in cell or is_damaged(cell, self._head.encoding) else trimmed(cell)

    # --- asking it ----------------------------------------------------------------------------------------------------

    def rows(self, parts: Sequence[str]) -> list[FileRow]:
        """The lines whose key columns have these trimmed texts, in the file's order.

        Raises: ConfigError FM702, where the file cannot be read any more.
        """
        key = "\x1f".join(parts)
        found: list[FileRow] = []
        for place in self._places.find(key.encode("utf-8", "surrogatepass")):
            line = self._line(place)
            if line is not None and self._key_of(line) == key:  # else of another key, or the file has changed
                found.append(self._row(line, place))
        return found

    def row_at(self, place: int) -> FileRow | None:
        """The line that begins at a place; None where it cannot be read any more."""
        line = self._line(place)
        return None if line is None else self._row(line, place)

    def _line(self, place: int) -> CsvLine | None:
        with reading(self._file):
            self._stream.seek(place)
            raw = self._stream.readline(_LONGEST)
        return cut_line(self._text(raw), self._head.encoding, self._head.delimiter)

    def _row(self, line: CsvLine, place: int) -> FileRow:
        self._waiting.append(line)
        row = next(self._rows)
        if not row.faults:
            return row
        self._waiting.append(line._replace(number=self.number_at(place)))
        return next(self._rows)

    def _asked(self) -> Iterator[CsvLine]:
        while True:
            yield self._waiting.popleft()

    def number_at(self, place: int) -> int:
        """The number of the line at a place, from 1, which only a fault needs."""
        chunk = bisect_right(self._starts, place) - 1
        start = self._starts[chunk]
        with reading(self._file):
            self._stream.seek(start)
            return self._numbers[chunk] + self._stream.read(place - start).count(b"\n")


def line_index(
    file: SourceFile, reader: CsvReader, needed: Collection[str], columns: Sequence[int]
) -> LineIndex | None:
    """The lines of a file by the texts of ``columns``, places from 0; None for one that cannot be read line by line.

    Raises: ConfigError FM701, FM702, and those of the reader.
    """
    head = reader.head()
    if not _is_byte_by_byte(head.encoding) or not head.delimiter.isascii():
        return None
    try:
        return LineIndex(file, reader, needed, columns)
    except _NotByLineError:
        return None


def _begin(stream: IO[bytes], head: CsvHead) -> tuple[int, int]:
    """Pass over what comes before the rows; the offset and the number of the first of them."""
    offset = 0
    before = head.names_line or max(head.first - 1, 1 if head.separator else 0)
    line = b""
    for _ in range(before):
        line = stream.readline(_LONGEST)
        offset += len(line)
    if head.names_line:
        names = cut_line(decoded(line.removeprefix(_MARK), head.encoding.removesuffix("-sig")), "utf-8", head.delimiter)
        if names is None or tuple(map(trimmed, names.cells)) != head.names:
            raise _NotByLineError
    return offset, before + 1


def _key(parts: Sequence[bytes]) -> bytes:
    return _BETWEEN.join(parts) if all(parts) else b""


def _is_byte_by_byte(encoding: str) -> bool:
    """Is no byte of ASCII a part of another letter in this encoding?"""
    if encoding.lower().replace("_", "-") in ("utf-8", "utf-8-sig", "utf8", "ascii", "us-ascii"):
        return True
    letters = bytes(range(256)).decode(encoding, "replace")
    return len(letters) == 256 and letters[:128].encode("ascii", "replace") == bytes(range(128))
