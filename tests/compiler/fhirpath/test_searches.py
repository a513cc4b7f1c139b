"""Searches for items alike: which of them are narrowed, and that they find what they found before."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.runtime.transformer import Transformer
from tests.compiler.generated import body_of
from tests.work import calls

MODELS = """
model Row { parts : Part 0..* text : string 0..1 }
model Part { a : string 0..1 b : string 0..1 rank : integer 0..1 sub : Sub 0..1 }
model Sub { c : string 0..1 }
model Copy { found : string 0..* parts : Part 0..* }
"""
CALL = "alike_items("


def compiled(where: str, more: str = "") -> Transformer:
    rule = f"src.parts as p where ({where}) -> tgt.found = (%p.rank.toString());"
    return compile_map(f"{MODELS}group g(source src : Row, target tgt : Copy) {{ {rule} {more} }}\n")


@pytest.mark.parametrize(
    "where",
    [
        "%src.parts.where(a = %p.a and rank < %p.rank).exists()",
        "%src.parts.where(%p.a = $this.a and rank < %p.rank).exists()",
        "%src.parts.exists(a = %p.a and rank != %p.rank)",
        "%src.parts.where(rank = %p.rank and (a | sub.c).first() ~ (%p.a | %p.sub.c).first()).count() > 1",
    ],
)
def test_it_is_narrowed(where: str) -> None:
    assert CALL in body_of(compiled(where), "g")


@pytest.mark.parametrize(
    "where",
    [
        "%src.parts.where(a = 'x').exists()",
        "%src.parts.where(a != %p.a).exists()",
        "%src.parts.where(a = %p.a or rank < %p.rank).exists()",
        "%src.parts.where(a = b).exists()",
        "%src.parts.where(a = (a | %p.b).first()).exists()",
        "%src.parts.where(rank < %p.rank).exists()",
        "%src.parts.where(a = %p.a and $index = 0).exists()",
        "%src.parts.where(rank = 1).where(a = %p.a).exists()",
        "%tgt.parts.where(a = %p.a).exists()",
    ],
)
def test_it_is_not(where: str) -> None:
    assert CALL not in body_of(compiled(where), "g")


def test_what_is_made_is_not_even_where_a_group_reads_it_as_its_source() -> None:
    text = f"""{MODELS}
    group g(source src : Row, target tgt : Copy) {{
      src.parts as p -> tgt.parts as t, t.a = (%p.a) then {{ p -> tgt then inner(p, tgt, tgt); }};
    }}
    group inner(source p : Part, source made : Copy, target tgt : Copy) {{
      made as again -> tgt then last(p, again, tgt);
    }}
    group last(source p : Part, source made : Copy, target tgt : Copy) {{
      p where (%made.parts.where(a = %p.a).count() > 1) -> tgt.found = (%p.a);
    }}
    """
    transform = compile_map(text)
    assert CALL not in transform.source
    rows = [{"a": f"A{number % 20}"} for number in range(40)]
    made = transform({"parts": rows}).resource
    assert made is not None
    assert made["found"] == [f"A{number}" for number in range(20)]


@pytest.mark.parametrize("count", [14, 60])
@pytest.mark.parametrize(
    "where", ["a = %p.a and rank < %p.rank", "(a | sub.c).first() ~ (%p.a | %p.sub.c).first() and rank < %p.rank"]
)
def test_it_finds_what_it_found(count: int, where: str) -> None:
    texts = itertools.cycle(["x", "X ", "x", None, "y", "z z", " z  Z"])
    parts: list[dict[str, Any]] = [{"a": text, "rank": rank} for rank, text in zip(range(count), texts, strict=False)]
    parts[1::4] = [{**part, "a": None, "sub": [{"c": part["a"]}]} for part in parts[1::4]]
    narrowed = compiled(f"%src.parts.where({where}).exists()")({"parts": parts}).resource
    # Another `where` before it goes through the items one by one.
    every = compiled(f"%src.parts.where(rank >= 0).where({where}).exists()")({"parts": parts}).resource
    assert narrowed == every
    assert narrowed is not None
    assert len(narrowed["found"]) in range(1, count)


def test_four_times_the_items_cost_four_times_the_calls() -> None:
    transform = compiled("%src.parts.where(a ~ %p.a and rank < %p.rank).exists()")

    def work(count: int) -> int:
        return calls(lambda: transform({"parts": [{"a": f"A{rank}", "rank": rank} for rank in range(count)]}))

    assert work(800) / work(200) < 4.4
