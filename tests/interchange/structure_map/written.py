"""Maps written as resources, for the tests of each part of the writer and reader."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from fhirmap.interchange.formats import json_text
from fhirmap.interchange.structure_map import (
    FhirVersion,
    WrittenMap,
    structure_map_to_text,
    write_structure_map,
)
from fhirmap.language.parser import parse
from tests.language.corpus import suite_maps

ROOT = Path(__file__).resolve().parents[3]
VERSIONS: tuple[FhirVersion, ...] = ("R4", "R5")
HEAD = "/// url = 'http://example.org/StructureMap/a'\n/// name = 'a'\n"


def written(rules: str, version: FhirVersion = "R5", head: str = "", **options: Any) -> WrittenMap:
    """A map of one group with these rules."""
    text = f"{HEAD}{head}\ngroup main(source src, target tgt) {{\n{rules}\n}}\n"
    tree, reported = parse(text)
    assert not [entry.message for entry in reported]
    return write_structure_map(tree, version, **options)


def rules(text: str, version: FhirVersion = "R5", head: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = written(text, version, head).resource["group"][0]["rule"]
    return found


def targets(text: str, version: FhirVersion = "R5") -> list[dict[str, Any]]:
    (rule,) = rules(f"src.a as v -> {text};", version)
    found: list[dict[str, Any]] = rule["target"]
    return found


def codes(found: WrittenMap) -> list[str]:
    return [entry.code + entry.variant for entry in found.diagnostics]


def through(text: str, version: FhirVersion) -> tuple[str, str]:
    """The text of a map that went through its resource, and the resource as JSON."""
    tree, reported = parse(text)
    assert not [entry.message for entry in reported if entry.is_error]
    resource = json_text(write_structure_map(tree, version).resource)
    back, lost = structure_map_to_text(json.loads(resource, parse_float=Decimal), "map.json")
    assert lost == ()
    return back, resource


def corpus(shared: Path | None) -> list[Path]:
    own = [path for folder in ("maps", "examples", "tests/cases") for path in (ROOT / folder).rglob("*.map")]
    return sorted(own) + (suite_maps(shared) if shared is not None else [])
