"""Models of sheets: titles, totals and blank keys are seen, and read by the model that is written."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from fhirmap.errors import ConfigError
from tests.inspection.written import inspected, models_of, round_trip
from tests.sources.files.sheets import Formula, grid, write_xlsx

HEAD = ["N°", "IPP", "Date", "Lot", "Qté"]
CASES: list[Any] = [
    [601, "0012", date(2025, 3, 17), "A1", 1],
    [None, None, None, "A2", 1],
    [None, None, None, "1E5", 2],
    [602, "0013", "18/03/2025", "B1", 1],
    [None, None, None, "B2", 1],
]


def clause(path: Path, sheet: str | None = None) -> Any:
    store = models_of(inspected(str(path), sheet))[0].store
    assert store is not None
    return store


def test_titles_blank_keys_and_a_total(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Pharmacie"],
        ["Mars 2025", "édité", "le 1er"],
        [None],
        HEAD,
        *CASES,
        ["Total", None, None, None, 6],
    ]
    path = write_xlsx(tmp_path / "poses.xlsx", {"Notes": {"A1": "x"}, "Poses DMI": grid(1, rows)})
    text = inspected(str(path), "Poses DMI")
    head = "model Poses from sheet 'Poses DMI' key 'N°' names line 4 fill 'N°' until 'TOTAL' {"
    assert text.splitlines()[0] == head
    record, line = models_of(text)
    assert [(e.name, e.type, e.format) for e in record.elements] == [
        ("n", "string", None),
        ("ipp", "string", None),
        ("date", "date", "dd/MM/yyyy"),
        ("lines", "PosesLine", None),
    ]
    assert ([e.name for e in line.elements], record.elements[-1].repeat) == (["lot"], "Qté")
    found = round_trip(str(path), text)
    assert [(r["n"], r["ipp"], r["date"], [x["lot"] for x in r["lines"]]) for r in found] == [
        ("601", "0012", "2025-03-17", ["A1", "A2", "1E5", "1E5"]),
        ("602", "0013", "2025-03-18", ["B1", "B2"]),
    ]
    assert not any(cell in text for cell in ("Pharmacie", "0012", "2025", "A1"))


def test_a_plain_table_has_no_clauses_but_its_key(tmp_path: Path) -> None:
    rows = [["id", "le"], ["A1", datetime(2025, 3, 17, 8)], ["A2", None], ["A3", datetime(2025, 3, 18)]]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)})
    text = inspected(str(path))
    assert text.splitlines()[0] == "model A from sheet 'F' key 'id' {"
    assert [r.get("le") for r in round_trip(str(path), text)] == [
        "2025-03-17T08:00:00+01:00",
        None,
        "2025-03-18T00:00:00+01:00",
    ]


@pytest.mark.parametrize(
    "ids",
    [
        ["A1", None, "A3", "A4", "A5", "A6"],
        [None, "A2", None, "A4", None, None],
        ["A1", None, "A2", None, "A1", None],
        [None] * 6,
    ],
)
def test_a_blank_key_that_is_missing_is_not_filled(tmp_path: Path, ids: list[str | None]) -> None:
    rows: list[list[Any]] = [["id", "lot"], *([number, f"L{place}"] for place, number in enumerate(ids))]
    assert clause(write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)})).fill == ()


def test_a_word_in_the_middle_is_no_total(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["lot", "libelle"],
        *([f"L{n}", "x"] for n in range(5)),
        ["Total hip", "x"],
        *([f"M{n}", "x"] for n in range(9)),
    ]
    assert clause(write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)})).until is None


def test_a_sheet_without_names_has_letters(tmp_path: Path) -> None:
    rows: list[list[Any]] = [[f"14911389706175{n}", f"DUVAL{n}", date(1949, 11, n)] for n in range(1, 6)]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(3, rows, "B")})
    text = inspected(str(path))
    assert text.splitlines()[0] == "model A from sheet 'F' key 'C' header none {"
    assert [e.column or e.name for e in models_of(text)[0].elements] == ["B", "C", "D"]
    assert len(round_trip(str(path), text)) == 5
    assert not any(cell in text for cell in ("14911389706175", "DUVAL", "1949"))


def test_errors_are_no_values(tmp_path: Path) -> None:
    rows = [["id", "n"], ["A1", 1], ["A2", Formula("=NA()", "#N/A")], ["A3", 3]]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)})
    text = inspected(str(path))
    assert [(e.name, e.type) for e in models_of(text)[0].elements] == [("id", "string"), ("n", "integer")]


def test_which_of_several_sheets_must_be_said(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["id"], ["1"]]), "G": grid(1, [["no"], ["1"]])})
    with pytest.raises(ConfigError) as caught:
        inspected(str(path))
    entry = caught.value.diagnostic()
    assert (entry.code, entry.variant, "`F`, `G`" in str(entry.hint)) == ("FM751", "sheet", True)
    assert (clause(path, "2").name, clause(path, "G").key) == ("G", ("no",))


def test_a_sheet_with_a_patient_s_number_for_its_name_is_called_by_its_own(tmp_path: Path) -> None:
    rows = grid(1, [["id", "v"], ["A1", "x"]])
    path = write_xlsx(tmp_path / "a.xlsx", {"Notes": {}, "149113897061759": rows})
    text = inspected(str(path))
    assert text.splitlines()[0] == "model A from sheet 2 key 'id' {"
    assert len(round_trip(str(path), text)) == 1
