"""A record of which no rule wrote anything is out of scope only if none asked for what could not be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.records import Fault, Record, Result
from fhirmap.runner.verdict import Verdict, classify
from fhirmap.runtime.unread import UnreadRecord, asked_faults, watched

MODELS = """
model Stay from table 'STAY' key 'id' {
  id     : string  1..1
  state  : code    0..1
  count  : integer 0..1
  day    : date    0..1
  needed : string  1..1
  poses  : Pose    0..* join 'POSE' on 'id' repeat 'qty'
}
model Pose { id : string 0..1  rank : integer 0..1  lot : string 0..1  expiry : date 0..1 }
"""
GOOD: dict[str, Any] = {"id": "1", "state": "A", "count": "1", "day": "2025-03-01", "needed": "x", "poses": []}


def mapped(rules: str, **cells: Any) -> Result:
    transformer = compile_map(f"{MODELS}group g(source src : Stay, target tgt) {{\n{rules}\n}}\n")
    return transformer({**GOOD, **cells})


def verdict(result: Result) -> tuple[Verdict, list[str]]:
    found = classify(Record("1", GOOD), result)
    return found.verdict, [f"{fault.code} {fault.path}" for fault in result.faults]


OUT: tuple[Verdict, list[str]] = (Verdict.OUT_OF_SCOPE, [])


@pytest.mark.parametrize(
    ("rules", "cells", "path"),
    [
        ("src where (count > 1) -> tgt.id = 'x';", {"count": "many"}, "FM410 Stay.count"),
        ("src where (count.exists()) -> tgt.id = 'x';", {"count": "many"}, "FM410 Stay.count"),
        ("src.count as c where ($this > 1) -> tgt.id = 'x';", {"count": "many"}, "FM410 Stay.count"),
        ("src.day as d -> tgt.day = d;", {"day": "31/02/2025"}, "FM410 Stay.day"),
        ("src where (%src.day > @2025-01-01) then late(src, tgt);\n}\ngroup late(source src : Stay, target tgt) {\n"
         "src.id as v -> tgt.id = v;", {"day": "yesterday"}, "FM410 Stay.day"),
        ("src where (needed = 'y') -> tgt.id = 'x';", {"needed": None}, "FM411 Stay.needed"),
        ("src.poses as p where (rank = 1) -> tgt.lot = 'x';",
         {"poses": [{"rank": "2", "qty": 1}, {"rank": "first", "qty": 1}]}, "FM410 Stay.poses[1].rank"),
        ("src where (poses.where(rank = 1).exists()) -> tgt.lot = 'x';",
         {"poses": [{"rank": "first", "qty": 2}]}, "FM410 Stay.poses[0].rank"),
        ("src where (poses.expiry < day) -> tgt.lot = 'x';",
         {"poses": [{"expiry": "soon", "qty": 1}]}, "FM410 Stay.poses[0].expiry"),
        ("src where (children().count() > 20) -> tgt.lot = 'x';", {"count": "many"}, "FM410 Stay.count"),
    ],
)  # fmt: skip
def test_a_record_whose_scope_an_unreadable_cell_decides_is_invalid(
    rules: str, cells: dict[str, Any], path: str
) -> None:
    rows = [{"id": None, "rank": None, "lot": None, "expiry": None, **row} for row in cells.get("poses", [])]
    result = mapped(rules, **{**cells, "poses": rows})
    assert result.resource is None
    assert verdict(result) == (Verdict.INVALID, [path])


@pytest.mark.parametrize(
    "rules",
    [
        "src where (state = 'R') then { src.count as c -> tgt.count = c; src.day as d -> tgt.day = d; };",
        "src where (state = 'R' and count > 1) -> tgt.id = 'x';",
        "src.poses as p where (rank = 1) -> tgt.lot = 'x';",
    ],
)
def test_what_no_rule_asks_for_does_not_matter(rules: str) -> None:
    row = {"id": None, "rank": "2", "lot": None, "expiry": "soon", "qty": 1}
    assert verdict(mapped(rules, count="many", day="soon", needed=None, poses=[row])) == OUT


def test_a_cell_that_is_absent_decides_as_well_as_any() -> None:
    assert verdict(mapped("src where (count > 1) -> tgt.id = 'x';", count=None)) == OUT


def test_a_text_that_is_read_as_absent_and_decides_is_said() -> None:
    """Absent is absent; but that a word or a shortened number made it so is said of the record that is not sent."""
    assert verdict(mapped("src where (id = 'x') -> tgt.id = 'x';", id="NULL", needed="NULL")) == (
        Verdict.INVALID,
        ["FM459 Stay.id", "FM411 Stay.id"],
    )
    row = {"id": None, "rank": None, "lot": "1,20E+05", "expiry": None, "qty": 1}
    rule = "src.poses as p where (lot = 'x') -> tgt.id = 'x';"
    assert verdict(mapped(rule, poses=[row])) == (Verdict.OUT_OF_SCOPE, ["FM459 Stay.poses[0].lot"])
    assert verdict(mapped("src where (count = 7) -> tgt.id = 'x';", poses=[row])) == OUT
    assert verdict(mapped(rule, poses=[{**row, "lot": "UNKNOWN"}])) == OUT


def test_the_scope_that_a_later_stage_decides(tmp_path: Path) -> None:
    """Which cells a later stage asks for is not known: all that the first one read count."""
    middle = "model Middle { count : integer 0..1  id : string 0..1 }\n"
    (tmp_path / "middle.map").write_text(f"map 'urn:m' = 'm'\n{middle}", encoding="utf-8")
    first = f"""map 'urn:a' = 'a'\nimports 'urn:m'\n{MODELS}
group first(source src : Stay, target mid : Middle) {{
  src.id as v -> mid.id = v;
  src.count as c -> mid.count = c;
}}
"""
    second = """map 'urn:b' = 'b'\nimports 'urn:m'
group second(source mid : Middle, target tgt) { mid where (count > 1) -> tgt.id = 'x'; }
"""
    files = tmp_path / "first.map", tmp_path / "second.map"
    for file, text in zip(files, (first, second), strict=True):
        file.write_text(text, encoding="utf-8")
    transformer = compile_map(*files, imports=[tmp_path])
    assert verdict(transformer({**GOOD, "count": "many"})) == (Verdict.INVALID, ["FM410 Stay.count"])
    assert verdict(transformer({**GOOD, "day": "soon"})) == OUT


def test_every_way_to_ask_counts() -> None:
    faults = [
        Fault("FM459", "warning", "A.w", "A.w"),
        Fault("FM410", path="A.x", element="A.x"),
        Fault("FM410", path="A.b[0].x", element="B.x"),
    ]
    assert type(watched({"v": 1, "w": 1}, faults[:1], 0)) is dict
    assert type(watched({"v": 1}, faults[:1], 0)) is UnreadRecord
    for ask in (
        lambda record: record.get("x"),
        lambda record: "x" in record,
        lambda record: list(record),
        lambda record: {**record},
        lambda record: dict(record),
        lambda record: record.items(),
        lambda record: record.values(),
        lambda record: record.keys(),
    ):
        record = watched({"v": 1, "w": 1}, faults, 0)
        assert isinstance(record, UnreadRecord)
        assert record == {"v": 1, "w": 1}
        assert record["v"] == record.get("v") == 1
        assert asked_faults([record], faults) == ()
        ask(record)
        assert asked_faults([{"deeper": [record]}], faults) == (faults[1],)
