"""What analysis knows of FML's own transforms: how many parameters each takes, and the type of what it gives.

Spec: FML, transforms; `docs/reference/language.md` lists those that differ between versions.
"""

from __future__ import annotations

from fhirmap.analysis.expression_types import value_ref
from fhirmap.analysis.hints import number_of
from fhirmap.analysis.static import Cardinality, StaticType, fhir_type, primitive
from fhirmap.analysis.typed import Transform
from fhirmap.fhir_types import Family, family
from fhirmap.signatures import FunctionSignature
from fhirmap.texts import Text

TRANSFORMS: dict[str, tuple[int, int | None, str]] = {
    "create": (0, 1, ""),
    "copy": (1, 1, ""),
    "truncate": (2, 2, "string"),
    "escape": (2, 3, "string"),
    "cast": (1, 2, ""),
    "append": (1, None, "string"),
    "translate": (2, 3, "code"),
    "reference": (1, 1, "string"),
    "pointer": (1, 1, "uri"),
    "uuid": (0, 0, "id"),
    "evaluate": (1, 2, ""),
    "cc": (1, 3, "CodeableConcept"),
    "c": (2, 3, "Coding"),
    "qty": (1, 4, "Quantity"),
    "id": (2, 3, "Identifier"),
    "cp": (1, 2, "ContactPoint"),
    "toDateTime": (1, 3, "dateTime"),
    "toDate": (1, 3, "date"),
    "toTime": (1, 3, "time"),
    "unixToDateTime": (1, 2, "dateTime"),
    "unixToDate": (1, 2, "date"),
    "unixToTime": (1, 2, "time"),
}
"""Name -> least and greatest number of parameters, and the type of the result where it is always the same."""

_COMPLEX = frozenset(("CodeableConcept", "Coding", "Quantity", "Identifier", "ContactPoint"))
_OUTPUTS = {
    "code": "code",
    "system": "uri",
    "display": "string",
    "Coding": "Coding",
    "CodeableConcept": "CodeableConcept",
}


def arity_fault(name: str, given: int, function: FunctionSignature | None = None) -> Text | None:
    """The number of parameters ``name`` takes, as text, where ``given`` is not such a number; else None."""
    if function is not None:
        least = sum(parameter.required for parameter in function.parameters)
        most: int | None = len(function.parameters)
    else:
        least, most, _ = TRANSFORMS[name]
    if least <= given and (most is None or given <= most):
        return None
    return number_of(least, most)


def result_of(transform: Transform) -> StaticType:
    """The static type of what a transform gives."""
    if transform.function is not None:
        result = transform.function.result
        cardinality: Cardinality = "many" if result.repeats else "optional"
        ref = value_ref(result, transform.function.name)
        is_text = family(ref.name) is Family.TEXT
        return StaticType(frozenset((ref,)), cardinality, plain=True, may_be_empty=is_text)
    name = TRANSFORMS[transform.name][2]
    if transform.name == "translate":
        literal = transform.arguments[2].literal if len(transform.arguments) > 2 else None
        wanted = literal.value if literal is not None else "code"
        name = _OUTPUTS.get(str(wanted), "code")
    always = transform.name in ("uuid", "append")
    cardinality = "one" if always else "optional"
    return fhir_type(name, cardinality) if name in _COMPLEX else primitive(name, cardinality)
