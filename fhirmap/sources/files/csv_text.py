"""The lines of a CSV file cut into fields, each fault with its line.

A quoted field may go on over several lines. One whose quote is never closed would take in the lines after it, or end at
the first quote of another line; so a field of several lines is looked at again. It is refused, and reading goes on at
the next line, where the quote is not closed within `_MOST_LINES` lines, where the line that it makes cannot be cut or
has another number of fields than the names while a line in it has the right one, and where each of its lines by itself
is a line like the first. Where it might be either, nothing of these lines is read.

Most lines need no such look. A block of lines is cut at once where each of them is a record by itself and nothing in
the block is damaged. The lines of another block are taken one by one; where nothing is wrong with it but a record of
several lines, or a quote, only the lines of that record are.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import IO, NamedTuple, Self

from fhirmap.errors import ConfigError
from fhirmap.sources.files.source_files import SourceFile, reading
from fhirmap.sources.files.text_lines import DAMAGE, has_damage, is_damaged, is_eight_bit, open_text

__all__ = ["DELIMITERS", "CsvLine", "cut_line", "has_width", "read_lines", "separator_line"]

_LONGEST = 1 << 24
"""Characters of a line, and of a field."""
_LONGEST_CUT = 1 << 16
"""Characters of lines that could not be cut in which a key is looked for."""
_MOST_LINES = 500
"""Lines of one quoted field."""
_BLOCK = 1 << 15
"""Characters that are cut at once: few, since one odd line has all of them cut line by line."""
_AHEAD = 100
"""Lines beside an odd one that are cut at once."""
_BYTE_ORDER_MARK = "\ufeff"
_SEPARATOR = re.compile(r"\ufeff?\"?sep=([^\r\n\"])\"?[,;\t|]*\r?\n?", re.IGNORECASE)
_RUNS = re.compile(r"[0-9]+|[^\W\d_]+")
DELIMITERS = (";", ",", "\t", "|")


class CsvLine(NamedTuple):
    """One line's fields. ``number``: where it starts, from 1; ``last``: where it ends.

    ``problem``: a variant of FM719 where it could not be cut, with the ``place`` of the field that is to blame, from 0.
    ``is_damaged``: some field has a NUL, or bytes that are none in the file's encoding. ``pieces``: what is between the
    delimiters and quotes of a line that could not be cut, as far as it is not too long.
    """

    number: int
    cells: list[str]
    problem: str = ""
    last: int = 0
    place: int = -1
    is_damaged: bool = False
    pieces: Sequence[str] = ()


def separator_line(file: SourceFile, encoding: str) -> str:
    """The delimiter that a first line `sep=;` names, as spreadsheets write and read it; empty without such a line."""
    with reading(file), open_text(file, encoding) as stream:
        shape = _SEPARATOR.fullmatch(stream.readline(16))
    return shape[1] if shape else ""


def read_lines(file: SourceFile, encoding: str, delimiter: str, *, start: int = 1, width: int = 0) -> Iterator[CsvLine]:
    """Every line from ``start`` that is not blank, the names included; not a first line `sep=;`. Quoted fields may
    hold delimiters and line breaks.

    ``start``: a line of the file, from 1. ``width``: how many fields a line has; 0: as many as the first that is read.

    Raises: ConfigError FM712 (the first line cannot be cut into fields), FM701, FM702.
    """
    # The limit is the module's; a lower one would only turn a long cell into a broken line.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    with reading(file), open_text(file, encoding) as stream:
        lines = _PhysicalLines(stream, encoding)
        first = stream.readline(16)
        if start == 1 and _SEPARATOR.fullmatch(first):
            lines.number = 1
        else:
            stream.seek(0)
            lines.skip(start - 1)
        cutter = _Cutter(lines, delimiter)
        names = cutter.next_line()
        if names is None:
            return
        if names.problem in ("open", "long"):
            raise ConfigError("FM712", source=file.shown, line=names.number)
        cutter.width = width or len(names.cells)
        yield names
        yield from cutter.blocks()


class _EndsHereError(Exception):
    """A field is too long, or has too many lines."""


class _PhysicalLines:
    """The physical lines of a file, which a reader takes one by one; some can be given back.

    ``taken``: those of the record that is being cut; ``number``: of the last one.
    """

    def __init__(self, file: IO[str], encoding: str) -> None:
        self._file = file
        self._next = partial(file.readline, _LONGEST)
        self._encoding = encoding
        self._is_eight_bit = is_eight_bit(encoding)
        self._given_back: deque[str | None] = deque()
        self.taken: list[str] = []
        self.number = 0
        self.is_damaged = False
        self.has_ended = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._take()
        if not line:
            if line == "":
                self.has_ended = True
                raise StopIteration
            return self._end_here(line)
        taken = self.taken
        if taken and len(taken) >= _MOST_LINES:
            return self._end_here(line)
        self.number += 1
        if not line.isascii():
            # A byte-order mark, where files were joined: it is no text.
            line = line.removeprefix(_BYTE_ORDER_MARK)
            if DAMAGE in line or (self._is_eight_bit and is_damaged(line, self._encoding)):
                self.is_damaged = True
        if "\0" in line:
            self.is_damaged = True
        taken.append(line)
        return line

    def _end_here(self, line: str | None) -> str:
        """Stop before a line that is too long or one too many; one that begins a record is passed over."""
        if line is None and not self.taken:
            self.number += 1
        else:
            self._given_back.appendleft(line)
        raise _EndsHereError

    def _take(self) -> str | None:
        """The next line, of those that were given back first; empty at the end, None for one that is too long."""
        return self._given_back.popleft() if self._given_back else self._read()

    def _read(self) -> str | None:
        """The next line; empty at the end, None for one that is too long, which is passed over."""
        line = self._next()
        if len(line) < _LONGEST:
            return line
        self._pass_over(line)
        return None

    def _pass_over(self, line: str) -> None:
        """Go to the end of the line that begins with ``line``."""
        while line and not line.endswith(("\n", "\r")):
            line = self._next()
        # Read piece by piece, it may have been cut between the two signs of its end.
        if len(line) >= _LONGEST and line.endswith("\r") and (after := self._read()) not in ("\n", ""):
            self._given_back.appendleft(after)

    def block(self) -> str:
        """The next lines in one text, of the last one as much as a line may have; empty at the end.

        To be asked for where `has_given_back` is False. Its lines are then `passed`, or given back by `give`.
        """
        text = self._file.read(_BLOCK)
        if text and not text.endswith("\n"):
            rest = self._next()
            text += rest
            if len(rest) >= _LONGEST:
                self._pass_over(rest)
        return text

    def is_plain(self, text: str) -> bool:
        """Has a block no damage, no line that is too long, and no line end but that of Unix or Windows?"""
        return (
            "\0" not in text
            and _BYTE_ORDER_MARK not in text
            and len(text) < _LONGEST
            and text.count("\r") == text.count("\r\n")
            and not has_damage(text, self._encoding)
        )

    def give(self, text: str) -> int:
        """Have the lines of a block taken one by one; the number of the last of them."""
        given = [line if len(line) < _LONGEST else None for line in io.StringIO(text, newline="")]
        self._given_back.extendleft(reversed(given))
        return self.number + len(given)

    def ahead(self, last: int) -> list[str]:
        """The next lines that were given back, not many at once, and none after the line ``last``."""
        count = min(_AHEAD, max(0, last - self.number))
        return [line for line in islice(self._given_back, count) if line is not None]

    def passed(self, rows: Sequence[list[str]]) -> Iterator[CsvLine]:
        """The next lines, each of which is the row at its place; they are taken. Blank ones are left out."""
        number = self.number + 1
        self.number += len(rows)
        for _ in range(min(len(rows), len(self._given_back))):
            self._given_back.popleft()
        new = tuple.__new__  # as `CsvLine` does, without a call of Python for each line
        for line, cells in enumerate(rows, number):
            if (cells and cells[0].strip()) or any(map(str.strip, cells)):
                yield new(CsvLine, (line, cells, "", 0, -1, False, ()))

    @property
    def has_given_back(self) -> bool:
        """Are there lines to be taken before those of the file?"""
        return bool(self._given_back)

    def skip(self, count: int) -> None:
        """Pass over lines, whatever they hold."""
        for _ in range(count):
            if self._take() == "":
                return
            self.number += 1

    def start(self) -> int:
        """Begin a record; the number of its first line."""
        self.taken.clear()
        self.is_damaged = self.has_ended = False
        return self.number + 1

    def give_back(self, lines: Sequence[str]) -> None:
        """Have lines read again, which were taken after others."""
        self._given_back.extendleft(reversed(lines))
        self.number -= len(lines)


class _Cutter:
    """The fields of each line. ``width``: how many names there are; 0 until that is known."""

    def __init__(self, lines: _PhysicalLines, delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._reader = csv.reader(lines, delimiter=delimiter, strict=True)
        self.width = 0

    def blocks(self) -> Iterator[CsvLine]:
        """Every line to the end of the file, a block at a time."""
        lines = self._lines
        while text := lines.block():
            is_plain = lines.is_plain(text)
            rows = self._cut(text) if is_plain else None
            if rows is not None:
                yield from lines.passed(rows)
                continue
            last, is_mixed = lines.give(text), is_plain
            while lines.has_given_back:
                if is_mixed:
                    rows = self._cut_alone(lines.ahead(last))
                    # Where odd records follow one another, looking ahead costs more than it saves.
                    is_mixed = bool(rows)
                    yield from lines.passed(rows)
                if lines.has_given_back and (found := self.next_line()):
                    yield found

    def _cut(self, text: str) -> list[list[str]] | None:
        """The fields of each line of a plain block; None where some line is no record by itself."""
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        try:
            rows = list(csv.reader(lines, delimiter=self._delimiter, strict=True))
        except csv.Error:
            return None
        return rows if len(rows) == len(lines) else None

    def _cut_alone(self, lines: Iterable[str]) -> list[list[str]]:
        """The fields of the first of some plain lines, up to one that is no record by itself."""
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        rows: list[list[str]] = []
        with suppress(csv.Error):
            for cells in reader:
                if reader.line_num > len(rows) + 1:
                    break
                rows.append(cells)
        return rows

    def next_line(self) -> CsvLine | None:
        """The next line that is not blank, with whatever it needs to be looked at; None at the end."""
        lines = self._lines
        while True:
            number = lines.start()
            try:
                cells = next(self._reader)
            except StopIteration:
                return None
            except csv.Error:
                return self._uncut(number)
            except _EndsHereError:
                return self._uncut(number) if lines.taken else CsvLine(number, [], "long")
            if len(lines.taken) > 1:
                return self._of_several(number, cells)
            if any(cell and not cell.isspace() for cell in cells):
                return CsvLine(number, cells, is_damaged=lines.is_damaged)

    def _uncut(self, number: int) -> CsvLine:
        """A line in which the trouble begins, whether it is seen there or in a later one; reading goes on after it."""
        first, *more = self._lines.taken
        # Under a wrong delimiter, text follows the quotes of names: that is no quote left open.
        is_open = self._lines.has_ended or len(more) + 1 >= _MOST_LINES or (bool(more) and self.width > 0)
        self._lines.give_back(more)
        problem, place = "open" if is_open else "quote", _place_of_trouble(first, self._delimiter)
        return CsvLine(number, [], problem, place=place, pieces=self._pieces([first]))

    def _of_several(self, number: int, cells: list[str]) -> CsvLine:
        """A record whose quoted fields go on over several lines, if that is what it is."""
        lines, taken = self._lines, self._lines.taken
        found = CsvLine(number, cells, last=lines.number, is_damaged=lines.is_damaged)
        if self.width < 2:
            return found
        alone = [_alone(line, self._delimiter) for line in taken if line.strip()]
        whole = [has_width(fields, self.width) for fields in alone]
        alike = [_shape(fields[0]) == _shape(alone[0][0]) for fields in alone]
        if not has_width(cells, self.width):
            return self._uncut(number) if any(whole[1:]) else found
        if all(whole) and all(alike):
            return self._uncut(number)
        if any(one and other for one, other in zip(whole[1:], alike[1:], strict=True)):
            place = _place_of_trouble(taken[0], self._delimiter)
            return CsvLine(number, [], "several", last=lines.number, place=place, pieces=self._pieces(taken))
        return found

    def _pieces(self, lines: Sequence[str]) -> list[str]:
        text = "\n".join(lines)[:_LONGEST_CUT].replace('"', self._delimiter)
        return [piece for line in text.splitlines() for piece in line.split(self._delimiter)]


def cut_line(text: str, encoding: str, delimiter: str) -> CsvLine | None:
    """The fields of a line by itself, as `read_lines` has them but for its number; None where a quote is not closed in
    it, or has text after it.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    text = text.removeprefix(_BYTE_ORDER_MARK)
    try:
        cells = next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None
    is_foreign = not text.isascii() and is_eight_bit(encoding) and is_damaged(text, encoding)
    return CsvLine(0, cells, is_damaged=is_foreign or DAMAGE in text or "\0" in text)


def has_width(cells: Sequence[str], width: int) -> bool:
    """Are there as many fields as names, blank ones at the end aside?"""
    return len(cells) == width or (len(cells) > width and not any(map(str.strip, cells[width:])))


def _alone(line: str, delimiter: str) -> list[str]:
    """The fields of a line by itself; its quotes are letters where they cannot be quotes."""
    try:
        (cells,) = csv.reader([line], delimiter=delimiter, strict=True)
    except csv.Error:
        cells = line.rstrip("\r\n").split(delimiter)
    return cells


def _shape(cell: str) -> str:
    """A text with its digits and letters as kinds: `2025-A12` and `2024-B7` are alike."""
    return _RUNS.sub(lambda run: "0" if run[0][0].isdigit() else "a", cell.strip().strip('"'))


def _place_of_trouble(line: str, delimiter: str) -> int:
    """The field of a line in which a quote is not closed, or has text after it; -1 where there is none."""
    text, place, at = line.rstrip("\r\n"), 0, 0
    while at < len(text):
        if text[at] != '"':
            end = text.find(delimiter, at)
            if end < 0:
                return -1
            at, place = end + 1, place + 1
            continue
        at += 1
        while True:
            at = text.find('"', at)
            if at < 0:
                return place
            if text[at + 1 : at + 2] != '"':
                break
            at += 2
        after = text[at + 1 : at + 2]
        if after and after != delimiter:
            return place
        at, place = at + 2, place + 1
    return -1
