"""Nodes are created as displays, constants folded in, and taken away where nothing was written to them."""

from __future__ import annotations

from tests.compiler.generated import compiled, plain, rule


def test_sure_values_are_folded_into_the_display() -> None:
    assert rule("  src.a as v -> tgt.identifier as i, i.system = 'urn:s', i.value = v;") == plain(
        """
        v = src.get('a')
        if v is not None:
            tgt.setdefault('identifier', []).append({'system': 'urn:s', 'value': v})
        """
    )


def test_a_node_that_stays_empty_is_dropped() -> None:
    text = "  src.part as p -> tgt.name as n then { p.x as x -> n.text = x; };"
    assert "if not n:\n        drop(tgt, 'name', n)" in rule(text)
    transformer = compiled(text)
    assert transformer({"part": [{}, {"x": "1"}]}).resource == {"resourceType": "Patient", "name": [{"text": "1"}]}
    assert transformer({"part": [{}]}).resource is None


def test_a_single_element_is_made_once() -> None:
    text = "  src.part as p -> tgt.maritalStatus as n then { p.x as x -> n.text = x; };"
    assert "made_n = 'maritalStatus' not in tgt" in rule(text)
    transformer = compiled(text)
    assert transformer({"part": [{"x": "1"}, {}]}).resource == {
        "resourceType": "Patient",
        "maritalStatus": {"text": "1"},
    }
    assert transformer({"part": [{}]}).resource is None


def test_nodes_between_are_made() -> None:
    transformer = compiled("  src.a as v -> tgt.contact.name.text = v;")
    assert transformer({"a": "x"}).resource == {"resourceType": "Patient", "contact": [{"name": {"text": "x"}}]}


def test_rules_share_an_item() -> None:
    transformer = compiled(
        "  src.a as v -> tgt.name share main as x, x.text = v;\n"
        "  src.many as v -> tgt.name share main as x, x.given = v;"
    )
    assert transformer({"a": "t", "many": ["g", "h"]}).resource == {
        "resourceType": "Patient",
        "name": [{"text": "t", "given": ["g", "h"]}],
    }
