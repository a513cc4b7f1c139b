"""Definitions from files, folders and FHIR packages (`.tgz`): the one place of this package that reads what a user
names.

A file that cannot be read is one diagnostic with its name and, where the text is at fault, line and column; the others
go on.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fhirmap.diagnostics import Diagnostic, MapText, Span
from fhirmap.interchange.formats import read_value
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types
from fhirmap.model.operationdefinition import input_structure, read_operation
from fhirmap.model.structuredefinition import read_structure
from fhirmap.model.terminology import read_code_system, read_concept_map, read_value_set
from fhirmap.texts import os_reason

Json = dict[str, Any]
_SUFFIXES = (".json", ".xml")
_NOT_RESOURCES = frozenset({"package.json", ".index.json"})


def load_definitions(paths: Iterable[Path], *, fhir_version: str = "R4") -> tuple[Definitions, tuple[Diagnostic, ...]]:
    """Definitions over the base types of ``fhir_version``, filled with what the files, folders and packages define."""
    definitions = Definitions(base_types(fhir_version), fhir_version=fhir_version)
    diagnostics: list[Diagnostic] = []
    for path in paths:
        diagnostics += add_path(definitions, path)
    return definitions, tuple(diagnostics)


def add_path(definitions: Definitions, path: Path) -> list[Diagnostic]:
    """Add what one file, folder or package defines; what could not be read."""
    diagnostics: list[Diagnostic] = []
    try:
        for name, text in _texts(path):
            diagnostics += add_text(definitions, text, name)
    except (OSError, tarfile.TarError, EOFError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else type(error).__name__
        diagnostics.append(Diagnostic("FM350", None, {"file": str(path), "reason": reason}))
    return diagnostics


def add_text(definitions: Definitions, text: bytes | str, name: str) -> list[Diagnostic]:
    """Add the resource, or the Bundle of resources, that one file's text holds."""
    found = read_value(text.encode() if isinstance(text, str) else text, name, definitions)
    if isinstance(found, Diagnostic):
        return [found]
    if not isinstance(found, dict) or "resourceType" not in found:
        return []
    return add_resource(definitions, found, MapText(name, ""))


def add_resource(definitions: Definitions, resource: Json, source: MapText) -> list[Diagnostic]:
    """Add one conformance resource, read from ``source``; other resources are left out without a diagnostic."""
    kind = resource["resourceType"]
    if kind == "Bundle":
        entries = [entry.get("resource") for entry in resource.get("entry", ())]
        found: list[Diagnostic] = []
        for held in entries:
            if isinstance(held, dict) and "resourceType" in held:
                found += add_resource(definitions, held, source)
        return found
    if kind == "StructureMap":
        definitions.add_structure_map(resource, source.name)
        return []
    add = _ADDERS.get(str(kind))
    if add is None:
        return []
    try:
        add(definitions, resource)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        missing = str(error.args[0]) if isinstance(error, KeyError) else ""
        variant = "missing" if missing else ""
        args = {"file": source.name, "kind": kind, "missing": missing}
        return [Diagnostic("FM352", Span(source, 0, min(1, len(source.text))), args, variant=variant)]
    return []


def _add_structure(definitions: Definitions, resource: Json) -> None:
    definitions.add_structure(read_structure(resource, definitions))


def _add_operation(definitions: Definitions, resource: Json) -> None:
    operation = read_operation(resource)
    definitions.add(operation)
    definitions.add_structure(read_structure(input_structure(operation, definitions), definitions))


_ADDERS: Mapping[str, Callable[[Definitions, Json], None]] = {
    "StructureDefinition": _add_structure,
    "OperationDefinition": _add_operation,
    "ValueSet": lambda definitions, resource: definitions.add(read_value_set(resource)),
    "CodeSystem": lambda definitions, resource: definitions.add(read_code_system(resource)),
    "ConceptMap": lambda definitions, resource: definitions.add(read_concept_map(resource)),
}


def _texts(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each JSON or XML file below ``path``, in the order of their names."""
    if path.is_dir():
        for entry in sorted(path.rglob("*")):
            if entry.is_file() and entry.suffix in _SUFFIXES and entry.name not in _NOT_RESOURCES:
                yield str(entry), entry.read_bytes()
    elif path.suffix in (".tgz", ".gz"):
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = member.name.rpartition("/")[2]
                held = archive.extractfile(member) if member.isfile() and name.endswith(".json") else None
                if held is not None and name not in _NOT_RESOURCES and "/example" not in member.name:
                    yield f"{path}:{member.name}", held.read()
    else:
        yield str(path), path.read_bytes()
