"""`malformed_path`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.malformed_path import malformed_path
from tests.analysis.checks.harness import copied, reported, stored

JSON = "json path 'entry[].resource' key 'id'"
CHILD = "model Child { c : string from %s }"
KIDS = "src.kids as k -> tgt.contact as x, x.id = k.c;"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a[", "bracket"),
        ("a[x]", "bracket"),
        ("a[x=", "bracket"),
        ("a[x=]", "bracket"),
        ("a[x!=y]", "bracket"),
        ("a[x=1 and y=2]", "bracket"),
        ("a[-1]", "bracket"),
        ("a[*].b", "bracket"),
        ("a..b", "name"),
        ("a.", "name"),
        (".a", "name"),
        ("../", "name"),
        ("/", "name"),
        ("a[0]b", "mark"),
        ("a]", "mark"),
        ("`a.b", "mark"),
        ("../../../a", "above"),
    ],
)
def test_it_reports(path: str, reason: str) -> None:
    assert reported(malformed_path, copied(f"string 0..1 from '{path}'", store=JSON)) == [f"FM165 {reason}: '{path}'"]


@pytest.mark.parametrize(
    "path", ["a.b", "a[0].b", "a[].b", "a[b.c=x y].d", "`a[`.b", "../a", "../../a", "/a.b", 'a[b="it\'s [1]"]']
)
def test_it_does_not_report(path: str) -> None:
    path = path.replace("'", "\\'")
    assert reported(malformed_path, copied(f"string 0..1 from '{path}'", store=JSON)) == []


def test_the_path_to_the_records_and_those_of_the_key_are_paths() -> None:
    assert reported(malformed_path, stored(store="json path 'entry[' key 'id'")) == ["FM165 bracket: 'entry['"]
    assert reported(malformed_path, stored(store="json path '../entry' key 'id'")) == ["FM165 record: '../entry'"]
    store = "json path 'entry' key 'id', 'a..b' latest by 'c['"
    assert reported(malformed_path, stored(store=store)) == ["FM165 name: 'a..b'", "FM165 bracket: 'c['"]


def test_a_column_may_have_any_name() -> None:
    for store in ("table 'people' key 'id'", "csv key 'id'"):
        assert reported(malformed_path, copied("string 0..1 from 'N° [x'", store=store)) == []


def test_what_a_column_holds_has_paths() -> None:
    text = stored("kids : Child 0..* from 'doc'", KIDS, more=CHILD % "'a..b'")
    assert reported(malformed_path, text) == ["FM165 name: 'a..b'"]


def test_each_row_knows_its_parent_and_no_more() -> None:
    joined = "kids : Child 0..* join 'kids' on 'id'"
    assert reported(malformed_path, stored(joined, KIDS, more=CHILD % "'../name'")) == []
    assert reported(malformed_path, stored(joined, KIDS, more=CHILD % "'../../name'")) == ["FM165 above: '../../name'"]
    assert reported(malformed_path, copied("string 0..1 from '../name'")) == ["FM165 above: '../name'"]


@pytest.mark.parametrize(
    ("join", "found"),
    [
        ("join '/entry[' on 'a' = 'b'", ["FM165 bracket: '/entry['"]),
        ("join '/entry' on 'a..b' = 'b'", ["FM165 name: 'a..b'"]),
        ("join '/entry' on 'a' = 'b['", ["FM165 bracket: 'b['"]),
        ("join '../../../entry' on 'a' = 'b'", ["FM165 above: '../../../entry'"]),
        ("join '../../entry' on 'a.b[0]' = '../b'", []),
    ],
)
def test_look_ups_have_paths(join: str, found: list[str]) -> None:
    assert reported(malformed_path, stored(f"kids : Child 0..* {join}", KIDS, store=JSON, more=CHILD % "'c'")) == found


def test_joined_rows_have_paths_of_their_own() -> None:
    kids = "model Child from json path 'a.b' source 'x' { c : string from '../c' }"
    joined = "kids : Child 0..* join on '../../k' = 'id'"
    assert reported(malformed_path, stored(joined, KIDS, more=kids)) == []
    assert reported(malformed_path, stored(joined.replace("../k", "../../k"), KIDS, more=kids)) == [
        "FM165 above: '../../../k'"
    ]
    assert reported(malformed_path, stored(joined.replace("../../k", "k["), KIDS, more=kids)) == ["FM165 bracket: 'k['"]
