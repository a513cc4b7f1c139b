"""What a map reaches: groups are typed when they are needed, and what is not reached stops nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from benchmarks.wildcard_maps import write_set
from fhirmap.analysis.check import Analysis
from fhirmap.analysis.inference import Inference
from fhirmap.analysis.scope import DefaultIndex, Scope
from fhirmap.analysis.single_writes import Entries, Write
from fhirmap.analysis.workspace import Workspace, parsed
from fhirmap.compilation.files import library, read_map
from fhirmap.compilation.maps import compile_map
from fhirmap.compilation.program import check_maps
from fhirmap.diagnostics import Diagnostic, MapText
from fhirmap.interchange.packages import load_definitions
from fhirmap.model.definition import TypeRef

PATIENT = """/// url = 'https://a.example/StructureMap/Patient'
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
imports "https://a.example/StructureMap/*"
group Patient(source src : Patient, target tgt : Patient) {
  src.contact as c -> tgt.contact as d then contact(c, d) "contact";
  RULE
}
"""
LIBRARY = """/// url = 'https://a.example/StructureMap/parts'
group contact(source src, target tgt) { src.name -> tgt.name; }
group other(source src : Patient, target tgt : Patient) { src.nothing as v -> tgt.nothing = v; }
"""
DEVICE = """/// url = 'https://a.example/StructureMap/Device'
group Device(source src : Device, target tgt : Device) <<type+>> {
  src.status as v -> tgt.nope = v "wrong";
}
group Location(source src : Location, target tgt : Location) <<type+>> { src.name -> tgt.name; }
"""
CONTAINED = "src.contained -> tgt.contained;"
ELSEWHERE = ["warning FM204 parts.map"]
"""What is wrong with the library's other group."""


def found(folder: Path, rule: str = "", **maps: str) -> list[str]:
    """What is reported of the patient's map: `error FM204 Device.map`, in order."""
    write(folder, rule, **maps)
    diagnostics = check_maps(folder / "Patient.map", imports=[folder]).diagnostics
    return [shown(entry) for entry in diagnostics]


def write(folder: Path, rule: str = "", **maps: str) -> None:
    for name, text in {"Patient": PATIENT.replace("RULE", rule), "parts": LIBRARY, **maps}.items():
        (folder / f"{name}.map").write_text(text, encoding="utf-8")


def shown(entry: Diagnostic) -> str:
    assert entry.span is not None
    return f"{entry.severity.value} {entry.code} {Path(entry.span.name).name}"


def test_errors_in_groups_that_nothing_calls_for_are_warnings_of_check_and_not_looked_for_in_runs(
    tmp_path: Path,
) -> None:
    assert found(tmp_path, Device=DEVICE) == [*ELSEWHERE, "warning FM204 Device.map"]
    analysis = Analysis(load_definitions(())[0])
    program = Workspace(library([tmp_path])).program([parsed(MapText("Patient.map", PATIENT.replace("RULE", "")))])
    assert analysis.check(program)[1] == ()


def test_an_error_in_a_group_that_a_type_may_call_for_is_a_warning(tmp_path: Path) -> None:
    assert found(tmp_path, CONTAINED, Device=DEVICE) == [*ELSEWHERE, "warning FM204 Device.map"]


def test_an_absent_concept_map_stops_what_surely_needs_it_alone(tmp_path: Path) -> None:
    absent = DEVICE.replace("tgt.nope = v", "tgt.status = translate(v, 'http://a.example/ConceptMap/x', 'code')")
    assert found(tmp_path, CONTAINED, Device=absent) == [*ELSEWHERE, "warning FM108 Device.map"]
    name = "group HumanName(source src : HumanName, target tgt : HumanName) <<type+>> {"
    name += " src.use as v -> tgt.use = translate(v, 'http://a.example/ConceptMap/x', 'code'); }\n"
    assert "error FM108 parts.map" in found(tmp_path, "src.name -> tgt.name;", parts=LIBRARY + name)


def test_an_error_in_a_group_that_is_called_stops_the_map(tmp_path: Path) -> None:
    wrong = LIBRARY.replace("src.name -> tgt.name", "src.name as v -> tgt.naem = v")
    expected = ["error FM204 parts.map", *ELSEWHERE, "warning FM204 Device.map"]
    assert found(tmp_path, Device=DEVICE, parts=wrong) == expected


def test_a_text_that_cannot_be_read_stops_what_needs_it_alone(tmp_path: Path) -> None:
    broken = DEVICE.replace("src.status as v ->", "src.status as as ->")
    assert {entry.partition(" ")[0] for entry in found(tmp_path, CONTAINED, Device=broken)} == {"warning"}


def test_a_map_that_is_imported_by_its_own_address_is_reached(tmp_path: Path) -> None:
    text = "/// url = 'https://a.example/StructureMap/codes'\n" + 2 * 'conceptmap "x" { prefix s = "urn:s" }\n'
    text += "group unused(source a, target b) { a.c as v -> b.c = v; }\n"
    assert [entry for entry in found(tmp_path, codes=text) if "FM105" in entry] == ["warning FM105 codes.map"]
    named = PATIENT.replace("imports", 'imports "https://a.example/StructureMap/codes"\nimports')
    assert [entry for entry in found(tmp_path, codes=text, Patient=named) if "FM105" in entry] == [
        "error FM105 codes.map"
    ]


def test_an_item_that_needs_the_wrong_group_is_a_fault_and_others_are_mapped(tmp_path: Path) -> None:
    write(tmp_path, CONTAINED, Device=DEVICE)
    transform = compile_map(tmp_path / "Patient.map", imports=[tmp_path], validate=False)
    place = {"resourceType": "Location", "name": "OR 3", "status": "active"}
    mapped = transform({"resourceType": "Patient", "contained": [place]})
    assert mapped.resource == {
        "resourceType": "Patient",
        "contained": [{"resourceType": "Location", "name": "OR 3"}],
    }
    refused = transform({"resourceType": "Patient", "contained": [{"resourceType": "Device", "status": "active"}]})
    assert [fault.code for fault in refused.faults] == ["FM408"]


def test_one_table_serves_all_rules_of_a_set(tmp_path: Path) -> None:
    write_set(tmp_path, 12)
    transform = compile_map(tmp_path / "Bundle.fml", imports=[tmp_path], definitions=[tmp_path], validate=False)
    assert transform.source.count("\n_GROUPS_BY_TYPE = {") == 1
    assert transform.source.count("('Patient', 'Patient'):") == 1


def test_steps_of_resolution_grow_with_the_set_and_no_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (steps(tmp_path / str(size), size, monkeypatch) for size in (15, 45))
    for name, count in few.items():
        assert count > 0, name
        assert many[name] <= 5 * count, name


def test_maps_checked_one_by_one_take_the_steps_of_the_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def each(folder: Path, files: Sequence[Path]) -> None:
        definitions, _ = load_definitions([folder])
        workspace, analysis = Workspace(library([folder])), Analysis(definitions)
        for file in files:
            analysis.check(workspace.program([parsed(MapText(str(file), read_map(file)))]))

    alone, together = (
        steps(tmp_path / str(number), 20, monkeypatch, action) for number, action in enumerate((check_bundle, each))
    )
    for name, count in alone.items():
        assert together[name] <= 2 * count, name


def check_bundle(folder: Path, _files: Sequence[Path]) -> None:
    """Check one map of a set, which leads to all of them."""
    check_maps(folder / "Bundle.fml", imports=[folder], definitions=[folder])


def steps(
    folder: Path,
    size: int,
    monkeypatch: pytest.MonkeyPatch,
    action: Callable[[Path, Sequence[Path]], None] = check_bundle,
) -> dict[str, int]:
    """How often ``action`` with a set resolves a type, types a group, and looks at a default group or a write of a
    single element."""
    counts = {"types": 0, "groups": 0, "defaults": 0, "writes": 0}
    keep = Entries.add
    resolve, type_rules, index = Scope._type_ref, Inference._type_rules, DefaultIndex.of.__func__  # type: ignore[attr-defined]

    def counted_resolve(self: Scope, *arguments: object) -> TypeRef | None:
        counts["types"] += 1
        return resolve(self, *arguments)  # type: ignore[arg-type]

    def counted_type_rules(self: Inference, *arguments: object) -> None:
        counts["groups"] += 1
        type_rules(self, *arguments)  # type: ignore[arg-type]

    def counted_index(cls: type[DefaultIndex], groups: object) -> DefaultIndex:
        held = list(groups)  # type: ignore[call-overload]
        counts["defaults"] += len(held)
        made: DefaultIndex = index(cls, held)
        return made

    def counted_write(self: Entries, write: Write) -> bool:
        counts["writes"] += 1
        return keep(self, write)

    folder.mkdir()
    files = write_set(folder, size)
    with monkeypatch.context() as patched:
        patched.setattr(Scope, "_type_ref", counted_resolve)
        patched.setattr(Inference, "_type_rules", counted_type_rules)
        patched.setattr(DefaultIndex, "of", classmethod(counted_index))
        patched.setattr(Entries, "add", counted_write)
        action(folder, files)
    return counts
