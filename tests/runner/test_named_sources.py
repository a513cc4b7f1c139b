"""Sources by the names that models give them, against what the project file has."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.errors import ProjectError
from fhirmap.runner.check import settings_diagnostics
from fhirmap.runner.engine import build_engine
from fhirmap.runner.named_sources import other_addresses, unknown_sources, unread_sources
from fhirmap.runner.project import Project
from fhirmap.runner.project_file import load_project
from fhirmap.runner.project_maps import ProjectMaps

MAP = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
model Op from csv OWN key 'id' {
  id      : string 1..1
  surgeon : Surgeon 0..1 join on 'id'
  poses   : Pose 0..* lines
}
model Surgeon from csv source 'surgeons' { name : string 0..1  city : City 0..* join on 'ville' }
model City from csv source 'cities' { label : string 0..1 }
model Pose { udi : string 0..1  device : Device 0..1 join on 'udi' }
model Device from table 'D' source 'stock' { label : string 0..1 }
group op(source src : Op, target tgt : Patient) {
  src.id as v -> tgt.id = v;
  src.surgeon as s then {
    s.name as v -> tgt.language = v;
    s.city as c then { c.label as v -> tgt.name as n, n.text = v; };
  };
  src.poses as p then {
    p.udi as v -> tgt.name as n, n.text = v;
    p.device as d then { d.label as v -> tgt.name as n, n.text = v; };
  };
}
"""
PROJECT = """\
[map]
source = "own.map"
[source]
url = "a.csv"
[sources.surgeons]
url = "s.csv"
[sources.cities]
url = "c.csv"
[sources.stock]
url = "stock.sqlite"
"""


def project(folder: Path, text: str = PROJECT, own: str = "", source: str | None = None) -> Project:
    (folder / "own.map").write_text(MAP.replace("OWN", own), encoding="utf-8")
    (folder / "fhirmap.toml").write_text(text, encoding="utf-8")
    return load_project(folder, source=source, environ={})


def test_a_project_that_has_every_source(tmp_path: Path) -> None:
    found = project(tmp_path)
    stores = ProjectMaps(found).facts().stores
    assert (unknown_sources(found, stores), unread_sources(found, stores)) == ([], [])
    plan = build_engine(found).plan
    addresses = other_addresses(found, plan)
    assert {name: address.shown for name, address in addresses.items()} == {
        "surgeons": "s.csv", "cities": "c.csv", "stock": "stock.sqlite",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "own", "source", "found"),
    [
        (PROJECT.replace("surgeons]", "surgeon]"), "", None, [("FM769", "", "own.map:7:24", "surgeon")]),
        (PROJECT.replace('[source]\nurl = "a.csv"\n', ""), "", None, [("FM769", "own", "own.map:2:10", None)]),
        (PROJECT, "source 'surgeons'", "b.csv", [("FM769", "unnamed", "", None)]),
    ],
)
def test_a_source_that_the_project_has_not(
    tmp_path: Path, text: str, own: str, source: str | None, found: list[tuple[str, str, str, str | None]]
) -> None:
    loaded = project(tmp_path, text, own, source)
    wrong = unknown_sources(loaded, ProjectMaps(loaded).facts().stores)
    assert [
        (entry.code, entry.variant, entry.span.position.removeprefix(f"{tmp_path}/") if entry.span else "", entry.meant)
        for entry in wrong
    ] == found
    with pytest.raises(ProjectError):
        build_engine(loaded)


def test_a_source_that_no_model_reads_is_a_warning_at_its_place(tmp_path: Path) -> None:
    loaded = project(tmp_path, f'{PROJECT}[sources.rest]\nurl = "r.csv"\n')
    (entry,) = settings_diagnostics(loaded, ProjectMaps(loaded).facts())
    assert (entry.code, entry.is_error, entry.span and entry.span.line) == ("FM769", False, 11)
