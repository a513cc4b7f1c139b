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


def may_be_shown(name: str) -> bool:
    """Is ``name`` a name for all that can be seen, and no value in the place of one? A patient's number may be a key.

    A path is as long as it is, and so is a name without blanks.

    Example:
        >>> may_be_shown("stays.lot"), may_be_shown("stays.149113897061759.lot"), may_be_shown("03/11/1949")
        (True, False, False)
    """
    # Its patterns take long to make, and names are looked at where one is missing.
    from fhirmap.sources.data_signs import DataSign, data_sign

    sign = data_sign(name)
    return sign is None or (sign is DataSign.LONG_TEXT and " " not in name)


def hint(found: Suggestion, *, is_all: bool = True) -> Text:
    """The nearest name, and what is there. ``is_all``: not where something else is there, which is not shown."""
    if not found["known"]:
        return Text("hints.there_is_none" if is_all else "hints.there_are_values")
    if found["meant"] is None:
        return Text("hints.there_is", {"names": listed(found["known"])})
    if found["known"] == (found["meant"],):
        return Text("hints.did_you_mean", {"name": found["meant"]})
    return Text("hints.meant_and_there", {"meant": found["meant"], "names": listed(found["known"])})


def like(name: str, there: Iterable[str], *, is_all: bool = True) -> Missing:
    """What `Diagnostic` and `ConfigError` take for a name that is not ``there``. Nothing that looks like a value is.

    ``is_all``: are these all names, or were some left out that may not be shown?
    """
    everything = list(there)
    names = [entry for entry in everything if may_be_shown(entry)]
    found = suggestion(name, names)
    if found["meant"] is None and "." in name:
        # A column with the name of its table, as SQL has it.
        found["meant"] = match(name.rpartition(".")[2], names)
    return Missing(hint=hint(found, is_all=is_all and len(names) == len(everything)), **found)
