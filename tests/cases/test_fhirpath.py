"""Every function and operator of FHIRPath, each case in all the forms that an expression takes.

`fhirpath/corpus.toml` has a table for each function and operator: expression = what it gives on
`fhirpath/patient.json`, a list of values, or the code of what is wrong with it. `[name.untyped]` says what differs
where nothing is known of the data's types. Values were worked out from the specification (FHIRPath 2.0, the 3.0 ballot,
FHIR R5's own functions).

The forms: plain Python over typed data, lists of typed items, items without types; and maps, one for each case and one
that has them all, with and without types: what an expression gives depends on nothing else that its map says.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fhirmap.analysis.expression import infer_expression
from fhirmap.analysis.expression_functions import FUNCTIONS
from fhirmap.analysis.static import StaticType
from fhirmap.compilation.mapset import MapSet, run
from fhirmap.compiler.fhirpath import ExprScope, compile_items
from fhirmap.errors import MapError, TransformFailed
from fhirmap.interchange.formats import json_text
from fhirmap.language.parser import parse_expression
from fhirmap.runtime import fhirpath as fp
from tests.runtime.fhirpath_suite import definitions, whole_table

HERE = Path(__file__).resolve().parent / "fhirpath"
CORPUS: dict[str, dict[str, Any]] = tomllib.loads(
    (HERE / "corpus.toml").read_text(encoding="utf-8"), parse_float=Decimal
)
PATIENT: dict[str, Any] = json.loads((HERE / "patient.json").read_text(encoding="utf-8"), parse_float=Decimal)
OPERATORS = (
    "and", "or", "xor", "implies", "=", "!=", "~", "!~", "<", "<=", ">", ">=", "in", "|", "+", "-", "*", "/", "div",
    "mod", "&", "unary", "literals", "dates", "quantities", "paths", "variables",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """An expression, and what it gives: values, or a code."""

    of: str
    expression: str
    gives: Any
    untyped: Any

    def of_form(self, form: str) -> Any:
        """What it gives in one of the forms."""
        return self.untyped if form == "untyped" else self.gives


def cases() -> Iterator[Case]:
    for of, table in CORPUS.items():
        others: Mapping[str, Any] = table.get("untyped", {})
        assert others.keys() <= table.keys(), f"{of}: {others.keys() - table.keys()}"
        for expression, gives in table.items():
            if expression != "untyped":
                yield Case(of, expression, gives, others.get(expression, gives))


CASES = list(cases())


def test_each_function_and_operator_has_cases() -> None:
    assert set(CORPUS) == {*FUNCTIONS, *OPERATORS}


@pytest.mark.parametrize("form", ["plain", "items", "untyped"])
@pytest.mark.parametrize("of", CORPUS)
def test_expressions(of: str, form: str) -> None:
    found = {case.expression: text(evaluated(case.expression, form)) for case in CASES if case.of == of}
    wanted = {case.expression: text(case.of_form(form)) for case in CASES if case.of == of}
    assert found == wanted


def evaluated(expression: str, form: str) -> Any:
    tree, diagnostics = parse_expression(expression)
    faults = [entry.code for entry in diagnostics if entry.is_error]
    if tree is None or faults:
        return faults[0]
    known = definitions("r4")
    types = frozenset() if form == "untyped" else frozenset(filter(None, [known.type_ref("Patient")]))
    scope = ExprScope(known, StaticType(types, "one" if form == "plain" else "many", form == "plain"))
    inferred = infer_expression(tree, scope.inference()).diagnostics
    faults = [entry.code for entry in inferred if entry.is_error]
    if faults:
        return faults[0]
    item = fp.FhirNode(PATIENT, "Patient", whole_table("r4", "Patient"))
    focus: Any = {"plain": PATIENT, "items": [item], "untyped": [PATIENT]}[form]
    try:
        return [fp.plain(found) for found in compile_items(tree, scope)(focus) if fp.plain(found) is not None]
    except TransformFailed as error:
        return error.code


# --- in maps ----------------------------------------------------------------------------------------------------------

TYPED = 'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source\n'


def map_text(expressions: Mapping[str, str], *, is_typed: bool) -> str:
    rules = "\n".join(f'  src -> ({text_}) as v, tgt.{name} = v "{name}";' for name, text_ in expressions.items())
    type_ = " : Patient" if is_typed else ""
    return f"{TYPED if is_typed else ''}group main(source src{type_}, target tgt) {{\n{rules}\n}}\n"


@cache
def known() -> MapSet:
    return MapSet([], fhir_version="R4")


def mapped(expressions: Mapping[str, str], folder: Path, *, is_typed: bool) -> tuple[Mapping[str, Any], list[str]]:
    """What a map of these expressions gives, by name, and the codes of what is wrong."""
    path = folder / "case.map"
    path.write_text(map_text(expressions, is_typed=is_typed), encoding="utf-8")
    try:
        result = run(known().runnable(path), PATIENT)
    except MapError as error:
        return {}, [entry.code for entry in error.diagnostics if entry.is_error]
    return result.resource or {}, [fault.code for fault in result.faults if fault.severity == "error"]


@pytest.mark.parametrize("form", ["typed", "untyped"])
@pytest.mark.parametrize("of", ["children", "descendants", "extension", "resolve", "repeat", "type", "+", "paths"])
def test_in_maps_of_their_own(of: str, form: str, tmp_path: Path) -> None:
    wanted = {case.expression: case.of_form(form) for case in CASES if case.of == of}
    for expression, gives in wanted.items():
        found, faults = mapped({"a": expression}, tmp_path, is_typed=form == "typed")
        assert faults[:1] == ([gives] if isinstance(gives, str) else []), expression
        assert isinstance(gives, str) or text(as_list(found.get("a"))) == text(written(gives)), expression
        tmp_path = tmp_path / "next"
        tmp_path.mkdir()


@pytest.mark.parametrize("form", ["typed", "untyped"])
def test_in_a_map_of_all(form: str, tmp_path: Path) -> None:
    listed = [case for case in CASES if not isinstance(case.of_form(form), str)]
    names = {f"a{rank}": case for rank, case in enumerate(listed)}
    found, faults = mapped({name: case.expression for name, case in names.items()}, tmp_path, is_typed=form == "typed")
    assert faults == []
    given = {case.expression: text(as_list(found.get(name))) for name, case in names.items()}
    assert given == {case.expression: text(written(case.of_form(form))) for case in listed}


def written(gives: list[Any]) -> list[Any]:
    """What of it a map writes: an empty text is no value."""
    return [entry for entry in gives if entry != ""]


def as_list(found: Any) -> list[Any]:
    return [] if found is None else found if isinstance(found, list) else [found]


def text(found: Any) -> str:
    """As text: 1.50 is not 1.5, and true is not 1."""
    return json_text({"": _sorted(found)})


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(entry) for entry in value] if isinstance(value, list) else value
