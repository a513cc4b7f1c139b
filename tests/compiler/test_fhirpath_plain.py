"""The plain form: what a hand would write, and the same answers as the generic form."""

from __future__ import annotations

import re
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from fhirmap.analysis.static import Static, primitive
from fhirmap.compiler.fhirpath import ExprScope, lower_condition, lower_expression, lower_value, lower_values
from fhirmap.compiler.fhirpath.evaluate import function_of
from fhirmap.language.nodes import FPExpr
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import FHIR_URL, Definitions, Element, Structure, StructureSource, TypeRef
from fhirmap.model.fhir import base_types
from fhirmap.runtime import fhirpath as fp

OP = TypeRef("Op", "http://example.org/maps#Op")
POSE = TypeRef("Pose", "http://example.org/maps#Pose")
ROWS: dict[TypeRef, dict[str, tuple[TypeRef | str, bool]]] = {
    OP: {
        "id": ("string", False),
        "side": ("code", False),
        "day": ("date", False),
        "count": ("integer", False),
        "weight": ("decimal", False),
        "urgent": ("boolean", False),
        "notes": ("string", True),
        "poses": (POSE, True),
        "first": (POSE, False),
    },
    POSE: {"lot": ("string", False), "rank": ("integer", False), "used": ("boolean", False), "tags": ("string", True)},
}


def definitions() -> Definitions:
    known = Definitions(base_types("R4"))
    for ref, rows in ROWS.items():
        elements = {
            name: Element(
                name,
                f"{ref.name}.{name}",
                (TypeRef(of, FHIR_URL + of) if isinstance(of, str) else of,),
                maximum=None if repeats else 1,
            )
            for name, (of, repeats) in rows.items()
        }
        structure = Structure(ref.structure, ref.name, ref.name, "logical", "", ref)
        view = MappingProxyType(elements)
        known._structures[ref.structure] = StructureSource(structure, lambda _ref, view=view: view)
    return known


KNOWN = definitions()
FOCUS = Static(frozenset((OP,)), "one", True)
RECORDS: list[dict[str, Any]] = [
    {},
    {"id": "7", "side": "D", "day": "2025-03-15", "count": 3, "weight": Decimal("1.50"), "urgent": True},
    {"id": "8", "side": "G", "count": 0, "urgent": False, "notes": ["a", "b"], "first": {"lot": "L1", "rank": 1}},
    {"side": "X", "notes": ["a"], "poses": [{"lot": "L1", "rank": 1, "used": True, "tags": ["t"]}, {"rank": 2}, {}]},
    {"id": "", "poses": [{"lot": "L1", "used": False}], "first": {}},
]
CONDITIONS = [
    "side = 'D'",
    "side != 'D'",
    "(side = 'D').not()",
    "side = id",
    "(side != id).not()",
    "side in ('D' | 'G')",
    "(side in ('D' | 'G')).not()",
    "('D' | 'G') contains side",
    "side = 'D' or side = 'G' or side = 'B'",
    "(side = 'D' or side = 'G').not()",
    "count > 1",
    "count >= 0 and count < 3",
    "(count > 1).not()",
    "weight = 1.5",
    "weight > 1",
    "weight < count",
    "urgent",
    "urgent.not()",
    "urgent = true",
    "urgent != false",
    "urgent and side = 'D'",
    "urgent or side = 'X'",
    "(urgent or side = 'X').not()",
    "(urgent and side = 'D').not()",
    "urgent implies side = 'G'",
    "(urgent implies side = 'G').not()",
    "urgent xor side.exists()",
    "urgent.exists() xor side.exists()",
    "id.exists()",
    "id.empty()",
    "id",
    "id and side",
    "(id.empty()).not()",
    "poses.exists()",
    "poses.empty()",
    "poses.exists(lot = 'L1')",
    "poses.all(lot = 'L1')",
    "poses.all(lot.exists() implies used)",
    "poses.all(used.not())",
    "poses.where(lot = 'L1').exists()",
    "poses.where(used).count() = 1",
    "poses.where(rank > 1).lot.empty()",
    "poses.lot = 'L1'",
    "poses.lot.count() >= 1",
    "poses.count() = 3",
    "'L1' in poses.lot",
    "side in notes",
    "notes = 'a'",
    "notes contains 'a'",
    "notes.first() = 'a'",
    "notes.count() = 2",
    "poses.tags.exists()",
    "first.lot = 'L1'",
    "first.exists()",
    "first.rank = 1 and first.lot.startsWith('L')",
    "first.tags.empty()",
    "poses.first().lot = 'L1'",
    "poses[0].lot = 'L1'",
    "side.matches('^[DG]$')",
    "side.matches('^[DG]$').not()",
    "side.matches('[DG]|X')",
    "side.matchesFull('[A-F]')",
    "id.startsWith('7')",
    "id.startsWith('')",
    "id.endsWith('7').not()",
    "id.contains('7')",
    "id.length() = 1",
    "id.substring(0, 1) = '7'",
    "id.upper() = '7'",
    "id & side = '7D'",
    "iif(urgent, side, id) = 'D'",
    "iif(side = 'D', 'right', 'left') = 'left'",
    "day = @2025-03-15",
    "day < @2025-04-01",
    "day > @2025",
    "day.exists() and day < today()",
    "poses.select(lot).count() = 1",
    "poses.select(lot & 'x') = 'L1x'",
    "poses.where(tags contains 't').exists()",
    "poses.where($index = 1).rank = 2",
    "poses.all($index < 5)",
    "count + 1 > 2",
    "-count < 0",
    "id = '7' and count = 3 and side = 'D' and urgent",
    "poses.where($this.lot = %context.first.lot).exists()",
]


def tree(text: str) -> FPExpr:
    found, diagnostics = parse_expression(text)
    assert found is not None and not diagnostics
    return found


def generic_scope() -> ExprScope:
    return ExprScope(KNOWN, Static(frozenset((OP,)), "many", False))


def as_item(record: dict[str, Any]) -> list[Any]:
    from fhirmap.compiler.fhirpath.tables import table_code, table_key

    table = eval(table_code(tree("descendants()"), [OP], KNOWN, {}), {"fp": fp})
    return fp.nodes(record, table_key(OP), table)


@pytest.mark.parametrize("text", CONDITIONS)
def test_plain_and_generic_forms_agree(text: str) -> None:
    plain_scope, scope = ExprScope(KNOWN, FOCUS), generic_scope()
    plain = function_of(lower_condition(tree(text), plain_scope), plain_scope)
    generic = function_of(lower_condition(tree(text), scope), scope)
    value_scope = ExprScope(KNOWN, FOCUS)
    values = function_of(lower_values(tree(text), value_scope), value_scope)
    for record in RECORDS:
        wanted = bool(generic(as_item(record)))
        assert bool(plain(record)) == wanted, record
        assert bool(fp.holds(values(record))) == wanted, record


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("side = 'D'", "focus.get('side') == 'D'"),
        ("side = 'D' or side = 'G'", "focus.get('side') in ('D', 'G')"),
        ("side = 'D' and id in ('1' | '2')", "focus.get('side') == 'D' and focus.get('id') in ('1', '2')"),
        ("poses.exists()", "focus.get('poses')"),
        ("poses.empty()", "not focus.get('poses')"),
        ("poses.count() >= 3", "len(focus.get('poses', ())) >= 3"),
        ("first.lot.exists()", "focus.get('first', {}).get('lot') is not None"),
        (
            "poses.exists(lot = 'L1')",
            "any(True for poses_1 in focus.get('poses', ()) if poses_1.get('lot') == 'L1')",
        ),
        ("side.empty() or urgent", "focus.get('side') is None or focus.get('urgent') is True"),
    ],
)
def test_conditions_are_written_as_by_hand(text: str, code: str) -> None:
    assert lower_condition(tree(text), ExprScope(KNOWN, FOCUS)).code == code


def test_patterns_are_constants_and_end_at_the_very_end() -> None:
    scope = ExprScope(KNOWN, primitive("string"))
    found = lower_condition(tree("$this.matches('^[0-9]{11}$')"), scope)
    assert found.code == "_PATTERN_1.fullmatch(focus) is not None"
    test = function_of(found, scope)
    assert test("12345678901")
    assert not test("12345678901\n")
    assert not test("1234567890١")


def test_dollar_in_an_alternative_is_the_very_end() -> None:
    scope = ExprScope(KNOWN, primitive("string"))
    test = function_of(lower_condition(tree("$this.matches('^a$|^b$')"), scope), scope)
    assert [bool(test(text)) for text in ("a", "b", "b\n", "ab")] == [True, True, False, False]


def test_text_of_an_expression_cannot_become_code() -> None:
    record = {"side": "'); raise SystemExit(1) #"}
    scope = ExprScope(KNOWN, FOCUS)
    test = function_of(lower_condition(tree("side = '\\'); raise SystemExit(1) #'"), scope), scope)
    assert test(record)
    names = ExprScope(KNOWN, None, variables={"it": ("value", primitive("string"))})
    assert lower_expression(tree("%`it`"), names).code == "value"


def test_value_is_one_or_a_fault() -> None:
    from fhirmap.errors import TransformFailed

    scope = ExprScope(KNOWN, FOCUS)
    one = function_of(lower_value(tree("notes"), scope), scope)
    assert one({}) is None
    assert one({"notes": ["a"]}) == "a"
    with pytest.raises(TransformFailed, match="FM430"):
        one({"notes": ["a", "b"]})


def test_values_are_plain_lists() -> None:
    scope = ExprScope(KNOWN, FOCUS)
    assert function_of(lower_values(tree("poses.lot | 'x'"), scope), scope)(RECORDS[3]) == ["L1", "x"]
    assert function_of(lower_values(tree("day"), scope), scope)(RECORDS[1]) == ["2025-03-15"]
    assert function_of(lower_values(tree("day + 1 month"), scope), scope)(RECORDS[1]) == ["2025-04-15"]


def test_decimals_stay_as_written() -> None:
    scope = ExprScope(KNOWN, FOCUS)
    (found,) = function_of(lower_values(tree("iif(weight = 1.5, weight, weight)"), scope), scope)(RECORDS[1])
    assert str(found) == "1.50"


def test_a_choice_is_read_under_the_key_that_the_next_step_allows() -> None:
    ref = KNOWN.type_ref("Parameters")
    assert ref is not None
    scope = ExprScope(KNOWN, Static(frozenset((ref,)), "one", True), "resource")
    found = lower_expression(tree("parameter.where(name = 'typeProcedure').value.coding.code"), scope)
    assert "valueCodeableConcept" in found.code
    assert "fp." not in found.code
    assert found.static.plain and found.static.cardinality == "many"
    assert len(re.findall("value[A-Z]", found.code)) == 1


def test_sibling_of_a_primitive_counts_as_existing() -> None:
    ref = KNOWN.type_ref("Patient")
    assert ref is not None
    scope = ExprScope(KNOWN, Static(frozenset((ref,)), "one", True))
    test = function_of(lower_condition(tree("birthDate.exists()"), scope), scope)
    assert test({"_birthDate": {"extension": [{"url": "u", "valueCode": "unknown"}]}})
    assert test({"birthDate": "1990"})
    assert not test({})
