"""Definitions from files, folders and FHIR packages (`.tgz`): the one place of this package that reads what a user
names.

A file that cannot be read is one diagnostic with its name and, where the text is at fault, line and column; the others
go on.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from fhirmap.bounded_files import MOST_DEFINITION_BYTES, open_regular, read_bounded, too_large
from fhirmap.data import JsonValue
from fhirmap.diagnostics import Diagnostic, MapText, Span
from fhirmap.interchange.circular_definitions import take_out_circular
from fhirmap.interchange.definition_files import NOT_RESOURCES, definition_files, is_package
from fhirmap.interchange.formats import read_value
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types
from fhirmap.model.operationdefinition import input_structure, read_operation
from fhirmap.model.structuredefinition import read_structure
from fhirmap.model.terminology import read_code_system, read_concept_map, read_value_set
from fhirmap.texts import FileRefused, Text, os_reason

Json = dict[str, Any]

_MOST_RESOURCES_BYTES = 512_000_000
"""Of the resources that are taken out of one package; those of HL7's largest have some 300 MB."""
_MOST_UNPACKED_BYTES = 4_000_000_000
"""Of all that one package holds, examples and pages included."""
_MOST_MEMBERS = 200_000


def load_definitions(paths: Iterable[Path], *, fhir_version: str = "R4") -> tuple[Definitions, tuple[Diagnostic, ...]]:
    """Definitions over the base types of ``fhir_version``, filled with what the files, folders and packages define."""
    definitions = Definitions(base_types(fhir_version), fhir_version=fhir_version)
    diagnostics: list[Diagnostic] = []
    for path in paths:
        diagnostics += add_path(definitions, path)
    diagnostics += take_out_circular(definitions)
    return definitions, tuple(diagnostics)


def add_path(definitions: Definitions, path: Path) -> list[Diagnostic]:
    """Add what one file, folder or package defines; what could not be read."""
    diagnostics: list[Diagnostic] = []
    try:
        for name, text in _texts(path):
            diagnostics += add_text(definitions, text, name)
    except (OSError, tarfile.TarError, EOFError, zlib.error) as error:
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
    add = _ADDERS.get(str(kind))
    if add is None and kind != "StructureMap":
        return []
    twice = _defined_twice(definitions, resource, source)
    if twice is not None:
        return [twice]
    if add is None:
        definitions.add_structure_map(resource, source.name)
        return []
    try:
        add(definitions, resource)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        missing = str(error.args[0]) if isinstance(error, KeyError) else ""
        variant = "missing" if missing else ""
        args = {"file": source.name, "kind": kind, "missing": missing}
        return [Diagnostic("FM352", Span(source, 0, min(1, len(source.text))), args, variant=variant)]
    return []


def _defined_twice(definitions: Definitions, resource: Json, source: MapText) -> Diagnostic | None:
    """What is wrong where another resource has the same URL and version and says something else."""
    kind, url, version = (str(resource.get(name) or "") for name in ("resourceType", "url", "version"))
    if not url:
        return None
    other = definitions.first_place(kind, f"{url}|{version}".rstrip("|"), _fingerprint(resource), source.name)
    if other is None:
        return None
    args = {"file": source.name, "other": other, "kind": kind, "url": f"{url}|{version}".rstrip("|"), "missing": ""}
    return Diagnostic("FM352", Span(source, 0, min(1, len(source.text))), args, variant="twice")


def _fingerprint(resource: Json) -> bytes:
    """A digest of what a resource says: where it is kept and how it is shown to people is left aside."""
    digest = sha256()

    def feed(value: JsonValue, depth: int) -> None:
        # Piece by piece, so that a large concept map is not written out whole.
        if depth and isinstance(value, dict):
            for name in sorted(value):
                digest.update(name.encode())
                feed(value[name], depth - 1)
        elif depth and isinstance(value, list):
            for entry in value:
                feed(entry, depth - 1)
        else:
            digest.update(repr(value).encode())

    feed({name: entry for name, entry in resource.items() if name not in ("id", "meta", "text")}, 4)
    return digest.digest()


def _add_structure(definitions: Definitions, resource: Json) -> None:
    definitions.add_structure(read_structure(resource, definitions))


def _add_operation(definitions: Definitions, resource: Json) -> None:
    operation = read_operation(resource)
    definitions.add(operation)
    definitions.add_structure(read_structure(input_structure(operation, definitions), definitions))


def _add_concept_map(definitions: Definitions, resource: Json) -> None:
    groups = resource.get("group", ())
    for group in groups:
        rows = group.get("element") if isinstance(group, dict) else None
        if isinstance(rows, list):
            # Hundreds of thousands of rows are not held twice: each is let go once it is read.
            group["element"] = _taken(rows)
    definitions.add(read_concept_map(resource))


def _taken(rows: list[Json]) -> Iterator[Json]:
    rows.reverse()
    while rows:
        yield rows.pop()


_ADDERS: Mapping[str, Callable[[Definitions, Json], None]] = {
    "StructureDefinition": _add_structure,
    "OperationDefinition": _add_operation,
    "ValueSet": lambda definitions, resource: definitions.add(read_value_set(resource)),
    "CodeSystem": lambda definitions, resource: definitions.add(read_code_system(resource)),
    "ConceptMap": _add_concept_map,
}


def _texts(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each JSON or XML file below ``path``, in the order of their names."""
    if is_package(path):
        with open_regular(path) as packed, tarfile.open(fileobj=_Unpacked(packed), mode="r:") as archive:
            taken = 0
            for count, member in enumerate(archive):
                if count >= _MOST_MEMBERS:
                    raise FileRefused(Text("reasons.too_many_members", {"limit": _MOST_MEMBERS}))
                name = member.name.rpartition("/")[2]
                held = archive.extractfile(member) if member.isfile() and name.endswith(".json") else None
                if held is not None and name not in NOT_RESOURCES and "/example" not in member.name:
                    taken += member.size
                    if taken > _MOST_RESOURCES_BYTES:
                        raise too_large(_MOST_RESOURCES_BYTES)
                    yield f"{path}:{member.name}", held.read()
    else:
        for entry in definition_files(path):
            yield str(entry), read_bounded(entry, MOST_DEFINITION_BYTES)


class _Unpacked(gzip.GzipFile):
    """What a `.tgz` holds, unpacked as it is read: no more at once than one resource may have, and no more in all than
    a package may."""

    def __init__(self, packed: BinaryIO) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._unpacked = 0

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= MOST_DEFINITION_BYTES:
            raise too_large(MOST_DEFINITION_BYTES)
        self._unpacked += size
        if self._unpacked > _MOST_UNPACKED_BYTES:
            raise too_large(_MOST_UNPACKED_BYTES)
        return super().read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset > _MOST_UNPACKED_BYTES:
            raise too_large(_MOST_UNPACKED_BYTES)
        return super().seek(offset, whence)
