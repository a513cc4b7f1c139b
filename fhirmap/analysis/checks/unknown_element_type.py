"""FM157: a model's element of a type that models do not have."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, Subject, SubjectKind, suggestion
from fhirmap.fhir_types import PRIMITIVES

_OTHER_WORDS = {
    "int": "integer",
    "number": "integer",
    "bigint": "integer",
    "float": "decimal",
    "double": "decimal",
    "numeric": "decimal",
    "money": "decimal",
    "text": "string",
    "varchar": "string",
    "char": "string",
    "str": "string",
    "bool": "boolean",
    "bit": "boolean",
    "timestamp": "dateTime",
}
"""What databases and other languages call FHIR's types."""


def unknown_element_type(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each element whose type is neither a FHIR primitive nor a model in reach (FM157)."""
    for use in checked.declared_models():
        models = use.unit.model_names()
        for element in use.node.elements:
            if element.type in models or element.type in PRIMITIVES:
                continue
            word = _OTHER_WORDS.get(element.type.lower())
            found = suggestion(element.type, (*models, *sorted(PRIMITIVES)))
            if word is not None:
                found["meant"] = word
            args, about = {"type": element.type, "element": element.name}, Subject(SubjectKind.MODEL, element.type)
            yield Diagnostic("FM157", element.type_span, args, about=about, **found)
