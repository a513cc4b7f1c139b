"""Models of CSV files: one line per record, or several."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from tests.inspection.written import inspected, models_of, round_trip


def test_a_csv_of_one_line_a_record(tmp_path: Path) -> None:
    path = tmp_path / "patients.csv"
    path.write_bytes(
        "N° IPP;Nom;Né le;Poids;Code postal\n001;Haÿ;15/05/1952;71.5;06000\n002;Roy;01/02/1960;80;75011\n".encode(
            "cp1252"
        )
    )
    text = inspected(str(path))
    (model,) = models_of(text)
    assert model.store is not None
    assert (model.store.key, model.store.encoding, model.store.delimiter) == (("N° IPP",), "cp1252", ";")
    assert [(e.name, e.type, e.format) for e in model.elements] == [
        ("nIpp", "string", None),
        ("nom", "string", None),
        ("neLe", "date", "dd/MM/yyyy"),
        ("poids", "decimal", None),
        ("codePostal", "string", None),
    ]
    assert [r["neLe"] for r in round_trip(str(path), text)] == ["1952-05-15", "1960-02-01"]


def test_a_csv_of_several_lines_a_record(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    lines = "".join(f"{n};D;A{m};{m + 1}\n" for n in range(10) for m in range(3))
    path.write_text("sejour;cote;lot;qte\n" + lines, encoding="utf-8")
    text = inspected(str(path))
    stay, line = models_of(text)
    assert [e.name for e in stay.elements] == ["sejour", "cote", "lines"]
    assert (stay.elements[-1].lines, stay.elements[-1].repeat) == (True, "qte")
    assert [e.name for e in line.elements] == ["lot"]
    assert [len(r["lines"]) for r in round_trip(str(path), text)] == [6] * 10


def test_the_line_of_the_names_is_written_where_it_is_not_the_first(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("Service;MARTIN\n\nid;lot\nK1;A12\nK2;B13\n", encoding="utf-8")
    text = inspected(str(path))
    (model,) = models_of(text)
    assert model.store is not None
    assert (model.store.names_line, model.store.key) == (3, ("id",))
    assert "MARTIN" not in text
    assert round_trip(str(path), text) == [{"id": "K1", "lot": "A12"}, {"id": "K2", "lot": "B13"}]
    path.write_text("sep=;\nid;lot\nK1;A12\n", encoding="utf-8")
    assert "names line" not in inspected(str(path))


def test_names_that_all_occur_twice_make_no_model(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("lot;lot\nA;B\n", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        inspected(str(path))
    assert raised.value.code == "FM750"
