"""`--strict-fml`: each use of an extension, and none in maps of the language itself."""

from __future__ import annotations

from pathlib import Path

from fhirmap.analysis.strict import extensions_of
from fhirmap.language.parser import parse
from tests.analysis.harness import functions
from tests.language.corpus import suite_maps

LOCAL = """\
conceptmap "a" from "a.csv" columns 'x', 'y' { prefix s = "urn:s" prefix t = "urn:t" unmapped pass }
conceptmap "b" { prefix s = "urn:s" prefix t = "urn:t" unmapped code t:X s:a - t:b }
conceptmap "c" { prefix s = "urn:s" prefix t = "urn:t" unmapped for s = provided s:a - t:b }
let key = nirKey('1');
model Op from table 'OP' key 'id' {
  id    : string 1..1
  date  : date from 'd' format 'yyyyMMdd' zone 'Europe/Paris' null 'X'
  poses : Pose 0..* join 'POSE' on 'id' repeat 'n'
}
model Pose { rank : integer from position }
group op(source src : Op, target tgt) {
  src.id check (true) "an id";
  src.id as i where ($this.nirKey().exists()) -> tgt.a = nirKey(i), tgt.b = truncate(i, 2), tgt.c = (i.nirKey()) then {
    src.date as d -> tgt.d = (%d.toString().nirKey());
  };
}
"""


def test_each_use_of_an_extension() -> None:
    tree, diagnostics = parse(LOCAL, "local.map")
    assert not diagnostics
    found = [
        (entry.code, entry.variant, entry.span.line if entry.span else 0, entry.args.get("clauses", ""))
        for entry in extensions_of(tree, functions())
    ]
    assert sorted(found) == [
        ("FM190", "", 5, ""),
        ("FM190", "", 10, ""),
        ("FM190", "element", 7, "`from`, `format`, `zone`, `null`"),
        ("FM190", "element", 8, "`join`, `repeat`"),
        ("FM190", "element", 10, "`from position`"),
        ("FM191", "", 1, ""),
        ("FM192", "", 1, ""),
        ("FM192", "", 2, ""),
        ("FM193", "", 4, ""),
        ("FM193", "", 13, ""),
        ("FM193", "", 13, ""),
        ("FM193", "", 13, ""),
        ("FM193", "", 14, ""),
        ("FM194", "", 12, ""),
    ]


def test_maps_of_the_language_use_none(shared_dir: Path) -> None:
    paths = suite_maps(shared_dir)
    assert len(paths) > 40
    for path in paths:
        tree, _ = parse(path.read_text(encoding="utf-8-sig"), path.name)
        assert not list(extensions_of(tree, functions())), path.name
