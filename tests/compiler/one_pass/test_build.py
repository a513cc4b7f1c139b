"""A record's way in one function: it gives what the steps give, or leaves the record to them."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import fhirmap
from fhirmap.compilation.maps import compile_map
from fhirmap.compiler.explanation import CodeReason
from fhirmap.compiler.names import Names
from fhirmap.compiler.one_pass.build import ONE_PASS, one_pass
from fhirmap.compiler.plan import PythonFunction
from fhirmap.compiler.python import Assign, DictOf, Do, ListOf, Literal, Name, SetItem, method
from fhirmap.diagnostics import MapText, Span
from fhirmap.errors import TransformFailed
from fhirmap.events import LeftToSteps
from fhirmap.records import Result
from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source
from tests.compiler.generated import PATIENT, body_of

ROOT = Path(__file__).resolve().parents[3]
NAME = ONE_PASS.text
MODELS = """model Row from table 'T' key 'id' {
  id : string from 'id'  state : code from 'state'  day : date from 'day' format 'yyyyMMdd'
  who : Person join 'P' on 'id'  parts : Part 0..* join 'Q' on 'id' repeat 'count'
}
model Person { name : string from 'name' }
model Part { rank : integer from position  lot : string from 'lot'  kind : Kind join 'K' on 'kind_id' }
model Kind { label : string from 'label' }
"""
MIDDLE = """model Middle { id : string day : date who : string parts : Piece 0..* }
model Piece { rank : integer lot : string label : string }
"""
FIRST = """group first(source src : Row, target tgt : Middle) {
  src where (state = 'R') then done(src, tgt);
  src where (state != 'R') log ('not done');
}
group done(source src : Row, target tgt : Middle) {
  src.id as v -> tgt.id = v;
  src.day as v -> tgt.day = v;
  src.who as p then { p.name as v -> tgt.who = v; };
  src.parts as p -> tgt.parts as i then part(p, i);
}
group part(source p : Part, target i : Piece) {
  p.lot as v check (%v.length() < 5) -> i.lot = v;
  p.kind as k then { k.label as v -> i.rank = (%p.rank), i.label = v; };
}
"""
SECOND = """group second(source src : Middle, target tgt : Patient) {
  src.id as v -> tgt.id = v;
  src.day as v -> tgt.birthDate = v;
  src.who as v -> tgt.name as n, n.family = v;
  src.parts as i where (%src.parts.where(rank < %i.rank and lot = %i.lot).empty())
      -> tgt.identifier as n, n.value = (%i.lot), n.system = (%i.label) "piece";
  src then remarks(src);
}
group remarks(source src : Middle) {
  src where (parts.lot.isDistinct().not()) log ('twice');
  src.parts as i where (label.exists() and lot.empty()) log ('part ' & rank.toString() & ' without lot');
}
"""


def row(**values: object) -> dict[str, Any]:
    """A raw row of the model."""
    whole = {"id": "1", "state": "R", "day": "20250314", "who": [{"name": "Ann"}], "parts": [part()]}
    return {**whole, **values}


def part(**values: object) -> dict[str, Any]:
    """A row of one of its parts."""
    return {"lot": "A1", "count": 1, "kind": [{"label": "screw"}], **values}


RECORDS: tuple[dict[str, Any], ...] = (
    row(),
    row(parts=[part(), part(lot=None), part(count=2), part(lot="too long"), part(kind=[]), part(lot=None, kind=[])]),
    row(parts=None, who=[], day=None),
    row(who=[{"name": None}], parts=[part(lot="NULL"), part(lot="1,2E+05"), part(kind=[{"label": "'12"}])]),
    row(state="P"),
    row(state=None),
    row(state="P", day="no day"),
    row(day="no day", parts=[part(count="many"), part(lot={"a": 1})]),
    row(state={"x": 1}),
    row(who=[{"name": "Ann"}, {"name": "Bob"}]),
    row(parts="text"),
    row(parts=[{"lot": "A1"}]),
    {"id": "1"},
    {},
)


@pytest.fixture(name="transformer", scope="module")
def two_stages(tmp_path_factory: pytest.TempPathFactory) -> fhirmap.Transformer:
    folder = tmp_path_factory.mktemp("maps")
    (folder / "middle.map").write_text("/// url = 'urn:middle'\n" + MIDDLE)
    (folder / "first.map").write_text('imports "urn:middle"\n' + MODELS + FIRST)
    (folder / "second.map").write_text(PATIENT + 'imports "urn:middle"\n' + SECOND)
    return compile_map(folder / "first.map", folder / "second.map", imports=[folder], validate=False)


def step_by_step(transformer: fhirmap.Transformer, record: Mapping[str, Any]) -> Result:
    """The result of a record that the one pass leaves."""
    found = transformer._module[NAME]
    transformer._module[NAME] = lambda row: None
    try:
        return transformer(record)
    finally:
        transformer._module[NAME] = found


def at_once(transformer: fhirmap.Transformer, record: Mapping[str, Any]) -> Result | None:
    """What the one pass gives."""
    found: Result | None = transformer._module[NAME](record)
    return found


@pytest.mark.parametrize("record", RECORDS, ids=range(len(RECORDS)))
def test_both_ways_give_the_same(transformer: fhirmap.Transformer, record: dict[str, Any]) -> None:
    expected = step_by_step(transformer, record)
    assert transformer(record) == expected
    assert at_once(transformer, record) in (None, expected)


def test_what_the_one_pass_does_itself(transformer: fhirmap.Transformer) -> None:
    left = [number for number, record in enumerate(RECORDS) if at_once(transformer, record) is None]
    # A record of which nothing was written and something not read; rows that are none.
    assert left == [6, 8, 11, 12, 13]


def test_a_fault_names_the_place_in_its_map(transformer: fhirmap.Transformer) -> None:
    found = at_once(transformer, RECORDS[1])
    assert found is not None
    assert [(fault.code, Path(fault.position).name) for fault in found.faults] == [("FM401", "first.map:20:21")]
    assert [Path(note.position).name for note in found.notes] == [
        "second.map:12:49",
        "second.map:13:62",
        "second.map:13:62",
    ]


def test_rows_are_names(transformer: fhirmap.Transformer) -> None:
    body = body_of(transformer, NAME)
    assert "source_id = value" in body
    assert "stage_1_parts.append((i_lot, i_rank, i_label))" in body
    assert "run.counted(fp.alike_items(run.environment, stage_1_parts," in body
    assert ".get(" not in body.replace("resource.get(", "")
    assert "read_person(" not in body
    assert "part(" not in body.replace("read_part(", "")


def test_failures_are_seen_step_by_step(transformer: fhirmap.Transformer) -> None:
    """A traceback shows the map's line: code of one pass has those of several maps."""
    with pytest.raises(TransformFailed) as caught:
        transformer(RECORDS[1], strict=True)
    frames = [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)]
    assert frames[-1] == "part"
    assert NAME not in frames


def test_a_row_that_goes_elsewhere_is_a_dict() -> None:
    """An expression that takes an item for what it is, a group that is called twice."""
    rules = """group g(source src : Row, target tgt : Patient) {
      src.who as p then name(p, tgt);
      src.who as p then name(p, tgt);
      src.parts as p where (%src.parts.select(kind).label contains 'screw') -> tgt.identifier as i, i.value = (%p.lot);
    }
    group name(source p : Person, target tgt : Patient) { p.name as v -> tgt.name as n, n.text = v; }
    """
    transformer = fhirmap.compile_map(PATIENT + MODELS + rules, validate=False)
    body = body_of(transformer, NAME)
    assert "name(p, resource, run)" in body
    assert "item['name'] = value" in body
    for record in RECORDS:
        assert transformer(record) == step_by_step(transformer, record)


def test_the_only_row_of_a_place_is_counted() -> None:
    rules = """group g(source src : Row, target tgt : Patient) {
      src.who 1..1 as p where (name != 'Bob') then { p.name as v -> tgt.language = v; };
    }
    """
    transformer = fhirmap.compile_map(PATIENT + MODELS + rules, validate=False)
    for record in RECORDS:
        assert transformer(record) == step_by_step(transformer, record)


@pytest.mark.parametrize("example", sorted(path.parent.name for path in ROOT.glob("examples/*/fhirmap.toml")))
def test_records_of_the_examples_take_one_pass(example: str) -> None:
    engine = build_engine(load_project(ROOT / "examples" / example))
    with open_project_source(engine.project, engine.plan) as source:
        records = [record.values for record in source.records()]
    assert len(records) > 5
    left = 0
    for record in records:
        found = at_once(engine.transformer, record)
        left += found is None
        assert found in (None, step_by_step(engine.transformer, record))
    assert left <= 1


def test_a_trace_and_a_map_without_a_reader_have_no_one_pass() -> None:
    patients = PATIENT.replace("as target", "as source") + PATIENT.replace("Patient as", "Person as")
    rules = "group g(source src : Patient, target tgt : Person) { src.id as v -> tgt.id = v; }"
    assert NAME not in fhirmap.compile_map(patients + rules, validate=False).source


def test_what_the_one_pass_did_not_expect_is_in_the_log(
    transformer: fhirmap.Transformer, caplog: pytest.LogCaptureFixture
) -> None:
    """The kind of the failure and the place in the map, nothing of the record."""
    caplog.set_level("DEBUG", logger="fhirmap")
    for record in RECORDS[:5]:
        transformer(record)
    assert caplog.messages == []
    without_a_column = row(who=[{"name": "Smith"}], parts=[{"lot": "A1", "count": 1}])
    assert transformer(without_a_column) == step_by_step(transformer, without_a_column)
    (logged,) = caplog.records
    left = logged.__dict__["event"]
    assert isinstance(left, LeftToSteps)
    assert (left.kind, Path(left.position).name) == ("TransformFailed", "first.map:7:7")
    assert "Smith" not in caplog.text


def test_a_record_that_is_written_to_when_it_is_held_stays_a_dict() -> None:
    at = Span(MapText("a.map", "one two"), 4, 7)
    tgt, item = Name("stage_1"), Name("i")
    items = method(tgt, "setdefault", Literal("items"), ListOf(), raises=False)
    body = (
        Assign(at, (tgt,), DictOf()),
        Assign(at, (item,), DictOf()),
        Do(at, method(items, "append", item)),
        SetItem(at, item, "a", Literal(1)),
    )
    whole = one_pass(PythonFunction(Name("_transform"), (), "", body), (), Names(), {"stage_1": "Middle"})
    assert [(what, cause.reason, span) for what, cause, span in whole.left] == [
        ("Middle.items", CodeReason.WRITTEN_LATE, at)
    ]
