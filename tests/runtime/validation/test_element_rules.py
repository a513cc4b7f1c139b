"""What a contract adds to an element: bindings, patterns, and which slice an item belongs to."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.records import Fault
from fhirmap.runtime.validation import (
    ElementRules,
    SliceRules,
    Visit,
    is_bound,
    is_coded,
    matches_pattern,
    names_profiles,
    types_of,
)
from fhirmap.runtime.validation.element_rules import SliceFinder

CODES = frozenset({("s", "a"), ("t", "b")})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", True),
        ("c", False),
        ({"system": "s", "code": "a"}, True),
        ({"system": "t", "code": "a"}, False),
        ({"code": "a"}, False),
        ({"coding": [{"system": "x", "code": "y"}, {"system": "t", "code": "b"}]}, True),
        ({"coding": []}, False),
        ({"text": "a"}, False),
        ({"system": ["s"], "code": "a"}, False),
        (None, False),
    ],
)
def test_bindings(value: object, expected: bool) -> None:
    assert is_bound(value, CODES) is expected


@given(
    st.recursive(
        st.sampled_from(["s", "t", "a", "b", "x", 1, None]),
        lambda inner: st.one_of(
            st.lists(inner, max_size=2),
            st.dictionaries(st.sampled_from(["coding", "system", "code", "display", "text"]), inner, max_size=3),
        ),
    )
)
def test_what_is_plainly_coded_is_bound_and_well_formed(value: object) -> None:
    if is_coded(value, CODES):
        faults: list[Fault] = []
        shape = types_of("R4").shape("CodeableConcept")
        assert shape is not None
        shape.report(value, faults)
        assert faults == []
        assert is_bound(value, CODES)


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": [{"c": 1}, {"c": 2, "d": 3}]}, {"a": [{"c": 2}]}, True),
        ({"a": [{"c": 1}]}, {"a": [{"c": 2}]}, False),
        ("x", "x", True),
        (1, True, False),
        (True, 1, False),
        ("1", 1, False),
        (5, Decimal("5.0"), True),
        (0.1, Decimal("0.1"), True),
        ({"value": Decimal("5.0")}, {"value": 5}, True),
        ({"a": None}, {"a": {"b": 1}}, False),
    ],
)
def test_patterns(value: object, pattern: object, expected: bool) -> None:
    assert matches_pattern(value, pattern) is expected


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"profile": ["http://a"]}, True),
        ({"profile": []}, False),
        ({"profile": ["a b"]}, False),
        ({"profile": ["http://a"], "versionId": "1"}, False),
        ({"versionId": "1"}, False),
        (None, False),
    ],
)
def test_meta_that_names_profiles_alone(meta: object, expected: bool) -> None:
    assert names_profiles(meta) is expected


def test_a_value_that_is_not_the_fixed_one_is_reported_where_it_is() -> None:
    faults: list[Fault] = []
    ElementRules(fixed="a", pattern="b", codes=CODES).check("x", Visit(faults, "P.x[0]", "P.x"))
    assert [(fault.code, fault.rule, fault.path) for fault in faults] == [
        ("FM510", "fixed", "P.x[0]"),
        ("FM510", "pattern", "P.x[0]"),
        ("FM511", "binding", "P.x[0]"),
    ]


def slicing(*values: tuple[tuple[str, object], ...]) -> SliceFinder:
    return SliceFinder([SliceRules(f"s{number}", when, ElementRules()) for number, when in enumerate(values)])


@pytest.mark.parametrize(
    ("values", "item", "kind", "expected"),
    [
        (((("name", "a"),), (("name", "b"),)), {"name": "b"}, "", "s1"),
        (((("name", "a"),), (("name", "a"),)), {"name": "a"}, "", "s0"),
        (((("name", "a"),),), {"name": "x"}, "", None),
        (((("name", "a"),),), {"name": ["a"]}, "", "s0"),
        (((("name", "a"),),), "a", "", None),
        (((("code.coding.code", "c"),),), {"code": {"coding": [{"code": "x"}, {"code": "c"}]}}, "", "s0"),
        (((("value", True),),), {"valueBoolean": True}, "", "s0"),
        (((("value", "x"),),), {"valueString": "x"}, "", "s0"),
        (((("$type", "Patient"),),), {"resourceType": "Patient"}, "Resource", "s0"),
        (((("$type", "string"),), (("$this", "x"),)), "x", "code", "s1"),
        (((("use", "home"), ("system", "phone")),), {"use": "home", "system": "fax"}, "", None),
        ((), {"name": "a"}, "", None),
    ],
)  # fmt: skip
def test_slices_are_found_by_their_values(
    values: tuple[tuple[tuple[str, object], ...], ...], item: object, kind: str, expected: str | None
) -> None:
    found = slicing(*values).slice_of(item, kind)
    assert (found.name if found else None) == expected


@pytest.mark.parametrize(("value", "is_right"), [(0.5, True), (Decimal("0.50"), True), (1, False), ("0.5", False)])
def test_fixed_numbers_are_compared_by_their_value(value: object, is_right: bool) -> None:
    faults: list[Fault] = []
    ElementRules(fixed=Decimal("0.5")).check(value, Visit(faults, "P.x", "P.x"))
    assert (not faults) is is_right
