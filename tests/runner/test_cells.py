"""The cells of a column in a record: of its own rows, of those below, and of rows that another store gives."""

from __future__ import annotations

from typing import Any

import pytest

import fhirmap
from fhirmap.records import Fault
from fhirmap.runner.cells import cells_of, on_blank_columns
from fhirmap.source_plan import SourcePlan

MAP = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
model Op from STORE key 'id' {
  id      : string  1..1 from 'id'
  number  : string  0..1 from 'team.number'
  parts   : Part    0..* PARTS
  surgeon : Surgeon 0..1 join on 'RPPS' = 'team.number'
}
model Part { lot : string 0..1 from 'udi.lot' }
model Surgeon from CHILD { name : string 0..1 from 'nom.usage' }
group op(source src : Op, target tgt : Patient) {
  src.id as v -> tgt.id = v;
  src.number as v -> tgt.language = v;
  src.parts as p then { p.lot as v -> tgt.name as n, n.text = v; };
  src.surgeon as s then { s.name as v -> tgt.name as n, n.text = v; };
}
"""


def plan_of(store: str, parts: str = "from 'parts'", child: str = "csv source 'surgeons'") -> SourcePlan:
    text = MAP.replace("STORE", store).replace("PARTS", parts).replace("CHILD", child)
    plan = fhirmap.compile_map(text).store
    assert plan is not None
    return plan


DOCUMENT = {"id": "1", "team": {"number": "N"}, "parts": [{"udi": {"lot": "A"}}, {"udi": {"lot": "B"}}]}
LINES = {"id": "1", "team.number": "N", "parts": [{"udi": {"lot": "A"}}, {"udi": {"lot": "B"}}]}
CELLS = {"id": "1", "team.number": "N", "parts": [{"udi.lot": "A"}, {"udi.lot": "B"}]}


@pytest.mark.parametrize(
    ("store", "parts", "row", "prefix"),
    [
        ("json", "from 'parts'", DOCUMENT, "parts."),
        ("json", "lines", LINES, ""),
        ("csv", "lines", CELLS, ""),
        ("table 'OP'", "join 'PART' on 'id'", CELLS, "PART."),
    ],
)
@pytest.mark.parametrize(
    ("child", "surgeon", "table"),
    [
        ("csv source 'surgeons'", {"nom.usage": "S"}, "surgeons"),
        ("json", {"nom": {"usage": "S"}}, "Surgeon"),
    ],
)
def test_the_cells_of_a_column(
    store: str, parts: str, row: dict[str, Any], prefix: str, child: str, surgeon: dict[str, Any], table: str
) -> None:
    plan = plan_of(store, parts, child)
    own = "OP." if plan.name else ""
    record = {**row, "surgeon": [surgeon]}

    def cells(column: str) -> list[Any]:
        return list(cells_of(plan, record, column))

    assert cells(f"{own}id") == ["1"]
    assert cells(f"{own}team.number") == ["N"]
    assert cells(f"{prefix}udi.lot") == ["A", "B"]
    assert cells(f"{table}.nom.usage") == ["S"]


def test_a_value_of_two_stores_is_missed_where_it_is_blank() -> None:
    plan = plan_of("csv", "lines")
    fault = Fault("FM501", rule="required", columns=("id", "surgeons.nom.usage"))
    record = {**CELLS, "surgeon": [{"nom.usage": " "}]}
    assert on_blank_columns(fault, plan, record).columns == ("surgeons.nom.usage",)
    assert on_blank_columns(fault, plan, {**record, "id": ""}).columns == fault.columns
