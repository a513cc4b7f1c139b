"""`unknown_columns`: what it reports of a source's layout, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.diagnostics import Diagnostic
from tests.analysis.checks.harness import copied, stored
from tests.analysis.harness import diagnose

PEOPLE = {"people": ["id", "day", "x"], "parts": ["id_part", "id_people", "c"]}
PART = "model Part { c : string }"
READS = "src.p as p -> tgt.contact as c, c.id = p.c;"


def found(text: str) -> list[Diagnostic]:
    return [entry for entry in diagnose(text, tables=PEOPLE) if entry.code in ("FM150", "FM151")]


def joined(clause: str) -> str:
    return stored(f"p : Part 0..* {clause}", READS, more=PART)


def own(store: str, on: str, column: str = "c") -> str:
    """A map whose child rows are where the child model's own `from` says."""
    return stored(f"p : Part 0..* join {on}", READS, more=f"model Part {store} {{ c : string from '{column}' }}")


@pytest.mark.parametrize(
    ("text", "code", "snippet", "meant"),
    [
        (copied("string from 'day_of'"), "FM150", "'day_of'", "day"),
        (copied("string from 'zzz'"), "FM150", "'zzz'", None),
        (copied("string", store="table 'peoples' key 'id'"), "FM151", "'peoples'", "people"),
        (copied("string", store="table 'people' key 'idd'"), "FM150", "'idd'", "id"),
        (own("from csv source 'parts'", "on 'id_peple' = 'id'"), "FM150", "'id_peple'", "id_people"),
        (own("from csv source 'parts'", "on 'id_people' = 'idd'"), "FM150", "'idd'", "id"),
        (own("from csv source 'parts' order by 'rank'", "on 'id_people' = 'id'"), "FM150", "'rank'", None),
        (own("from csv source 'parts'", "on 'id_people' = 'id'", column="cc"), "FM150", "'cc'", "c"),
        (own("from json source 'parts'", "on 'id_people' = 'idd'"), "FM150", "'idd'", "id"),
        (joined("join 'part' on 'id_people' = 'id'"), "FM151", "'part'", "parts"),
        (joined("join 'parts' on 'id_peple' = 'id'"), "FM150", "'id_peple'", "id_people"),
        (joined("join 'parts' on 'id_people' = 'idd'"), "FM150", "'idd'", "id"),
        (joined("join 'parts' on 'id_people' = 'id' order by 'rank'"), "FM150", "'rank'", None),
    ],
)
def test_it_reports(text: str, code: str, snippet: str, meant: str | None) -> None:
    (entry,) = found(text)
    assert entry.span is not None
    assert (entry.code, entry.span.snippet, entry.meant) == (code, snippet, meant)
    assert entry.known or meant


@pytest.mark.parametrize(
    "text",
    [
        copied("string"),
        copied("string from 'day'"),
        joined("join 'parts' on 'id_people' = 'id' order by 'id_part'"),
        copied("string from 'zzz'", store="json key 'id'"),
        own("from csv source 'parts'", "on 'id_people' = 'id'"),
        own("from json source 'parts'", "on 'any.path' = 'id'"),
        stored("p : Part 0..*", READS, more=PART),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert found(text) == []


def test_a_join_of_a_file_is_reported_as_that_alone() -> None:
    text = stored("p : Part 0..* join 'parts' on 'x'", READS, more=PART, store="csv key 'id'")
    assert [(entry.code, entry.variant) for entry in diagnose(text, tables={"": ["id", "c"]})] == [
        ("FM162", "join_file")
    ]


def test_columns_of_a_join_in_the_wrong_order_are_one_fault() -> None:
    (entry,) = found(joined("join 'parts' on 'id' = 'id_people'"))
    assert entry.hint_text == "the column of `parts` comes first: `'id_people' = 'id'`"


def test_a_join_on_one_name_that_the_parent_lacks() -> None:
    (entry,) = found(joined("join 'parts' on 'id_people'"))
    assert "name the column of `people` too: `on 'id_people' = '…'`" in entry.hint_text
