"""What generated validators call: forms of primitives, plain codings, patterns, shapes of any base type."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.records import Fault
from fhirmap.runtime.validation import (
    MOST_CHARACTERS,
    PRIMITIVES,
    Limits,
    SliceLimits,
    is_bound,
    is_coded,
    is_date_time,
    is_string,
    matches_pattern,
    types_of,
)

RIGHT: dict[str, tuple[object, ...]] = {
    "base64Binary": ("YWJj", "YWI=", "YWJj\nZGVm"),
    "boolean": (True, False),
    "canonical": ("http://a/b|1.0", "#x"),
    "code": ("a", "a b", "A-1"),
    "date": ("2025", "2025-12", "2024-02-29", "1900-12-31"),
    "dateTime": ("2025", "2025-03-15", "2025-03-15T10:11:12Z", "2025-03-15T10:11:12.123+02:00", "2016-12-31T23:59:60Z"),
    "decimal": (1, 1.5, Decimal("1.50"), -3),
    "id": ("a", "A-1.b", "x" * 64),
    "instant": ("2025-03-15T10:11:12Z",),
    "integer": (0, -(2**31), 2**31 - 1),
    "integer64": ("12", "-9223372036854775808", 3),
    "markdown": ("# x\n\ny",),
    "oid": ("urn:oid:1.2.3",),
    "positiveInt": (1,),
    "string": ("x", " x ", "é\u00a0", "a\tb\r\n", "x" * MOST_CHARACTERS),
    "time": ("10:11:12", "23:59:59.999"),
    "unsignedInt": (0, 7),
    "uri": ("urn:x", "a/b"),
    "url": ("http://x",),
    "uuid": ("urn:uuid:c757873d-ec9a-4326-a141-556f43239520",),
    "xhtml": ('<div xmlns="http://www.w3.org/1999/xhtml">x</div>',),
}
WRONG: dict[str, tuple[object, ...]] = {
    "base64Binary": ("", "YWJ", "YW=j", "é", 1),
    "boolean": ("true", 1, None),
    "canonical": ("a b", ""),
    "code": ("", " a", "a ", "a  b", "a\n", 1),
    "date": ("2025-02-29", "2025-00", "25", "2025-03-15T10:00:00Z", "0000", "2025-03-15\n", 2025),
    "dateTime": (
        "2025-03-15T10:11:12",
        "2025-03-15T10:11Z",
        "2025-03-15T24:00:00Z",
        "2025-02-30T10:11:12Z",
        "15/03/2025",
    ),
    "decimal": (True, "1", float("nan"), float("inf"), Decimal("NaN")),
    "id": ("", "a_b", "x" * 65, "a\n"),
    "instant": ("2025-03-15", "2025-03-15T10:11:12"),
    "integer": (1.0, True, 2**31, "1"),
    "integer64": ("1.5", "9223372036854775808", 1.0),
    "markdown": ("", "\n"),
    "oid": ("1.2.3", "urn:oid:3.1", "urn:oid:1.02"),
    "positiveInt": (0, -1, True),
    "string": ("", "  ", "a\x00b", "\x1d", 1, None, "x" * (MOST_CHARACTERS + 1)),
    "time": ("24:00:00", "10:11", "10:11:12Z"),
    "unsignedInt": (-1, False),
    "uri": ("a b", "", "a\n"),
    "url": ("",),
    "uuid": ("c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:x"),
    "xhtml": ("x", "<p>x</p>"),
}


def cases(table: dict[str, tuple[object, ...]]) -> list[tuple[str, object]]:
    return [(name, value) for name, values in table.items() for value in values]


def test_every_primitive_has_cases() -> None:
    assert set(RIGHT) == set(WRONG) == set(PRIMITIVES)


@pytest.mark.parametrize(("name", "value"), cases(RIGHT), ids=lambda value: repr(value)[:30])
def test_right_forms(name: str, value: object) -> None:
    assert PRIMITIVES[name](value)


@pytest.mark.parametrize(("name", "value"), cases(WRONG), ids=lambda value: repr(value)[:30])
def test_wrong_forms(name: str, value: object) -> None:
    assert not PRIMITIVES[name](value)


@given(st.text())
def test_a_string_is_what_fhir_says(text: str) -> None:
    has_control = any(ord(character) < 32 and character not in "\t\n\r" for character in text)
    assert is_string(text) is (bool(text.strip()) and not has_control)


@given(st.datetimes(timezones=st.just(None)))
def test_every_moment_of_the_calendar_is_a_date_time(moment: object) -> None:
    text = f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0")
    assert is_date_time(text + "Z")
    assert is_date_time(text[:10])
    assert not is_date_time(text)


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
        shape.check(value, faults)
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
        ({"a": None}, {"a": {"b": 1}}, False),
    ],
)
def test_patterns(value: object, pattern: object, expected: bool) -> None:
    assert matches_pattern(value, pattern) is expected


def found(resource: object, version: str = "R4") -> list[tuple[str, str]]:
    name = resource["resourceType"] if isinstance(resource, dict) else "Patient"
    shape = types_of(version).shape(name)
    assert shape is not None
    faults: list[Fault] = []
    shape.check(resource, faults)
    return [(fault.code, fault.path) for fault in faults]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "Patient", "name": [{"given": ["A", "B"], "_given": [None, {"id": "x"}]}]}, []),
        ({"resourceType": "Patient", "name": [{"given": [None, "B"], "_given": [{"id": "x"}, None]}]}, []),
        ({"resourceType": "Patient", "name": [{"given": [None]}]}, [("FM503", "Patient.name[0].given[0]")]),
        ({"resourceType": "Patient", "_birthDate": {"extension": [{"url": "u", "valueCode": "c"}]}}, []),
        ({"resourceType": "Patient", "_name": {}}, [("FM500", "Patient._name")]),
        ({"resourceType": "Patient", "_birthDate": []}, [("FM501", "Patient.birthDate")]),
        ({"resourceType": "Patient", "contained": [{"resourceType": "Device", "statu": "x"}]},
         [("FM500", "Patient.contained[0].statu")]),
        ({"resourceType": "Patient", "contained": [{"resourceType": "Base"}]}, [("FM512", "Patient.contained[0]")]),
        ({"resourceType": "Patient", "contained": [{"id": "x"}]}, [("FM512", "Patient.contained[0]")]),
        ({"resourceType": "Procedure"}, [("FM504", "Procedure.status"), ("FM504", "Procedure.subject")]),
        ({"resourceType": "Patient", "name": []}, [("FM503", "Patient.name")]),
        ({"resourceType": "Patient", "deceasedBoolean": True, "deceasedDateTime": "2025"},
         [("FM507", "Patient.deceased")]),
        ({"resourceType": "Patient", "extension": [{"url": "u"}]}, [("FM509", "Patient.extension[0]")]),
    ],
)  # fmt: skip
def test_shapes_of_base_types(resource: object, expected: list[tuple[str, str]]) -> None:
    assert found(resource) == expected


def test_releases_have_shapes_of_their_own() -> None:
    resource = {
        "resourceType": "Procedure",
        "status": "completed",
        "subject": {"display": "x"},
        "occurrenceDateTime": "2025",
    }
    assert found(resource, "R5") == []
    assert found(resource, "R4") == [("FM500", "Procedure.occurrenceDateTime")]


def test_closed_slicing() -> None:
    limits = Limits(
        slices=(SliceLimits("home", (("use", "home"),), Limits(minimum=1, maximum=1)),),
        is_closed=True,
    )
    shape = types_of("R4").constrained("Patient", {"telecom": limits})
    faults: list[Fault] = []
    shape.check({"resourceType": "Patient", "telecom": [{"use": "work", "value": "1"}]}, faults)
    assert [(fault.code, fault.element) for fault in faults] == [
        ("FM513", "Patient.telecom"),
        ("FM504", "Patient.telecom:home"),
    ]


def test_no_fault_holds_a_value() -> None:
    canary = "CANARY-284051012345678"
    resource = {
        "resourceType": "Patient",
        "gender": canary,
        "birthDate": canary,
        "active": canary,
        "name": [{"family": [canary], "use": canary}],
        "deceasedDateTime": canary,
        "maritalStatus": canary,
        "contained": [{"resourceType": canary}],
    }
    shape = types_of("R4").shape("Patient")
    assert shape is not None
    faults: list[Fault] = []
    shape.check(resource, faults)
    assert len(faults) == 8
    assert canary not in repr(faults)
