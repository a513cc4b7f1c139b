"""What a source has to fetch, as the map's models say."""

from __future__ import annotations

import fhirmap

TEXT = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
model Op from table 'OP' key 'id' where "annule = 0" order by 'debut' desc latest by 'maj' {
  id      : string  1..1
  patient : Person  0..1 join 'PATIENT' on 'patient' = 'id_pat'
  number  : string  0..1 from 'patient'
  poses   : Pose    0..* join 'POSE' on 'id' where "supprime = 0" order by 'rang' repeat 'qte'
}
model Person { nir : string 0..1 from 'num' }
model Pose { lot : string 0..1 from 'num_lot' rank : integer from position }
group op(source src : Op, target tgt : Patient) {
  src.id as v -> tgt.id = v;
  src.patient as p then { p.nir as n -> tgt.language = n; };
  src.number as v -> tgt.implicitRules = v;
  src.poses as p -> tgt.name as n then { p.lot as l -> n.text = l; };
}
"""


def test_the_plan_of_a_joined_store() -> None:
    plan = fhirmap.compile_map(TEXT).store
    assert plan is not None
    assert (plan.kind, plan.name, plan.key, plan.where) == ("table", "OP", ("id",), "annule = 0")
    assert [(entry.column, entry.descending) for entry in plan.order] == [("debut", True)]
    assert plan.latest is not None
    assert plan.latest.column == "maj"
    assert plan.shape.column_names == ("id", "patient", "debut", "maj", "id_pat")
    patient, poses = plan.shape.children
    assert patient.key == "patient[]", "a column of that name is read, too"
    assert (patient.table, patient.on, patient.at_most_one) == ("PATIENT", (("patient", "id_pat"),), True)
    assert patient.shape.column_names == ("num", "patient")
    assert (poses.key, poses.where) == ("poses", "supprime = 0")
    assert poses.shape.column_names == ("num_lot", "qte", "id", "rang")


def test_the_reader_finds_children_under_the_plans_keys() -> None:
    transformer = fhirmap.compile_map(TEXT)
    record = {"id": 1, "patient": 7, "patient[]": [{"num": "N"}], "poses": [{"num_lot": "L", "qte": 2}]}
    assert transformer(record).resource == {
        "resourceType": "Patient", "id": "1", "language": "N", "implicitRules": "7",
        "name": [{"text": "L"}, {"text": "L"}],
    }  # fmt: skip


def test_columns_by_table() -> None:
    columns = fhirmap.compile_map(TEXT).columns
    assert columns["POSE"] == ("num_lot", "qte", "id", "rang")
    assert set(columns) == {"OP", "PATIENT", "POSE"}
