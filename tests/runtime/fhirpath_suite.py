"""The official FHIRPath suites as data, and what each case comes to here. Run as a script it prints the table.

A case runs in two forms: over wrapped items (generic), and over the plain resource, where the compiler may write plain
Python. Both must give what the suite says.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from fhirmap.analysis.expression import infer_expression
from fhirmap.analysis.static import StaticType
from fhirmap.compiler.fhirpath import ExprScope, compile_items
from fhirmap.compiler.fhirpath.tables import ElementsRead, table_code
from fhirmap.errors import FhirmapError
from fhirmap.interchange.xml_reader import read_xml
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types
from fhirmap.runtime import fhirpath as fp

FORMS = ("generic", "plain")
_MEANT_BY = {("string", "String"), ("code", "String"), ("id", "String"), ("dateTime", "Date")}


@dataclass(frozen=True)
class Case:
    """One test of a suite. ``invalid``: the stage at which it must fail; ``outputs``: (type, text) pairs."""

    release: str
    group: str
    name: str
    expression: str
    input: str
    invalid: str
    outputs: tuple[tuple[str, str], ...]
    predicate: bool
    mode: str
    ordered: bool
    skip_static: bool

    @property
    def key(self) -> str:
        return f"{self.release}/{self.name}"


def load(folder: Path) -> Iterator[Case]:
    """Cases of `r4` or `r5`; a name that comes twice is numbered."""
    release = folder.name
    text = (folder / f"tests-fhir-{release}.xml").read_text(encoding="utf-8")
    root = ElementTree.fromstring(re.sub(r'\sxmlns="[^"]*"', "", text, count=1))
    seen: dict[str, int] = {}
    for group in root.iter("group"):
        for test in group.iter("test"):
            expression = test.find("expression")
            assert expression is not None
            name = test.attrib["name"]
            seen[name] = seen.get(name, 0) + 1
            yield Case(
                release,
                group.attrib["name"],
                name if seen[name] == 1 else f"{name}#{seen[name]}",
                expression.text or "",
                test.attrib.get("inputfile", ""),
                expression.attrib.get("invalid", ""),
                tuple((entry.attrib.get("type", ""), entry.text or "") for entry in test.findall("output")),
                test.attrib.get("predicate") == "true",
                test.attrib.get("mode", ""),
                test.attrib.get("ordered") != "false",
                test.attrib.get("skipStaticCheck") == "true",
            )


@cache
def definitions(release: str) -> Definitions:
    return Definitions(base_types(release.upper()), fhir_version=release.upper())


@cache
def resource(path: Path, release: str) -> dict[str, Any]:
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)  # type: ignore[no-any-return]
    return read_xml(path.read_bytes(), definitions(release))


@cache
def whole_table(release: str, name: str) -> fp.TypeTable:
    known = definitions(release)
    root = known.type_ref(name)
    return eval(str(table_code(ElementsRead(None, tests_types=True), [root] if root else [], known, {})), {"fp": fp})  # type: ignore[no-any-return]


def run(case: Case, folder: Path, form: str) -> str:
    """What is wrong with a case; empty where it passes."""
    failed, found = evaluate(case, folder, form)
    if case.invalid:
        return "" if failed else f"not refused: {[shown(item) for item in found]}"
    if failed:
        return f"refused: {failed}"
    if case.predicate:
        return "" if fp.holds(found) == (case.outputs[0][1] == "true") else "predicate"
    wanted, given = list(case.outputs), [shown(item) for item in found]
    if not case.ordered:
        wanted, given = sorted(wanted, key=lambda entry: entry[1]), sorted(given, key=lambda entry: entry[1])
    if len(wanted) != len(given) or not all(agrees(*pair) for pair in zip(wanted, given, strict=True)):
        return f"gave {given}"
    return ""


def evaluate(case: Case, folder: Path, form: str) -> tuple[str, list[Any]]:
    """The stage at which the case fails (empty: none) and the items it gives."""
    known = definitions(case.release)
    tree, diagnostics = parse_expression(case.expression)
    if tree is None or any(entry.is_error for entry in diagnostics):
        return "syntax", []
    held = resource(folder / "inputs" / case.input, case.release) if case.input else {"resourceType": "Basic"}
    name = held.get("resourceType", "")
    ref = known.type_ref(name)
    plain = form == "plain"
    static = StaticType(frozenset((ref,)) if ref else frozenset(), "one" if plain else "many", plain)
    scope = ExprScope(known, static, is_strict=not case.mode.startswith("lenient"))
    faults = infer_expression(tree, scope.inference()).diagnostics
    if not case.skip_static and (any(entry.is_error for entry in faults) or (faults and case.invalid)):
        return f"semantic {[entry.code for entry in faults]}", []
    focus: Any = held
    if not plain:
        focus = [fp.FhirNode(held, name, whole_table(case.release, name))]
    try:
        return "", compile_items(tree, scope)(focus)
    except FhirmapError as error:
        return f"execution {error.code}", []


def agrees(wanted: tuple[str, str], given: tuple[str, str]) -> bool:
    """Do type and text agree? A System type means the FHIR types of its values."""
    name, text = wanted[0], wanted[1].removeprefix("@T").removeprefix("@")
    kind, value = given
    fits = not name or name.lower() == kind.lower() or (name, kind) in _MEANT_BY
    # A quotient has no precision of its own: `2 / 2` is 1 however many zeros follow.
    return fits and (text == value or (name == "decimal" and "." not in text and Decimal(text) == Decimal(value)))


def shown(item: Any) -> tuple[str, str]:
    """Type and text of an item."""
    name = fp.type_name(item)[1]
    value = fp.system(item)
    if isinstance(value, bool):
        return name, "true" if value else "false"
    if isinstance(value, Decimal):
        return name, format(value, "f")
    return name, str(value).removeprefix("T")


def main() -> None:
    import traceback

    for release in sys.argv[2:] or ["r4", "r5"]:
        folder = Path(sys.argv[1]) / release
        for form in FORMS:
            cases, wrong = list(load(folder)), 0
            for case in cases:
                try:
                    message = run(case, folder, form)
                except Exception as error:  # noqa: BLE001 the table shows every case, a crash included
                    last = traceback.extract_tb(error.__traceback__)[-1]
                    message = f"CRASH {type(error).__name__} {error} {last.filename.rsplit('/', 1)[-1]}:{last.lineno}"
                if message:
                    wrong += 1
                    wanted = case.invalid or list(case.outputs)
                    text = case.expression.strip()[:150]
                    sys.stdout.write(f"{form} {case.key} | {text} | {wanted} | {message}\n")
            sys.stdout.write(f"{release} {form}: {len(cases) - wrong} of {len(cases)}\n")


if __name__ == "__main__":
    main()
