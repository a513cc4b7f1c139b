from __future__ import annotations

from fhirmap.analysis.disjoint import Disjoint, holds
from fhirmap.diagnostics import Span
from fhirmap.language.parser import parse

TEXT = "group one(source s, target t) { s.a -> t.b; }\ngroup two(source s, target t) { s.c -> t.d; }"


def test_the_node_around_a_place() -> None:
    tree, _ = parse(TEXT)
    other, _ = parse(TEXT)
    groups = Disjoint(tree.groups)
    found = [groups.around(rule.span) for group in tree.groups for rule in group.rules]
    assert found == list(tree.groups) == list(groups)
    text = tree.span.text
    assert groups.around(Span(text, TEXT.index("\n"), TEXT.index("\n") + 1)) is None
    assert groups.around(Span(text, 0, len(TEXT))) is None
    assert groups.around(other.groups[0].span) is None


def test_a_part_of_a_span() -> None:
    tree, _ = parse(TEXT)
    assert holds(tree.groups[0].span, tree.groups[0].rules[0].span)
    assert not holds(tree.groups[1].span, tree.groups[0].rules[0].span)
