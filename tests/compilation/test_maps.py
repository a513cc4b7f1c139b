"""Maps of one call: from a text in an editor's buffer, from files, from trees, with what they import and name."""

from __future__ import annotations

from pathlib import Path

import pytest

import fhirmap
from fhirmap import ConfigError, Definitions, MapError, MapText

PATIENT = 'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'
HEAD = "/// url = 'http://example.org/StructureMap/{name}'\n/// name = '{name}'\n"
MAIN = (
    HEAD.format(name="main") + PATIENT + "imports 'http://example.org/StructureMap/common'\n"
    "conceptmap 'sexes' from \"sexes.csv\" columns 'ours', 'theirs' {\n"
    "  prefix s = 'urn:s'\n  prefix t = 'http://hl7.org/fhir/administrative-gender'\n}\n"
    "model Row { id : string 1..1  sex : string }\n"
    "group main(source src : Row, target tgt : Patient) {\n"
    '  src then common(src, tgt) "all";\n'
    "  src.sex as s -> tgt.gender = translate(s, '#sexes', 'code') \"sex\";\n"
    "}\n"
)
COMMON = (
    HEAD.format(name="common")
    + PATIENT
    + "group common(source src, target tgt : Patient) { src.id as v -> tgt.id = v; }\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What an editor has open: a folder with a map, the map it imports, and its code table."""
    (tmp_path / "main.map").write_text(MAIN, encoding="utf-8")
    (tmp_path / "common.map").write_text(COMMON, encoding="utf-8")
    (tmp_path / "sexes.csv").write_text("ours;theirs\nF;female\n", encoding="utf-8")
    return tmp_path


def codes(*sources: str | Path | MapText, **options: object) -> list[str]:
    return [entry.code for entry in fhirmap.check(*sources, **options)]  # type: ignore[arg-type]


def test_a_buffer_is_checked_with_what_is_beside_its_file(folder: Path) -> None:
    assert codes(MAIN, name="main.map", folder=folder) == []
    found = fhirmap.check(MAIN.replace("tgt.gender", "tgt.gendr"), name="main.map", folder=folder)
    assert [(entry.code, entry.span and entry.span.name) for entry in found] == [("FM204", "main.map")]


def test_without_the_folder_its_files_are_not_there(folder: Path) -> None:
    assert set(codes(MAIN, name="main.map")) >= {"FM100", "FM102"}


def test_a_text_without_a_folder_reads_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    found = {entry.code: entry for entry in fhirmap.check(MAIN)}
    assert (found["FM102"].variant, "`check(text, folder=…)`" in found["FM102"].hint_text) == ("text", True)


def test_the_buffer_counts_and_not_the_file_it_was_read_from(folder: Path) -> None:
    (folder / "main.map").write_text("this is no map {", encoding="utf-8")
    (folder / "common.map").write_text(
        COMMON.replace("group", "imports 'http://example.org/StructureMap/main'\ngroup"), encoding="utf-8"
    )
    for name in ("main.map", str(folder / "main.map")):
        assert "FM001" not in codes(MAIN, name=name, folder=folder)


def test_several_buffers(folder: Path) -> None:
    broken = COMMON.replace("tgt.id", "tgt.ident")
    found = fhirmap.check(MapText("main.map", MAIN), MapText("common.map", broken), folder=folder)
    assert ("FM204", "common.map") in [(entry.code, entry.span and entry.span.name) for entry in found]


def test_an_empty_buffer_is_a_text() -> None:
    assert fhirmap.parse("", name="new.map")[0].groups == ()
    assert "error" in [entry.severity for entry in fhirmap.check("group", name="new.map")]


def test_a_compiled_buffer_runs(folder: Path) -> None:
    transformer = fhirmap.compile_map(MAIN, name="main.map", folder=folder)
    result = transformer({"id": "1", "sex": "F"})
    assert result.resource == {"resourceType": "Patient", "id": "1", "gender": "female"}


def test_a_tree_and_a_file_are_the_same(folder: Path) -> None:
    tree, diagnostics = fhirmap.parse(folder / "main.map")
    assert diagnostics == ()
    options = {"imports": [folder / "common.map"], "definitions": Definitions()}
    assert codes(folder / "main.map", **options) == codes(tree, **options)  # type: ignore[arg-type]


def test_a_map_that_cannot_run_raises_everything(folder: Path) -> None:
    with pytest.raises(MapError) as caught:
        fhirmap.compile_map(
            MAIN.replace("tgt.gender", "tgt.gendr").replace("src.sex", "src.sx"), name="m", folder=folder
        )
    assert {"FM204"} <= {entry.code for entry in caught.value.diagnostics}
    assert isinstance(caught.value, fhirmap.DiagnosedError)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ConfigError) as caught:
        fhirmap.check("no-such.map")
    assert caught.value.code == "FM760"
