"""The official mapping cases and the guide's examples as data, and what each comes to here.

Run as a script it prints the table: case, result, reason. Exit code 1 where one fails.

    python tests/conformance/fml_suite.py [FOLDER of the suite]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from fhirmap.compilation.mapset import MapSet, run
from fhirmap.compiler.fhirpath.evaluate import compile_expression
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import FhirmapError
from fhirmap.interchange.formats import read_document, text_of
from fhirmap.interchange.structure_map import read_structure_map, write_structure_map
from fhirmap.language.format import format_map
from fhirmap.language.nodes import Map
from fhirmap.language.parser import parse
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types

R5 = Definitions(base_types("R5"), fhir_version="R5")
Check = Callable[[], str]
"""What is wrong with a case; empty where it passes."""


@dataclass(frozen=True)
class Case:
    """One case of a suite. ``suite``: manifest, extra or examples."""

    suite: str
    name: str
    check: Check


def load(folder: Path) -> Iterator[Case]:
    """All cases below the suite's folder."""
    official = folder / "official"
    for test in ElementTree.parse(official / "r5" / "manifest.xml").getroot().iter("test"):
        name = test.attrib["name"].rpartition("/")[2]
        yield Case("manifest", name, lambda test=test: _manifest(official, dict(test.attrib)))  # type: ignore[misc]
    extra = json.loads((official / "extra-cases.json").read_text(encoding="utf-8"))
    for entry in extra["cases"]:
        yield Case("extra", entry["map"], lambda entry=entry: _extra(official, entry))  # type: ignore[misc]
    examples = folder / "ig-examples"
    for file in json.loads((examples / "cases.json").read_text(encoding="utf-8"))["files"]:
        yield Case("examples", file, lambda file=file: _example(examples / file))  # type: ignore[misc]


def run_case(case: Case) -> str:
    """What is wrong with a case, in one line; empty where it passes."""
    try:
        return case.check()
    except FhirmapError as error:
        return str(error)


# --- the three kinds --------------------------------------------------------------------------------------------------


def _manifest(official: Path, test: dict[str, str]) -> str:
    r5 = official / "r5"
    known = _known(official)
    runnable = known.runnable(r5 / test["map"])
    result = run(runnable, _read(r5 / test["source"], known))
    if result.faults and any(fault.severity == "error" for fault in result.faults):
        return ", ".join(fault.code for fault in result.faults)
    wanted = r5 / test["output"]
    if wanted.suffix == ".xml":
        text = text_of(result.resource or {}, "xml", known.definitions, runnable.target)
        return _xml_differs(ElementTree.fromstring(text.encode()), ElementTree.parse(wanted).getroot())
    found = json.loads(text_of(result.resource or {}, "json", known.definitions, runnable.target))
    expected = json.loads(wanted.read_text(encoding="utf-8-sig"))
    return "" if found == expected else "another value"


def _extra(official: Path, entry: dict[str, Any]) -> str:
    path = official / entry["map"]
    if entry.get("kind", "").startswith("parse"):
        fault = _round_trip(path)
        return fault or _resource_assertions(path, entry.get("resource_assertions", []))
    known = _known(official)
    runnable = known.runnable(path)
    result = run(runnable, _read(official / entry["input"], known))
    if result.resource is None or any(fault.severity == "error" for fault in result.faults):
        return ", ".join(fault.code for fault in result.faults) or "no result"
    for assertion in entry["assertions_fhirpath"]:
        if compile_expression(assertion, result.resource["resourceType"], known.definitions)(result.resource) != [True]:
            return f"not so: {assertion}"
    return "nothing was logged" if entry.get("log_nonempty") and not result.notes else ""


def _example(path: Path) -> str:
    fault = _round_trip(path)
    if fault:
        return fault
    MapSet().runnable(path)
    return ""


def _round_trip(path: Path) -> str:
    """Does the text parse, and give the same tree when it is written and read again, as text and as a resource?"""
    text = path.read_text(encoding="utf-8-sig")
    tree, fault = _parsed(text, path)
    if fault:
        return fault
    again, fault = _parsed(format_map(tree, text), path)
    if fault or again != tree:
        return fault or "another tree when it is written and read again"
    resource = write_structure_map(tree, "R5").resource
    read, reported = read_structure_map(resource, path.name)
    if any(entry.is_error for entry in reported):
        return "its resource cannot be read"
    return "" if write_structure_map(read, "R5").resource == resource else "another resource the second time"


def _parsed(text: str, path: Path) -> tuple[Map, str]:
    tree, diagnostics = parse(text, str(path))
    wrong = [entry for entry in diagnostics if entry.is_error]
    return tree, f"{wrong[0].code} {wrong[0].span.position if wrong[0].span else ''}" if wrong else ""


def _resource_assertions(path: Path, assertions: list[str]) -> str:
    """What is asserted of the map as a resource holds of the text, and of what is written of it."""
    text = path.read_text(encoding="utf-8-sig")
    for written in (text, format_map(_parsed(text, path)[0], text)):
        resource = write_structure_map(_parsed(written, path)[0], "R5").resource
        for assertion in assertions:
            if compile_expression(assertion, "StructureMap", R5)(resource) != [True]:
                return f"not so: {assertion}"
    return ""


# --- pieces -----------------------------------------------------------------------------------------------------------


@cache
def _known(official: Path) -> MapSet:
    return MapSet([official / "cda"])


def _read(path: Path, known: MapSet) -> dict[str, Any]:
    found = read_document(path.read_bytes(), path.name, known.definitions)
    assert not isinstance(found, Diagnostic), found.message
    return found


def _xml_differs(found: ElementTree.Element, wanted: ElementTree.Element) -> str:
    if found.tag != wanted.tag or found.attrib != wanted.attrib:
        return f"another element: {found.tag} for {wanted.tag}"
    if (found.text or "").strip() != (wanted.text or "").strip():
        return f"another text of {wanted.tag}"
    if len(found) != len(wanted):
        return f"{len(found)} children of {wanted.tag}, not {len(wanted)}"
    return next(filter(None, (_xml_differs(*pair) for pair in zip(found, wanted, strict=True))), "")


def main(arguments: list[str]) -> int:
    """Print the table; the exit code."""
    here = Path(__file__).resolve()
    folder = Path(arguments[0]) if arguments else here.parents[3] / "shared" / "fml" / "suite"
    if not folder.is_dir():
        sys.stdout.write(f"no suite at {folder}: name its folder" + "\n")
        return 2
    found = [(case, run_case(case)) for case in load(folder)]
    width = max(len(case.name) for case, _ in found)
    suite = ""
    for case, fault in found:
        if case.suite != suite:
            suite = case.suite
            held = [wrong for entry, wrong in found if entry.suite == suite]
            sys.stdout.write(f"\n{suite}: {held.count('')} of {len(held)}" + "\n")
        sys.stdout.write(f"  {case.name:<{width}}  {'FAIL' if fault else 'pass'}  {fault}".rstrip() + "\n")
    return 1 if any(fault for _, fault in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
