"""What a rule does with a node beside writing to it."""

from __future__ import annotations

from fhirmap.analysis.typed import TypedRule, Variable
from fhirmap.compilation.program import check_maps
from fhirmap.compiler.groups import uses
from tests.compiler.generated import MODEL, PART, PATIENT


def rule_of(text: str) -> tuple[TypedRule, Variable]:
    """The first rule of a map, and its target parameter."""
    group = f"group g(source src : Row, target tgt : Patient) {{ {text} }}\n"
    maps = check_maps(PATIENT + MODEL + PART + group)
    assert not maps.has_errors
    typed = maps.checked.groups[0]
    return typed.rules[0], typed.parameters[1]


def test_a_node_that_an_expression_reads_escapes() -> None:
    rule, target = rule_of("src.a as v -> tgt.id = v;")
    assert not uses.escapes(rule, target)
    rule, target = rule_of("src.a as v -> tgt as t, t.id = v;")
    assert uses.escapes(rule, target)


def test_writers_of_a_list_are_counted() -> None:
    rule, target = rule_of("src.a as v -> tgt.name as n, n.text = v, tgt.name as m, m.text = v, tgt.id = v;")
    assert uses.list_counts((rule,), target) == {"name": 2}


def test_what_needs_all_items_first() -> None:
    for text, expected in (
        ("src.many as v", False),
        ("src.many first as v", True),
        ("src.many : string 0..1 as v", True),
    ):
        rule, _ = rule_of(f"{text} -> tgt.id = v;")
        assert uses.needs_list(rule.sources[0]) is expected


def test_ends_and_shares() -> None:
    rule, _ = rule_of("src.a as v -> tgt.name last as n, n.text = v, tgt.name share one as m, m.text = v;")
    assert [uses.end_of(target) for target in rule.targets] == ["last", "", "", ""]
    assert [uses.share_of(target) for target in rule.targets] == [None, None, "one", None]
