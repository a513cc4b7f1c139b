"""Date formats as maps write them: `yyyyMMddHHmm`, `dd/MM/yyyy`; which codes there are and what each means.

Spec: FHIR Mapping Language, transforms, date formats. Letters are case-sensitive; what is no letter means itself,
and so does the `T` of ISO dates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from fhirmap.fhir_types import NAMED_FORMATS

_WIDTHS: dict[str, tuple[int, ...]] = {
    "y": (2, 4),
    "M": (1, 2, 3, 4),
    "d": (1, 2),
    "H": (1, 2),
    "h": (1, 2),
    "m": (1, 2),
    "s": (1, 2),
    "a": (1,),
    "Z": (1,),
    "z": (1,),
}
_PARTS = {
    "y": "year",
    "M": "month",
    "d": "day",
    "H": "hour",
    "h": "hour",
    "m": "minute",
    "s": "second",
    "S": "fraction",
}
_MEANT = {
    "Y": "yyyy",
    "A": "yyyy",
    "D": "dd",
    "J": "dd",
    "j": "dd",
    "y": "yyyy",
    "d": "dd",
    "M": "MM",
    "H": "HH",
    "h": "hh",
    "m": "mm",
    "s": "ss",
    "a": "a",
    "z": "z",
    "Z": "Z",
    "i": "mm",
    "n": "mm",
}


@dataclass(frozen=True, slots=True)
class LetterRun:
    """One run of the same letter in a format, or one character that means itself (``is_literal``)."""

    text: str
    is_literal: bool

    @property
    def is_known(self) -> bool:
        """Is it a code that exists, with a width that exists?"""
        return self.is_literal or self.text[0] == "S" or len(self.text) in _WIDTHS.get(self.text[0], ())

    @property
    def part(self) -> str:
        """Which part of a date or time it means; empty for literals, am/pm marks and offsets."""
        return "" if self.is_literal or not self.is_known else _PARTS.get(self.text[0], "")

    @property
    def meant(self) -> str | None:
        """The code that an unknown run was most likely meant to be."""
        return _MEANT.get(self.text[0])


def runs(format_text: str) -> tuple[LetterRun, ...]:
    """The format cut into codes and literals; one that is a name (`unix`, `hl7`) is one literal.

    Example:
        >>> [run.text for run in runs("dd/MM/yyyy")]
        ['dd', '/', 'MM', '/', 'yyyy']
    """
    if format_text in NAMED_FORMATS:
        return (LetterRun(format_text, True),)
    pieces = ("".join(letters) for _, letters in groupby(format_text))
    return tuple(LetterRun(piece, piece == "T" or not piece[0].isalpha()) for piece in pieces)


def parts(pieces: Iterable[LetterRun]) -> frozenset[str]:
    """What a format holds: year, month, day, hour, minute, second, fraction."""
    return frozenset(piece.part for piece in pieces if piece.part)
