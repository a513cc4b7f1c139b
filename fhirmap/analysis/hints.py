"""Parts of messages and hints of analysis as texts of the catalogues."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fhirmap.analysis.static import StaticType
from fhirmap.analysis.typed import Transform
from fhirmap.diagnostics import Related, Suggestion, listed, nearest, suggestion
from fhirmap.fhir_types import DATES
from fhirmap.language.node_text import element_place_to_text
from fhirmap.texts import Text

_DECLARED = (*sorted(DATES), "boolean", "decimal", "integer", "positiveInt", "unsignedInt")
"""Types that a column is read as because the model says so."""


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
    """For a column that a code table lacks: its delimiter where the header is one cell, else its columns.

    One cell without any delimiter is not shown: it may be the first line of what is no table.
    """
    mark = next((mark for mark in ";,\t|" if len(header) == 1 and mark in header[0]), "")
    if mark:
        shown = "\\t" if mark == "\t" else mark
        return Text("hints.set_delimiter", {"header": header[0], "mark": shown}), nothing_meant()
    if len(header) == 1:
        return None, nothing_meant()
    found = suggestion(column, header)
    return (None if found["meant"] else Text("hints.its_columns", {"names": ", ".join(header)})), found


def nothing_meant() -> Suggestion:
    """No name is near, and none is listed."""
    return Suggestion(meant=None, known=())


def only_meant(name: str, candidates: Collection[str]) -> Suggestion:
    """The nearest of ``candidates``, which are too many to be listed."""
    return Suggestion(meant=nearest(name, candidates), known=())


def type_hint(transform: Transform, wanted: StaticType) -> tuple[Text | None, tuple[Related, ...]]:
    """What to do about a value of the wrong type: give the model's element, which is shown, another one."""
    variable = transform.arguments[0].variable if transform.name == "copy" and transform.arguments else None
    element = variable.element if variable is not None else None
    type_name = next((ref.name for ref in sorted(wanted.types, key=lambda ref: ref.name) if ref.name in _DECLARED), "")
    if element is None or not type_name:
        return None, ()
    column = f" {element_place_to_text(element)}".rstrip()
    form = " format 'yyyyMMdd'" if type_name in DATES and element.column and element.format is None else ""
    place = f"{element.span.name}:{element.span.line}"
    args = {"element": element.name, "type": type_name, "column": column, "format": form, "place": place}
    related = Related(element.type_span, Text("labels.declared_as", {"type": element.type}))
    return Text("hints.element_type", args), (related,)
