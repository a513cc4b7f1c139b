"""JSON documents and NDJSON."""

# ruff: noqa: E501  one value a line

from __future__ import annotations

import gzip
import json
import tracemalloc
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.maps import compile_map
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
    for name, text, variant in (
        ("a.ndjson", b'{"id":"A"}\n{"id":"\xe9"}\n{"id":"C"}', "line_damaged"),
        ("a.json", b'[{"id":"A", "s": "\xc3\xa9"},{"id":"\xe9"},{"id":"C"}]', "entry_damaged"),
    ):
        path = tmp_path / name
        path.write_bytes(text)
        assert [(r.key, [(f.code, f.variant) for f in r.faults]) for r in read(path, LINES)] == [
            ("A", []),
            ("", [("FM713", variant)]),
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
    assert (missing.code, missing.diagnostic().hint_text) == ("FM714", "did you mean `case`?")
    assert fails(write(tmp_path / "d.json", '{"data": {"cases": 3}}'), CASES).code == "FM714"
    whole = fails(write(tmp_path / "e.json", '[{"id": 1}]'), CASES).diagnostic()
    assert (whole.code, whole.variant) == ("FM714", "whole")


@pytest.mark.parametrize("name", ["a.ndjson", "a.json"])
def test_each_line_is_a_document_with_a_path(tmp_path: Path, name: str) -> None:
    lines = [
        '{"data": {"cases": [{"id": 1}, {"id": 2}]}}',
        '{"data": {}}',
        '{"data": {"cases": {"id": 3}}}',
        '{"data": 5',
    ]
    path = write(tmp_path / name, "\n".join(lines))
    assert [(r.key, r.origin, [f.code for f in r.faults]) for r in read(path, CASES)] == [
        ("1", f"{name}:1#/data/cases/0", []),
        ("2", f"{name}:1#/data/cases/1", []),
        ("3", f"{name}:3#/data/cases", []),
        ("", f"{name}:4", ["FM713"]),
    ]


DEEP = """{"id": "b", "site": {"id": "S"}, "entry": [
  {"fullUrl": "u1", "resource": {"type": "Op", "procedures": [{"n": 1, "w": 1.50}, {"n": 2}]}},
  {"fullUrl": "u2", "resource": {"type": "Other", "procedures": {"n": 3}}},
  {"fullUrl": "u3", "resource": {"type": "Op"}}, {"fullUrl": "u4"}, null,
  {"fullUrl": "u5", "resource": {"type": "Op", "procedures": ["text", {"n": 4}]}},
  {"fullUrl": "u6", "fullUrl": "u7"},
  {"fullUrl": "u8", "resource": "text"}
], "late": "L"}"""


def deep(path: str, *key: str, columns_read: str = "n") -> SourcePlan:
    return SourcePlan(SourceKind.JSON, path, key, RowLayout("Case", columns(*columns_read.split())))


def test_several_records_of_one_document(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", DEEP)
    plan = deep("entry[].resource.procedures[]", "../../../id", "../../fullUrl", "n", columns_read="/late ../type")
    assert [(r.key, r.origin, [f.code for f in r.faults]) for r in read(path, plan)] == [
        ("b|u1|1", "a.json#/entry/0/resource/procedures/0", []),
        ("b|u1|2", "a.json#/entry/0/resource/procedures/1", []),
        ("b|u2|3", "a.json#/entry/1/resource/procedures", []),
        ("", "a.json#/entry/5/resource/procedures/0", ["FM722"]),
        ("b|u5|4", "a.json#/entry/5/resource/procedures/1", []),
        ("", "a.json#/entry/6", ["FM713"]),
        ("", "a.json#/entry/7/resource", ["FM722"]),
    ]
    first = read(path, plan)[0].values
    above = {"type": "Op", "..": {"fullUrl": "u1", "..": {"id": "b", "late": "L"}}}
    assert first == {"n": 1, "w": Decimal("1.50"), "..": above}
    assert str(first["w"]) == "1.50"
    with open_source(str(path), plan) as source:
        assert source.check() == []


def test_a_record_has_of_what_it_is_in_what_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", DEEP)
    assert ".." not in read(path, deep("entry[].resource.procedures", "n"))[0].values
    assert read(path, deep("entry[0].resource", "../fullUrl"))[0].values[".."] == {"fullUrl": "u1"}
    site = read(path, deep("entry[0].resource", "/site.id"))
    assert [(r.key, r.values[".."]) for r in site] == [("S", {"..": {"site": {"id": "S"}}})]


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("entry[resource.type=Op].resource.procedures[]", ["1", "2", "", "4", ""]),
        ("entry[fullUrl=u2].resource.procedures", ["3", ""]),
        ("entry[0].resource.procedures[1]", ["2"]),
        ("entry[].resource[type=Other].procedures[]", ["3", ""]),
        ("entry[].resource.procedures[n=4]", ["4", "", ""]),
        ("entry[resource.type=None].resource", [""]),
        ("entry[99].resource", []),
    ],
)
def test_places_and_filters_in_the_path(tmp_path: Path, path: str, keys: list[str]) -> None:
    """An entry that cannot be read is a faulty record under any filter."""
    document = write(tmp_path / "a.json", DEEP)
    assert [record.key for record in read(document, deep(path, "n"))] == keys
    line = write(tmp_path / "b.ndjson", json.dumps(json.loads(DEEP)))
    assert [record.key for record in read(line, deep(path, "n")) if record.key] == [key for key in keys if key]


def test_a_document_that_is_a_list_has_a_path_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", '[{"id": "A", "ops": [{"n": 1}, {"n": 2}]}, {"id": "B"}, {"id": "C", "ops": []}]')
    found = read(path, deep("[].ops[]", "../id", "n"))
    assert [(r.key, r.origin) for r in found] == [("A|1", "a.json#/0/ops/0"), ("A|2", "a.json#/0/ops/1")]


def test_a_path_that_no_item_has_is_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", '{"entry": [{"resource": {"procedure": []}}, {"resource": {}}]}')
    with open_source(str(path), replace(deep("entry[].resource.procedures[]", "n"), position="a.map:3:4")) as source:
        [found] = source.check()
        assert list(source.records()) == []
    assert (found.code, found.is_error, found.args["column"], found.args["position"]) == (
        "FM726",
        False,
        "procedures",
        "a.map:3:4",
    )
    assert "`procedure`" in found.hint_text
    with open_source(str(path), deep("entry[x=y].resource.procedure", "n")) as source:
        assert source.check() == []  # it has no record today, whatever the brackets say
    path.write_text('{"entry": [{"resource": {"procedure": [{"n": 1}]}}]}', encoding="utf-8")
    with open_source(str(path), deep("entry[x=y].resource.procedure", "n")) as source:
        [found] = source.check()
    assert (found.code, found.variant, found.is_error) == ("FM782", "filter", False)


def test_a_name_with_signs_of_a_path_is_in_backticks(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", '{"a.b": {"c[0]": [{"n/m": 1}]}}')
    [record] = read(path, deep("`a.b`.`c[0]`", "n/m", columns_read="n/m"))
    assert (record.key, record.origin) == ("1", "a.json#/a.b/c[0]/0")
    assert read(write(tmp_path / "b.json", '{"a/b~": [{"n": 1}]}'), deep("a/b~", "n"))[0].origin == "b.json#/a~1b~0/0"


@pytest.mark.parametrize("text", ['{"a": [{"n": 1}], "a": [{"n": 2}]}', '{"id": 1, "a": [{"n": 1}], "id": 2}'])
def test_which_of_two_members_counts_is_not_known(tmp_path: Path, text: str) -> None:
    error = fails(write(tmp_path / "a.json", text), deep("a", "n", columns_read="../id")).diagnostic()
    assert (error.code, error.variant) == ("FM713", "member_double")


def test_a_large_document_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a part ends: in a name, in a text, in an escape, between an entry and its comma."""
    text = json.dumps(
        {"é": "x", "entry": [{"n": n, "t": '\\"},é{[' * (n % 5), "l": [[{}]]} for n in range(40)], "id": "Z"}
    )
    path = write(tmp_path / "a.json", text)
    whole = read(path, deep("entry", "../id", "n"))
    assert [record.key for record in whole] == [f"Z|{n}" for n in range(40)]
    for size in (1, 2, 3, 7, 64):
        monkeypatch.setattr("fhirmap.sources.files.json_scan._CHUNK", size)
        monkeypatch.setattr("fhirmap.sources.files.json_reader._BATCH", size)
        monkeypatch.setattr("fhirmap.sources.files.json_scan._PART", size)
        monkeypatch.setattr("fhirmap.sources.files.json_scan._LARGEST_PART", 4 * size)
        assert read(path, deep("entry", "../id", "n")) == whole


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_lines_keep_their_numbers_wherever_a_part_ends(
    tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "".join(f'{{"id": {n}, "t": "é"}}\n' + "\n" * (n % 3) + "[5\n" * (n % 2) for n in range(20))
    path = write(tmp_path / "a.ndjson", text, encoding)
    whole = read(path, LINES)
    numbers = [number for number, line in enumerate(text.split("\n"), 1) if line]
    assert [record.origin for record in whole] == [f"a.ndjson:{number}" for number in numbers]
    for size in (1, 20, 50):
        monkeypatch.setattr("fhirmap.sources.files.json_reader._BATCH", size)
        assert read(path, LINES) == whole


BUNDLE = json.dumps(
    {
        "id": "b",
        "entry": [
            {"fullUrl": "u:p", "resource": {"type": "Patient", "ins": "123"}},
            {"fullUrl": "u:d1", "resource": {"type": "Device", "lot": "L1", "definition": "u:a1"}},
            {"fullUrl": "u:d2", "resource": {"type": "Device", "lot": "L2", "definition": "u:a1"}},
            {"fullUrl": "u:a1", "resource": {"type": "Article", "ref": "R1"}},
            {
                "fullUrl": "u:o",
                "resource": {
                    "type": "Op",
                    "n": 1,
                    "subject": {"reference": "u:p"},
                    "used": [{"item": "u:d1"}, {"item": "u:d2"}],
                    "team": [{"who": "u:p"}],
                },
            },
        ],
    }
)
LOOKING = """model M from json path 'entry[resource.type=Op].resource' key 'n' {
  n       : integer
  patient : P PATIENT join '/entry' on 'fullUrl' = 'subject.reference'
  devices : D 0..* join '/entry' on 'fullUrl' = 'used.item'
  team    : T 0..*
}
model P { ins : string from 'resource.ins'  url : string from 'fullUrl' }
model D { lot : string from 'resource.lot'  n : integer from '../n'
  article : A 0..1 join '/entry' on 'fullUrl' = 'resource.definition' }
model A { ref : string from 'resource.ref' }
model T { who : P 0..1 join '/entry' on 'fullUrl' = 'who' }
group g(source src : M, target tgt) { src.n as v -> tgt.id = v; }
"""


def looked_up(path: Path, patient: str = "1..1") -> list[tuple[dict[str, Any], list[str]]]:
    transformer = compile_map(LOOKING.replace("PATIENT", patient))
    assert transformer.store is not None
    found = []
    with open_source(str(path), transformer.store) as source:
        assert [entry for entry in source.check() if entry.is_error] == []
        for record in source.records():
            held = transformer.read(record.values)
            faults = [f"{f.code} {f.variant} {f.severity} {f.element}" for f in (*record.faults, *held.faults)]
            found.append((dict(held.values), faults))
    return found


@pytest.mark.parametrize("name", ["a.json", "a.ndjson"])
def test_a_reference_is_looked_up_in_its_document(tmp_path: Path, name: str) -> None:
    other = BUNDLE.replace("123", "456").replace('"n": 1', '"n": 2')
    text = f"{BUNDLE}\n{other}" if name == "a.ndjson" else BUNDLE
    devices = [{"lot": lot, "n": 1, "article": {"ref": "R1"}} for lot in ("L1", "L2")]
    person = {"ins": "123", "url": "u:p"}
    expected = {"n": 1, "patient": person, "devices": devices, "team": [{"who": person}]}
    found = looked_up(write(tmp_path / name, text))
    assert found[0] == (expected, [])
    assert [values["patient"]["ins"] for values, _ in found] == (["123", "456"] if name == "a.ndjson" else ["123"])


@pytest.mark.parametrize("name", ["a.json", "a.ndjson"])
def test_a_reference_to_nothing_or_to_two(tmp_path: Path, name: str) -> None:
    lost = write(tmp_path / name, BUNDLE.replace('"fullUrl": "u:d2"', '"fullUrl": "x/u:d2"').replace("u:a1", "u:a2", 2))
    [(values, faults)] = looked_up(lost)
    assert values["devices"] == [{"lot": "L1", "n": 1}]
    assert faults == ["FM729  warning M.devices", "FM729  warning D.article"]
    lost = write(tmp_path / name, BUNDLE.replace('"fullUrl": "u:p"', '"fullUrl": "U:p"'))
    assert looked_up(lost)[0][1] == ["FM729  warning T.who", "FM729  error M.patient", "FM411  error M.patient"]
    assert "FM729  warning M.patient" in looked_up(lost, "0..1")[0][1]
    double = write(tmp_path / name, BUNDLE.replace('"fullUrl": "u:d2"', '"fullUrl": "u:d1"'))
    assert looked_up(double)[0][1] == ["FM729 twice error M.devices", "FM729  warning M.devices"]
    none = write(tmp_path / name, BUNDLE.replace('"u:p"}', "null}"))
    assert looked_up(none, "0..1")[0][1] == []


def test_no_value_is_in_a_fault_of_a_reference(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", BUNDLE.replace('"reference": "u:p"', '"reference": "CANARY"'))
    transformer = compile_map(LOOKING.replace("PATIENT", "1..1"))
    assert transformer.store is not None
    with open_source(str(path), transformer.store) as source:
        [record] = source.records()
    assert "FM729" in str(record.faults)
    assert "CANARY" not in str(record.faults)


def test_lists_of_one_document_are_joined_by_value(tmp_path: Path) -> None:
    text = """{"data": {"ops": [{"id": 1, "site": "A"}, {"id": 2, "site": "B"}], "uses": [{"op": 1, "site": "A", "lot": "L1"},
        {"op": 2, "site": "B", "lot": "L2"}, {"op": 1, "site": "A", "lot": "L3"}, {"op": 1, "site": "B", "lot": "L4"}]}}"""
    model = """model M from json path 'data.ops' key 'id' { id : integer  uses : U 0..* join '/data.uses' on 'op' = 'id', 'site' }
        model U { lot : string }  group g(source src : M, target tgt) { src.id as v -> tgt.id = v; }"""
    for table in ("/data.uses", "../uses"):
        transformer = compile_map(model.replace("/data.uses", table))
        assert transformer.store is not None
        with open_source(str(write(tmp_path / "a.json", text)), transformer.store) as source:
            found = [transformer.read(record.values).values for record in source.records()]
        assert found == [{"id": 1, "uses": [{"lot": "L1"}, {"lot": "L3"}]}, {"id": 2, "uses": [{"lot": "L2"}]}]


PARTS_IN_PARTS = """model M from json path 'ops' key 'id' { id : string 1..1  parts : Part 0..* }
model Part { n : string 1..1  inner : Inner 0..1  article : Article 0..1 join '/articles' on 'ref' = 'article' }
model Inner { parts : Part 0..* from 'list' }
model Article { lot : string 0..1 }
group g(source src : M, target tgt) { src.id as v -> tgt.id = v; }
"""


def test_a_reference_is_looked_up_at_every_level_of_objects_of_one_kind(tmp_path: Path) -> None:
    text = """{"articles": [{"ref": "a", "lot": "L1"}, {"ref": "b", "lot": "L2"}], "ops": [{"id": "1", "parts": [
        {"n": "1", "article": "a", "inner": {"list": [
            {"n": "2", "article": "b", "inner": {"list": [{"n": "3", "article": "a"}, {"n": "4", "article": "c"}]}}]}}]}]}"""
    transformer = compile_map(PARTS_IN_PARTS)
    assert transformer.store is not None
    with open_source(str(write(tmp_path / "a.json", text)), transformer.store) as source:
        assert source.check() == []
        (record,) = source.records()
    read = transformer.read(record.values)
    third = [{"n": "3", "article": {"lot": "L1"}}, {"n": "4"}]
    second = {"n": "2", "article": {"lot": "L2"}, "inner": {"parts": third}}
    first = {"n": "1", "article": {"lot": "L1"}, "inner": {"parts": [second]}}
    assert read.values["parts"] == [first]
    assert read.faults == ()
    assert [(fault.code, fault.element) for fault in record.faults] == [("FM729", "Part.article")]


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
    entries = ['"A"', '["B"]', '{"x": 1}', '["B", "D"]', "[]", '"C"']
    listed = ", ".join('{"id": ' + entry + "}" for entry in entries)
    path = write(tmp_path / "a.json", f"[{listed}]")
    with open_source(str(path), LINES) as source:
        assert not [entry for entry in source.check() if entry.is_error]
        assert [(r.key, [f"{f.code} {f.variant}" for f in r.faults]) for r in source.records()] == [
            ("A", []),
            ("", ["FM717 form"]),
            ("", ["FM717 form"]),
            ("", ["FM717 several"]),
            ("", ["FM717 "]),
            ("C", []),
        ]


def test_a_filter_of_a_key_that_leaves_several_values(tmp_path: Path) -> None:
    ids = '[{"t": "IPP", "v": "1"}, {"t": "IPP", "v": "2"}, {"t": "X", "v": "3"}]'
    path = write(tmp_path / "a.json", f'[{{"id": {ids}}}, {{"id": {ids.replace("X", "NIP")}}}]')
    (first, second) = read(path, replace(LINES, key=("id[t=IPP].v", "id[t=NIP].v")))
    assert [(r.key, [f.variant for f in r.faults]) for r in (first, second)] == [("", ["several"]), ("", ["several"])]
    (first, second) = read(path, replace(LINES, key=("id[t=NIP].v",)))
    assert [(r.key, [f.variant for f in r.faults]) for r in (first, second)] == [("", [""]), ("3", [])]


def test_a_condition_on_a_list_is_a_fault_and_no_blank(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", '[{"id": "1", "s": ["A", "B"]}, {"id": "2", "s": ["B"]}, {"id": "3", "s": []}]')
    found = read(path, replace(LINES, where="[s] = 'A'"))
    assert [(r.key, [f"{f.code} {f.variant}" for f in r.faults]) for r in found] == [("1", ["FM776 several"])]
    assert [r.key for r in read(path, replace(LINES, where="[s] is null"))] == ["1", "3"]


TRACES = r"""model Operation from json path 'entry[resource.resourceType=Procedure].resource'
  key 'identifier[type.coding.code=idIntervention].value' {
  day     : date   1..1 from 'performedDateTime'
  bundle  : string 1..1 from '/id'
  sites   : code   0..* from 'bodySite.coding[system=http://snomed.info/sct].code'
  patient : Person 1..1 join '/entry' on 'fullUrl' = 'subject.reference'
  team    : Part   1..* from 'performer'
  devices : Device 1..* join '/entry' on 'fullUrl' = 'focalDevice.manipulated.reference'
}
model Person { nir : string 1..1 from 'resource.identifier[type.coding.code=INS-NIR].value' }
model Part   { who : Surgeon 0..1 join '/entry' on 'fullUrl' = 'actor.reference' }
model Surgeon { number : string 1..1 from 'resource.identifier.value' }
model Device {
  lot     : string  1..1 from 'resource.lotNumber'
  article : Article 1..1 join '/entry' on 'fullUrl' = 'resource.definition.reference'
}
model Article { model : string 1..1 from 'resource.modelNumber' }
group g(source src : Operation, target tgt) { src.day as v -> tgt.id = v; }
"""
SIDES = {"7771000": "GAUCHE", "24028007": "DROITE"}


@pytest.mark.parametrize("name", ["traces.ndjson", "B-501.json"])
def test_bundles_of_traces(shared_dir: Path, name: str) -> None:
    folder = shared_dir / "renacot" / "formats" / "fhir-bundle-dmi"
    if not folder.is_dir():
        pytest.skip("the formats are not in the reference data folder")
    expected = [line.split(";")[:5] for line in (folder / "expected.csv").read_text("utf-8").splitlines()[1:]]
    transformer = compile_map(TRACES)
    assert transformer.store is not None
    found = []
    with open_source(str(folder / name), transformer.store) as source:
        assert source.check() == []
        for record in source.records():
            held = transformer.read(record.values)
            assert (record.faults, held.faults) == ((), ())
            values = held.values
            assert values["team"][0]["who"]["number"].startswith("10999")
            side = next(SIDES[code] for code in values["sites"] if code in SIDES)
            devices = " + ".join(f"{device['article']['model']}/{device['lot']}" for device in values["devices"])
            found.append([record.key, values["patient"]["nir"], str(values["day"]), side, devices])
    assert found == [line for line in expected if name != "B-501.json" or line[0] == "B-501"]


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_a_document_is_not_held(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhirmap.sources.files.json_scan._CHUNK", 1 << 16)
    monkeypatch.setattr("fhirmap.sources.files.row_spool._IN_MEMORY", 1 << 16)
    monkeypatch.setattr("fhirmap.sources.files.row_spool._BLOCK", 1 << 13)
    path = tmp_path / name
    entry = {"text": "x" * 1000, "deep": {"a": [{"b": ["c"]}] * 10}}
    text = ", ".join(json.dumps({"n": number, **entry}) for number in range(1000))
    path.write_bytes((gzip.compress if name.endswith(".gz") else bytes)(f'{{"entry": [{text}], "late": "L"}}'.encode()))
    plan = deep("entry[]", "n", columns_read="../late")
    read(write(tmp_path / "b.json", DEEP), plan)  # what is imported then does not count
    tracemalloc.start()
    with open_source(str(path), plan) as source:
        assert sum(record.values[".."] == {"late": "L"} for record in source.records()) == 1000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(text) / 2
