"""FHIR's base types, read from shipped tables, one line a type: only the types asked for are parsed.

`tools/fhir_tables.py` of the source tree writes the tables from the field metadata of fhir.resources and says what it
corrects; nothing here imports that library.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fhirmap.fhir_types import PARENTS, PRIMITIVES, system_type
from fhirmap.model.definition import FHIR_URL, SYSTEM_URL, Binding, Element, Structure, StructureSource, TypeRef

VERSIONS: Mapping[str, str] = {"STU3": "3.0", "R4": "4.0", "R4B": "4.3", "R5": "5.0"}
"""FHIR releases with a table, and the number that versioned canonicals (`http://hl7.org/fhir/4.0/…`) write."""
_FHIR = "http://hl7.org/fhir/"


def base_types(version: str = "R4") -> Callable[[str], StructureSource | None]:
    """A finder of base types: by name in ``version``, or in another release by its versioned URL."""

    def find(name: str) -> StructureSource | None:
        if name.startswith(_FHIR):
            release = release_of_url(name)
            short = name.removeprefix(_FHIR).partition("/")[2].removeprefix("StructureDefinition/")
            if release is None or not short or "/" in short:
                return None
            return _load(release, short, f"{_FHIR}{VERSIONS[release]}/StructureDefinition/")
        if name.startswith(SYSTEM_URL):
            return None
        return _load(version, name, FHIR_URL)

    return find


def release_of_url(url: str) -> str | None:
    """The release that a versioned URL names, with `StructureDefinition/` or without: `http://hl7.org/fhir/4.0/…`."""
    if not url.startswith(_FHIR):
        return None
    number = ".".join(url.removeprefix(_FHIR).partition("/")[0].split(".")[:2])
    return next((release for release, known in VERSIONS.items() if known == number), None)


@cache
def type_names(version: str = "R4", kind: str = "") -> tuple[str, ...]:
    """Every type of a release, primitives apart; those of one ``kind`` (resource, complex) where it is given."""
    lines = _table(version).splitlines()
    return tuple(entry[0] for entry in map(json.loads, lines) if not kind or entry[1] == kind)


def releases_with(name: str) -> tuple[str, ...]:
    """The releases that have a type, primitives apart, the oldest first."""
    return tuple(release for release in VERSIONS if name in type_names(release))


@cache
def _table(version: str) -> str:
    """The text of a release's table; each line opens with a line break, so that a type is found by searching for it."""
    source = files("fhirmap").joinpath("tables", f"{version.lower()}.ndjson")
    return source.read_text(encoding="utf-8")


@cache
def _load(version: str, name: str, prefix: str) -> StructureSource | None:
    if name in PRIMITIVES:
        return _primitive(version, name, prefix)
    root, dot, _ = name.partition(".")
    if dot:
        owner = _load(version, root, prefix)
        return owner if owner and owner.children(TypeRef(name)) else None
    table = _table(version)
    opening = f'["{name}",'
    start = 0 if table.startswith(opening) else table.find("\n" + opening) + 1
    if start == 0 and not table.startswith(opening):
        return None
    _, kind, base, abstract, levels = json.loads(table[start : table.index("\n", start)])
    structure = Structure(
        url=prefix + name,
        name=name,
        type=name,
        kind=kind,
        base=prefix + base if base else "",
        root=TypeRef(name, prefix + name),
        abstract=bool(abstract),
        fhir_version=version,
        says_type=kind == "resource",
    )
    views: dict[str, Mapping[str, Element]] = {}

    def children(ref: TypeRef) -> Mapping[str, Element]:
        if ref.name not in views and ref.name in levels:
            views[ref.name] = _elements(ref.name, levels[ref.name], prefix, kind)
        return views.get(ref.name, {})

    return StructureSource(structure, children)


def _elements(owner: str, rows: list[list[Any]], prefix: str, kind: str) -> dict[str, Element]:
    found: dict[str, Element] = {}
    for order, (written, minimum, maximum, types, codes, targets) in enumerate(rows):
        name = written.removesuffix("[x]")
        found[name] = Element(
            name=name,
            path=f"{owner}.{written}",
            types=tuple(_type_ref(entry, prefix, tuple(targets)) for entry in types),
            minimum=minimum,
            maximum=maximum or None,
            is_choice=written != name,
            binding=Binding("required", codes=frozenset(codes)) if codes else None,
            order=order,
            representation=("xmlAttr",) if _is_attribute(owner, name, kind) else (),
        )
    return found


def _is_attribute(owner: str, name: str, kind: str) -> bool:
    """FHIR XML writes an element's `id` and an extension's `url` as attributes; a resource's `id` is an element."""
    return (name == "id" and (kind != "resource" or "." in owner)) or (owner == "Extension" and name == "url")


def _type_ref(name: str, prefix: str, targets: tuple[str, ...]) -> TypeRef:
    holds_targets = name in ("Reference", "canonical", "CodeableReference")
    return TypeRef(name, prefix + name.partition(".")[0], targets=targets if holds_targets else ())


def _primitive(version: str, name: str, prefix: str) -> StructureSource | None:
    if name == "integer64" and version != "R5":
        return None
    parent = PARENTS.get(name, "Element")
    structure = Structure(
        url=prefix + name,
        name=name,
        type=name,
        kind="primitive",
        base=prefix + parent,
        root=TypeRef(name, prefix + name),
        fhir_version=version,
    )
    elements = {
        "id": Element("id", f"{name}.id", (TypeRef("string", prefix + "string"),), representation=("xmlAttr",)),
        "extension": Element(
            "extension", f"{name}.extension", (TypeRef("Extension", prefix + "Extension"),), maximum=None, order=1
        ),
        "value": Element(
            "value",
            f"{name}.value",
            (TypeRef(f"System.{system_type(name)}", SYSTEM_URL + system_type(name)),),
            order=2,
        ),
    }
    return StructureSource(structure, lambda _: elements)
