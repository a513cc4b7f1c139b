"""Conditions: what a hand would write, and the same answers as untyped lowering."""

from __future__ import annotations

from typing import Any

import pytest

from fhirmap.analysis.static import StaticType
from fhirmap.compiler.fhirpath import ExprScope, function_of, lower_condition, lower_values
from fhirmap.compiler.fhirpath.tables import ElementsRead, table_code, table_key
from fhirmap.runtime import fhirpath as fp
from tests.compiler.fhirpath.operations import FOCUS, KNOWN, OP, RECORDS, tree

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
    "poses.lot.isDistinct()",
    "poses.lot.isDistinct().not()",
    "poses.lot.isDistinct() or urgent",
    "iif(poses.lot.isDistinct(), side, id) = 'D'",
    "poses.isDistinct()",
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


def untyped_scope() -> ExprScope:
    return ExprScope(KNOWN, StaticType(frozenset((OP,)), "many", False))


def as_item(record: dict[str, Any]) -> list[Any]:
    table = eval(str(table_code(ElementsRead(None, tests_types=True), [OP], KNOWN, {})), {"fp": fp})
    return fp.nodes(record, table_key(OP), table)


@pytest.mark.parametrize("text", CONDITIONS)
def test_typed_and_untyped_lowering_agree(text: str) -> None:
    typed_scope, scope = ExprScope(KNOWN, FOCUS), untyped_scope()
    typed = function_of(lower_condition(tree(text), typed_scope), typed_scope)
    untyped = function_of(lower_condition(tree(text), scope), scope)
    value_scope = ExprScope(KNOWN, FOCUS)
    values = function_of(lower_values(tree(text), value_scope), value_scope)
    for record in RECORDS:
        wanted = bool(untyped(as_item(record)))
        assert bool(typed(record)) == wanted, record
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
    assert str(lower_condition(tree(text), ExprScope(KNOWN, FOCUS)).code) == code


def test_sibling_of_a_primitive_counts_as_existing() -> None:
    ref = KNOWN.type_ref("Patient")
    assert ref is not None
    scope = ExprScope(KNOWN, StaticType(frozenset((ref,)), "one", True))
    test = function_of(lower_condition(tree("birthDate.exists()"), scope), scope)
    assert test({"_birthDate": {"extension": [{"url": "u", "valueCode": "unknown"}]}})
    assert test({"birthDate": "1990"})
    assert not test({})
