"""Names as a map gives them against names as a store has them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from fhirmap.diagnostics import Suggestion, listed, suggestion
from fhirmap.texts import Text


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


class Missing(Suggestion):
    """A suggestion with its hint."""

    hint: Text


def hint(found: Suggestion) -> Text:
    """The nearest name, and what is there."""
    if not found["known"]:
        return Text("hints.there_is_none")
    if found["meant"] is None:
        return Text("hints.there_is", {"names": listed(found["known"])})
    return Text("hints.meant_and_there", {"meant": found["meant"], "names": listed(found["known"])})


def like(name: str, there: Iterable[str]) -> Missing:
    """What `Diagnostic` and `ConfigError` take for a name that is not ``there``."""
    names = list(there)
    found = suggestion(name, names)
    if found["meant"] is None and "." in name:
        # A column with the name of its table, as SQL has it.
        found["meant"] = match(name.rpartition(".")[2], names)
    return Missing(hint=hint(found), **found)
