"""`undeclared_namespace`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.undeclared_namespace import undeclared_namespace
from tests.analysis.checks.harness import reported, stored

XML = "xml path 'h:people.h:person' prefix h = 'urn:people' key 'h:id'"
CHILD = "model Child { c : string from %s }"
KIDS = "kids : Child 0..* from 'h:kids.h:kid'"
RULE = "src.kids as k -> tgt.contact as x, x.id = k.c;"


@pytest.mark.parametrize(
    ("store", "found"),
    [
        (XML, []),
        ("xml path 'people.person' key 'id'", []),
        ("xml path 'people.person' key '@xml:id'", []),
        ("xml path 'h:people.h:person' key 'h:id'", ["FM783: 'h:people.h:person'"]),
        ("xml path 'people.person' key 'h:id', 'h:no'", ["FM783: 'h:id'"]),
        ("xml path 'people.person' key 'id' latest by 'h:at'", ["FM783: 'h:at'"]),
        ("xml path 'people.person' key 'id' order by 'h:at'", ["FM783: 'h:at'"]),
        ("xml path 'a.b[h:c=1]' key 'id'", ["FM783: 'a.b[h:c=1]'"]),
        ("json path 'h:people' key 'h:id'", []),
    ],
)
def test_the_paths_of_the_records(store: str, found: list[str]) -> None:
    assert reported(undeclared_namespace, stored(store=store)) == found


def test_the_paths_of_elements_and_of_the_rows_below() -> None:
    assert reported(undeclared_namespace, stored("a : string from 'h:a'", store=XML)) == []
    assert reported(undeclared_namespace, stored("a : string from 'i:a.@k:b'", store=XML)) == [
        "FM783: 'i:a.@k:b'",
        "FM783: 'i:a.@k:b'",
    ]
    assert reported(undeclared_namespace, stored(KIDS, RULE, store=XML, more=CHILD % "'h:c'")) == []
    assert reported(undeclared_namespace, stored(KIDS, RULE, store=XML, more=CHILD % "'i:c'")) == ["FM783: 'i:c'"]


def test_a_prefix_that_is_declared_twice() -> None:
    twice = "xml path 'h:p' prefix h = 'urn:a' prefix h = 'urn:b' prefix xml = 'urn:c' key 'h:id'"
    found = reported(undeclared_namespace, stored(store=twice))
    assert [entry.partition(":")[0] for entry in found] == ["FM783 twice"] * 2
