"""Comments as documentation."""

from __future__ import annotations

from fhirmap.interchange.structure_map import (
    write_structure_map,
)
from fhirmap.language.parser import parse
from tests.interchange.structure_map.written import (
    HEAD,
)


def test_comments_are_documentation() -> None:
    head = """// of the structure
uses "http://x/y" as source
// lost
let x = 1;
// of the group
"""
    line = """// one
// two
src.a as v; // behind
src.b as w -> tgt.c = w, /* inside */ tgt.d = w;
// at the end"""
    tree = parse(f"{HEAD}{head}group main(source src, target tgt) {{\n{line}\n}}\n// after")[0]
    found = write_structure_map(tree, "R5")
    group = found.resource["group"][0]
    assert found.resource["structure"][0]["documentation"] == "of the structure"
    assert group["documentation"] == "of the group\r\nat the end"
    assert [rule["documentation"] for rule in group["rule"]] == ["one\r\ntwo\r\nbehind", "inside"]
    assert [(entry.code, entry.args["count"]) for entry in found.diagnostics] == [("FM044", 2)]
