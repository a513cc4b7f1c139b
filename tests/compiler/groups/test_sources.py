"""Sources become the plainest blocks that their types allow."""

from __future__ import annotations

import pytest

from fhirmap.errors import TransformFailed
from tests.compiler.generated import compiled, plain, rule, try_of


def test_an_element_of_a_model_is_one_look() -> None:
    assert rule("  src.a as v -> tgt.id = v;") == plain(
        """
        v = src.get('a')
        if v is not None:
            tgt['id'] = v
        """
    )


def test_a_repeating_element_is_a_loop_and_a_path_goes_down() -> None:
    assert rule("  src.part as p, p.x as x -> tgt.name as n, n.family = x;") == plain(
        """
        for p in src.get('part', ()):
            x = p.get('x')
            if x is not None:
                tgt.setdefault('name', []).append({'family': x})
        """
    )


def test_a_default_fills_what_is_absent() -> None:
    found = rule("  src.a : string default ('none') as v -> tgt.id = v;")
    assert "if v is None:\n    v = 'none'\n" in found


@pytest.mark.parametrize(
    ("mode", "chosen"),
    [("first", "kept[:1]"), ("not_first", "kept[1:]"), ("last", "kept[-1:]"), ("not_last", "kept[:-1]")],
)
def test_list_modes_are_slices(mode: str, chosen: str) -> None:
    assert rule(f"  src.many {mode} as v -> tgt.name as n, n.family = v;") == plain(
        f"""
        kept = []
        for v in src.get('many', ()):
            kept.append(v)
        for v in {chosen}:
            tgt.setdefault('name', []).append({{'family': v}})
        """
    )


def test_a_cardinality_is_counted_and_can_fail() -> None:
    found = rule("  src.many : string 1..2 as v -> tgt.id = v;")
    assert found.startswith("try:\n    for v in counted(list(src.get('many', ())), 1, 2):")
    transformer = compiled("  src.many only_one as v -> tgt.id = v;")
    assert transformer({"many": ["x"]}).resource == {"resourceType": "Patient", "id": "x"}
    assert [fault.code for fault in transformer({"many": ["x", "y"]}).faults] == ["FM402"]


def test_conditions_follow_one_another() -> None:
    assert rule("  src.a as v where (v = 'x') check (v != 'y') log (v) -> tgt.id = v;") == try_of(
        """
        v = src.get('a')
        if v is not None:
            if v == 'x':
                if not v != 'y':
                    raise check_failed("v != 'y'")
                run.note(v, '<string>:5:52')
                tgt['id'] = v
        """
    )


def test_a_check_fails_with_its_message() -> None:
    found = rule("  src.a as v check (v != 'y') \"y is not allowed\" -> tgt.id = v;")
    assert """raise check_failed("v != 'y'", 'y is not allowed')""" in found
    transformer = compiled("  src.a as v check (v != 'y') \"y is not allowed\" -> tgt.id = v;")
    (fault,) = transformer({"a": "y"}).faults
    assert (fault.code, fault.variant, fault.args["message"]) == ("FM401", "message", "y is not allowed")
    assert (fault.args["condition"], fault.position) == ("v != 'y'", "<string>:5:21")


def test_a_condition_that_always_holds_is_not_written() -> None:
    assert rule("  src.a as v where (true) -> tgt.id = v;") == rule("  src.a as v -> tgt.id = v;")


def test_arithmetic_of_a_condition_can_fail() -> None:
    found = rule("  src.b as v where (v * v > 1.0) -> tgt.id = 'x';")
    assert found == try_of(
        """
        v = src.get('b')
        if v is not None:
            if v * v > _DECIMAL_1:
                tgt['id'] = 'x'
        """
    )


def test_what_a_rule_raises_is_its_own_fault() -> None:
    transformer = compiled("  src.b as v where (v * v > 1.0) -> tgt.id = 'x';\n  src.a as v -> tgt.language = v;")
    result = transformer({"a": "fr", "b": "9E999999"})
    assert result.resource == {"resourceType": "Patient", "language": "fr"}
    (fault,) = result.faults
    assert (fault.code, fault.args, fault.position) == ("FM400", {"kind": "Overflow"}, "<string>:5:21")


def test_a_strict_call_raises_it() -> None:
    transformer = compiled("  src.many only_one as v -> tgt.id = v;")
    with pytest.raises(TransformFailed):
        transformer({"many": ["x", "y"]}, strict=True)
