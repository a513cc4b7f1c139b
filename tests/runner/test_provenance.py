"""The columns that a preview shows are those that matter: each cell is changed, and what changes is compared."""

from __future__ import annotations

import copy
import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.files import shipped_folder
from fhirmap.records import Record
from fhirmap.runner.engine import Engine, build_engine
from fhirmap.runner.preview import RowPreview, preview_row
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source
from fhirmap.source_plan import ChildKind, RowLayout, SourceKind
from tests.cli.conftest import in_process

# Those whose cells this test can change one by one: not messages, nor groups inside a line.
EXAMPLES = ("ch-valmorel", "clinique-sainte-aubierge", "export-pharmacie")


@dataclass(frozen=True)
class CellPlace:
    """A cell of a record: its column, and the way to what holds it."""

    column: str
    way: tuple[str | int, ...]
    key: str

    def container(self, values: Any) -> Any:
        for step in self.way:
            values = values[step]
        return values


def cell_places(layout: RowLayout, table: str, row: Any, way: tuple[str | int, ...] = ()) -> Iterator[CellPlace]:
    """The cells of a row and of the rows below it, by the columns that the source has; nothing is in empty ones."""
    for column in layout.columns:
        if not isinstance(row.get(column.name), list | dict | None):
            yield CellPlace(f"{table}.{column.name}" if table else column.name, way, column.name)
    for child in layout.children:
        below = child.table if child.kind == ChildKind.JOIN else table
        for rank, entry in enumerate(row.get(child.key) or ()):
            yield from cell_places(child.shape, below, entry, (*way, child.key, rank))


def tree_places(node: Any, path: str = "", way: tuple[str | int, ...] = ()) -> Iterator[CellPlace]:
    """The cells of a JSON document, by their dotted paths."""
    for key, value in node.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from tree_places(value, here, (*way, key))
        elif isinstance(value, list):
            for rank, entry in enumerate(value):
                yield from tree_places(entry, here, (*way, key, rank))
        elif value is not None:
            yield CellPlace(here, way, key)


def cells_of(engine: Engine, record: Record) -> list[CellPlace]:
    """All cells of a record."""
    plan = engine.plan
    if plan.kind == SourceKind.JSON:
        return list(tree_places(record.values))
    table = plan.name if plan.kind == SourceKind.TABLE else ""
    return list(cell_places(plan.shape, table, record.values))


def values_by_name(resource: dict[str, Any]) -> dict[str, str]:
    """Value of each parameter by its name; pieces are numbered, so that one more or less shows as such."""
    found: dict[str, str] = {}

    def put(node: dict[str, Any], path: str) -> None:
        for key, value in node.items():
            if key.startswith("value"):
                codings = value.get("coding") if isinstance(value, dict) else None
                parts = codings[0] if codings else {"": value}
                found.update({f"{path}/{name}": str(part) for name, part in parts.items() if name != "system"})

    count = 0
    for parameter in resource.get("parameter", ()):
        name = parameter["name"]
        count += name == "implants"
        here = f"{name}[{count}]" if name == "implants" else name
        put(parameter, here)
        for part in parameter.get("part", ()):
            put(part, f"{here}/{part['name']}")
    found["count"] = str(count)
    return found


def changed_by(engine: Engine, record: Record, cell: CellPlace, others: list[Any], before: dict[str, str]) -> set[str]:
    """Names of the values that change where the cell holds one of ``others``.

    Without those that a changed number of pieces moves: a cell that does that decides about them all.
    """
    found: set[str] = set()
    for other in others:
        values = copy.deepcopy(dict(record.values))
        cell.container(values)[cell.key] = other
        result = engine.transformer(values)
        after = values_by_name(result.resource or {})
        if after["count"] == before["count"] and result.resource is not None:
            found |= {name for name in before if after.get(name) != before[name]}
    return found


def shown_by(row: RowPreview) -> dict[str, tuple[set[str], set[str]]]:
    """Columns and conditions that the preview shows, by the same names."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    counts: dict[int, int] = {}
    parameters = (row.resource or {})["parameter"]
    for index in range(len(parameters)):
        counts[index] = sum(entry["name"] == "implants" for entry in parameters[: index + 1])
    for trace in row.traces:
        place, _, rest = trace.path.removeprefix("Parameters.parameter[").partition("]")
        if not trace.path.startswith("Parameters.parameter[") or "value" not in rest or rest.endswith(".system"):
            continue
        index = int(place)
        name = parameters[index]["name"]
        here = f"{name}[{counts[index]}]" if name == "implants" else name
        if rest.startswith(".part["):
            here += "/" + parameters[index]["part"][int(rest[6 : rest.index("]")])]["name"]
        last = rest.rpartition(".")[2] if "coding" in rest else ""
        found[f"{here}/{last}"] = (set(trace.columns), set(trace.conditions))
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_shown_columns_are_those_that_matter(name: str) -> None:
    engine = build_engine(load_project(shipped_folder("examples") / name))
    compared = 0
    with open_project_source(engine.project, engine.plan) as source:
        records = [record for record in source.records() if not record.superseded]
        # Another value of the same column is what a mistake would put there.
        known: dict[str, list[Any]] = {}
        for record in records:
            for cell in cells_of(engine, record):
                held = known.setdefault(cell.column, [])
                value = cell.container(record.values)[cell.key]
                held += [value] if not any(str(value)[:2] == str(one)[:2] for one in held) else []
        for record in records[::3]:
            result = engine.transformer(record.values)
            if result.resource is None or len(result.resource.get("parameter", ())) < 4:
                continue
            before = values_by_name(result.resource)
            cells = cells_of(engine, record)
            # A value is lost without the cells that it comes from, and changes with no others.
            needed: dict[str, set[str]] = {entry: set() for entry in before if entry != "count"}
            possible: dict[str, set[str]] = {entry: set() for entry in needed}
            for cell in cells:
                raw = cell.container(record.values)[cell.key]
                others = [entry for entry in known[cell.column] if entry != raw][:4]
                near = f"{raw}0" if isinstance(raw, str) else raw + 1
                for changed in changed_by(engine, record, cell, [None], before):
                    needed[changed].add(cell.column)
                for changed in changed_by(engine, record, cell, [None, near, *others], before):
                    possible[changed].add(cell.column)
            shown = shown_by(preview_row(engine, source, record.key))
            assert set(shown) == set(needed)
            for element, (columns, conditions) in shown.items():
                assert columns <= possible[element], (record.key, element)
                assert needed[element] <= columns | conditions, (record.key, element)
                compared += bool(columns)
    assert compared > 100


FLOW = """\
uses "http://hl7.org/fhir/StructureDefinition/Observation" alias Observation as target
conceptmap "codes" {{
  prefix s = "urn:s"
  prefix t = "urn:t"
  s:K7 - t:final
}}
model Row from csv key 'id' delimiter ';' {{
  id     : string   1..1
  a      : string   0..1
  b      : string   0..1
  code   : code     0..1
  other  : code     0..1
  flag   : boolean  0..1
  amount : decimal  0..1
  count  : integer  0..1
  day    : date     0..1 format 'dd/MM/yyyy'
}}
group main(source src : Row, target tgt : Observation) {{
  {rules}
}}
group named(source v, target t) {{ v -> t.id = v "named"; }}
"""
ROW = "id;a;b;code;other;flag;amount;count;day\n1;x|y;x|y;K7;K7;1;7.50;7;07/07/2025\n"
"""Cells that are alike in several columns: what is shown cannot come of a likeness."""


def flow_project(folder: Path, rules: str) -> Path:
    (folder / "flow.map").write_text(FLOW.format(rules=rules), encoding="utf-8")
    (folder / "rows.csv").write_text(ROW, encoding="utf-8")
    (folder / "fhirmap.toml").write_text(
        '[map]\nsource = "flow.map"\n[source]\nurl = "rows.csv"\n[sink]\nkind = "ndjson"\npath = "o.ndjson"\n',
        encoding="utf-8",
    )
    return folder


@pytest.mark.parametrize(
    ("rules", "path", "columns", "conditions"),
    [
        ("src.b as v -> tgt.id = v;", "id", {"b": "x|y"}, {}),
        ("src.other as v -> tgt.status = translate(v, '#codes', 'code');", "status", {"other": "K7"}, {}),
        ("src.other as v -> (%v.lower()) as w, (%w.upper()) as x, tgt.status = translate(x, '#codes', 'code');",
         "status", {"other": "K7"}, {}),
        ("src.b as v -> (%v.split('|').last()) as part, tgt.note as n, n.text = part;",
         "note[0].text", {"b": "x|y"}, {}),
        ("src.b as v -> tgt.id = (%v.split('|').last());", "id", {"b": "x|y"}, {}),
        ("src.b as v where (%src.code = 'K7') -> tgt.id = v;", "id", {"b": "x|y"}, {"code": "K7"}),
        ("src where (code = 'K7') then { src.b as v -> tgt.id = v; };", "id", {"b": "x|y"}, {"code": "K7"}),
        ("src where (code = 'K7') -> tgt.id = 'x';", "id", {}, {"code": "K7"}),
        ("src -> tgt.id = (iif(%src.code = 'K7', %src.b, %src.a));", "id", {"b": "x|y"}, {"code": "K7"}),
        ("src -> tgt.id = (iif(%src.code = 'K7', 'x', 'y'));", "id", {}, {"code": "K7"}),
        ("src -> tgt.id = ((%src.b | %src.a).first());", "id", {"b": "x|y"}, {}),
        ("src -> tgt.id = (%src.b & %src.count.toString());", "id", {"b": "x|y", "count": "7"}, {}),
        ("src.b as v then named(v, tgt);", "id", {"b": "x|y"}, {}),
        ("src then named((%src.b), tgt);", "id", {"b": "x|y"}, {}),
        ("src.b as v -> tgt.id = truncate(v, 1);", "id", {"b": "x|y"}, {}),
        ("src.b as v -> tgt.id = append(v, '-', %src.other);", "id", {"b": "x|y", "other": "K7"}, {}),
        ("src.other as v -> tgt.code = cc('urn:x', v, %src.b);", "code.coding[0].code", {"other": "K7"}, {}),
        ("src.other as v -> tgt.code = cc('urn:x', v, %src.b);", "code.coding[0].display", {"b": "x|y"}, {}),
        ("src.other as v -> tgt.code = cc('urn:x', v, %src.b);", "code.coding[0].system", {}, {}),
        ("src.flag as v -> tgt.value = v;", "valueBoolean", {"flag": "1"}, {}),
        ("src.amount as v -> tgt.value = qty(v, 'mg');", "valueQuantity.value", {"amount": "7.50"}, {}),
        ("src.count as v -> tgt.value = v;", "valueInteger", {"count": "7"}, {}),
        ("src.day as v -> tgt.effective = cast(v, 'dateTime');", "effectiveDateTime", {"day": "07/07/2025"}, {}),
        ("src.b as v -> tgt.note as n, n.text = v; src -> tgt.id = (%tgt.note.text.first());", "id", {"b": "x|y"}, {}),
        ("src.a as v -> tgt.id = v; src.b as v -> tgt.language = v;", "language", {"b": "x|y"}, {}),
    ],
)  # fmt: skip
def test_columns_of_one_record_through_what_a_rule_may_say(
    tmp_path: Path, rules: str, path: str, columns: dict[str, str], conditions: dict[str, str]
) -> None:
    done = in_process("preview", flow_project(tmp_path, rules), "--row", "1", "--json")
    found = {entry["path"]: entry for entry in json.loads(done.out)["elements"]}
    entry = found[f"Observation.{path}"]
    assert (entry["columns"], entry["conditions"]) == (columns, conditions)
    assert "flow.map:" in entry["position"]


def test_a_boolean_of_a_result_that_is_no_resource_has_its_columns_and_rule(tmp_path: Path) -> None:
    folder = flow_project(tmp_path, "")
    made = """/// url = 'urn:r'
/// name = 'R'
model Row from csv key 'id' delimiter ';' { id : string 1..1  a : string 0..1  b : string 0..1 }
model Out { parts : Part 0..* }
model Part { same : boolean 0..1 }
group main(source src : Row, target tgt : Out) {
  src -> tgt.parts as p then { src -> p.same = (%src.a = %src.b) "same"; } "parts";
}
"""
    (folder / "flow.map").write_text(made, encoding="utf-8")
    done = in_process("preview", folder, "--row", "1", "--json")
    (entry,) = json.loads(done.out)["elements"]
    assert (entry["path"], entry["value"], entry["rule"]) == (".parts[0].same", "true", "same")
    assert list(entry["columns"]) == ["a", "b"]
    assert "flow.map:7" in entry["position"]


def test_decimals_are_numbers_with_their_digits(tmp_path: Path) -> None:
    folder = flow_project(tmp_path, "src.amount as v -> tgt.value = qty(v, 'mg');")
    done = in_process("preview", folder, "--row", "1", "--json")
    assert '"value": 7.50' in done.out
    assert json.loads(done.out)["resource"]["valueQuantity"]["value"] == 7.5


@pytest.mark.parametrize(("blank", "columns"), [("RPPS", ("RPPS",)), ("FINESS", ("FINESS",)), ("", ())])
def test_a_value_without_one_part_is_missed_on_that_part(tmp_path: Path, blank: str, columns: tuple[str, ...]) -> None:
    folder = tmp_path / "p"
    shutil.copytree(shipped_folder("examples") / "export-pharmacie", folder)
    file = folder / "export-pharmacie.map"
    rule = 'src.rpps as v, src.finess as w -> tgt.nir = append(v, w) "nir";'
    text = file.read_text(encoding="utf-8").replace('src.nir as v -> tgt.nir = nirWithKey(v) "nir";', rule)
    file.write_text(text, encoding="utf-8")
    data = folder / "data" / "export.csv"
    with data.open(encoding="cp1252", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter=";"))
    with data.open("w", encoding="cp1252", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows({**row, blank: ""} if blank else row for row in rows)
    engine = build_engine(load_project(folder))
    with open_project_source(engine.project, engine.plan) as source:
        row = preview_row(engine, source, rows[0]["N° séjour"])
    missing = [fault for fault in row.faults if fault.rule == "required" and fault.element.endswith("parameter:nir")]
    assert [fault.columns for fault in missing] == ([columns] if columns else [])


@pytest.mark.parametrize(
    ("rules", "conditions"),
    [
        ("src where (code = 'K7') then sub(src, tgt);", {"code": "K7"}),
        ("src.b as v where (%src.code = 'K7') then named(v, tgt);", {"code": "K7"}),
        ("src.b as v where (%src.flag) then named(v, tgt);", {"flag": "1"}),
        ("src where (flag) then { src where (count > 1) then sub(src, tgt); };", {"flag": "1", "count": "7"}),
        ("src where (flag) then outer(src, tgt);", {"flag": "1", "code": "K7"}),
        ("src then sub(src, tgt); src where (flag) then { src.other as o -> tgt.language = o; };", {}),
    ],
)
def test_what_decides_about_a_call_decides_about_what_is_written_there(
    tmp_path: Path, rules: str, conditions: dict[str, str]
) -> None:
    groups = 'group sub(source src : Row, target t : Observation) { src.b as v -> t.id = v "sub"; }\n'
    groups += "group outer(source src : Row, target t : Observation) { src where (code = 'K7') then sub(src, t); }\n"
    folder = flow_project(tmp_path, rules)
    with (folder / "flow.map").open("a", encoding="utf-8") as file:
        file.write(groups)
    found = json.loads(in_process("preview", folder, "--row", "1", "--json").out)["elements"]
    (entry,) = [entry for entry in found if entry["path"] == "Observation.id"]
    assert (entry["columns"], entry["conditions"]) == ({"b": "x|y"}, conditions)
    (origin,) = json.loads(in_process("lineage", folder, "--json").out)["elements"]["Observation.id"]
    assert (origin["columns"], sorted(origin["conditions"])) == (["b"], sorted(conditions))


@pytest.mark.parametrize(
    "rule",
    [
        "src.b as v where (%src.flag) -> tgt.id = v;",
        "src.b as v check (%src.flag) -> tgt.id = v;",
        "src where (flag = true) then { src.b as v -> tgt.id = v; };",
        "src.b as v where (%src.flag xor %src.a.empty()) -> tgt.id = v;",
        "src -> tgt.id = (%src.b.where(%src.flag));",
        "src.flag as f where (%f) then { src.b as v where ((%f = false).not()) -> tgt.id = v; };",
        "src.flag as f -> tgt.id = (iif(%f, %src.b, 'none'));",
    ],
)
def test_a_boolean_that_knows_its_cell_decides_as_it_does_without_a_trace(tmp_path: Path, rule: str) -> None:
    folder = flow_project(tmp_path, rule)
    found = json.loads(in_process("preview", folder, "--row", "1", "--json").out)
    entry = next(entry for entry in found["elements"] if entry["path"] == "Observation.id")
    assert (entry["value"], entry["columns"]) == ("x|y", {"b": "x|y"}), "the cell is known of the traced run alone"
    trace = in_process("preview", folder, "--row", "1", "--trace", "--values").out
    assert "'id': 'x|y'" in trace


def test_a_preview_leaves_out_no_value_that_a_column_or_the_own_map_gives(tmp_path: Path) -> None:
    rules = "src.b as v -> tgt.identifier as i, i.system = v; src -> tgt.language = 'fr';"
    shown = in_process("preview", flow_project(tmp_path, rules), "--row", "1").out
    assert any(line.startswith("b ") and ".system" in line for line in shown.splitlines())
    assert any(line.startswith("- ") and "language" in line and line.endswith("fr") for line in shown.splitlines())
