"""What was found of a project's maps is taken again as long as nothing that it depends on has changed, and says the
same."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.files import shipped_folder
from fhirmap.runner import map_work
from fhirmap.runner.cache import map_inputs
from fhirmap.runner.cache.private_folder import PrivateFolder, user_folder
from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.project_maps import ProjectMaps
from tests.cli.conftest import in_process

MAP = """
/// url = 'http://example.org/StructureMap/own'
uses "http://hl7.org/fhir/StructureDefinition/Patient" as target
imports "http://example.org/StructureMap/more"
conceptmap "sex" from "codes.csv" columns 'code', 'fhir' delimiter ';' {
  prefix s = "urn:own"
  prefix t = "http://hl7.org/fhir/administrative-gender"
}
model Row from query 'rows.sql' key 'id' {
  id    : string 1..1 from 'id'
  sex   : code   0..1 from 'sex'
  day   : date   0..1 from 'day' format 'dd/MM/yyyy'
}
group row(source src : Row, target tgt : Patient) {
  src.id as v -> tgt.id = v "id";
  src.sex as v -> tgt.gender = translate(v, '#sex', 'code') "sex";
  src.day as v -> tgt.birthDate = v "day";
  src.id as v log ('seen ' & %v) -> tgt.language = 'fr' "note";
  src -> tgt then more(src, tgt) "more";
}
"""
MORE = """
/// url = 'http://example.org/StructureMap/more'
uses "http://hl7.org/fhir/StructureDefinition/Patient" as target
group more(source src, target tgt : Patient) {
  src -> tgt.active = true "active";
}
"""
PROJECT = """
[project]
name = "own"
[map]
source = "own.map"
imports = ["lib"]
definitions = ["definitions"]
[source]
url = "sqlite:///rows.sqlite"
[sink]
kind = "ndjson"
path = "out.ndjson"
[records]
sex = "gender"
"""
DEFINITION = {
    "resourceType": "ValueSet", "url": "http://example.org/ValueSet/own", "status": "active",
    "compose": {"include": [{"system": "urn:own", "concept": [{"code": "M"}]}]},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that reads a query, a table of codes, an imported map and a definition."""
    import sqlite3

    connection = sqlite3.connect(tmp_path / "rows.sqlite")
    connection.execute("CREATE TABLE t (id TEXT, sex TEXT, day TEXT)")
    connection.execute("INSERT INTO t VALUES ('1', 'M', '01/02/1950')")
    connection.commit()
    connection.close()
    (tmp_path / "own.map").write_text(MAP, encoding="utf-8")
    (tmp_path / "rows.sql").write_text("select id, sex, day from t", encoding="utf-8")
    (tmp_path / "codes.csv").write_text("code;fhir\nM;male\nF;female\n", encoding="utf-8")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "more.map").write_text(MORE, encoding="utf-8")
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "own.json").write_text(json.dumps(DEFINITION), encoding="utf-8")
    (tmp_path / "fhirmap.toml").write_text(PROJECT, encoding="utf-8")
    return tmp_path


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that were found now, and not taken from what was kept."""
    found: list[str] = []

    def counted(name: str) -> Callable[..., Any]:
        real = getattr(map_work, name)

        def call(*arguments: Any) -> Any:
            found.append(name)
            return real(*arguments)

        return call

    for name in ("project_facts", "compiled_project", "traced_project", "result_codes", "answer_codes"):
        monkeypatch.setattr(map_work, name, counted(name))
    return found


def work(folder: Path) -> None:
    """Everything that commands ask for."""
    engine = build_engine(load_project(folder))
    assert engine.columns and engine.traced.map.text and engine.limit_key({}) == ""
    assert list(engine.identifiers_of({})) == []
    assert ProjectMaps(load_project(folder)).facts().plan == engine.plan


EVERYTHING = ["compiled_project", "result_codes", "traced_project", "project_facts"]


def test_work_is_done_once(folder: Path, compiled: list[str]) -> None:
    work(folder)
    assert compiled == EVERYTHING
    work(folder)
    assert compiled == EVERYTHING


def appended(text: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("own.map", appended("// x")),
        ("lib/more.map", appended("// x")),
        ("lib/new.map", lambda path: path.write_text("// x", encoding="utf-8")),
        ("definitions/own.json", appended(" ")),
        ("definitions/new.json", lambda path: path.write_text("{}", encoding="utf-8")),
        ("rows.sql", appended(" where 1 = 1")),
        ("codes.csv", appended("X;other\n")),
        ("fhirmap.toml", appended('id = "id"\n')),
    ],
)
def test_what_it_depends_on_makes_it_anew(
    folder: Path, compiled: list[str], file: str, change: Callable[[Path], None]
) -> None:
    work(folder)
    before = build_engine(load_project(folder)).transformer.source
    change(folder / file)
    compiled.clear()
    work(folder)
    assert compiled == EVERYTHING
    work(folder)
    assert compiled == EVERYTHING
    if file in ("codes.csv", "rows.sql", "own.map"):
        assert build_engine(load_project(folder)).transformer.source != before


def test_settings_of_the_project_that_no_map_depends_on_change_nothing(folder: Path, compiled: list[str]) -> None:
    work(folder)
    file = folder / "fhirmap.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('name = "own"', 'name = "other"'), encoding="utf-8")
    work(folder)
    assert compiled == EVERYTHING


def test_a_changed_target_makes_it_anew(tmp_path: Path, compiled: list[str]) -> None:
    shutil.copytree(shipped_folder("examples") / "export-pharmacie", tmp_path / "p")
    shutil.copytree(shipped_folder("maps") / "renacot", tmp_path / "p" / "own-target")
    file = tmp_path / "p" / "fhirmap.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"renacot"', '"own-target"'), encoding="utf-8")
    build_engine(load_project(tmp_path / "p"))
    build_engine(load_project(tmp_path / "p"))
    assert compiled == ["compiled_project"]
    appended('[severities]\nnir-regex = "off"\n')(tmp_path / "p" / "own-target" / "target.toml")
    build_engine(load_project(tmp_path / "p"))
    assert compiled == ["compiled_project"] * 2


@pytest.mark.parametrize("name", ["product_state", "_plugins"])
def test_another_version_or_function_makes_it_anew(
    folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    work(folder)
    monkeypatch.setattr(map_inputs, name, lambda: "another")
    work(folder)
    assert compiled == EVERYTHING * 2


def test_what_changes_while_it_is_compiled_is_not_kept(
    folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = map_work.compiled_project

    def changing(*arguments: Any) -> Any:
        found = real(*arguments)
        appended("// later")(folder / "own.map")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(map_work, "compiled_project", changing)
        build_engine(load_project(folder))
    (folder / "own.map").write_text(MAP, encoding="utf-8")
    build_engine(load_project(folder))
    assert compiled == ["compiled_project"] * 2


def test_a_file_that_is_damaged_is_made_anew(folder: Path, compiled: list[str]) -> None:
    work(folder)
    place = user_folder()
    assert place is not None
    for file in place.iterdir():
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes((content[-1] ^ 1,)))
    work(folder)
    assert compiled == EVERYTHING * 2


def test_without_a_place_to_keep_it_everything_works(
    folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "own.map"))
    work(folder)
    work(folder)
    assert compiled == EVERYTHING * 2


def test_a_map_with_errors_is_checked_each_time(folder: Path, compiled: list[str]) -> None:
    appended("group x(source s) { s.a -> }")(folder / "own.map")
    for _ in range(2):
        facts = ProjectMaps(load_project(folder)).facts()
        assert facts.has_errors
    assert compiled == ["project_facts"] * 2


def test_a_source_that_the_project_has_not_is_said_of_kept_maps_too(folder: Path) -> None:
    from fhirmap.errors import ProjectError

    build_engine(load_project(folder))
    file = folder / "fhirmap.toml"
    text = file.read_text(encoding="utf-8").replace("[source]", "[sources.other]")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError) as caught:
        build_engine(load_project(folder))
    assert [entry.code for entry in caught.value.diagnostics] == ["FM769"]


@pytest.mark.parametrize("example", ["ch-valmorel", "export-pharmacie", "clinique-roc-noir", "ch-lanvern"])
def test_diagnostics_and_results_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, example: str) -> None:
    place = tmp_path / example
    shutil.copytree(shipped_folder("examples") / example, place)
    (place / "definitions").mkdir()
    (place / "definitions" / "own.json").write_text("{ no JSON", encoding="utf-8")
    commands = (
        ("check", place, "--json"), ("check", place, "--strict-fml", "--one-line"),
        ("check", place, "--offline", "--json"), ("compile", place, "--json"),
        ("preview", place, "--all", "--json"), ("plan", place, "--json"),
    )  # fmt: skip

    def said(lang: str) -> list[str]:
        return [(done := in_process(*map(str, words), "--lang", lang)).out + done.err for words in commands]

    made, kept, kept_of_english = said("en"), said("en"), said("fr")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "fhirmap.toml"))
    assert made == kept == said("en"), "no place to keep anything"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "in-french"))
    made_in_french, kept_in_french = said("fr"), said("fr")
    assert made_in_french == kept_in_french == kept_of_english, "words are looked up when they are shown"
    assert said("en") == made


def test_what_the_source_lacks_is_said_at_its_place_of_kept_maps_too(folder: Path) -> None:
    assert in_process("check", str(folder)).code == 0
    (folder / "rows.sqlite").unlink()
    import sqlite3

    connection = sqlite3.connect(folder / "rows.sqlite")
    connection.execute("CREATE TABLE t (id TEXT, sex TEXT)")
    connection.commit()
    connection.close()
    kept = in_process("check", str(folder), "--json").out
    place = user_folder()
    assert place is not None
    for file in place.iterdir():
        file.unlink()
    assert kept == in_process("check", str(folder), "--json").out
    assert json.loads(kept)["diagnostics"]


def test_several_processes_at_once(folder: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "fhirmap", "compile", str(folder), "--json"], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    found = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0] * 4
    assert len(found) == 1
    place = user_folder()
    assert place is not None
    names = [path.name for path in place.iterdir()]
    assert not [name for name in names if name.endswith(".part")]
    assert all(PrivateFolder(place).read(name) is not None for name in names)


def test_a_plug_in_that_is_gone_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fhirmap.errors import ConfigError

    text = MAP.replace("tgt.language = 'fr'", "tgt.language = lotNumber(v)")
    (folder / "own.map").write_text(text, encoding="utf-8")
    build_engine(load_project(folder))
    from fhirmap.compilation.program import installed_functions

    installed_functions.cache_clear()
    for name in [name for name in sys.modules if name.startswith("fhirmap.functions")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fhirmap.functions.identity", None)
    with pytest.raises(ConfigError) as caught:
        build_engine(load_project(folder))
    assert caught.value.code == "FM749"
    installed_functions.cache_clear()
