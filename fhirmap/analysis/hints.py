"""Parts of messages and hints of analysis as texts of the catalogues."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fhirmap.diagnostics import Suggestion, listed, nearest, suggestion
from fhirmap.texts import Text


def number_of(least: int, most: int | None) -> Text:
    """How many arguments are taken: `2`, `1 to 3`, `at least 1`."""
    if most is None:
        return Text("lists.at_least", {"least": least})
    if least == most:
        return Text("lists.names", {"names": least})
    return Text("lists.between", {"least": least, "most": most})


def variable_hint(name: str, found: Suggestion) -> Text | None:
    """For a bare name that is no variable: perhaps a text without its quotes."""
    if found["meant"] is not None or not found["known"]:
        return None
    return Text("hints.known_or_quotes", {"names": listed(found["known"]), "name": name})


def column_hint(column: str, header: Sequence[str]) -> tuple[Text | None, Suggestion]:
    """For a column that a code table lacks: its delimiter where the header is one cell, else its columns."""
    mark = next((mark for mark in ";,\t|" if len(header) == 1 and mark in header[0]), "")
    if mark:
        shown = "\\t" if mark == "\t" else mark
        return Text("hints.set_delimiter", {"header": header[0], "mark": shown}), nothing_meant()
    found = suggestion(column, header)
    return (None if found["meant"] else Text("hints.its_columns", {"names": ", ".join(header)})), found


def nothing_meant() -> Suggestion:
    """No name is near, and none is listed."""
    return Suggestion(meant=None, known=())


def only_meant(name: str, candidates: Collection[str]) -> Suggestion:
    """The nearest of ``candidates``, which are too many to be listed."""
    return Suggestion(meant=nearest(name, candidates), known=())
