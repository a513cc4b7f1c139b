"""`two_values`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.two_values import two_values
from tests.analysis.checks.harness import reported, stored


def nested(rules: str, more: str = "") -> str:
    """A map from a row with parts, and another group of its rules."""
    lent = f"model Part {{ c : string }}\n{f'group h(source p, target t) {{ {more} }}' if more else ''}"
    group = stored("p : Part 0..* join 't' on 'id'", rules).replace("src.id as v -> tgt.id = v;", "")
    return f"{group}{lent}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored(rules="src.id as w -> tgt.id = w;"), ["FM247: id"]),
        (stored(rules="src -> tgt.language = 'fr', tgt.language = 'en';"), ["FM247: language"]),
        (
            stored(
                "p : Part 0..* join 't' on 'id'", "src.p as p -> tgt.language = p.c;", more="model Part { c : string }"
            ),
            ["FM247 repeats: language"],
        ),
        (nested("src.p as p then { p.c as c -> tgt.language = c; };"), ["FM247 repeats: language"]),
        (nested("src.p as p then h(p, tgt);", "p.c as c -> t.language = c;"), ["FM247 repeats: language"]),
        (nested("src.p as p -> tgt.maritalStatus as m, m.text = p.c;"), ["FM247 repeats: text"]),
        (
            nested("src then { src -> tgt.maritalStatus as m, m.text = 'a'; src -> tgt.maritalStatus.text = 'b'; };"),
            ["FM247: text"],
        ),
        (nested("src.p first as p then h(p, tgt); src.p last as p then h(p, tgt);", "p.c as c -> t.language = c;"), []),
        (
            nested("src.id as i then h(src, tgt); src.id as i then h(src, tgt);", "p -> t.language = (%p.id);"),
            ["FM247: h(src, tgt)"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(two_values, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(),
        stored(rules="src where (id = 'a') -> tgt.language = 'fr'; src where (id = 'b') -> tgt.language = 'en';"),
        stored(rules="src -> tgt.name as n, n.family = 'a'; src -> tgt.name as n, n.family = 'b';"),
        stored(rules="src -> tgt.language = 'fr'; src.id as v -> tgt.language = v;"),
        stored(rules="src.id as v -> tgt.language = v; src.id as v -> tgt.language = v last;"),
        nested("src.p as p then { p.c as c -> tgt.language = c last; };"),
        nested("src.p as p where (c = 'x') then { p.c as c -> tgt.language = c; };"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(two_values, text) == []
