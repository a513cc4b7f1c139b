"""Operations and their poses: a small model whose expressions the tests lower."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any

from fhirmap.analysis.static import StaticType
from fhirmap.language.nodes import FPExpr
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import FHIR_URL, Definitions, Element, Structure, StructureSource, TypeRef
from fhirmap.model.fhir import base_types

OP = TypeRef("Op", "http://example.org/maps#Op")
POSE = TypeRef("Pose", "http://example.org/maps#Pose")
ROWS: dict[TypeRef, dict[str, tuple[TypeRef | str, bool]]] = {
    OP: {
        "id": ("string", False),
        "side": ("code", False),
        "day": ("date", False),
        "count": ("integer", False),
        "weight": ("decimal", False),
        "urgent": ("boolean", False),
        "notes": ("string", True),
        "poses": (POSE, True),
        "first": (POSE, False),
    },
    POSE: {"lot": ("string", False), "rank": ("integer", False), "used": ("boolean", False), "tags": ("string", True)},
}


def _the_view(view: Mapping[str, Element], _ref: TypeRef) -> Mapping[str, Element]:
    return view


def definitions() -> Definitions:
    known = Definitions(base_types("R4"))
    for ref, rows in ROWS.items():
        elements = {
            name: Element(
                name,
                f"{ref.name}.{name}",
                (TypeRef(of, FHIR_URL + of) if isinstance(of, str) else of,),
                maximum=None if repeats else 1,
            )
            for name, (of, repeats) in rows.items()
        }
        structure = Structure(ref.structure, ref.name, ref.name, "logical", "", ref)
        view = MappingProxyType(elements)
        known._structures[ref.structure] = StructureSource(structure, partial(_the_view, view))
    return known


KNOWN = definitions()
FOCUS = StaticType(frozenset((OP,)), "one", True)
RECORDS: list[dict[str, Any]] = [
    {},
    {"id": "7", "side": "D", "day": "2025-03-15", "count": 3, "weight": Decimal("1.50"), "urgent": True},
    {"id": "8", "side": "G", "count": 0, "urgent": False, "notes": ["a", "b"], "first": {"lot": "L1", "rank": 1}},
    {"side": "X", "notes": ["a"], "poses": [{"lot": "L1", "rank": 1, "used": True, "tags": ["t"]}, {"rank": 2}, {}]},
    {"id": "", "poses": [{"lot": "L1", "used": False}], "first": {}},
]


def tree(text: str) -> FPExpr:
    found, diagnostics = parse_expression(text)
    assert found is not None and not diagnostics
    return found
