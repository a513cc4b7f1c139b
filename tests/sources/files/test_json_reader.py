"""JSON documents and NDJSON."""

# ruff: noqa: E501  one value a line

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.records import Record
from fhirmap.source_plan import Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from tests.sources.conftest import columns
from tests.sources.exports import fails, read, write

CASES = SourcePlan(SourceKind.JSON, "data.cases", ("id",), RowLayout("Case", columns("id", "patient.nir")))
LINES = replace(CASES, name="")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_inside_a_document(tmp_path: Path, encoding: str) -> None:
    path = write(
        tmp_path / "a.json",
        '{"data": {"cases": [{"id": 7, "w": 1.50, "n": 12345678901234567890, "é": null}]}}',
        encoding,
    )
    (record,) = read(path, CASES)
    assert record == Record(
        "7", {"id": 7, "w": Decimal("1.50"), "n": 12345678901234567890, "é": None}, "a.json#/data/cases/0"
    )
    assert str(record.values["w"]) == "1.50"


def test_one_record_a_document_or_a_line(tmp_path: Path) -> None:
    assert [r.key for r in read(write(tmp_path / "a.json", '{"id": "A"}'), LINES)] == ["A"]
    assert [r.key for r in read(write(tmp_path / "b.json", '[{"id": "A"}, {"id": "B"}]'), LINES)] == ["A", "B"]
    assert read(write(tmp_path / "c.json", "[]"), LINES) == []
    text = '\ufeff{"id": "A"}\n\n{"id": "B"}\r\n'
    for name in ("d.ndjson", "e.jsonl"):
        assert [(r.key, r.origin) for r in read(write(tmp_path / name, text), LINES)] == [
            ("A", f"{name}:1"),
            ("B", f"{name}:3"),
        ]
    assert [r.key for r in read(write(tmp_path / "f.json", text.removeprefix("\ufeff")), LINES)] == ["A", "B"]


def test_a_broken_line_is_a_faulty_record(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", '{"id": "A"}\n{"id": "B"\n"text"\n{"id": "C"}\n')
    assert [(r.key, [f.code for f in r.faults]) for r in read(path, LINES)] == [
        ("A", []),
        ("", ["FM713"]),
        ("", ["FM722"]),
        ("C", []),
    ]


HUGE = ("9E99999999999999999999", "1e-99999999999999999999", "9" * 5000, "-" + "9" * 5000)
"""Numbers that JSON allows and Python does not."""


@pytest.mark.parametrize("number", HUGE)
def test_a_number_too_large_is_its_record_s_fault_alone(tmp_path: Path, number: str) -> None:
    entries = ['{"id": "A"}', f'{{"id": "B", "patient": {{"nir": {number}}}}}', '{"id": "C", "patient": {"nir": "1"}}']
    document = write(tmp_path / "a.json", f'{{"data": {{"cases": [{", ".join(entries)}]}}}}')
    lines = write(tmp_path / "b.ndjson", "\n".join(entries))
    for path, plan in ((document, CASES), (lines, LINES)):
        records = read(path, plan)
        assert [record.key for record in records if not record.faults and record.key != "B"] == ["A", "C"]
        faulty = records[1]
        assert faulty.faults or not faulty.values["patient"]["nir"].is_finite()
        assert "999" not in str([(fault.code, fault.args) for fault in faulty.faults])
        with open_source(str(path), plan) as source:
            assert source.check() == []


@pytest.mark.parametrize("number", HUGE)
def test_a_key_that_is_such_a_number_is_none(tmp_path: Path, number: str) -> None:
    path = write(tmp_path / "a.json", f'[{{"id": {number}}}, {{"id": "B"}}]')
    first, second = read(path, LINES)
    assert (first.key, [fault.code for fault in first.faults] in (["FM717"], ["FM713"]), second.key) == ("", True, "B")


@pytest.mark.parametrize("number", HUGE)
def test_a_document_of_one_record_with_such_a_number(tmp_path: Path, number: str) -> None:
    (record,) = read(write(tmp_path / "a.json", f'{{"id": {number}}}'), LINES)
    assert record.key == ""
    assert record.faults


def test_a_document_nested_too_deeply(tmp_path: Path) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    path = write(tmp_path / "a.json", f'[{{"id": "A", "w": {deep}}}, {{"id": "B"}}]')
    assert [(r.key, [f.code for f in r.faults]) for r in read(path, LINES)] == [("", ["FM713"]), ("B", [])]
    lines = write(tmp_path / "b.ndjson", f'{{"id": "A", "w": {deep}}}\n{{"id": "B"}}')
    assert [(r.key, [f.code for f in r.faults]) for r in read(lines, LINES)] == [("", ["FM713"]), ("B", [])]
    for depth in range(100, 1000, 50):
        nested = "[" * depth + "]" * depth
        path = write(tmp_path / "c.json", f'[{{"id": "A", "w": {nested}}}]')
        with open_source(str(path), LINES) as source:
            try:
                source.check()
            except ConfigError as error:
                assert error.code == "FM713"


ONE_BAD = (
    r'"\ud800"', r'"\udc00\ud800"', "NaN", "-Infinity", "1" + "0" * 5000, "[" * 5000 + "]" * 5000, "tru", "01", '"a\tb"',
    '{"x": 1, "x": 2}', r'{"x": "\u003a", "y": {"z": 1, "z": 1}}',
)  # fmt: skip
"""Values that are no JSON, or not one value."""


@pytest.mark.parametrize("value", ONE_BAD)
def test_a_value_that_is_none_costs_its_record_alone(tmp_path: Path, value: str) -> None:
    entries = ['{"id": "A", "s": "},{[\\\\"}', f'{{"id": "B", "v": {value}}}', '{"id": "C", "v": "\\u003a::"}']
    joined = ",\n ".join(entries)
    document = write(tmp_path / "a.json", f'{{"n": [1, {{}}], "data": {{"cases": [{joined}], "x": "]"}}}}')
    lines = write(tmp_path / "b.ndjson", "\n".join(entries))
    whole = write(tmp_path / "c.json", f"[{joined}]")
    for path, plan in ((document, CASES), (lines, LINES), (whole, LINES)):
        assert [(r.key, [f.code for f in r.faults]) for r in read(path, plan)] == [
            ("A", []),
            ("", ["FM713"]),
            ("C", []),
        ]
        with open_source(str(path), plan) as source:
            assert source.count() in (3, None)
            assert not [entry for entry in source.check() if entry.is_error]


def test_a_byte_of_another_encoding_costs_its_record_alone(tmp_path: Path) -> None:
    for name, text in (
        ("a.ndjson", b'{"id":"A"}\n{"id":"\xe9"}\n{"id":"C"}'),
        ("a.json", b'[{"id":"A", "s": "\xc3\xa9"},{"id":"\xe9"},{"id":"C"}]'),
    ):
        path = tmp_path / name
        path.write_bytes(text)
        assert [(r.key, [f.code for f in r.faults]) for r in read(path, LINES)] == [
            ("A", []),
            ("", ["FM713"]),
            ("C", []),
        ]
    path.write_bytes(b'[{"id":"\xe8"},{"id":"\xe9"},{"id":"C"}]')
    assert fails(path, LINES).code == "FM705"


def test_lines_in_another_encoding_than_utf8(tmp_path: Path) -> None:
    text = '{"id": "é"}\n{"id": "B"}\n{"id": "C"'
    found = [("é", []), ("B", []), ("", ["FM713"])]
    for encoding, declared in (("utf-16", ""), ("cp1252", "cp1252"), ("utf-8-sig", "")):
        path = write(tmp_path / "a.ndjson", text, encoding)
        assert [(r.key, [f.code for f in r.faults]) for r in read(path, replace(LINES, encoding=declared))] == found
    assert (
        fails(write(tmp_path / "b.ndjson", text.replace("B", "è").replace("C", "ç"), "cp1252"), LINES).code == "FM705"
    )
    joined = "\n".join(f"\ufeff{line}" for line in text.splitlines())
    assert [r.key for r in read(write(tmp_path / "c.ndjson", joined), LINES)] == ["é", "B", ""]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"data":\n {"cases": [}', "line 2, column 13"),
        ('{"data": {"cases": [{"id": "é"}', "ends too early"),
        ("", "ends too early"),
        ("{'id'", "line 1, column 2"),
    ],
)
def test_a_broken_document_is_reported_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    error = fails(write(tmp_path / "a.json", text), CASES)
    assert error.code == "FM713"
    assert place in str(error)


def test_wrong_encoding_missing_file_missing_list(tmp_path: Path) -> None:
    error = fails(write(tmp_path / "a.json", '{"a":\n "é"}', "cp1252"), CASES)
    assert (error.code, "byte 8, line 2" in str(error)) == ("FM705", True)
    assert fails(tmp_path / "b.json", CASES).code == "FM701"
    missing = fails(write(tmp_path / "c.json", '{"data": {"case": []}}'), CASES)
    assert (missing.code, missing.diagnostic().hint_text) == ("FM714", "did you mean `case`? (there is `case`)")
    assert fails(write(tmp_path / "d.json", '{"data": {"cases": 3}}'), CASES).code == "FM714"
    whole = fails(write(tmp_path / "e.json", '[{"id": 1}]'), CASES).diagnostic()
    assert (whole.code, whole.variant) == ("FM714", "whole")
    inside = fails(write(tmp_path / "f.json", '{"data": [{"cases": [{"id": 1}]}]}'), CASES).diagnostic()
    assert (inside.code, "`path 'data'`" in inside.hint_text) == ("FM714", True)


@pytest.mark.parametrize("name", ["a.ndjson", "a.json"])
def test_lines_have_no_path(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, '{"data": {"cases": [{"id": 1}]}}\n{"data": {"cases": [{"id": 2}]}}\n')
    assert (fails(path, CASES).code, fails(path, CASES).diagnostic().variant) == ("FM714", "lines")


def test_a_wrong_path_is_found_with_its_place(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", '{"data": {"case": [{"id": 1}]}}')
    with open_source(str(path), replace(CASES, position="a.map:7:1")) as source:
        assert [(entry.code, entry.args["position"]) for entry in source.check()] == [("FM714", "a.map:7:1")]


@pytest.mark.parametrize("key", ["codes", "team.rpps", "team.person.id"])
def test_a_key_leads_through_no_list(tmp_path: Path, key: str) -> None:
    team = [{"rpps": "1", "person": {"id": "x"}}]
    path = write(tmp_path / "a.json", json.dumps([{"codes": ["A"], "team": team}]))
    with open_source(str(path), replace(LINES, key=(key,), shape=RowLayout("Case", ()))) as source:
        assert [(entry.code, entry.variant) for entry in source.check()] == [("FM704", "json_list")]


def test_the_latest_revision_is_the_record(tmp_path: Path) -> None:
    text = (
        '[{"id":1,"u":3},{"id":1,"u":20},{"id":1},'
        '{"id":2,"u":1},{"id":2,"u":1},{"id":null},{"id":{"x":1}},{"id":4,"u":1.5},{"id":4,"u":1}]'
    )
    plan = replace(LINES, latest=Order("u"))
    expected = [
        ("1", True, []),
        ("1", False, []),
        ("1", True, []),
        ("2", False, ["FM718"]),
        ("2", False, ["FM718"]),
        ("", False, ["FM717"]),
        ("", False, ["FM717"]),
        ("4", False, []),
        ("4", True, []),
    ]
    lines = "\n".join(json.dumps(entry) for entry in json.loads(text))
    for path in (write(tmp_path / "a.json", text), write(tmp_path / "b.ndjson", lines)):
        assert [(r.key, r.superseded, [f.code for f in r.faults]) for r in read(path, plan)] == expected


def test_paths_that_no_record_has(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", '{"data": {"cases": [{"ident": 1, "patient": {"nirr": "x"}}]}}')
    with open_source(str(path), CASES) as source:
        found = source.check()
    assert [(d.code, d.args["column"], d.is_error) for d in found] == [
        ("FM704", "id", True),
        ("FM726", "patient.nir", False),
    ]
    assert "did you mean `patient.nirr`?" in found[1].hint_text


def test_the_documented_cases(shared_dir: Path) -> None:
    plan = replace(CASES, name="cases", key=("caseId",), latest=Order("updatedAt"))
    records = read(shared_dir / "renacot" / "sih" / "b_clinique.json", plan)
    assert len(records) == 52
    assert [record.key for record in records if record.superseded] == ["CSA-2025051"]


def test_a_key_that_is_a_list_in_one_record_is_that_record_s_fault(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", '[{"id": "A"}, {"id": ["B"]}, {"id": {"x": 1}}, {"id": "C"}]')
    with open_source(str(path), LINES) as source:
        assert not [entry for entry in source.check() if entry.is_error]
        assert [(r.key, [f.code for f in r.faults]) for r in source.records()] == [
            ("A", []),
            ("", ["FM717"]),
            ("", ["FM717"]),
            ("C", []),
        ]
