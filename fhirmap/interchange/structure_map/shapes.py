"""What the shapes of a StructureMap have in common and where they differ: R4 (R4B is the same) and R5.

Spec: FHIR R4 and R5, StructureMap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FhirVersion = Literal["R4", "R4B", "R5"]

AUTO_VARIABLE = "vvv"
"""The variable that both ends of a default-mapped rule carry in a resource, as the reference engine writes it."""

BATCH_PREFIX = "unnamed"
"""What the rules of a batch without a name are named by, before the element."""

SEARCH_CONTEXT = "@search"

MODEL_EXTENSION = "https://fhirmap.dev/StructureDefinition/model"
"""On `structure`: the text of the `model` that the structure is, with where its data lies."""

UNMAPPED_EXTENSION = "https://fhirmap.dev/StructureDefinition/unmapped"
"""On a group of a concept map: a policy for unmapped codes that FHIR has no code for."""

CHECK_EXTENSION = "https://fhirmap.dev/StructureDefinition/check-message"
"""On a source of a rule: the message of its `check`."""

CONST_EXTENSION = "http://hl7.org/fhir/5.0/StructureDefinition/extension-StructureMap.const"
DEFAULT_EXTENSION = "http://hl7.org/fhir/5.0/StructureDefinition/extension-StructureMap.group.rule.source.defaultValue"
"""FHIR's own way to carry an element of R5 in a resource of R4."""

ABSENT_EXTENSION = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

FHIR_TRANSFORMS = frozenset(
    (
        *("create", "copy", "truncate", "escape", "cast", "append", "translate", "reference", "dateOp", "uuid"),
        *("pointer", "evaluate", "cc", "c", "qty", "id", "cp"),
    )
)
"""The transforms of FHIR's required code system."""

DATE_TRANSFORMS = frozenset(("toDateTime", "toDate", "toTime", "unixToDateTime", "unixToDate", "unixToTime"))
"""Transforms of the language's newest text, which the code system lacks."""

PARAMETER_SLOTS = {
    "R4": frozenset(("valueString", "valueBoolean", "valueInteger", "valueDecimal")),
    "R5": frozenset(
        (
            *("valueString", "valueBoolean", "valueInteger", "valueDecimal"),
            *("valueDate", "valueTime", "valueDateTime"),
        )
    ),
}
"""What a parameter can hold besides `valueId`."""

RELATIONS_R4 = {
    "-": "relatedto",
    "=": "equal",
    "==": "equivalent",
    "!=": "disjoint",
    "--": "unmatched",
    "<=": "wider",
    "<-": "subsumes",
    ">=": "narrower",
    ">-": "specializes",
    "~": "inexact",
}
RELATIONS_R5 = {
    "-": "related-to",
    "==": "equivalent",
    "!=": "not-related-to",
    "<=": "source-is-narrower-than-target",
    ">=": "source-is-broader-than-target",
}
NEAREST_R5 = {"=": "==", "--": "!=", "<-": "<=", ">-": ">=", "~": "-"}
"""Relations that R5 has no code for, and the one that comes nearest."""

RELATION_TOKENS = {code: token for table in (RELATIONS_R5, RELATIONS_R4) for token, code in table.items()}

LIST_MODES = frozenset(("first", "not_first", "last", "not_last", "only_one"))


@dataclass(frozen=True, slots=True)
class HeaderElement:
    """An element of the resource's header, as metadata lines fill it."""

    type: str
    repeats: bool = False
    since_r5: bool = False


def _elements(written: str) -> dict[str, HeaderElement]:
    """`name:Type*` words → elements; a type left out is `string`, `*` repeats, `+` is new in R5."""
    found = {}
    for word in written.split():
        name, _, kind = word.partition(":")
        repeats, since_r5 = "*" in kind, "+" in kind
        found[name] = HeaderElement(kind.strip("*+") or "string", repeats, since_r5)
    return found


HEADER: dict[str, dict[str, HeaderElement]] = {
    "StructureMap": _elements(
        "id implicitRules language meta:Meta text:Narrative modifierExtension:Extension* url identifier:Identifier* "
        "version versionAlgorithmString:+ versionAlgorithmCoding:Coding+ name title status experimental:boolean date "
        "publisher contact:ContactDetail* description useContext:UsageContext* jurisdiction:CodeableConcept* purpose "
        "copyright copyrightLabel:+"
    ),
    "Meta": _elements("versionId lastUpdated source profile:* security:Coding* tag:Coding*"),
    "Narrative": _elements("status div"),
    "Coding": _elements("system version code display userSelected:boolean"),
    "CodeableConcept": _elements("coding:Coding* text"),
    "Identifier": _elements("use type:CodeableConcept system value period:Period assigner:Reference"),
    "Period": _elements("start end"),
    "Reference": _elements("reference type identifier:Identifier display"),
    "ContactDetail": _elements("name telecom:ContactPoint*"),
    "ContactPoint": _elements("system value use rank:integer period:Period"),
    "UsageContext": _elements(
        "code:Coding valueCodeableConcept:CodeableConcept valueQuantity:Quantity valueRange:Range "
        "valueReference:Reference"
    ),
    "Quantity": _elements("value:decimal comparator unit system code"),
    "Range": _elements("low:Quantity high:Quantity"),
    "Extension": _elements("url"),
}
"""Types of the header's elements; `id` and `extension` go without saying."""

HEADER_ORDER = (
    *("id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension", "url"),
    *("identifier", "version", "versionAlgorithmString", "versionAlgorithmCoding", "name", "title", "status"),
    *("experimental", "date", "publisher", "contact", "description", "useContext", "jurisdiction", "purpose"),
    *("copyright", "copyrightLabel", "structure", "import", "const", "group"),
)
"""The order of the resource's elements."""

_EVERYWHERE = _elements("id extension:Extension*")


def header_element(owner: str, name: str) -> HeaderElement | None:
    """The element ``name`` of the type ``owner``; None where the header has none."""
    if owner == "Extension" and name.startswith("value"):
        # A primitive's own JSON type decides; a complex value is filled by the names it uses.
        stem = name.removeprefix("value")
        return HeaderElement(stem if stem in HEADER else "literal")
    if name.startswith("_") and header_element(owner, name[1:]) is not None:
        return HeaderElement("Extended")
    return HEADER.get(owner, {}).get(name) or _EVERYWHERE.get(name)
