"""The text of sketches: columns one below the other, remarks as comments, proposals commented out."""

from __future__ import annotations

from dataclasses import replace

from fhirmap.inspection.guess import TEXT, Guess
from fhirmap.inspection.sketch import (
    ElementSketch,
    ModelSketch,
    child_element,
    column_element,
    joined_element,
    store_clause,
)
from fhirmap.inspection.text import sketches_to_text
from fhirmap.texts import Text, language_of

SKETCH = ModelSketch(
    "Stay",
    store_clause("table", "STAY", key=("id",)),
    [
        ElementSketch(column_element("id", TEXT, "id", "Europe/Paris", required=True)),
        ElementSketch(column_element("begin", Guess("dateTime", "yyyyMMdd", is_local=True), "D'", "Europe/Paris")),
        ElementSketch(column_element("scan", TEXT, "scan", ""), Text("inspection.binary"), is_proposal=True),
        ElementSketch(replace(child_element("lines", "Line", repeats=True), lines=True)),
        ElementSketch(joined_element("acts", "Act", "ACT", [("stay", "id")], repeats=True), is_proposal=True),
    ],
    Text("inspection.no_primary_key"),
)


def test_a_sketch_as_text() -> None:
    with language_of("en"):
        assert sketches_to_text([SKETCH]).splitlines() == [
            "// The table has no primary key: name the columns that distinguish its records, key '…'.",
            "model Stay from table 'STAY' key 'id' {",
            "  id    : string   1..1 from 'id'",
            r"  begin : dateTime 0..1 from 'D\'' format 'yyyyMMdd' zone 'Europe/Paris'",
            "  // scan  : string   0..1 from 'scan'  // binary: not read",
            "  lines : Line     0..* lines",
            "  // acts  : Act      0..* join 'ACT' on 'stay' = 'id'",
            "}",
        ]


def test_remarks_are_in_the_language_of_the_reader() -> None:
    with language_of("fr"):
        assert "// binaire\u00a0: non lu" in sketches_to_text([SKETCH])


def test_proposals_are_not_part_of_the_model() -> None:
    assert [element.name for element in SKETCH.model().elements] == ["id", "begin", "lines"]
