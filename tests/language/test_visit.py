from __future__ import annotations

from collections import Counter

from fhirmap.language import nodes as n
from fhirmap.language.parser import parse, parse_expression
from fhirmap.language.visit import chain, children, left_chain, operands, walk
from tests.language.corpus import MODELS, MODERN


def test_every_kind_of_node_is_met() -> None:
    met = Counter(type(node).__name__ for text in (MODERN, MODELS) for node in walk(parse(text)[0]))
    assert met["Map"] == 2 and met["Group"] == 3 and met["Join"] == 3 and met["OrderKey"] == 6
    assert met["ConceptMapTable"] == 1 and met["MapComment"] >= 1 and met["FHIRPath"] > 20


def test_parents_come_before_children() -> None:
    order = list(walk(parse(MODERN)[0]))
    place = {id(node): index for index, node in enumerate(order)}
    assert all(place[id(node)] < place[id(child)] for node in order for child in children(node))


def test_no_span_is_taken_for_a_node() -> None:
    assert all(type(node).__module__ == n.__name__ for node in walk(parse(MODELS)[0]))


def binary(text: str) -> n.FPBinary:
    tree, _ = parse_expression(text)
    assert isinstance(tree, n.FPBinary)
    return tree


def names(parts: list[n.FPExpr]) -> list[str]:
    return [part.name if isinstance(part, n.FPMember) else "…" for part in parts]


def test_operands_of_a_row_of_one_operator() -> None:
    assert names(operands(binary("a and b and c"))) == ["a", "b", "c"]
    assert names(operands(binary("a and (b and c)"))) == ["a", "…"]
    assert names(operands(binary("a or b and c"))) == ["a", "…"]
    assert len(left_chain(binary("a + b + c"))) == 2


def test_a_chain_goes_into_parentheses() -> None:
    assert names(chain(binary("a and (b and c)"), "and")) == ["a", "b", "c"]
    assert names(chain(binary("a or b"), "and")) == ["…"]
