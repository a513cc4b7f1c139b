"""The same views for a `model` block of a map, and the logical StructureDefinition that says it to other engines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fhirmap.fhir_types import PRIMITIVES
from fhirmap.language.nodes import Model, ModelElement
from fhirmap.model.definition import FHIR_URL, Definitions, Element, Structure, StructureSource, TypeRef

MODEL_URL = "urn:fhirmap:model:"
"""Where a model lives when its map has no URL to put it under."""


def model_url(model: Model, base: str = MODEL_URL) -> str:
    """Canonical URL of a model: ``base`` is the map's `…/StructureDefinition/`, or ours."""
    return base + model.name


def model_ref(name: str, base: str = MODEL_URL) -> TypeRef:
    """The type that a model's element or a group's parameter names: a FHIR primitive or a model."""
    return TypeRef(name, FHIR_URL + name if name in PRIMITIVES else base + name)


def model_structure(model: Model, base: str = MODEL_URL) -> StructureSource:
    """The views of one model."""
    url = model_url(model, base)
    structure = Structure(
        url=url,
        name=model.name,
        type=model.name,
        kind="logical",
        base=FHIR_URL + "Element",
        root=TypeRef(model.name, url),
    )
    elements = {
        element.name: _element(model.name, element, order, base) for order, element in enumerate(model.elements)
    }
    return StructureSource(structure, lambda _: elements)


def add_models(definitions: Definitions, models: Iterable[Model], base: str = MODEL_URL) -> None:
    """Make the models of a map known by their names."""
    for model in models:
        definitions.add_structure(model_structure(model, base))


_RELEASES = {"R4": "4.0.1", "R4B": "4.3.0", "R5": "5.0.0"}


def model_to_structure_definition(model: Model, base: str, fhir_version: str = "R4") -> dict[str, Any]:
    """A model as a logical StructureDefinition resource, the same in all releases but for their number."""
    elements: list[Mapping[str, Any]] = [
        {"id": model.name, "path": model.name, "short": model.name, "min": 0, "max": "*"}
    ]
    for element in model.elements:
        path = f"{model.name}.{element.name}"
        code = element.type if element.type in PRIMITIVES else base + element.type
        elements.append(
            {
                "id": path,
                "path": path,
                "min": element.minimum,
                "max": "*" if element.maximum is None else str(element.maximum),
                "type": [{"code": code}],
            }
        )
    return {
        "resourceType": "StructureDefinition",
        "id": re.sub(r"[^A-Za-z0-9.-]", "-", model.name)[:64],
        "url": model_url(model, base),
        "name": model.name,
        "status": "draft",
        "fhirVersion": _RELEASES[fhir_version],
        "kind": "logical",
        "abstract": False,
        "type": model_url(model, base),
        "baseDefinition": FHIR_URL + "Element",
        "derivation": "specialization",
        "differential": {"element": elements},
    }


def _element(owner: str, element: ModelElement, order: int, base: str) -> Element:
    return Element(
        name=element.name,
        path=f"{owner}.{element.name}",
        types=(model_ref(element.type, base),),
        minimum=element.minimum,
        maximum=element.maximum,
        order=order,
    )
