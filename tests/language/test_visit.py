from __future__ import annotations

from collections import Counter

from fhirmap.language import nodes as n
from fhirmap.language.parser import parse
from fhirmap.language.visit import children, walk
from tests.language.corpus import MODELS, MODERN


def test_every_kind_of_node_is_met() -> None:
    met = Counter(type(node).__name__ for text in (MODERN, MODELS) for node in walk(parse(text)[0]))
    assert met["Map"] == 2 and met["Group"] == 3 and met["Join"] == 1 and met["OrderKey"] == 4
    assert met["ConceptMapTable"] == 1 and met["Comment"] >= 1 and met["FHIRPath"] > 20


def test_parents_come_before_children() -> None:
    order = list(walk(parse(MODERN)[0]))
    place = {id(node): index for index, node in enumerate(order)}
    assert all(place[id(node)] < place[id(child)] for node in order for child in children(node))


def test_no_span_is_taken_for_a_node() -> None:
    assert all(type(node).__module__ == n.__name__ for node in walk(parse(MODELS)[0]))
