"""Models of JSON documents."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from tests.inspection.written import inspected, models_of, round_trip


def test_a_json_document(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_text(
        """{"vendor": "x", "export": {"cases": [
        {"caseId": "A", "patient": {"nir": "2", "weight": 1.5}, "codes": ["x", "y"],
         "devices": [{"lot": "L", "expiry": "12/2028"}],
         "n": 3, "start": "2025-01-01T00:30:00Z", "upd": 1, "updatedAt": 5, "mixed": [1, {"a": 2}]},
        {"caseId": "B", "patient": {"nir": "3"}, "codes": [], "devices": [], "n": 4, "updatedAt": 5},
        {"caseId": "B", "patient": null, "n": 4, "updatedAt": 6}]}}""",
        encoding="utf-8",
    )
    text = inspected(str(path))
    case, patient, device = models_of(text)
    assert case.store is not None and case.store.latest is not None
    assert (case.name, case.store.name, case.store.key, case.store.latest.column) == (
        "Case",
        "export.cases",
        ("caseId",),
        "updatedAt",
    )
    found = {e.name: (e.type, e.maximum) for e in case.elements}
    assert found["patient"] == ("Patient", 1)
    assert found["devices"] == ("Device", None)
    assert found["codes"] == ("string", None)
    assert found["start"] == ("dateTime", 1)
    assert "mixed" not in found
    assert {e.name: e.type for e in patient.elements} == {"nir": "string", "weight": "decimal"}
    assert {e.name: e.format for e in device.elements} == {"lot": None, "expiry": "MM/yyyy"}
    first = round_trip(str(path), text)[0]
    assert first["codes"] == ["x", "y"]
    assert first["devices"] == [{"lot": "L", "expiry": "2028-12"}]


def test_keys_that_are_values_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    number = "149113897061759"
    record = {"id": "A", number: {"lot": "L"}, "by day": {"03/11/1949": 1}, "held": {number: 1, "lot": "L"}}
    path.write_text(json.dumps({number: [record], "cases": [record, {**record, "id": "B"}]}), encoding="utf-8")
    text = inspected(str(path))
    case, held = models_of(text)
    assert case.store is not None and case.store.name == "cases"
    assert [element.name for element in case.elements] == ["id", "held"]
    assert [element.name for element in held.elements] == ["lot"]
    assert text.count("1 name looks like a value") == 3
    assert number not in text and "1949" not in text
    path.write_text(json.dumps({number: record}), encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        inspected(str(path))
    assert raised.value.code == "FM750"
    assert number not in str(raised.value)


def test_keys_that_are_values_in_a_cell_of_a_table(tmp_path: Path) -> None:
    number = "149113897061759"
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as connection:
        connection.execute("create table a (id integer primary key, doc text)")
        connection.execute("insert into a values (1, ?)", [json.dumps({number: 1, "lot": {number: {"a": 2}}, "b": 1})])
        connection.commit()
    text = inspected(f"sqlite:///{tmp_path / 'a.sqlite'}")
    assert "'doc.b'" in text
    assert text.count("1 name looks like a value") == 2
    assert number not in text
