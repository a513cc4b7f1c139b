"""`misplaced_clause`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.misplaced_clause import misplaced_clause
from tests.analysis.checks.harness import copied, reported, stored


def joined(clause: str, *, store: str = "table 'people'", child: str = "", more: str = "") -> str:
    """A map whose model has the child rows ``kids``."""
    models = f"model Kid {child} {{ c : string from 'c' {more} }}\nmodel Grand {{ d : string }}"
    return stored(f"kids : Kid 0..* {clause}", store=f"{store} key 'id'", more=models)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (copied("string join 't' on 'id'"), ["FM162 join: join 't' on 'id'"]),
        (copied("string from 'x' zone 'Europe/Paris'"), ["FM162 zone: 'Europe/Paris'"]),
        (copied("string from position"), ["FM162 position: string"]),
        (copied("string 0..1 from 'x' split '|'"), ["FM162 split: '|'"]),
        (copied("string 0..* split ''"), ["FM162 split: ''"]),
        (copied("string attributes 'a' values 'b'"), ["FM162 attributes: attributes 'a' values 'b'"]),
        (copied("string 0..* from 'x'", store="csv key 'id'"), ["FM162 several: x : string 0..* from 'x'"]),
        (copied("string 0..1", store="table 'T' key 'id' encoding 'cp1252'"), ["FM162 encoding: encoding 'cp1252'"]),
        (
            copied("string 0..1", store="xml path 'a' key 'id' encoding 'cp1252'"),
            ["FM162 encoding_known: encoding 'cp1252'"],
        ),
        (
            copied("string 0..1", store="json key 'id' delimiter ';'"),
            ["FM162 delimiter: delimiter ';'"],
        ),
        (copied("string 0..1", store="json key 'id' header none"), ["FM162 header: header none"]),
        (copied("string 0..1", store="parquet key 'id' names 'id'"), ["FM162 names: names 'id'"]),
        (copied("string 0..1", store="csv key 'id' header none names line 2"), ["FM162 no_names: names line 2"]),
        (copied("string 0..1", store="csv key 'id' names line 0"), ["FM162 line: names line 0"]),
        (copied("string 0..1", store="sheet key 'id' names line 1"), []),
        (copied("string 0..1", store="table 'T' key 'id' fill 'x'"), ["FM162 fill: fill 'x'"]),
        (copied("string 0..1", store="hl7 key 'id' until 'TOTAL'"), ["FM162 until: until 'TOTAL'"]),
        (copied("string 0..1", store="csv key 'id' prefix h = 'urn:x'"), ["FM162 prefix: prefix h = 'urn:x'"]),
        (copied("string 0..1", store="xml key 'id'"), ["FM162 xml: xml"]),
        (copied("string 0..1", store="sheet 0 key 'id'"), ["FM162 sheet: 0"]),
        (copied("string 0..1", store="sheet 'poses.XLSX' key 'id'"), ["FM162 workbook: 'poses.XLSX'"]),
        (copied("boolean 0..1 decimals 2"), ["FM162 decimals: decimals 2"]),
        (copied("string 0..* from 'x'", store="sheet key 'id'"), ["FM162 several: x : string 0..* from 'x'"]),
        (joined("join 'kids' on 'id'", store="csv"), ["FM162 join_file: join 'kids' on 'id'"]),
        (joined("join '../part' on 'id'", store="hl7"), ["FM162 look_up: join '../part' on 'id'"]),
        (joined("join '../part' on 'id'", store="xml path 'a'"), []),
        (joined("join '/kids' on 'id'", store="hl7"), ["FM162 look_up: join '/kids' on 'id'"]),
        (joined("join 'kids' on 'id'", store="hl7"), ["FM162 join_document: join 'kids' on 'id'"]),
        (joined("join on 'id'"), ["FM162 own: join on 'id'"]),
        (
            joined("join on 'id'", child="from csv source 'kids'", more="all : Grand 0..* lines"),
            ["FM162 joined_lines: all : Grand 0..* lines"],
        ),
        (
            joined("join on 'id'", child="from csv source 'kids' latest by 'd'"),
            ["FM162 latest: latest by 'd'"],
        ),
        (
            joined("lines", store="csv", more="grand : Grand 0..* join 't' on 'c'"),
            ["FM162 join_file: join 't' on 'c'"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(misplaced_clause, text) == found


@pytest.mark.parametrize(
    "text",
    [
        copied("string 0..1"),
        copied("dateTime 0..1 format 'yyyyMMddHHmm' zone 'Europe/Paris'"),
        copied("integer from position"),
        copied("string 0..* from 'x'"),
        copied("string 0..*", store="json key 'id'"),
        copied("string 0..* split '|'"),
        copied("string 0..1", store="table 'T' key 'id' order by 'x'"),
        copied("string 0..1", store="csv key 'id' encoding 'cp1252' delimiter ';'"),
        copied("string 0..1", store="json key 'id' encoding 'cp1252'"),
        copied("string 0..1", store="hl7 key 'id' encoding 'cp1252'"),
        copied("string 0..1", store="csv key 'id' where 'x > 1' order by 'x' latest by 'd'"),
        copied("string 0..1", store="json path 'a' key 'id' order by 'x'"),
        copied("string 0..1", store="sheet 2 key 'id' names line 3 fill 'x' until 'TOTAL'"),
        copied("string 0..1", store="csv key 'id' header none names 'id', 'x'"),
        copied("string 0..1", store="xml path 'h:a' key 'id' prefix h = 'urn:x'"),
        copied("string 0..*", store="parquet key 'id'"),
        copied("decimal 0..1 from 'x' decimals 2"),
        *(joined("lines", store=store) for store in ("csv", "sheet", "parquet", "json", "xml path 'a'", "hl7")),
        joined("join '/entry' on 'id'", store="json"),
        joined("join '../part' on 'id'", store="json path 'a'"),
        joined("join on 'id'", store="csv", child="from table 'kids' source 'base'"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(misplaced_clause, text) == []
