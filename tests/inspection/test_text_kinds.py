"""What the first lines of a text file say of its kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.inspection.inspection import inspect_source
from fhirmap.inspection.text import sketches_to_text
from fhirmap.inspection.text_kinds import kind_of_text
from fhirmap.sources.files.source_files import SourceFile


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("id;nom\n1;MARTIN\n", "csv"),
        ("id\n1\n2\n", "csv"),
        ("", "csv"),
        (f"{'24000101':<20}{'17032025':<20}3165427\n{'24000102':<20}{'18032025':<20}3127771\n", "fixed"),
        (f"{'24000101':<20}{'17032025':<20}3165427\nun;texte;avec;des;points;virgules\n", "csv"),
        ("MSH|^~\\&|BLOC\rPID|1\r", "hl7"),
        ("\x0bMSH|^~\\&|BLOC\rPID|1\r\x1c\r", "hl7"),
        ("FHS|^~\\&|BLOC\rBHS|^~\\&\r", "hl7"),
        ("MSHA;b\n1;2\n", "csv"),
    ],
)
def test_the_kind_of_a_text(tmp_path: Path, text: str, kind: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text, encoding="latin-1", newline="")
    assert kind_of_text(SourceFile(path, "a.txt", "a.txt")) == kind


def test_lines_of_fixed_width_are_inspected_as_such(tmp_path: Path) -> None:
    path = tmp_path / "fichcomp.txt"
    lines = [f"{24000101 + number:<20}{'17032025':<20}{3165427 + number}" for number in range(5)]
    path.write_text("\r\n".join(lines), encoding="latin-1")
    assert "from fixed key '1-" in sketches_to_text(inspect_source(str(path)))


def test_a_file_without_names_gets_columns_by_number(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("601;149113897061759;D;LOT77A\n602;261037595501426;G;LOT88B\n", encoding="utf-8")
    text = sketches_to_text(inspect_source(str(path)))
    assert "from csv key '1' delimiter ';' header none {" in text
    assert "from '4'" in text
    assert not any(cell in text for cell in ("149113897061759", "LOT77A", "601"))


def test_a_row_of_words_is_no_line_of_names(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("MARTIN;LUC;M\nDE LA TOUR;ANNE;F\nDURAND;PAUL;F\nPETIT;EVE;F\n", encoding="utf-8")
    text = sketches_to_text(inspect_source(str(path)))
    assert "from csv key '1' delimiter ';' header none {" in text
    assert not any(cell in text.upper() for cell in ("MARTIN", "LUC", "TOUR"))
