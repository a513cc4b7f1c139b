"""Types of expressions, and each fault that can be seen before a map runs."""

from __future__ import annotations

from typing import TypedDict

import pytest

from fhirmap.analysis.expression import ExpressionScope, Inferred, infer_expression
from fhirmap.analysis.expression_types import as_fhir
from fhirmap.analysis.static import StaticType, fhir_type, primitive
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types
from fhirmap.runtime.functions import function, signature_of

KNOWN = Definitions(base_types("R4"))


class Parts(TypedDict):
    code: str
    tags: list[str]


@function
def nir_key(nir: str) -> str | None:
    """The key."""
    return nir[:2]


@function
def label_parts(text: str, strict: bool = False) -> Parts:
    """The parts."""
    return {"code": text, "tags": [text] if strict else []}


FUNCTIONS = {entry.name: entry for entry in (signature_of(nir_key), signature_of(label_parts))}


def infer(text: str, focus: StaticType | None = None, *, strict: bool = False, **variables: StaticType) -> Inferred:
    tree, diagnostics = parse_expression(text)
    assert tree is not None and not diagnostics
    place = fhir_type("Patient") if focus is None else focus
    scope = ExpressionScope(KNOWN, place, variables.get, tuple(variables), FUNCTIONS, is_strict=strict)
    return infer_expression(tree, scope)


@pytest.mark.parametrize(
    ("text", "types", "cardinality"),
    [
        ("name", "HumanName", "many"),
        ("name.given", "string", "many"),
        ("birthDate", "date", "optional"),
        ("Patient.birthDate", "date", "optional"),
        ("deceased", "boolean or dateTime", "optional"),
        ("deceased.ofType(boolean)", "boolean", "optional"),
        ("name.where(use = 'official').family", "string", "many"),
        ("name.first().family", "string", "optional"),
        ("name.select(period.start)", "dateTime", "many"),
        ("name.exists()", "boolean", "one"),
        ("name.count()", "integer", "one"),
        ("gender & 'x'", "string", "one"),
        ("name.count() + 1", "integer", "one"),
        ("1 / 2", "decimal", "optional"),
        ("1L + 2L", "integer64", "one"),
        ("1 + 2L", "integer64", "one"),
        ("5L div 2L", "integer64", "optional"),
        ("5 mod 2", "integer", "optional"),
        ("1L * 2.5", "decimal", "one"),
        ("1L / 2L", "decimal", "optional"),
        ("iif(active, 'a', 'b')", "string", "optional"),
        ("birthDate + 1 year", "date", "optional"),
        ("contact.repeat(organization)", "unknown type", "many"),
        ("extension('u').value", "…", "many"),
        ("nirKey('1')", "string", "optional"),
        ("id.nirKey()", "string", "optional"),
        ("labelParts(id).code", "string", "optional"),
        ("labelParts(id).tags", "string", "many"),
        ("now()", "dateTime", "one"),
        ("name | contact", "HumanName or Patient.contact", "many"),
    ],
)
def test_types(text: str, types: str, cardinality: str) -> None:
    found = infer(text)
    assert [entry.message for entry in found.diagnostics] == []
    shown = as_fhir(found.static).show() or "unknown type"
    assert shown == types or (types == "…" and "Quantity" in shown)
    assert found.static.cardinality == cardinality


@pytest.mark.parametrize(
    ("text", "code", "place", "hint"),
    [
        ("name.familly", "FM250", "familly", "did you mean `family`?"),
        ("Encounter.status", "FM250", "Encounter", None),
        ("birthDate.year", "FM250", "year", None),
        ("name.where(familly = 'x').exists()", "FM250", "familly", "did you mean `family`?"),
        ("(deceased as Period).unit", "FM250", "unit", None),
        ("name.given.startWith('a')", "FM251", "startWith", "did you mean `startsWith`?"),
        ("nirKeys(id)", "FM251", "nirKeys", "did you mean `nirKey`?"),
        ("id.substring()", "FM252", "id.substring()", None),
        ("nirKey(id, id)", "FM252", "nirKey(id, id)", None),
        ("'a' - 'b'", "FM253", "'a' - 'b'", None),
        ("birthDate + 7", "FM253", "birthDate + 7", None),
        ("name.count() < 'x'", "FM253", "name.count() < 'x'", None),
        ("-active", "FM253", "-active", None),
        ("iif('x', 1, 2)", "FM253", "'x'", None),
        ("%patient.name", "FM254", "%patient", None),
        ("gender is strin", "FM255", "gender is strin", None),
        ("identifier.startsWith('a')", "FM257", "startsWith", None),
        ("name.round()", "FM257", "round", None),
        ("active.nirKey()", "FM257", "active.nirKey()", None),
        ("defineVariable('a', 1).defineVariable('a', 2)", "FM259", "'a'", None),
        ("defineVariable('context', 1)", "FM259", "'context'", None),
        ("gender.matches('^(a|b')", "FM433", "'^(a|b'", None),
        ("gender.replaceMatches('[a', 'b')", "FM433", "'[a'", None),
        ("gender.where(code = 'x')", "FM250", "code", "the value itself is `$this`: `$this = '…'`"),
        ("gender = 5", "FM261", "gender = 5", None),
        ("birthDate = '2025-01-01'", "FM261", "birthDate = '2025-01-01'", None),
    ],
)
def test_faults(text: str, code: str, place: str, hint: str | None) -> None:
    found = infer(text).diagnostics
    assert [entry.code for entry in found] == [code]
    assert found[0].span is not None and found[0].span.snippet == place
    assert found[0].message and "{" not in found[0].message
    if hint:
        assert found[0].hint_text == hint


@pytest.mark.parametrize(("text", "code"), [("deceasedBoolean", "FM258"), ("children().first()", "FM260")])
def test_what_only_the_strict_reading_refuses(text: str, code: str) -> None:
    (note,) = infer(text).diagnostics
    assert note.code == code and not note.is_error


def test_variables() -> None:
    poses = primitive("string", "many")
    assert infer("%v.count() > 1", v=primitive("string")).diagnostics == ()
    assert infer("lots.first()", lots=poses).static == primitive("string", "optional")
    (fault,) = infer("%lot", lots=poses).diagnostics
    assert fault.hint_text == "did you mean `lots`?"


def test_a_child_goes_before_a_variable() -> None:
    assert infer("name", name=primitive("string")).static.show() == "HumanName"
    assert infer("%name", name=primitive("string")).static.show() == "string"


def test_a_variable_is_not_seen_beside_its_chain() -> None:
    assert infer("defineVariable('a', 1).select(%a)").diagnostics == ()
    (fault,) = infer("defineVariable('a', 1).id | id.select(%a)").diagnostics
    assert fault.code == "FM254"


def test_unknown_types_are_left_to_the_run() -> None:
    unknown = StaticType(frozenset(), "many", False)
    assert infer("a.b.startsWith('x') and c - 'y' = 3", unknown).diagnostics == ()
    assert infer("contained.whatever.startsWith('x')").diagnostics == ()


def test_too_deep_is_a_fault_not_a_crash() -> None:
    (fault,) = infer("id" + ".first()" * 120).diagnostics
    assert fault.code == "FM262"
    assert infer(" and ".join(["active"] * 150)).diagnostics == ()
    (fault,) = infer(" + ".join(["1"] * 120)).diagnostics
    assert fault.code == "FM262"
