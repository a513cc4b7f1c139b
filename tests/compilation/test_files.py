"""Files that maps are, and files that maps name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import fhirmap
from fhirmap.compilation.files import read_map
from fhirmap.compilation.program import check_maps
from fhirmap.diagnostics.render import render_diagnostics
from fhirmap.errors import ConfigError

MAP = """conceptmap "g" from "{name}" columns 'a', 'b' { prefix s = "urn:s" prefix t = "urn:t" }
group main(source src, target tgt) { src.id as v -> tgt.gender = translate(v, '#g', 'code'); }
"""


@pytest.mark.parametrize("name", ["codes\0.csv", "c" * 5000 + ".csv", ".", "no/such/codes.csv"])
@pytest.mark.parametrize("with_folder", [True, False])
def test_a_file_that_no_folder_can_hold_is_a_diagnostic(tmp_path: Path, name: str, with_folder: bool) -> None:
    folder = tmp_path if with_folder else None
    found = fhirmap.check(MAP.replace("{name}", name), name="buffer.map", folder=folder)
    assert [entry.code for entry in found if entry.is_error] == ["FM102"]


def test_a_map_by_such_a_name_is_not_there() -> None:
    with pytest.raises(fhirmap.ConfigError) as caught:
        fhirmap.compile_map("a\0b")
    assert caught.value.code == "FM760"


def test_lines_end_alike_whatever_wrote_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.map"
    file.write_bytes(b"\xef\xbb\xbfgroup\r\na\rb\n")
    assert read_map(file) == "group\na\nb\n"


_SECRET = "a;b\nSECRET;SECRET\n"
_TABLE = """uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
conceptmap "#g" from "{name}" columns 'a', 'b' delimiter ';' { prefix s = "urn:s" prefix t = "urn:t" unmapped pass }
model Row from table 'rows' key 'id' { id : string 1..1 from 'id' }
group main(source src : Row, target tgt : Patient) { src.id as v -> tgt.gender = translate(v, '#g', 'code'); }
"""


def _shown(folder: Path, name: str, *allowed: Path) -> str:
    """What `check` shows of a map in ``folder`` / maps whose code table is ``name``, FM170 aside."""
    file = folder / "maps" / "a.map"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_TABLE.replace("{name}", name), encoding="utf-8")
    found = check_maps(file, allowed=allowed, functions={}).diagnostics
    return render_diagnostics([entry for entry in found if entry.code != "FM170"])


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("../../outside.csv", "outside of its folder"),
        ("../../outside", "outside of its folder"),
        ("link.csv", "outside of its folder"),
        ("linked/outside.csv", "outside of its folder"),
        ("{tmp}/outside.csv", "outside of its folder"),
        ("/dev/zero", "outside of its folder"),
        ("../.env", "begins with a dot"),
        (".hidden/codes.csv", "begins with a dot"),
        ("pipe", "no regular file"),
        ("../keys.txt", "no column"),
        ("../bad.csv", "no table"),
        ("../open.csv", "no table"),
    ],
)
def test_a_map_reads_nothing_elsewhere_and_nothing_of_it_is_shown(tmp_path: Path, name: str, variant: str) -> None:
    project = tmp_path / "project"
    for folder in (project / "maps" / ".hidden", project):
        folder.mkdir(parents=True, exist_ok=True)
    for place in (tmp_path / "outside.csv", project / ".env", project / "maps" / ".hidden" / "codes.csv"):
        place.write_text(_SECRET, encoding="utf-8")
    (project / "keys.txt").write_text("PASSWORD=SECRET\nb=SECRET\n", encoding="utf-8")
    (project / "bad.csv").write_text('a;b\n"' + "SECRET" * 30_000, encoding="utf-8")
    (project / "open.csv").write_text('a;b\n"M;SECRET\nF;SECRET\n', encoding="utf-8")
    (project / "maps" / "link.csv").symlink_to(tmp_path / "outside.csv")
    (project / "maps" / "linked").symlink_to(tmp_path)
    os.mkfifo(project / "maps" / "pipe")
    shown = _shown(project, name.replace("{tmp}", str(tmp_path)), project)
    assert variant in " ".join(shown.split())
    assert "SECRET" not in shown


def test_a_map_reads_its_own_folder_and_those_that_are_allowed(tmp_path: Path) -> None:
    project, common = tmp_path / "project", tmp_path / "common"
    for folder in (project / "maps", common):
        folder.mkdir(parents=True)
    (project / "codes.csv").write_text("a;b\nM;male\n", encoding="utf-8")
    (common / "codes.csv").write_text("a;b\nM;male\n", encoding="utf-8")
    assert "FM102" in _shown(project, "../codes.csv")
    assert "FM102" not in _shown(project, "../codes.csv", project)
    assert "FM102" in _shown(project, "../../common/codes.csv", project)
    assert "FM102" not in _shown(project, "../../common/codes.csv", project, common)


def test_a_pipe_beside_a_map_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.map").write_text("map 'urn:a' = 'a'\n")
    os.mkfifo(tmp_path / "b.map")
    with pytest.raises(ConfigError, match="FM760") as caught:
        check_maps(tmp_path / "a.map", imports=[tmp_path])
    assert "b.map" in caught.value.diagnostic().message
