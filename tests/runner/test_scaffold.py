"""`init`: what it leaves is accepted by `check` and runs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fhirmap.compilation.files import shipped_folder
from fhirmap.errors import ConfigError
from fhirmap.runner.engine import build_engine
from fhirmap.runner.preview import preview_all
from fhirmap.runner.program import check_project
from fhirmap.runner.project_file import load_project
from fhirmap.runner.scaffold import copy_example, init_project
from fhirmap.runner.source import open_project_source
from fhirmap.runner.target import shipped


def verdicts(folder: Path) -> dict[str, int]:
    project = load_project(folder)
    assert [d.message for d in check_project(project).diagnostics if d.is_error] == []
    engine = build_engine(project)
    with open_project_source(project, engine.plan) as source:
        return {str(verdict): count for verdict, count in preview_all(engine, source.records()).verdicts.items()}


@pytest.mark.parametrize("target", shipped("maps", "target.toml"))
def test_a_project_without_a_source_has_a_sample(tmp_path: Path, target: str) -> None:
    init_project(tmp_path / "Mon CHU", target=target)
    project = load_project(tmp_path / "Mon CHU")
    assert project.name == "mon-chu"
    assert project.target_name == target
    found = verdicts(tmp_path / "Mon CHU")
    assert found["sendable"] > 0


def test_a_project_written_from_each_kind_of_source(tmp_path: Path) -> None:
    data = {
        "ch-valmorel": ("sih.sqlite", "INTERVENTION"),
        "clinique-sainte-aubierge": ("cases.json", None),
        "export-pharmacie": ("export.csv", None),
    }
    for name, (file, table) in data.items():
        source = shipped_folder("examples") / name / "data" / file
        written = init_project(tmp_path / name, str(source), table)
        assert (tmp_path / name / f"{name}.map") in written
        assert sum(verdicts(tmp_path / name).values()) > 0
        text = (tmp_path / name / f"{name}.map").read_text(encoding="utf-8")
        assert "tgt.nir = v" in text
        assert "tgt.implants" in text


def test_a_table_of_many_columns_leaves_few_warnings_and_the_codes_to_complete(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "sih.sqlite")) as connection, connection:
        columns = ", ".join(f"autre_{number} TEXT" for number in range(30))
        connection.execute(f"CREATE TABLE op (id INTEGER PRIMARY KEY, nir TEXT, cote TEXT, nom TEXT, {columns})")
        rows = [(number, f"2840510123{number:05}", "DGB"[number % 3], f"CANARI{number % 2}") for number in range(60)]
        connection.executemany("INSERT INTO op (id, nir, cote, nom) VALUES (?, ?, ?, ?)", rows)
    init_project(tmp_path / "p", str(tmp_path / "sih.sqlite"), "op")
    project = load_project(tmp_path / "p")
    assert [d.code for d in check_project(project).diagnostics] == ["FM305"]
    text = (tmp_path / "p" / "p.map").read_text(encoding="utf-8")
    assert [line.strip() for line in text.splitlines() if " s:" in line] == [
        "// s:B - t:…",
        "// s:D - t:…",
        "// s:G - t:…",
    ]
    assert "CANARI" not in text
    assert "28405" not in text
    assert "// autre_7" in text or "// autre7" in text
    # A code without an entry makes the record invalid: nothing leaves with a code that no one translated.
    assert verdicts(tmp_path / "p") == {"invalid": 60}
    completed = text.replace("// s:B - t:…", "s:B - t:BILATERALE").replace("// s:D - t:…", "s:D - t:DROITE")
    (tmp_path / "p" / "p.map").write_text(completed.replace("// s:G - t:…", "s:G - t:GAUCHE"), encoding="utf-8")
    assert [d.code for d in check_project(load_project(tmp_path / "p")).diagnostics] == []


def test_a_password_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        init_project(tmp_path / "p", "postgresql://reader:hunter2@127.0.0.1:1/x", "t")
    assert caught.value.code == "FM708"
    assert not (tmp_path / "p").exists()


def test_every_example_can_be_copied(tmp_path: Path) -> None:
    for name in shipped("examples", "fhirmap.toml"):
        copy_example(name, tmp_path / name)
        assert sum(verdicts(tmp_path / name).values()) > 0
    with pytest.raises(ConfigError) as unknown:
        copy_example("ch-valmorell", tmp_path / "x")
    assert (unknown.value.code, unknown.value.diagnostic().hint_text) == ("FM747", "did you mean `ch-valmorel`?")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "mine.txt").write_text("x", encoding="utf-8")
    for attempt in (lambda: init_project(tmp_path / "p"), lambda: copy_example("ch-valmorel", tmp_path / "p")):
        with pytest.raises(ConfigError) as caught:
            attempt()
        assert caught.value.code == "FM746"
    with pytest.raises(ConfigError) as target:
        init_project(tmp_path / "q", target="renaco")
    assert target.value.code == "FM740"
    assert [entry.name for entry in (tmp_path / "p").iterdir()] == ["mine.txt"]
