"""The release for which a map is read: `--fhir-version`, else what its `uses` name, else R4."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhirmap.compilation.releases import release_of
from fhirmap.language.parser import parse
from tests.cli.conftest import in_process

MAP = """/// url = 'https://a.example/StructureMap/m'
/// name = 'm'
uses "http://hl7.org/fhir/FROMProcedure" alias From as source
uses "http://hl7.org/fhir/TOProcedure" alias To as target
group m(source src : From, target tgt : To) {
  src -> tgt.status = 'completed' "status";
  src -> tgt.subject = create('Reference') as r, r.display = 'x' "subject";
  src.occurrence as v -> tgt.occurrence = v "occurrence";
}
"""
PLAIN = "StructureDefinition/"


def write(folder: Path, source: str, target: str) -> Path:
    path = folder / "m.map"
    path.write_text(MAP.replace("FROM", source).replace("TO", target), encoding="utf-8")
    return path


def run(*arguments: object) -> tuple[int, str]:
    done = in_process(*map(str, arguments))
    return done.code, done.out + done.err


@pytest.mark.parametrize("command", [["check"], ["lineage"], ["compile", "--json"]])
@pytest.mark.parametrize("base", ["5.0/StructureDefinition/", "5.0/", "5.0.0/StructureDefinition/"])
def test_versioned_uses_say_the_release(tmp_path: Path, command: list[str], base: str) -> None:
    assert run(*command, write(tmp_path, base, base))[0] == 0


@pytest.mark.parametrize("command", [["check"], ["lineage"], ["compile", "--json"]])
def test_without_one_it_is_r4_unless_the_command_says_so(tmp_path: Path, command: list[str]) -> None:
    path = write(tmp_path, PLAIN, PLAIN)
    code, shown = run(*command, path)
    assert code == 2
    assert "`occurrence`" in shown
    assert run(*command, "--fhir-version", "r5", path)[0] == 0


def test_a_transform_reads_it_too(tmp_path: Path) -> None:
    path = write(tmp_path, "5.0/StructureDefinition/", "5.0/StructureDefinition/")
    record = tmp_path / "p.json"
    record.write_text(json.dumps({"resourceType": "Procedure", "occurrenceString": "May"}), encoding="utf-8")
    code, shown = run("transform", path, record)
    assert code == 0
    assert '"occurrenceString": "May"' in shown


def test_a_text_has_one_form_in_every_release(tmp_path: Path) -> None:
    path = write(tmp_path, PLAIN, PLAIN)
    run("fmt", path)
    assert run("fmt", "--check", "--fhir-version", "R5", path)[0] == 0


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("4.0/StructureDefinition/", "5.0/StructureDefinition/", "R5"),
        ("4.3/", PLAIN, "R4B"),
        (PLAIN, PLAIN, None),
        ("4.0/", "9.0/", "R4"),
    ],
)
def test_what_is_made_decides(source: str, target: str, expected: str | None) -> None:
    tree, _ = parse(MAP.replace("FROM", source).replace("TO", target), "m.map")
    assert release_of([tree]) == expected


def test_maps_of_stu3_are_read_in_its_own_types(tmp_path: Path) -> None:
    path = tmp_path / "m.map"
    text = """uses "http://hl7.org/fhir/BASEPatient" alias From as source
uses "http://hl7.org/fhir/BASEPatient" alias To as target
group m(source src : From, target tgt : To) {
  src.animal as a -> tgt.animal = a "animal";
}
"""
    path.write_text(text.replace("BASE", "3.0/StructureDefinition/"), encoding="utf-8")
    assert run("check", path)[0] == 0
    path.write_text(text.replace("BASE", "StructureDefinition/"), encoding="utf-8")
    assert run("check", path)[0] == 2
    assert run("check", "--fhir-version", "stu3", path)[0] == 0


@pytest.mark.parametrize(
    ("base", "release"), [(PLAIN, ["--fhir-version", "R5"]), ("5.0/StructureDefinition/", []), ("5.0/", [])]
)
def test_a_type_of_other_releases_alone_is_said_to_be_theirs(tmp_path: Path, base: str, release: list[str]) -> None:
    path = write(tmp_path, base, base)
    path.write_text(path.read_text(encoding="utf-8").replace("Procedure", "Media"), encoding="utf-8")
    code, shown = run("check", *release, path)
    assert code == 2
    shown = " ".join(shown.split())
    assert "FHIR R5 has no type `Media`, it is in STU3, R4 and R4B: choose a release with `--fhir-version R4B`" in shown
    assert "did you mean" not in shown


def test_a_misspelt_type_is_looked_for_in_the_release_that_holds(tmp_path: Path) -> None:
    path = write(tmp_path, PLAIN, PLAIN)
    path.write_text(path.read_text(encoding="utf-8").replace("Procedure", "Transprot"), encoding="utf-8")
    assert "did you mean `http://hl7.org/fhir/StructureDefinition/Transport`?" in " ".join(
        run("check", "--fhir-version", "R5", path)[1].split()
    )
    assert "did you mean" not in run("check", path)[1]


def test_an_unknown_structure_is_said_to_be_read_or_written(tmp_path: Path) -> None:
    path = write(tmp_path, PLAIN, PLAIN)
    text = path.read_text(encoding="utf-8").replace("http://hl7.org/fhir/", "http://example.org/")
    path.write_text(text, encoding="utf-8")
    shown = " ".join(run("check", path)[1].split())
    assert "what is read from `From` cannot be checked" in shown
    assert "what is written to `To` cannot be checked" in shown
