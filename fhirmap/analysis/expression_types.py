"""Types of values in expressions: FHIRPath's own beside FHIR's, their families, and how expressions name them."""

from __future__ import annotations

from collections.abc import Mapping

from fhirmap.analysis.static import Cardinality, StaticType
from fhirmap.fhir_types import OPEN_TYPES, family
from fhirmap.language import nodes as n
from fhirmap.model.definition import FHIR_URL, SYSTEM_URL, Definitions, Element, TypeRef
from fhirmap.signatures import FunctionSignature, ValueType
from fhirmap.texts import Listing, Text

FUNCTION_URL = "urn:fhirmap:function:"
"""Structure of the result of a plug-in function that gives several elements."""
_AS_FHIR = {
    f"System.{name}": TypeRef(fhir, FHIR_URL + fhir)
    for name, fhir in {
        "String": "string", "Integer": "integer", "Long": "integer64", "Decimal": "decimal", "Boolean": "boolean",
        "Date": "date", "DateTime": "dateTime", "Time": "time", "Quantity": "Quantity",
    }.items()
}  # fmt: skip
SYSTEM_NAMES = frozenset(["String", "Integer", "Long", "Decimal", "Boolean", "Date", "DateTime", "Time", "Quantity"])


def system(name: str, cardinality: Cardinality = "one") -> StaticType:
    """A value of one of FHIRPath's own types."""
    return StaticType(frozenset((TypeRef(f"System.{name}", SYSTEM_URL + name),)), cardinality, True)


def as_fhir(static: StaticType) -> StaticType:
    """The same with FHIR's types for FHIRPath's own: what a map assigns and a message names."""
    return static.with_types(_AS_FHIR.get(ref.name, ref) for ref in static.types)


def shown(static: StaticType) -> Text | Listing:
    """A value's types as a message names them: a literal's `System.String` is a string to its reader."""
    return as_fhir(static).text()


def families(static: StaticType) -> set[str]:
    """The families of all types a value may have."""
    return {family(ref.name) for ref in static.types}


def children_of(
    ref: TypeRef, definitions: Definitions, functions: Mapping[str, FunctionSignature]
) -> Mapping[str, Element]:
    """Elements of a type, or of the structure that a plug-in function gives."""
    if not ref.structure.startswith(FUNCTION_URL):
        return definitions.children(ref)
    name, *path = ref.name.split(".")
    held = functions[name].result
    for step in path:
        held = held.elements[step]
    return {
        key: Element(
            key, f"{ref.name}.{key}", (value_ref(entry, f"{ref.name}.{key}"),), maximum=None if entry.repeats else 1
        )
        for key, entry in held.elements.items()
    }


def value_ref(value: ValueType, path: str) -> TypeRef:
    """Type of a plug-in function's parameter or result."""
    if value.name == "structure":
        return TypeRef(path, FUNCTION_URL + path.partition(".")[0])
    return TypeRef(value.name, FHIR_URL + value.name)


def is_fhir(ref: TypeRef, definitions: Definitions) -> bool:
    """Does the type live in FHIR JSON, where a primitive may have a sibling `_x`?"""
    structure = definitions.structure(ref.structure or ref.name)
    return structure is not None and structure.kind != "logical"


def is_object(ref: TypeRef, definitions: Definitions) -> bool:
    """Is a value of the type an object of FHIR JSON whose elements are all known?

    Of an abstract type they are not; a profile says more of an element than holds for what a record has there.
    """
    structure = definitions.structure(ref.structure or ref.name)
    if structure is None or structure.is_profile or structure.kind == "logical" or ref.profile:
        return False
    return ref.name not in OPEN_TYPES and not definitions.is_primitive(ref.name)


def type_named(name: str, definitions: Definitions) -> TypeRef | None:
    """The type that `is`, `as` or `ofType` names: `Quantity`, `FHIR.Patient`, `System.String`."""
    if name.startswith("System.") or name in SYSTEM_NAMES:
        short = name.removeprefix("System.")
        known = definitions.type_ref(name) if name == short and short == "Quantity" else None
        # `System.Patient` is nothing's type, yet a name that can be asked for.
        exists = short in SYSTEM_NAMES or definitions.type_ref(short) is not None
        return known or (TypeRef(f"System.{short}", SYSTEM_URL + short) if exists else None)
    return definitions.type_ref(name)


def type_argument(expression: n.FPExpr | n.SortKey) -> str:
    """The dotted name that an argument writes (`FHIR.Quantity`, or `'Quantity'` as legacy maps do); empty where it is
    none.
    """
    if isinstance(expression, n.FPMember):
        head = type_argument(expression.focus) if expression.focus is not None else ""
        return f"{head}.{expression.name}" if head else expression.name if expression.focus is None else ""
    return expression.value if isinstance(expression, n.FPLiteral) and isinstance(expression.value, str) else ""


def is_decided(static: StaticType) -> bool:
    """Do the types say which elements a value has? An abstract type does not."""
    return all(ref.name not in OPEN_TYPES for ref in static.types)
