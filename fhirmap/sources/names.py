"""Names as a map gives them against names as a store has them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from fhirmap.diagnostics.nearest import did_you_mean

_SHOWN = 12


def fold(name: str) -> str:
    """``name`` as people compare names: composed accents, single blanks (NBSP too), no case."""
    return " ".join(unicodedata.normalize("NFC", name).split()).casefold()


def match(name: str, there: Iterable[str]) -> str | None:
    """The one of ``there`` that ``name`` means: itself, else the only one that differs by case, blanks, accent form."""
    names = list(there)
    if name in names:
        return name
    alike = [candidate for candidate in names if fold(candidate) == fold(name)]
    return alike[0] if len(alike) == 1 else None


def hint(name: str, there: Iterable[str]) -> str:
    """`did you mean …?` and what is there, shortened."""
    names = list(there)
    listing = "there is " + ", ".join(f"`{entry}`" for entry in names[:_SHOWN]) if names else "there is none"
    listing += " …" if len(names) > _SHOWN else ""
    close = did_you_mean(name, names, otherwise="")
    return f"{close} ({listing})" if close else listing
