"""A name means one thing: each class has its own, and each module that shares one is listed with its reason."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "fhirmap"
PATHS = sorted(PACKAGE.rglob("*.py"))
SAME_CONCEPT = {
    "build": "the entry of a step that builds: a module, the validator's part of it",
    "check": "checks of maps, and of the project around them",
    "contract": "the profile of a target, as it is resolved, compiled and opened for a project",
    "dates": "calendar dates, for functions and for transforms",
    "expressions": "FHIRPath expressions read and compiled; the Python ones they become",
    "functions": "what a map can call, as it is called, listed and tried",
    "identity": "identifiers of persons, in functions and in the simulator",
    "lists": "list modes, compiled and at run time",
    "lower": "typed trees to Python: of a map, of its expressions",
    "names": "makes names that are free: of Python, of a model, of columns",
    "nodes": "nodes of trees: of a map, of a resource that is built",
    "operators": "operators: typed, compiled, run, and mistaken for others",
    "patterns": "regular expressions that a map writes, collected and compiled",
    "program": "all maps that belong together, checked and compiled",
    "quantity": "quantities, in FHIRPath and in transforms",
    "reader": "text or resource to a map's tree",
    "reading": "reads rows back: of the journal, of a record",
    "render": "the last step to text: of a module, of a diagnostic",
    "rules": "rules of a group: typed, and mistaken",
    "scope": "names in scope, typed and compiled",
    "shapes": "forms of elements that are handled alike",
    "sources": "sources of a rule, typed and compiled; the test kit of sources of records",
    "targets": "targets of a rule, typed and compiled",
    "text": "text that is written, of a sketch and by transforms",
    "transforms": "transforms: their signatures, and their inference",
    "typed": "what is known of types, of a program and of an expression",
    "values": "values of a rule, typed and compiled",
    "xml_reader": "reads XML: resources, records of a file",
    "writer": "a tree written out: as Python, as a resource",
}
"""Module names that several packages use for one concept, each with that concept."""


def classes() -> dict[str, list[str]]:
    found = defaultdict(list)
    for path in PATHS:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name.lstrip("_")].append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    return found


def modules() -> dict[str, list[str]]:
    """Modules by name; a command is named after what it shows, and so is no second meaning."""
    found = defaultdict(list)
    for path in PATHS:
        inside = path.relative_to(PACKAGE)
        if path.stem not in ("__init__", "__main__"):
            found[path.stem.lstrip("_")].append(inside.as_posix())
    return {name: paths for name, paths in found.items() if len([p for p in paths if not p.startswith("cli/")]) > 1}


def test_a_class_name_has_one_meaning() -> None:
    assert {name: places for name, places in classes().items() if len(places) > 1} == {}


def test_a_module_name_that_is_shared_is_one_concept() -> None:
    shared = modules()
    assert {name: places for name, places in shared.items() if name not in SAME_CONCEPT} == {}


@pytest.mark.parametrize("name", SAME_CONCEPT)
def test_a_shared_name_is_still_shared(name: str) -> None:
    assert name in modules()
