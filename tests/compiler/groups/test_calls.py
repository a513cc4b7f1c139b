"""Groups call groups: once for each item, never for what is bound to nothing."""

from __future__ import annotations

from tests.compiler.generated import compiled, plain, rule

INNER = "group h(source src : Part, target tgt : HumanName) { src.x as v -> tgt.text = v; }\n"
NAME = 'uses "http://hl7.org/fhir/StructureDefinition/HumanName" alias HumanName as target\n'


def test_a_call_for_each_item_needs_no_try() -> None:
    assert rule("  src.part as p -> tgt.name as n then h(p, n);", more=INNER, uses=NAME) == plain(
        """
        for p in src.get('part', ()):
            n = {}
            tgt.setdefault('name', []).append(n)
            h(p, n, run)
            if not n:
                drop(tgt, 'name', n)
        """
    )


def test_an_argument_that_is_computed_may_be_absent() -> None:
    more = "group h(source v : string, target tgt : Patient) { v as x -> tgt.id = x; }\n"
    transformer = compiled("  src as s -> tgt as t then h((s.a.upper()), t);", more=more)
    assert transformer({"a": "x"}).resource == {"resourceType": "Patient", "id": "X"}
    assert transformer({"n": 1}).resource is None
