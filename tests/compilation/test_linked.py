"""Maps of a set that share groups: compiled at first need, once, and running as they would alone."""

from __future__ import annotations

import pickle
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from benchmarks.wildcard_maps import URL, write_set
from fhirmap import TransformFailed
from fhirmap.analysis.check import Analysis
from fhirmap.analysis.lineage import lineage
from fhirmap.compilation.contract import target_contract
from fhirmap.compilation.linked import LinkedTransformer
from fhirmap.compilation.mapset import MapSet, traced
from fhirmap.compilation.transformers import transformer_of
from fhirmap.compiler.groups import GroupLowering
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.plan import PythonFunction

SET = "https://linked.example/StructureMap"
BUNDLE = f"""/// url = '{SET}/Bundle'
imports "{SET}/*"
group Bundle(source src : Bundle, target tgt : Bundle) <<type+>> {{
  src.type -> tgt.type;
  src.entry as e -> tgt.entry as t then {{ e.resource -> t.resource "resource"; }} "entry";
}}
"""
PATIENT = f"""/// url = '{SET}/Patient'
imports "{SET}/*"
let kind = 'from ' & 'Patient';
group Patient(source src : Patient, target tgt : Patient) <<type+>> {{
  src.id -> tgt.id;
  src.birthDate as v check %v.toString().length() = 10 -> tgt.birthDate = v "born";
  src.contained -> tgt.contained;
  src.language as v -> tgt.implicitRules = (%kind) "kind";
}}
"""
DEVICE = f"""/// url = '{SET}/Device'
imports "{SET}/*"
group Device(source src : Device, target tgt : Device) <<type+>> {{
  src.serialNumber as v -> tgt.serialNumber = (%v & '!');
  src.contained -> tgt.contained;
  src.lotNumber as v -> tgt.expirationDate = toDateTime(v, 'yyyy-MM-dd');
}}
"""
LOCATION = f"""/// url = '{SET}/Location'
group Location(source src : Location, target tgt : Location) <<type+>> {{ src.name -> tgt.name; }}
"""
ENTRIES: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"resource": {"resourceType": "Patient", "id": "p", "birthDate": "1980-02-01", "language": "fr"}},
        {"resource": {"resourceType": "Device", "serialNumber": "7"}},
    ],
}


@pytest.fixture
def known(tmp_path: Path) -> MapSet:
    for name, text in {"Bundle": BUNDLE, "Patient": PATIENT, "Device": DEVICE, "Location": LOCATION}.items():
        (tmp_path / f"{name}.map").write_text(text, encoding="utf-8")
    return MapSet([tmp_path])


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the groups that were lowered, in order."""
    names: list[str] = []
    lower = GroupLowering.function

    def seen(self: GroupLowering) -> PythonFunction:
        names.append(self.group.name)
        return lower(self)

    monkeypatch.setattr(GroupLowering, "function", seen)
    return names


def test_a_group_is_compiled_when_an_item_needs_it_and_once(known: MapSet, lowered: list[str]) -> None:
    transformer = known.runnable(f"{SET}/Bundle").transformer
    assert lowered == []
    assert known.transform(f"{SET}/Bundle", {"resourceType": "Bundle", "type": "batch"}).resource == {
        "resourceType": "Bundle", "type": "batch"
    }  # fmt: skip
    assert lowered == ["Bundle"]
    resource = transformer(ENTRIES).resource
    assert resource is not None
    assert [entry["resource"] for entry in resource["entry"]] == [
        {"resourceType": "Patient", "id": "p", "birthDate": "1980-02-01", "implicitRules": "from Patient"},
        {"resourceType": "Device", "serialNumber": "7!"},
    ]
    assert lowered == ["Bundle", "Patient", "Device"]
    # Another map of the set finds them compiled.
    assert known.transform(f"{SET}/Device", {"resourceType": "Device", "serialNumber": "8"}).resource == {
        "resourceType": "Device", "serialNumber": "8!"
    }  # fmt: skip
    contained = {"resourceType": "Patient", "contained": [{"resourceType": "Device", "serialNumber": "9"}]}
    assert known.transform(f"{SET}/Patient", contained).resource == {
        "resourceType": "Patient", "contained": [{"resourceType": "Device", "serialNumber": "9!"}]
    }  # fmt: skip
    assert lowered == ["Bundle", "Patient", "Device"]


def test_a_fault_says_where_the_shared_group_is_and_what_it_writes(known: MapSet) -> None:
    wrong = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "birthDate": "1980"}}]}
    transformer = known.runnable(f"{SET}/Bundle").transformer
    (fault,) = (entry for entry in transformer(wrong).faults if entry.code == "FM401")
    assert Path(fault.position).name == "Patient.map:6:28"
    assert fault.element == ""
    unfit = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Device", "lotNumber": "x"}}]}
    maps = known.runnable(f"{SET}/Bundle").maps
    alone = transformer_of(maps, contract=target_contract(maps.checked))
    for record in (wrong, unfit):
        assert transformer(record).faults == alone(record).faults
    (fault,) = (entry for entry in transformer(unfit).faults if entry.rule == "rule")
    assert (Path(fault.position).name, fault.element) == ("Device.map:6:25", "Device.expirationDate")


def test_a_pickle_carries_all_that_it_needs(known: MapSet, lowered: list[str]) -> None:
    transformer = known.runnable(f"{SET}/Bundle").transformer
    assert isinstance(transformer, LinkedTransformer)
    copy: LinkedTransformer = pickle.loads(pickle.dumps(transformer))
    assert (copy.digest, copy.name) == (transformer.digest, transformer.name)
    assert sorted(lowered) == ["Bundle", "Device", "Location", "Patient"]
    assert copy(ENTRIES) == transformer(ENTRIES)
    assert copy.places == dict(transformer.places)


def test_a_strict_run_shows_the_line_of_the_map(known: MapSet) -> None:
    wrong = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "birthDate": "1980"}}]}
    with pytest.raises(TransformFailed) as caught:
        known.runnable(f"{SET}/Bundle").transformer(wrong, strict=True)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert Path(last.filename).name == "Patient.map"
    assert "src.birthDate as v check" in (last.line or "")


def test_several_threads_may_be_the_first(known: MapSet, lowered: list[str]) -> None:
    transformer = known.runnable(f"{SET}/Bundle").transformer
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(transformer, [ENTRIES] * 64))
    assert results == [transformer(ENTRIES)] * 64
    assert sorted(lowered) == ["Bundle", "Device", "Patient"]


def test_one_thread_at_a_time_checks_or_compiles(known: MapSet, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found out of a group is kept for all maps of the set: a half of it must not be seen."""
    inside: list[int] = []
    most: list[int] = []

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.005)  # another thread runs meanwhile
            try:
                return function(*arguments, **options)
            finally:
                inside.pop()

        return call

    monkeypatch.setattr(Analysis, "check", watched(Analysis.check))
    monkeypatch.setattr(ModuleBuilder, "__init__", watched(ModuleBuilder.__init__))
    monkeypatch.setattr("fhirmap.compilation.linked.lineage", watched(lineage))
    urls = [f"{SET}/{name}" for name in ("Bundle", "Patient", "Device", "Location")]

    def used(url: str) -> int:
        runnable = known.runnable(url)
        kind = url.rpartition("/")[2]
        traced(runnable, {"resourceType": kind})
        transformer = runnable.transformer
        assert isinstance(transformer, LinkedTransformer)
        return len(pickle.dumps(transformer)) + len(transformer.places)

    with ThreadPoolExecutor(8) as threads:
        sizes = list(threads.map(used, urls * 2))
    assert sizes[:4] == sizes[4:]
    assert max(most) == 1


def test_a_map_that_reaches_more_has_a_namespace_of_its_own(known: MapSet, tmp_path: Path) -> None:
    """What a map alone needs is not asked of the others, in whatever order they come."""
    assert known.transform(f"{SET}/Location", {"resourceType": "Location", "name": "x"}).resource == {
        "resourceType": "Location", "name": "x"
    }  # fmt: skip
    resource = known.transform(f"{SET}/Bundle", ENTRIES).resource
    assert resource is not None
    assert len(resource["entry"]) == 2


def test_what_the_maps_of_a_set_cost_does_not_depend_on_what_they_reach(
    tmp_path: Path, lowered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each map of a wildcard set compiled, one by one: no group is lowered, and the facts of all groups found once."""
    built: list[int] = []
    build = ModuleBuilder.__init__

    def counted(self: ModuleBuilder, *arguments: Any, **options: Any) -> None:
        built.append(1)
        build(self, *arguments, **options)

    monkeypatch.setattr(ModuleBuilder, "__init__", counted)
    files = write_set(tmp_path, 16)
    known = MapSet([tmp_path])
    for file in sorted(files, key=lambda entry: entry.stem != "Bundle"):
        assert known.runnable(f"{URL}/{file.stem}4to5").transformer is not None
    assert (lowered, len(built)) == ([], 1)
    result = known.transform(f"{URL}/Patient4to5", {"resourceType": "Patient", "active": True})
    assert result.resource == {"resourceType": "Patient", "active": True}
    assert 0 < len(lowered) < 4
