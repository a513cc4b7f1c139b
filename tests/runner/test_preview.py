"""Previews: the CSV of verdicts on the documented data, one record traced, wrong columns reported at their line."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from fhirmap.compilation.files import shipped_folder
from fhirmap.errors import ConfigError, ProjectError
from fhirmap.runner.check import settings_diagnostics
from fhirmap.runner.engine import Engine, build_engine
from fhirmap.runner.preview import preview_all, preview_row, row_to_data
from fhirmap.runner.project_file import load_project
from fhirmap.runner.project_maps import ProjectMaps
from fhirmap.runner.source import open_project_source

DATA = {
    "A": ("ch-valmorel", "a_ch_valmorel.sqlite"),
    "B": ("clinique-sainte-aubierge", "b_clinique.json"),
    "C": ("export-pharmacie", "c_export_pharmacie.csv"),
}
VERDICTS = {
    "ENVOI": "sendable",
    "ENVOI_AVERT": "sendable-with-notes",
    "REJET": "invalid",
    "HORS_PERIMETRE": "out-of-scope",
    "REMPLACE": "superseded",
}


def engine(name: str, source: Path | None = None) -> Engine:
    return build_engine(load_project(shipped_folder("examples") / name, source=str(source) if source else None))


def written(found: Engine, path: Path) -> list[dict[str, str]]:
    with open_project_source(found.project, found.plan) as source:
        preview_all(found, source.records(), path)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@pytest.mark.parametrize("letter", list(DATA))
def test_every_expected_verdict(shared_dir: Path, tmp_path: Path, letter: str) -> None:
    name, file = DATA[letter]
    folder = shared_dir / "renacot" / "sih"
    found = written(engine(name, folder / file), tmp_path / "out.csv")
    with (folder / "attendus.csv").open(encoding="utf-8", newline="") as file_:
        expected = [row for row in csv.DictReader(file_, delimiter=";") if row["source"] == letter]
    assert len(found) == len(expected)

    def shown(row: dict[str, str], *names: str) -> tuple[str, ...]:
        return tuple("" if row[name] == "-" else row[name] for name in names)

    left = sorted(
        shown(row, "key", "verdict", "procedure", "laterality", "date", "implants", "pe_type") for row in found
    )
    right = sorted(
        (row["cle"], VERDICTS[row["verdict"]], *shown(row, "snomed", "lateralite", "date", "nb_implants", "pe_type"))
        for row in expected
    )
    assert left == right
    assert all(row["reasons"] for row in found if row["verdict"] in ("invalid", "sendable-with-notes"))


def test_one_record_from_column_to_element() -> None:
    found = engine("ch-valmorel")
    with open_project_source(found.project, found.plan) as source:
        key = next(record.key for record in source.records() if found.result(record).valid)
        row = preview_row(found, source, key)
        with pytest.raises(ConfigError) as missing:
            preview_row(found, source, "no such key")
    assert missing.value.code == "FM745"
    nir = next(trace for trace in row.traces if trace.element == "Parameters.parameter:nir.value[x]")
    assert nir.rule == "nir"
    assert "PATIENT.nir" in nir.columns
    assert nir.cells[0].replace(" ", "") in nir.value
    assert "renacot.map:" in nir.position
    lots = [trace for trace in row.traces if trace.element == "Parameters.parameter:implants.part:lot.value[x]"]
    assert len(lots) >= 3
    shown = row_to_data(row)
    assert (shown["key"], shown["resource"]["resourceType"]) == (key, "Parameters")
    assert {entry["element"] for entry in shown["elements"]} >= {nir.element}


def test_columns_that_are_no_fhirpath_are_reported_at_their_line(tmp_path: Path) -> None:
    shutil.copytree(shipped_folder("examples") / "export-pharmacie", tmp_path / "p")
    file = tmp_path / "p" / "fhirmap.toml"
    text = file.read_text(encoding="utf-8") + 'bad = "parameter.where(name = \'x\'"\nworse = "parameter.nmae"\n'
    file.write_text(text, encoding="utf-8")
    found = build_engine(load_project(tmp_path / "p"))
    with pytest.raises(ProjectError) as caught:
        _ = found.columns
    lines = text.splitlines()
    assert [(d.code, d.args["column"], d.span.line if d.span else 0) for d in caught.value.diagnostics] == [
        ("FM743", "bad", len(lines) - 1),
        ("FM743", "worse", len(lines)),
    ]


def test_the_file_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    found = engine("export-pharmacie")
    out = tmp_path / "out.csv"
    out.write_text("before", encoding="utf-8")

    def failing() -> object:
        yield from []
        raise ConfigError("FM724", source="x", reason="gone")

    with pytest.raises(ConfigError):
        preview_all(found, failing(), out)  # type: ignore[arg-type]
    assert out.read_text(encoding="utf-8") == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]
    with pytest.raises(ConfigError) as nowhere:
        preview_all(found, [], tmp_path / "no" / "out.csv")
    assert nowhere.value.code == "FM744"


def test_an_unknown_rule_is_reported_with_the_nearest(tmp_path: Path) -> None:
    shutil.copytree(shipped_folder("examples") / "export-pharmacie", tmp_path / "p")
    file = tmp_path / "p" / "fhirmap.toml"
    file.write_text(file.read_text(encoding="utf-8") + '\n[rules]\n"nir-kye" = "error"\n', encoding="utf-8")
    with pytest.raises(ProjectError) as caught:
        build_engine(load_project(tmp_path / "p"))
    (entry,) = caught.value.diagnostics
    assert (entry.code, entry.hint_text) == ("FM742", "did you mean `nir-key`?")
    assert entry.span is not None


def test_a_missing_column_is_reported_where_the_map_names_it(tmp_path: Path) -> None:
    shutil.copytree(shipped_folder("examples") / "export-pharmacie", tmp_path / "p")
    data = next((tmp_path / "p" / "data").glob("*.csv"))
    data.write_bytes(data.read_bytes().replace("Côté".encode("cp1252"), b"Cote"))
    found = build_engine(load_project(tmp_path / "p"))
    with pytest.raises(ProjectError) as caught:
        open_project_source(found.project, found.plan)
    (entry,) = caught.value.diagnostics
    assert entry.span is not None
    assert (entry.code, entry.span.snippet, entry.span.name.endswith(".map")) == ("FM704", "'Côté'", True)


def test_check_validates_rules_and_columns_without_compiling(tmp_path: Path) -> None:
    shutil.copytree(shipped_folder("examples") / "export-pharmacie", tmp_path / "p")
    file = tmp_path / "p" / "fhirmap.toml"
    file.write_text(file.read_text(encoding="utf-8") + 'bad = "(("\n[rules]\n"nir-kye" = "off"\n', encoding="utf-8")
    project = load_project(tmp_path / "p")
    found = settings_diagnostics(project, ProjectMaps(project).facts())
    assert sorted(entry.code for entry in found) == ["FM742", "FM743"]


@pytest.mark.parametrize("word", ["read_row", "transform", "judge", "validate", "places", "MARKS", "PLACES"])
def test_columns_of_the_source_whatever_a_group_is_called(tmp_path: Path, word: str) -> None:
    (tmp_path / "rows.map").write_text(
        'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'
        "model Row from csv key 'id' { id : string 1..1 }\n"
        f'group main(source src : Row, target tgt : Patient) {{ src then {word}(src, tgt) "all"; }}\n'
        f"group {word}(source src : Row, target tgt : Patient) {{ src.id as v -> tgt.id = v; }}\n",
        encoding="utf-8",
    )
    (tmp_path / "rows.csv").write_text("id\n7\n8\n", encoding="utf-8")
    (tmp_path / "fhirmap.toml").write_text(
        '[map]\nsource = "rows.map"\n[source]\nurl = "rows.csv"\n'
        '[sink]\nkind = "ndjson"\npath = "out.ndjson"\n[records]\nident = "%source.id"\n',
        encoding="utf-8",
    )
    found = written(build_engine(load_project(tmp_path)), tmp_path / "out.csv")
    assert [(row["key"], row["ident"]) for row in found] == [("7", "7"), ("8", "8")]


CELLS = """\
/// url = 'https://hospital.example/fhir/StructureMap/cells'
/// name = 'Cells'

model Operation from csv key 'id' delimiter ';' {
  id    : string   1..1 from 'id'
  lot   : string   0..1 from 'lot'
  began : dateTime 0..1 from 'began' format 'dd/MM/yyyy HH:mm' zone 'Europe/Paris'
}

model Result { lot : string 0..1  began : dateTime 0..1 }

group main(source src : Operation, target tgt : Result) {
  src.lot as v -> tgt.lot = v "lot";
  src.began as v -> tgt.began = v "began";
}
"""


def test_a_reason_says_of_each_record_what_is_wrong_with_it(tmp_path: Path) -> None:
    lines = ("id;lot;began", "1;NULL;", '2;="007";26/10/2025 02:30', "3;1,20E+05;30/03/2025 02:30", "4;NULL;")
    (tmp_path / "data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "cells.map").write_text(CELLS, encoding="utf-8")
    settings = '[map]\nsource = "cells.map"\n[source]\nurl = "data.csv"\n[sink]\nkind = "stdout"\n'
    (tmp_path / "fhirmap.toml").write_text(settings, encoding="utf-8")
    found = build_engine(load_project(tmp_path))
    with open_project_source(found.project, found.plan) as source:
        previewed = preview_all(found, source.records())
    lots = {
        tuple(line.keys): line.words
        for lines_ in previewed.listed.values()
        for line in lines_.values()
        if line.reason == "text:lot"
    }
    assert set(lots) == {("1", "4"), ("2",), ("3",)}
    assert "means no value" in lots["1", "4"]
    assert "formula" in lots["2",]
    assert "shortened" in lots["3",]
    assert previewed.reasons["text:lot"] == 4
    assert sorted(previewed.keys()["text:lot"]) == ["1", "2", "3", "4"]
    assert previewed.words()["text:lot"].count("; ") >= 2
    assert "twice that night" in previewed.words()["zone:began"]
    assert "does not exist" in previewed.words()["zone:began"]


def test_a_record_without_a_key_is_shown_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("id;lot;began\n;A;\n2;B;\n ;C;\n", encoding="utf-8")
    (tmp_path / "cells.map").write_text(CELLS, encoding="utf-8")
    settings = '[map]\nsource = "cells.map"\n[source]\nurl = "data.csv"\n[sink]\nkind = "stdout"\n'
    (tmp_path / "fhirmap.toml").write_text(settings, encoding="utf-8")
    found = build_engine(load_project(tmp_path))
    with open_project_source(found.project, found.plan) as source:
        keys = preview_all(found, source.records()).keys()
    assert set(map(tuple, keys.values())) == {("? data.csv:2", "? data.csv:4")}
