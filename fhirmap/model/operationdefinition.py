"""An OperationDefinition as a value, and its input as a profile of Parameters: a slice for each parameter, by its
name.

So one walk serves both: a rule that fills `parameter` is checked against the slice, and the validator applies operation
and profile over each other. A parameter that the operation does not name is no fault of its own: slicing stays open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fhirmap.model.definition import FHIR_URL, Binding, Definitions, Operation, OperationParameter

Json = Mapping[str, Any]
_ANY_VALUE = frozenset({"Element", "Type", "DataType", "BackboneElement", "*"})
_ANY_RESOURCE = frozenset({"Any", "Resource", "DomainResource", "CanonicalResource"})
_BY_NAME = {"discriminator": [{"type": "value", "path": "name"}], "rules": "open"}


def read_operation(resource: Json) -> Operation:
    """The operation a resource defines."""
    return Operation(
        url=str(resource["url"]),
        name=str(resource.get("name", "")),
        code=str(resource.get("code", "")),
        parameters=tuple(_read_parameter(entry) for entry in resource.get("parameter", ())),
        system=bool(resource.get("system")),
        type=bool(resource.get("type")),
        instance=bool(resource.get("instance")),
        resources=tuple(resource.get("resource", ())),
        affects_state=bool(resource.get("affectsState")),
        input_profile=str(resource.get("inputProfile", "")),
        output_profile=str(resource.get("outputProfile", "")),
    )


def input_structure(operation: Operation, definitions: Definitions) -> dict[str, Any]:
    """A StructureDefinition over Parameters that says what the operation takes, under the operation's own URL."""
    elements: list[dict[str, Any]] = [{"id": "Parameters", "path": "Parameters"}]
    taken = [entry for entry in operation.parameters if entry.use == "in"]
    elements += _level("Parameters.parameter", taken, definitions)
    return {
        "resourceType": "StructureDefinition",
        "url": operation.url,
        "name": operation.name,
        "kind": "resource",
        "type": "Parameters",
        "baseDefinition": FHIR_URL + "Parameters",
        "derivation": "constraint",
        "differential": {"element": elements},
    }


def _level(key: str, parameters: Iterable[OperationParameter], definitions: Definitions) -> list[dict[str, Any]]:
    elements: list[dict[str, Any]] = [{"id": key, "path": key, "slicing": _BY_NAME}]
    for parameter in parameters:
        slice_key = f"{key}:{parameter.name}"
        elements += [
            {
                "id": slice_key,
                "sliceName": parameter.name,
                "min": parameter.minimum,
                "max": "*" if parameter.maximum is None else str(parameter.maximum),
            },
            {"id": f"{slice_key}.name", "fixedString": parameter.name},
            *_content(slice_key, parameter, definitions),
        ]
    return [{"path": entry["id"], **entry} for entry in elements]


def _content(key: str, parameter: OperationParameter, definitions: Definitions) -> list[dict[str, Any]]:
    """What a parameter holds: parts, a resource, or a value of one type."""
    if parameter.parts:
        below = _level(f"{key}.part", parameter.parts, definitions)
        return [*_absent(key, "value[x]", "resource"), below[0] | {"min": _needed(parameter.parts)}, *below[1:]]
    if not parameter.type or parameter.type in _ANY_VALUE:
        return []
    structure = definitions.structure(parameter.type)
    is_resource = parameter.type in _ANY_RESOURCE or (structure is not None and structure.kind == "resource")
    if is_resource:
        held: dict[str, Any] = {"id": f"{key}.resource", "min": 1}
        if parameter.type not in _ANY_RESOURCE:
            held["type"] = [{"code": parameter.type}]
        return [held, *_absent(key, "value[x]", "part")]
    kind = {"code": parameter.type, "targetProfile": list(parameter.target_profiles)}
    value: dict[str, Any] = {"id": f"{key}.value[x]", "min": 1, "type": [kind]}
    if parameter.binding and parameter.binding.value_set:
        value["binding"] = {"strength": parameter.binding.strength, "valueSet": parameter.binding.value_set}
    return [value, *_absent(key, "resource", "part")]


def _absent(key: str, *names: str) -> list[dict[str, Any]]:
    return [{"id": f"{key}.{name}", "max": "0"} for name in names]


def _needed(parts: Iterable[OperationParameter]) -> int:
    return sum(part.minimum for part in parts)


def _read_parameter(entry: Json) -> OperationParameter:
    binding = entry.get("binding")
    maximum = str(entry.get("max", "1"))
    return OperationParameter(
        name=str(entry["name"]),
        use=str(entry.get("use", "in")),
        minimum=int(entry.get("min", 0)),
        maximum=None if maximum == "*" else int(maximum),
        type=str(entry.get("type", "")),
        binding=Binding(str(binding.get("strength", "")), str(binding.get("valueSet", ""))) if binding else None,
        parts=tuple(_read_parameter(part) for part in entry.get("part", ())),
        target_profiles=tuple(entry.get("targetProfile", ())),
    )
