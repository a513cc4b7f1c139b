"""Sets of maps that import one another by wildcard: `python -m benchmarks.wildcard_maps`.

The shape of the public maps between two releases of FHIR: a map for each type, with a default group for its pair of
types, a group for each of its backbones, and one import, a wildcard, that takes in all of the set. Contained resources
make every default group reachable from every resource. Checking one of them, and checking and compiling all of them one
by one against one loaded set, may cost what the set is long, and no more.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figures import Figure, code_of
from fhirmap.compilation.mapset import MapSet
from fhirmap.compilation.program import check_maps
from fhirmap.fhir_types import PRIMITIVES
from fhirmap.model.definition import Element, Structure, TypeRef
from fhirmap.model.fhir import base_types, type_names

FEW, MANY = 40, 160
BOUND_RATIO = 6.0
"""What four times the files may cost, in times of the few: four, and a margin for caches that are too small; and what
all maps one by one may cost, in times of one of them, which leads to all the others."""

URL = "https://benchmark.example/StructureMap"
CODES = "https://benchmark.example/ConceptMap"
_BASES = ("Element", "BackboneElement", "Extension", "Resource", "DomainResource")
_FROM, _TO = base_types("R4"), base_types("R5")


def write_set(folder: Path, size: int) -> list[Path]:
    """Write a set of ``size`` maps, and its concept maps, into ``folder``; the maps' files."""
    tables: set[str] = set()
    files = []
    for name in _names(size):
        file = folder / f"{name}.fml"
        file.write_text(_primitives() if name == "Primitives" else _map(name, tables), encoding="utf-8")
        files.append(file)
    (folder / "codes").mkdir()
    for table in sorted(tables):
        (folder / "codes" / f"{table}.json").write_text(json.dumps(_concept_map(table)), encoding="utf-8")
    return files


def figures() -> list[Figure]:
    """Measure, print: the time is not to grow faster than the set."""
    cost: dict[str, list[float]] = {"one map": [], "all, one by one": []}
    for size in (FEW, MANY):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            files = write_set(folder, size)
            patient = next(file for file in files if file.stem == "Patient")
            started = time.process_time()
            check_maps(patient, imports=[folder], definitions=[folder])
            cost["one map"].append(time.process_time() - started)
            started = time.process_time()
            known = MapSet([folder])
            for file in files:
                assert known.runnable(f"{URL}/{file.stem}4to5").transformer
            cost["all, one by one"].append(time.process_time() - started)
        for title, seconds in cost.items():
            sys.stdout.write(f"{size:4} files, {title:15} {seconds[-1]:7.2f} s, {seconds[-1] / size:.4f} s a file\n")
    few, many = cost["one map"]
    times, every = MANY / FEW, cost["all, one by one"][1]
    return [
        Figure(f"one map of {times:g} times the files", many, "s", times, BOUND_RATIO, few, f"{FEW} files"),
        Figure(f"{MANY} maps of a set", every, "s", times, BOUND_RATIO, many, "one of them"),
    ]


def _names(size: int) -> list[str]:
    """Types of both releases: what everything is built of, and data types and resources by turns."""
    both = [name for name in type_names("R4") if name in type_names("R5") and name not in _BASES]
    resources = set(type_names("R4", "resource"))
    types = [name for name in both if name not in resources]
    first = [*_BASES, "Primitives", "Patient", "Bundle"]
    others = [name for name in (*types, *(name for name in both if name in resources)) if name not in first]
    step = max(1, len(others) // max(1, size - len(first)))
    return [*first, *[*others[::step], *(name for name in others if name not in others[::step])]][:size]


def _map(name: str, tables: set[str]) -> str:
    structure, target = _structure(name, _FROM), _structure(name, _TO)
    lines = [*_header(name), *_uses(name), "", f'imports "{URL}/*4to5"', ""]
    base = structure.base.rpartition("/")[2]
    extends = f" extends {base if base in _BASES else 'Element'}" if base else ""
    lines.append(f"group {name}(source src : {name}R4, target tgt : {name}R5){extends} <<type+>> {{")
    pending = [(structure.root, target.root)]
    lines += [*_rules(*pending[0], pending, tables, inherited=_inherited(base)), "}", ""]
    for source_ref, target_ref in iter(lambda: pending.pop(1) if len(pending) > 1 else None, None):
        base = "BackboneElement" if "modifierExtension" in _children(source_ref, _FROM) else "Element"
        lines.append(f"group {_group(source_ref)}(source src, target tgt) extends {base} {{")
        lines += [*_rules(source_ref, target_ref, pending, tables, inherited=_inherited(base)), "}", ""]
    return "\n".join(lines)


def _rules(
    source: TypeRef, target: TypeRef, pending: list[tuple[TypeRef, TypeRef]], tables: set[str], *, inherited: set[str]
) -> Iterator[str]:
    kept = _children(target, _TO)
    for name, element in _children(source, _FROM).items():
        other = kept.get(name)
        if name in inherited or other is None:
            continue
        if "." in element.types[0].name:
            if element.types[0].name != source.name and "." in other.types[0].name:
                pair = (element.types[0], other.types[0])
                if pair not in pending and element.types[0].name.startswith(source.name):
                    pending.append(pair)
                yield f"  src.{name} as s -> tgt.{name} as t then {_group(element.types[0])}(s, t);"
        elif element.is_choice:
            names = {ref.name for ref in other.types}
            for ref in element.types:
                if ref.name in names or "*" in names:
                    yield f'  src.{name} : {ref.name} -> tgt.{name} "{element.json_name(ref.name)}";'
        elif element.types[0].name == "Resource":
            yield f"  src.{name} -> tgt.{name};"
        elif element.binding is not None and element.types[0].name == "code" and other.types[0].name == "code":
            table = f"{element.path}-4to5"
            tables.add(table)
            yield f"  src.{name} as v -> tgt.{name} = translate(v, '{CODES}/{table}', 'code');"
        elif other.types[0].name == element.types[0].name:
            yield f"  src.{name} -> tgt.{name};"


def _primitives() -> str:
    kinds = sorted(name for name in PRIMITIVES if _TO(name) and _FROM(name))
    lines = [*_header("Primitives"), *(line for name in kinds for line in _uses(name)), ""]
    lines += [f'imports "{URL}/Element4to5"', ""]
    for name in kinds:
        lines.append(f"group {name}(source src : {name}R4, target tgt : {name}R5) extends Element <<type+>> {{")
        lines += [f'  src.value as v -> tgt.value = v "{name}Value";', "}", ""]
    return "\n".join(lines)


def _header(name: str) -> list[str]:
    return [f'/// url = "{URL}/{name}4to5"', f'/// name = "{name}4to5"', '/// status = "active"', ""]


def _uses(name: str) -> list[str]:
    return [
        f'uses "http://hl7.org/fhir/4.0/StructureDefinition/{name}" alias {name}R4 as source',
        f'uses "http://hl7.org/fhir/5.0/StructureDefinition/{name}" alias {name}R5 as target',
    ]


def _concept_map(name: str) -> dict[str, object]:
    owner, _, element = name.removesuffix("-4to5").rpartition(".")
    binding = _children(TypeRef(owner), _FROM)[element].binding
    codes: Sequence[str] = sorted(binding.codes or ()) if binding is not None else ()
    elements = [{"code": code, "target": [{"code": code, "relationship": "equivalent"}]} for code in codes]
    return {
        "resourceType": "ConceptMap",
        "url": f"{CODES}/{name}",
        "status": "active",
        "group": [{"source": f"urn:r4:{owner}", "target": f"urn:r5:{owner}", "element": elements}],
    }


def _structure(name: str, finder: object) -> Structure:
    found = _FROM(name) if finder is _FROM else _TO(name)
    assert found is not None, name
    return found.structure


def _children(ref: TypeRef, finder: object) -> dict[str, Element]:
    found = _FROM(ref.name) if finder is _FROM else _TO(ref.name)
    return dict(found.children(ref)) if found is not None else {}


def _inherited(base: str) -> set[str]:
    return set(_children(TypeRef(base), _FROM)) if base in _BASES else set(_children(TypeRef("Element"), _FROM))


def _group(ref: TypeRef) -> str:
    return "".join(part[:1].upper() + part[1:] for part in ref.name.split("."))


if __name__ == "__main__":
    raise SystemExit(code_of(figures()))
