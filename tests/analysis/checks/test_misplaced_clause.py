"""`misplaced_clause`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.misplaced_clause import misplaced_clause
from tests.analysis.checks.harness import copied, reported


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
        (copied("string 0..1", store="csv key 'id' order by 'x' desc"), ["FM162 order: 'x' desc"]),
        (copied("string 0..1", store="json path 'a' key 'id' order by 'x'"), ["FM162 order: 'x'"]),
        (
            copied("string 0..1", store="table 'T' key 'id' encoding 'cp1252'"),
            ["FM162 encoding: from table 'T' key 'id' encoding 'cp1252'"],
        ),
        (
            copied("string 0..1", store="json key 'id' delimiter ';'"),
            ["FM162 delimiter: from json key 'id' delimiter ';'"],
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
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(misplaced_clause, text) == []
