"""Models of JSON documents."""

from __future__ import annotations

from pathlib import Path

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
