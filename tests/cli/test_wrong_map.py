"""A run with a wrong map or project: reported, exit code 2, nothing opened, nothing written, nothing sent."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import in_process

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
WRONG = [
    ("FM002", 'tgt.date = v "date";', 'tgt.date = v "date"'),
    ("FM204", "src.cote as v", "src.cotte as v"),
    ("FM157", "typePe    : code", "typePe    : coode"),
    ("FM108", "'#cote'", "'#cotes'"),
    ("FM103", "then pose(p, i)", "then pause(p, i)"),
    ("FM301", "t:DROITE", "t:DROIT"),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "ch-valmorel"
    shutil.copytree(EXAMPLES / "ch-valmorel", folder, ignore=shutil.ignore_patterns("journal.db*"))
    return folder


@pytest.mark.parametrize(("code", "right", "wrong"), WRONG, ids=[code for code, _, _ in WRONG])
def test_a_wrong_map_stops_the_run_before_anything(project: Path, code: str, right: str, wrong: str) -> None:
    path = project / "valmorel.map"
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    # Whoever opened the source would notice that it is no database.
    (project / "data" / "sih.sqlite").write_bytes(b"no database")
    before = sorted(project.rglob("*"))
    done = in_process("run", project)
    done.reported(code, 2)
    assert "FM70" not in done.err, "the source is not looked at"
    assert sorted(project.rglob("*")) == before, "no journal, no receipts"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('target = "renacot"', 'target = "renacott"'),
        ('url = "simulator"', 'url = "simulater"'),
        ("[limits]", "[limit]"),
    ],
)
def test_a_wrong_project_stops_it_too(project: Path, right: str, wrong: str) -> None:
    path = project / "fhirmap.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(right, wrong, 1), encoding="utf-8")
    before = sorted(project.rglob("*"))
    done = in_process("run", project)
    assert done.code == 2 and "did you mean" in done.err, done
    assert sorted(project.rglob("*")) == before


def test_a_misspelt_profile_is_an_error_where_the_right_one_is_known(tmp_path: Path) -> None:
    reference = EXAMPLES.parent / "maps" / "renacot"
    wrong = tmp_path / "renacot.map"
    text = (reference / "renacot.map").read_text(encoding="utf-8")
    wrong.write_text(text.replace("ParametersBaseProfile", "ParameterBaseProfile", 1), encoding="utf-8")
    done = in_process("check", wrong, "--definitions", reference / "definitions")
    assert done.code == 2 and "error[FM117]" in done.out and "did you mean" in done.out


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "FM114"),
        (b"// nothing\n", "FM114"),
        ("// \xe9t\xe9\n".encode("latin-1"), "FM760"),
        (b"PK\x03\x04" + bytes(range(256)) * 40, "FM760"),
        (b'{"resourceType": "Patient"}', "FM"),
        (b"SELECT * FROM INTERVENTION;\n", "FM001"),
    ],
    ids=["empty", "comment", "latin-1", "word processor", "json", "sql"],
)
def test_what_is_no_map_is_one_diagnostic(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "x.map"
    path.write_bytes(content)
    done = in_process("check", path)
    shown = done.out + done.err
    assert done.code == 2 and f"[{code}" in shown and shown.count("error[") == 1 and "Traceback" not in shown


@pytest.mark.parametrize(
    "change", [lambda b: b"\xef\xbb\xbf" + b, lambda b: b.replace(b"\n", b"\r\n")], ids=["bom", "crlf"]
)
def test_byte_order_mark_and_line_ends_of_windows_are_fine(project: Path, change: object) -> None:
    path = project / "valmorel.map"
    assert callable(change)
    path.write_bytes(change(path.read_bytes()))
    done = in_process("check", project)
    assert done.code == 0, done
