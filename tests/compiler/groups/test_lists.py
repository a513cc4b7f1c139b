"""Lists that several rules write to are held in local names, and attached once."""

from __future__ import annotations

from tests.compiler.generated import body_of, compiled


def test_a_list_of_several_rules_has_a_local_name() -> None:
    body = body_of(
        compiled("  src.a as v -> tgt.name as x, x.text = v;\n  src.many as v -> tgt.name as x, x.text = v;"), "g"
    )
    assert body.startswith("tgt_name = tgt.get('name') or []\n")
    assert body.endswith("\n\nif tgt_name:\n    tgt['name'] = tgt_name")
    assert "setdefault" not in body


def test_not_where_another_group_sees_the_node() -> None:
    more = "group h(source src : Row, target tgt : Patient) { src.a as v -> tgt.name as x, x.text = v; }\n"
    body = body_of(
        compiled(
            "  src.a as v -> tgt.name as x, x.text = v;\n  src.many as v -> tgt.name as x, x.text = v;\n"
            "  src as s -> tgt as t then h(s, t);",
            more=more,
        ),
        "g",
    )
    assert "tgt_name" not in body
