"""Where a mistake is looked for: the reader at a token, and the faults found."""

from __future__ import annotations

from lark import Token

from fhirmap.language.expressions import start_of
from fhirmap.language.faults import Faults
from fhirmap.language.reader import Reader
from fhirmap.texts import Listing, Text


class MistakeSite:
    """The text being read: its reader, its faults, and the parentheses after `in` whose commas were reported."""

    def __init__(self, reader: Reader, faults: Faults) -> None:
        self.reader = reader
        self.faults = faults
        self.text = faults.text.text
        self.lists: set[int] = set()

    def instead(self, start: int, end: int, wanted: str | Text | Listing) -> None:
        """Report what is written between two offsets, and what to write instead."""
        span = self.faults.span(start, end)
        self.faults.add("FM001", span, variant="instead", found=span.snippet, wanted=wanted)

    def superfluous(self, start: int, end: int) -> None:
        """Report what is written between two offsets, and is to be left out."""
        span = self.faults.span(start, end)
        self.faults.add("FM001", span, variant="superfluous", found=span.snippet)

    def same_line(self, token: Token) -> bool:
        """Is the token on the line where the one before it ends?"""
        return "\n" not in self.text[self.reader.last_end : start_of(token)]
