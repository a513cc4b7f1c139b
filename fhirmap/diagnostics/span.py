"""Positions in a map's text: the only place where offsets become lines and columns."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class MapText:
    """The characters of one map and the name to show for it (a path as the user gave it, or ``<string>``)."""

    name: str
    text: str
    _line_starts: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = [0]
        for index, character in enumerate(self.text):
            if character == "\n":
                starts.append(index + 1)
        object.__setattr__(self, "_line_starts", tuple(starts))

    def line_of(self, offset: int) -> int:
        """1-based line holding the character at ``offset``."""
        return bisect_right(self._line_starts, max(0, offset))

    def column_of(self, offset: int) -> int:
        """1-based column, in characters."""
        return offset - self._line_starts[self.line_of(offset) - 1] + 1

    def utf8_place(self, offset: int) -> tuple[int, int]:
        """1-based line, and 0-based column in UTF-8 bytes, as Python's ``ast`` counts."""
        line = self.line_of(offset)
        return line, len(self.text[self._line_starts[line - 1] : offset].encode())

    def line_text(self, line: int) -> str:
        """The text of a 1-based line, without its line break."""
        start = self._line_starts[line - 1]
        end = self._line_starts[line] if line < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def line_start(self, line: int) -> int:
        """Offset of the first character of a 1-based line."""
        return self._line_starts[line - 1]

    @property
    def line_count(self) -> int:
        """Number of lines, at least 1."""
        return len(self._line_starts)


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of characters ``[start, end)`` of one map."""

    text: MapText
    start: int
    end: int

    @property
    def name(self) -> str:
        """Name of the map's file."""
        return self.text.name

    @property
    def line(self) -> int:
        """1-based line of the first character."""
        return self.text.line_of(self.start)

    @property
    def column(self) -> int:
        """1-based column of the first character, in characters."""
        return self.text.column_of(self.start)

    @property
    def end_line(self) -> int:
        """1-based line of the end."""
        return self.text.line_of(self.end)

    @property
    def end_column(self) -> int:
        """1-based column just after the last character."""
        return self.text.column_of(self.end)

    @property
    def position(self) -> str:
        """``file:line:col``, as every diagnostic prints it."""
        line = self.line
        return f"{self.name}:{line}:{self.start - self.text.line_start(line) + 1}"

    @property
    def snippet(self) -> str:
        """The characters themselves."""
        return self.text.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of ``other``."""
        return Span(self.text, self.start, other.end)


NO_SPAN = Span(MapText("", ""), 0, 0)
"""The span of a node that was made, not read from a text."""
