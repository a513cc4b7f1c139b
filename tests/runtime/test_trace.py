"""Traces: the same results as without, every event in its place, and nothing of the record unless it is asked for."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.contract import target_contract
from fhirmap.compilation.executed import transformer_from
from fhirmap.compilation.program import check_maps
from fhirmap.compilation.transformers import transformer_of
from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source
from fhirmap.runtime.trace import Trace, Tracer, trace_lines, trace_to_data

ROOT = Path(__file__).resolve().parents[2]
CASES = sorted((ROOT / "tests" / "cases").glob("*/case.map"))
EXAMPLES = ["ch-lanvern", "ch-valmorel", "clinique-roc-noir", "clinique-sainte-aubierge", "export-pharmacie"]

MAP = """\
/// url = 'https://tiny.example/StructureMap/tiny'
conceptmap "side" { prefix s = "urn:s" prefix t = "urn:t" s:D - t:right }
model In { name : string lot : Lot 0..* }
model Lot { code : string size : integer }
model Out { title : string lots : OutLot 0..* }
model OutLot { code : code note : string }
group main(source src : In, target tgt : Out) {
  src.name as n log ('seen ' & n) -> tgt.title = n "title";
  src.lot as l where (size > 1) -> tgt.lots as o then lot(l, o) "lots";
}
group lot(source l, target o) {
  l.code as c check (c != 'bad') -> o.code = translate(c, '#side', 'code') as made, o.note = c "code";
}
"""


def tracer(text: str | Path, *, with_values: bool = False, **options: Any) -> Tracer:
    maps = check_maps(text, **options)
    return Tracer(transformer_of(maps, trace=True), with_values=with_values)


def shape(trace: Trace) -> list[str]:
    return [
        " ".join(part for part in (event.phase, str(event.depth), event.kind, event.name, event.outcome) if part)
        for event in trace.events
    ]


def is_balanced(trace: Trace) -> bool:
    entered = []
    for event in trace.events:
        if event.phase == "enter":
            entered.append((event.depth, event.position))
            assert event.depth == len(entered) - 1
        elif event.phase == "exit":
            while entered and entered[-1][0] > event.depth:
                entered.pop()
            assert entered.pop() == (event.depth, event.position)
        else:
            assert event.depth == len(entered)
    return not entered


def test_every_step_of_a_record() -> None:
    traced = tracer(MAP)
    result = traced({"name": "DURAND", "lot": [{"code": "D", "size": 2}, {"code": "X", "size": 1}]})
    assert result.resource == {"title": "DURAND", "lots": [{"code": "right", "note": "D"}]}
    assert shape(traced.trace) == [
        "enter 0 group main",
        "enter 1 rule title",
        "step 2 log",
        "step 2 source src.name",
        "step 2 target tgt.title",
        "exit 1 rule title",
        "enter 1 rule lots",
        "step 2 where size > 1 true",
        "step 2 source src.lot",
        "step 2 target tgt.lots",
        "enter 2 dependent lot",
        "enter 3 group lot",
        "enter 4 rule code",
        "step 5 source l.code",
        "step 5 target o.code",
        "step 5 target o.note",
        "exit 4 rule code",
        "exit 3 group lot",
        "exit 2 dependent lot",
        "step 2 where size > 1 false",
        "exit 1 rule lots",
        "exit 0 group main",
    ]
    assert traced.trace.status == "completed"
    target = next(event for event in traced.trace.events if event.name == "o.code")
    assert (target.position, target.element) == ("<string>:12:37", "StructureMap.group[1].rule[0].target[0]")
    assert [(entry.name, entry.context, entry.type) for entry in target.variables] == [
        ("l", "input", "Lot"), ("c", "input", "string"), ("o", "output", "OutLot"), ("made", "output", "code"),
    ]  # fmt: skip


def test_a_rule_that_fails_is_left_where_the_others_go_on() -> None:
    traced = tracer(MAP)
    result = traced({"name": "DURAND", "lot": [{"code": "bad", "size": 2}, {"code": "Q", "size": 3}]})
    assert [fault.code for fault in result.faults] == ["FM401"]
    assert traced.trace.status == "failed"
    reported = shape(traced.trace)
    assert reported[reported.index("step 5 fault FM401") + 1] == "exit 4 rule code"
    assert "step 5 target o.code nothing" in reported
    assert is_balanced(traced.trace)


def test_values_are_kept_where_they_are_asked_for_only() -> None:
    record = {"name": "DURAND", "lot": [{"code": "D", "size": 2}]}
    without, valued = tracer(MAP), tracer(MAP, with_values=True)
    without(record)
    reported = "\n".join(trace_lines(without.trace)) + json.dumps(trace_to_data(without.trace)) + repr(without.trace)
    assert "DURAND" not in reported and "right" not in reported
    valued(record)
    shown = trace_to_data(valued.trace)["events"]
    title = next(event for event in shown if event["name"] == "tgt.title")
    assert [(entry["name"], entry["value"]) for entry in title["variables"]] == [
        ("src", record),
        ("n", "DURAND"),
        ("tgt", {"title": "DURAND"}),
    ]
    before = next(event for event in shown if event["phase"] == "enter" and event["name"] == "title")
    assert before["variables"][1]["value"] == {}, "a variable is shown as it was, not as it became"
    assert "n = DURAND" in "\n".join(trace_lines(valued.trace))


def test_lines_for_people() -> None:
    traced = tracer(MAP)
    traced({"name": "DURAND"})
    lines = trace_lines(traced.trace)
    assert lines[0].split() == ["enter", "group", "main", "<string>:7:7", "input:", "src", "output:", "tgt"]
    assert lines[1].startswith("enter    rule title ")
    assert not any(line != line.rstrip() for line in lines)


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.parent.name)
def test_a_trace_changes_no_result(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    maps = check_maps("case.map", imports=["."])
    plain = transformer_of(maps)
    traced = Tracer(transformer_of(maps, trace=True), with_values=True)
    for record in json.loads(Path("records.json").read_text(encoding="utf-8"), parse_float=Decimal):
        assert traced(record) == plain(record)
        assert is_balanced(traced.trace)
        json.dumps(trace_to_data(traced.trace), default=lambda value: float(value))


def test_where_values_come_from_is_the_same_without_the_steps() -> None:
    maps = transformer_of(check_maps(MAP), trace=True)
    stepped, sources = Tracer(maps, with_values=True), Tracer(maps, with_values=True, with_steps=False)
    record = {"name": "N", "lot": [{"code": "D", "size": 2}, {"code": "bad", "size": 3}]}
    assert stepped(record) == sources(record)
    assert stepped.trace.origins == sources.trace.origins != {}
    assert [event.kind for event in sources.trace.events] == ["log", "fault"]
    assert stepped.trace.status == sources.trace.status == "failed"


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_trace_changes_no_result_of_a_project(name: str) -> None:
    engine = build_engine(load_project(ROOT / "examples" / name))
    traced = Tracer(transformer_from(engine.traced.map))
    with open_project_source(engine.project, engine.plan) as source:
        for record in source.records():
            assert traced(record.values) == engine.transformer(record.values)
            assert is_balanced(traced.trace)


def test_official_maps_trace_as_they_run(shared_dir: Path) -> None:
    from fhirmap.compilation.mapset import MapSet, run, traced
    from fhirmap.interchange.formats import read_document

    folder = shared_dir / "fml" / "suite" / "official"
    maps = MapSet([folder / "cda"], fhir_version="R5")
    content = read_document((folder / "r5" / "qr.json").read_bytes(), "qr.json", maps.definitions)
    assert isinstance(content, dict)
    ran = 0
    for file in ("qr2pat-gender.map", "qr2pat-humannameshared.map", "qr2cda.map", "cast.map", "qr2reference.map"):
        runnable = maps.runnable(folder / "r5" / file)
        result, trace = traced(runnable, content, with_values=True)
        plain = run(runnable, content)
        assert (result.faults, result.notes) == (plain.faults, plain.notes)
        assert (result.resource == plain.resource) or "uuid" in (folder / "r5" / file).read_text(encoding="utf-8")
        assert is_balanced(trace)
        ran += len(trace.events)
    assert ran > 50


def test_code_without_a_trace_has_none_of_it() -> None:
    maps = check_maps(MAP)
    source = transformer_of(maps, contract=target_contract(maps.checked)).source
    assert "TRACE" not in source and "run.enter" not in source
