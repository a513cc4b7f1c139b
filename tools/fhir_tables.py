"""Writes the tables of base types from the field metadata of fhir.resources: `python tools/fhir_tables.py --write`.

Reading that library takes seconds for all types, so fhirmap reads these tables instead; this file is not in the wheel.
What the library has wrong or cut short is corrected here, fact by fact.
R4, which the library does not have, is written by `tools/r4_tables.py` from its definitions.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, TypeAlias, get_args

FieldType: TypeAlias = Any
"""The annotation of a field of fhir.resources: a class, or a form of `typing` around one."""

_PACKAGES = {"STU3": "fhir.resources.STU3", "R4B": "fhir.resources.R4B", "R5": "fhir.resources"}
_TABLES = Path(__file__).resolve().parent.parent / "fhirmap" / "tables"
_NOT_FHIR = frozenset({"fhir_comments", "resource_type"})
_MACHINERY = ("FHIR", "BaseModel", "ABC", "object")
_OBSERVATION_STATUS = (
    "registered",
    "preliminary",
    "final",
    "amended",
    "corrected",
    "cancelled",
    "entered-in-error",
    "unknown",
)
_TASK_STATUS = (
    "draft",
    "requested",
    "received",
    "accepted",
    "rejected",
    "ready",
    "cancelled",
    "in-progress",
    "on-hold",
    "failed",
    "completed",
    "entered-in-error",
)
_TRANSFORMS = (
    "create",
    "copy",
    "truncate",
    "escape",
    "cast",
    "append",
    "translate",
    "reference",
    "dateOp",
    "uuid",
    "pointer",
    "evaluate",
    "cc",
    "c",
    "qty",
    "id",
    "cp",
)
_REPORT_STATUS = (
    "registered",
    "partial",
    "preliminary",
    "final",
    "amended",
    "corrected",
    "appended",
    "cancelled",
    "entered-in-error",
    "unknown",
)
_ENCOUNTER_STATUS = (
    "planned",
    "arrived",
    "triaged",
    "in-progress",
    "onleave",
    "finished",
    "cancelled",
    "entered-in-error",
    "unknown",
)
_MOMENTS = (
    *("MORN", "MORN.early", "MORN.late", "NOON", "AFT", "AFT.early", "AFT.late", "EVE", "EVE.early", "EVE.late"),
    *("NIGHT", "PHS", "HS", "WAKE", "C", "CM", "CD", "CV", "AC", "ACM", "ACD", "ACV", "PC", "PCM", "PCD", "PCV"),
)
_ITEM_TYPES = (
    "group",
    "display",
    "boolean",
    "decimal",
    "integer",
    "date",
    "dateTime",
    "time",
    "string",
    "text",
    "url",
    "attachment",
    "reference",
    "quantity",
)
_REQUEST_STATUS = ("draft", "active", "suspended", "cancelled", "completed", "entered-in-error", "unknown")
_INTENTS = (
    *("proposal", "plan", "directive", "order", "original-order", "reflex-order", "filler-order", "instance-order"),
    "option",
)
_ENTRY_TYPES = ("barcode", "rfid", "manual", "card", "self-reported", "unknown")
_ISSUE_TYPES = (
    "invalid",
    "structure",
    "required",
    "value",
    "invariant",
    "security",
    "login",
    "unknown",
    "expired",
    "forbidden",
    "suppressed",
    "processing",
    "not-supported",
    "duplicate",
    "multiple-matches",
    "not-found",
    "deleted",
    "too-long",
    "code-invalid",
    "extension",
    "too-costly",
    "business-rule",
    "conflict",
    "transient",
    "lock-error",
    "no-store",
    "exception",
    "timeout",
    "incomplete",
    "throttled",
    "informational",
)
_COMPARED = frozenset(f"{name}.comparator" for name in ("Quantity", "Age", "Count", "Distance", "Duration"))
_COMPARATORS = {"R4": ("<", "<=", ">=", ">"), "R5": ("<", "<=", ">=", ">", "ad")}

_ANY = frozenset(("CapabilityStatement.format",))
"""Elements for which the library lists examples: any media type is allowed."""

_CODES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "R4": {
        "AuditEvent.action": ("C", "R", "U", "D", "E"),
        "AuditEvent.agent.network.type": ("1", "2", "3", "4", "5"),
        "AuditEvent.outcome": ("0", "4", "8", "12"),
        "DetectedIssue.status": _OBSERVATION_STATUS,
        "Device.udiCarrier.entryType": _ENTRY_TYPES,
        "DeviceUseStatement.status": (
            "active",
            "completed",
            "entered-in-error",
            "intended",
            "stopped",
            "on-hold",
        ),
        "DiagnosticReport.status": _REPORT_STATUS,
        "Encounter.status": _ENCOUNTER_STATUS,
        "Encounter.statusHistory.status": _ENCOUNTER_STATUS,
        "Observation.status": _OBSERVATION_STATUS,
        "OperationOutcome.issue.code": _ISSUE_TYPES,
        "Questionnaire.item.type": (*_ITEM_TYPES, "choice", "open-choice"),
        "RiskAssessment.status": _OBSERVATION_STATUS,
        "StructureMap.group.rule.target.transform": _TRANSFORMS,
        "SupplyRequest.status": _REQUEST_STATUS,
        "Task.status": _TASK_STATUS,
        "Timing.repeat.when": _MOMENTS,
    },
    "R5": {
        "AuditEvent.action": ("C", "R", "U", "D", "E"),
        "Device.udiCarrier.entryType": (*_ENTRY_TYPES, "electronic-transmission"),
        "DiagnosticReport.status": (*_REPORT_STATUS, "modified"),
        "Observation.status": _OBSERVATION_STATUS,
        "OperationOutcome.issue.code": (*_ISSUE_TYPES, "limited-filter", "success"),
        "Questionnaire.item.type": (*_ITEM_TYPES, "question", "coding"),
        "RiskAssessment.status": _OBSERVATION_STATUS,
        "ServiceRequest.intent": _INTENTS,
        "StructureMap.group.rule.target.transform": _TRANSFORMS,
        "SupplyRequest.status": _REQUEST_STATUS,
        "Task.status": _TASK_STATUS,
        "Timing.repeat.when": (*_MOMENTS, "IMD"),
    },
}
"""Lists that fhir.resources cuts short with a `+` or does not give."""


_INTENTS_OF_STU3 = tuple(intent for intent in _INTENTS if intent != "directive")
_CONTRACT_STATUS = (
    *("amended", "appended", "cancelled", "disputed", "entered-in-error", "executable", "executed", "negotiable"),
    *("offered", "policy", "rejected", "renewed", "revoked", "resolved", "terminated"),
)
_PRINCIPLES = (
    *("other", "chemical", "electrical", "impedance", "nuclear", "optical", "thermal", "biological", "mechanical"),
    *("acoustical", "manual"),
)
_MENDED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "STU3": {
        "AppointmentResponse.participantStatus": ("accepted", "declined", "tentative", "needs-action"),
        "Communication.status": (
            *("preparation", "in-progress", "suspended", "aborted", "completed", "entered-in-error", "unknown"),
        ),
        "Device.udi.entryType": _ENTRY_TYPES,
        "DeviceComponent.measurementPrinciple": _PRINCIPLES,
        "DeviceRequest.status": _REQUEST_STATUS,
        "DocumentReference.docStatus": ("preliminary", "final", "amended", "entered-in-error"),
        "ProcedureRequest.intent": _INTENTS_OF_STU3,
        "ProcedureRequest.status": _REQUEST_STATUS,
        "ReferralRequest.intent": _INTENTS_OF_STU3,
        "RequestGroup.intent": _INTENTS_OF_STU3,
        "Sequence.type": (),
        "Task.intent": _INTENTS_OF_STU3,
        "Task.priority": ("routine", "urgent", "asap", "stat"),
    },
    "R4B": {"SubscriptionStatus.status": ("requested", "active", "error", "off")},
    "R5": {
        "Bundle.entry.search.mode": ("match", "include", "outcome"),
        "Contract.contentDefinition.publicationStatus": _CONTRACT_STATUS,
        "Contract.status": _CONTRACT_STATUS,
        "DeviceUsage.status": (
            *("active", "completed", "not-done", "entered-in-error", "intended", "stopped", "on-hold"),
        ),
        "ElementDefinition.slicing.discriminator.type": (
            *("value", "exists", "pattern", "type", "profile", "position"),
        ),
        "Endpoint.status": ("active", "suspended", "error", "off", "entered-in-error"),
    },
}
"""Lists of required bindings that fhir.resources has otherwise than the release's definitions; empty: no list."""


def write_table(version: str) -> str:
    """The table of one release: a line of JSON for each type, in alphabetical order."""
    lines = []
    for cls in sorted(_classes(version), key=lambda entry: str(entry.__name__)):
        kind, base = _kind_and_base(cls)
        levels: dict[str, list[list[Any]]] = {}
        _write_level(cls, cls.__name__, version, levels, {})
        abstract = int(cls.__name__ in ("Resource", "DomainResource", "Element", "BackboneElement", "Base", "DataType"))
        lines.append(json.dumps([cls.__name__, kind, base, abstract, levels], separators=(",", ":"), ensure_ascii=True))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write every table, or report which are out of date."""
    parser = argparse.ArgumentParser(prog="python tools/fhir_tables.py", description=main.__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables (else: compare)")
    wanted = parser.parse_args()
    stale = []
    for version in _PACKAGES:
        path = _TABLES / f"{version.lower()}.ndjson"
        text = write_table(version)
        if wanted.write:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    if stale:
        raise SystemExit(f"out of date: {', '.join(stale)}; run `python tools/fhir_tables.py --write`")


def _classes(version: str) -> Iterator[type[Any]]:
    """The model classes that are types of their own: not backbones, not the library's machinery."""
    package = import_module(_PACKAGES[version])
    for module_info in iter_modules(package.__path__):
        if module_info.ispkg or module_info.name in ("fhirtypes", "fhirresourcemodel", "fhirtypesvalidators"):
            continue
        module = import_module(f"{package.__name__}.{module_info.name}")
        for name, cls in vars(module).items():
            own = isinstance(cls, type) and cls.__module__ == module.__name__ and hasattr(cls, "model_fields")
            if own and name.lower() == module_info.name and not name.startswith("FHIR"):
                yield cls


def _kind_and_base(cls: type[Any]) -> tuple[str, str]:
    ancestors = [entry.__name__ for entry in cls.__mro__]
    kind = "resource" if "Resource" in ancestors else "complex"
    parent = next((name for name in ancestors[1:] if not name.startswith(_MACHINERY)), "")
    return kind, parent


def _write_level(
    cls: type[Any], path: str, version: str, levels: dict[str, list[list[Any]]], paths: dict[type[Any], str]
) -> None:
    """Rows of ``cls`` under ``path`` and of its backbones, as deep as they go; one met before keeps its first path."""
    paths[cls] = path
    rows: list[list[Any]] = []
    levels[path] = rows
    by_alias = {field.alias or name: field for name, field in cls.model_fields.items() if name not in _NOT_FHIR}
    choices: dict[str, list[Any]] = {}
    for alias in _in_order(cls, by_alias):
        field = by_alias[alias]
        extra = field.json_schema_extra or {}
        type_name, backbone, repeats = _type_of(field.annotation, cls)
        stem = extra.get("one_of_many")
        if stem:
            row = choices.get(stem)
            if row is None:
                row = choices[stem] = [f"{stem}[x]", int(bool(extra.get("one_of_many_required"))), 1, [], 0, []]
                rows.append(row)
            row[3].append(type_name)
            row[5] = sorted({*row[5], *extra.get("enum_reference_types", ())})
            continue
        if backbone is not None:
            if backbone not in paths:
                _write_level(backbone, f"{path}.{alias}", version, levels, paths)
            type_name = paths[backbone]
        minimum = int(bool(extra.get("element_required")) or field.is_required())
        codes = _codes(version, f"{path}.{alias}", extra.get("enum_values"), type_name)
        targets = sorted(set(extra.get("enum_reference_types", ())))
        rows.append([alias, minimum, 0 if repeats else 1, [type_name], codes, targets])
    for row in choices.values():
        _whole_choice(row[3])


def _whole_choice(types: list[str]) -> None:
    """Add Meta to a choice of any type, where the library forgets it (R4B's Extension and ElementDefinition)."""
    if "Dosage" in types and "UsageContext" in types and "Meta" not in types:
        types.append("Meta")


def _in_order(cls: type[Any], by_alias: Mapping[str, Any]) -> list[str]:
    """JSON names in the specification's order, siblings of primitives left out."""
    sequence = list(cls.elements_sequence()) if hasattr(cls, "elements_sequence") else []
    known = [name for name in sequence if name in by_alias]
    return known + [name for name in by_alias if name not in known and not name.startswith("_")]


def _type_of(annotation: FieldType, owner: type[Any]) -> tuple[str, type[Any] | None, bool]:
    """FHIR type name, the backbone class where it is one, and whether it repeats."""
    repeats = False
    while True:
        name = getattr(annotation, "__name__", "")
        if hasattr(annotation, "_model_klass"):
            return _complex_type(annotation, owner, repeats)
        if hasattr(annotation, "__metadata__"):
            return _primitive_type(annotation.__metadata__[-1]), None, repeats
        arguments = [entry for entry in get_args(annotation) if entry is not type(None)]
        if getattr(annotation, "__origin__", None) is list:
            repeats = True
        if not arguments:
            return _primitive_type(name), None, repeats
        annotation = arguments[0]


def _complex_type(annotation: FieldType, owner: type[Any], repeats: bool) -> tuple[str, type[Any] | None, bool]:
    module_name, _, class_name = str(annotation._model_klass).rpartition(".")
    cls = getattr(import_module(module_name), class_name)
    is_own = class_name.lower() == module_name.rpartition(".")[2]
    if is_own or cls.__module__ != owner.__module__:
        return class_name, None, repeats
    return class_name, cls, repeats


def _primitive_type(marker: object) -> str:
    name = marker if isinstance(marker, str) else type(marker).__name__
    return {"bool": "boolean", "int": "integer", "str": "string", "UuidVersion": "uuid"}.get(
        name, name[:1].lower() + name[1:]
    )


def _codes(version: str, path: str, listed: list[str] | None, type_name: str) -> list[str] | int:
    """Allowed codes of a code element, whole; 0 where they are not known."""
    if type_name != "code":
        return 0
    release = "R5" if version == "R5" else "R4"
    if path in _ANY:
        return 0
    if path in _MENDED[version]:
        return list(_MENDED[version][path]) or 0
    if path in _COMPARED:
        return list(_COMPARATORS[release])
    if listed and "etc." in listed:
        # Examples of an extensible binding, not a list.
        return 0
    if not listed or any(not code.strip() or "+" in code for code in listed):
        return list(_CODES[release].get(path, ())) or 0
    return listed


if __name__ == "__main__":
    main()
