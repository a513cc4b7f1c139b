"""FHIR JSON as records have it: what is read of it, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fhirmap.errors import TransformFailed
from fhirmap.runtime import fhirpath as fp
from fhirmap.runtime.context import RecordRun

TYPES = fp.TypeTable(
    {
        "Patient": {"name*": "HumanName", "gender": "code", "active": "boolean", "maritalStatus": "CodeableConcept"},
        "HumanName": {"use": "code", "family": "string", "given*": "string"},
        "CodeableConcept": {"text": "string"},
    }
)


def element(owner: str, name: str) -> fp.RawElement:
    return fp.RawElement(owner, name, TYPES)


NAME, GENDER, ACTIVE = element("Patient", "name"), element("Patient", "gender"), element("Patient", "active")
STATUS, GIVEN, USE = element("Patient", "maritalStatus"), element("HumanName", "given"), element("HumanName", "use")
READ: dict[str, tuple[Callable[..., Any], fp.RawElement, Any, Any]] = {
    "text": (fp.text_at, GENDER, "male", ["male"]),
    "boolean": (fp.boolean_at, ACTIVE, False, "false"),
    "texts": (fp.texts_at, GIVEN, ["a", "b"], ["a", 1]),
    "object": (fp.object_at, STATUS, {"text": "M"}, [{"text": "M"}]),
    "objects": (fp.objects_at, NAME, [{"family": "A"}], [{"family": "A"}, "B"]),
}


@pytest.mark.parametrize("kind", READ)
def test_an_element_is_read_as_it_is_or_refused(kind: str) -> None:
    read, of, held, other = READ[kind]
    assert read({of.name: held}, of) == held
    assert read({of.name: None}, of) == read({}, of)
    assert not read({}, of)
    with pytest.raises(TransformFailed, match="FM438"):
        read({of.name: other}, of)


def test_nulls_of_lists_are_left_out() -> None:
    assert fp.objects_at({"name": [None, {"family": "A"}]}, NAME) == [{"family": "A"}]
    assert fp.texts_at({"given": [None, "a"]}, GIVEN) == ["a"]
    assert not fp.is_object(None, {"name": [None]}, NAME)


def test_nothing_of_a_list_is_no_list_of_another_shape() -> None:
    assert fp.no_objects({}, NAME) == fp.no_objects({"name": []}, NAME) == fp.no_objects({"name": None}, NAME) == ()
    wrong: tuple[Any, ...] = ("", {}, 0, False)
    for held in wrong:
        with pytest.raises(TransformFailed, match="FM438"):
            fp.no_objects({"name": held}, NAME)


def test_what_needs_a_closer_look_is_no_bare_value() -> None:
    assert fp.only_texts({"given": ["a"]}, "given") == ["a"]
    assert fp.only_texts({}, "given") == []
    for held in ({"given": ["a"], "_given": [None]}, {"given": ["a", None]}, {"given": [""]}, {"given": "a"}):
        assert fp.only_texts(held, "given") is None
    assert fp.only_object({"name": [{"family": "A"}]}, "name") == {"family": "A"}
    others: tuple[Any, ...] = ([], [{}, {}], ["A"], {"family": "A"}, None)
    for other in others:
        assert fp.only_object({"name": other}, "name") is None
    assert fp.one_object({"maritalStatus": {"text": "M"}}, "maritalStatus") == {"text": "M"}
    assert fp.one_object({"maritalStatus": "M"}, "maritalStatus") is None
    assert fp.only_object(None, "name") is fp.one_object(None, "name") is None


def test_items_are_looked_up_in_their_order() -> None:
    lookup = fp.RawLookup(NAME, USE, frozenset(("official", "usual")))
    first, second, other = {"use": "official", "family": "A"}, {"use": "official", "family": "B"}, {"use": "old"}
    held, run = {"name": [first, other, None, {}, second]}, RecordRun()
    assert run.found(held, lookup, "official") == [first, second]
    assert run.found(held, lookup, "usual") == ()
    assert run.found({}, lookup, "usual") == ()
    for wrong in ([{"use": 1}], [{"use": ["official"]}], ["official"], {"use": "official"}, 5, 0):
        with pytest.raises(TransformFailed, match="FM438"):
            RecordRun().found({"name": wrong}, lookup, "official")


def test_a_root_is_an_object_of_its_type() -> None:
    patient = {"resourceType": "Patient"}
    assert fp.object_root(patient, "Patient", TYPES, "Patient") is patient
    others: tuple[Any, ...] = ([], "Patient", {"resourceType": "Group"})
    for other in others:
        with pytest.raises(TransformFailed, match="FM438"):
            fp.object_root(other, "Patient", TYPES, "Patient")
