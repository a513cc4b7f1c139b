"""Rows that are copied by `dict`: those that a reader alone makes, of plain values."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fhirmap.compilation.maps import compile_map

MODELS = """model Row { many : string 0..* part : Part 0..* one : Part nest : Nest listed : Listed }
model Part { x : string y : decimal }
model Nest { part : Part }
model Listed { x : string 0..* }
model Copy { many : string 0..* part : Part 0..* one : Part nest : Nest listed : Listed }
"""


def source_of(rules: str, more: str = "") -> str:
    """The module of a map with some rules."""
    return compile_map(f"{MODELS}group g(source src : Row, target tgt : Copy) {{\n{rules}\n}}\n{more}").source


def test_a_row_of_plain_values_is_copied_by_dict() -> None:
    rule = "src.part as v -> tgt.part = v;"
    transformer = compile_map(f"{MODELS}group g(source src : Row, target tgt : Copy) {{ {rule} }}\n")
    assert "tgt.setdefault('part', []).append(dict(v))" in transformer.source
    resource = transformer({"part": [{"x": " a ", "y": "1.50"}, {"x": ""}]}).resource
    assert resource == {"part": [{"x": "a", "y": Decimal("1.50")}, {}]}


@pytest.mark.parametrize(
    "rules",
    [
        "src.nest as v -> tgt.nest = v;",
        "src.listed as v -> tgt.listed = v;",
        "src.part as v -> tgt.part = v as p then { src.one as o -> p.x = 'x'; };",
        "src.part as v -> tgt.part = v; src.one as o -> tgt.one as p then { o.x as x -> p.x = x; };",
        "src.part as v -> tgt.part = v; src.many as x -> tgt.nest as n, n.part.x = x;",
        "src.part as v -> tgt.part = v; src.one as o -> tgt.one as p then part(o, p);",
    ],
)
def test_other_rows_are_copied_with_care(rules: str) -> None:
    more = "group part(source o : Part, target p : Part) { o.x as x -> p.x = x; }\n" if "part(o" in rules else ""
    source = source_of(rules, more)
    assert "copied(v)" in source
    assert "dict(" not in source


def test_what_a_rule_made_is_copied_with_care(tmp_path: Path) -> None:
    middle, first, second = (tmp_path / f"{name}.map" for name in ("middle", "first", "second"))
    middle.write_text("map 'urn:m' = 'm'\nmodel Middle { part : Made 0..* }\nmodel Made { x : string }\n")
    first.write_text(
        f"map 'urn:a' = 'a'\nimports 'urn:m'\n{MODELS}"
        "group g(source src : Row, target mid : Middle) {\n"
        "  src.part as v -> mid.part as p then { v.x as x -> p.x = x; };\n}\n"
    )
    second.write_text(
        "map 'urn:b' = 'b'\nimports 'urn:m'\nmodel Last { part : Made 0..* }\n"
        "group h(source mid : Middle, target tgt : Last) { mid.part as v -> tgt.part = v; }\n"
    )
    assert "copied(v)" in compile_map(first, second, imports=[tmp_path]).source
