"""Which sources rules may still write to."""

from __future__ import annotations

import pytest

from fhirmap.compilation.program import check_maps
from fhirmap.compiler.unsettled import unsettled

MODELS = "model Row { a : string 0..1 part : Row 0..1 } model Copy { a : string 0..1 part : Copy 0..1 }\n"


def sources(rules: str, groups: str = "") -> list[str]:
    """Names of the sources that are not settled."""
    checked = check_maps(
        f"{MODELS}group g(source src : Row, target tgt : Copy) {{ {rules} }}\n{groups}", name="x.map"
    ).checked
    found = unsettled((*checked.groups, *checked.later))
    return sorted({entry.name for entry in found if entry.mode == "source"})


INNER = 'group inner(source s : Copy, target tgt : Copy) { s.part as p then { p.a as v -> tgt.a = v; } "p"; }'


@pytest.mark.parametrize(
    ("rules", "groups", "names"),
    [
        ("src.a as v -> tgt.a = v;", "", []),
        ('src.part as p -> tgt.part as q then { p.a as v -> q.a = v; } "p";', "", []),
        ("src then inner(tgt, tgt);", INNER, ["p", "s", "v"]),
        ("src -> tgt.part as q then inner(q, tgt);", INNER, ["p", "s", "v"]),
        ("src then inner(tgt.part, tgt);", INNER, ["p", "s", "v"]),
        ("src.part as p then inner(p, tgt);", INNER, []),
        ("src.a default (%tgt.a) as v -> tgt.a = v;", "", ["v"]),
        ('src then { tgt as t then { t.part as u -> tgt.a = \'x\'; } "u"; } "t";', "", ["t", "u"]),
    ],
)
def test_sources_that_come_from_what_is_made(rules: str, groups: str, names: list[str]) -> None:
    assert sources(rules, groups) == names


def test_a_group_that_a_type_calls_for() -> None:
    groups = "group copied(source s : Copy, target t : Copy) <<types>> { s.a as v -> t.a = v; }"
    assert sources("tgt.part -> tgt.part;", groups) == ["", "s", "v"]
