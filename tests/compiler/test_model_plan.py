"""What a source has to fetch, as the map's models say."""

from __future__ import annotations

import pytest

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


LINES = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
model Op from STORE key 'site', 'id' where "annule = 0" order by 'rang' {
  id    : string 1..1
  side  : string 0..1 from 'cote'
  poses : Pose   0..* lines
  facts : Facts  0..1 join query 'select id, code, v from facts' on 'id' attributes 'code' values 'v'
}
model Pose { lot : string 0..1  parts : string 0..* from 'morceaux' split '|'  pieces : Piece 0..* from 'p' split ';' }
model Piece { rank : integer from position  text : string from 'value' }
model Facts { size : integer 0..1 from 'TAILLE' }
group op(source src : Op, target tgt : Patient) {
  src.id as v -> tgt.id = v;
  src.side as v -> tgt.language = v;
  src.facts as f then { f.size as v -> tgt.multipleBirth = v; };
  src.poses as p -> tgt.name as n then {
    p.lot as v -> n.text = v;
    p.parts as v -> n.given = v;
    p.pieces as q -> n.suffix = (%q.rank.toString() & %q.text);
  };
}
"""


@pytest.mark.parametrize("store", ["table 'OP'", "query 'select * from OP'"])
def test_rows_of_a_key_are_lines_of_a_record(store: str) -> None:
    plan = fhirmap.compile_map(LINES.replace("STORE", store)).store
    assert plan is not None
    assert (plan.key, plan.order, plan.grouped) == (("site", "id"), (), True)
    assert plan.shape.column_names == ("id", "cote", "site")
    lines, facts = plan.shape.children
    assert (lines.table, lines.query) == (plan.name, plan.query)
    assert (lines.on, lines.where) == ((("site", "site"), ("id", "id")), "annule = 0")
    assert [entry.column for entry in lines.order] == ["rang"]
    assert lines.shape.column_names == ("lot", "morceaux", "p", "site", "id", "rang")
    assert facts.query == "select id, code, v from facts"
    assert facts.shape.column_names == ("code", "v", "id")
    assert not facts.at_most_one


def test_attributes_are_columns_and_texts_are_divided() -> None:
    transformer = fhirmap.compile_map(LINES.replace("STORE", "table 'OP'"))
    facts = [
        {"code": "TAILLE ", "v": "54"},
        {"code": "POIDS", "v": "80"},
        {"code": "TAILLE", "v": 54},
        {"code": "X", "v": None},
    ]
    poses = [{"lot": "A", "morceaux": "a| b||NULL", "p": "x;;y;"}, {"lot": "B", "morceaux": None, "p": ""}]
    result = transformer({"id": "1", "cote": None, "poses": poses, "facts": facts})
    assert result.resource == {
        "resourceType": "Patient",
        "id": "1",
        "multipleBirthInteger": 54,
        "name": [{"text": "A", "given": ["a", "b"], "suffix": ["1x", "2", "3y"]}, {"text": "B"}],
    }
    assert [(fault.code, fault.severity) for fault in result.faults] == [("FM459", "warning")]
    differing = transformer({"id": "1", "cote": None, "poses": [], "facts": [*facts, {"code": "TAILLE", "v": "55"}]})
    assert [fault.code for fault in differing.faults] == ["FM464"]
    assert transformer({"id": "1", "cote": None, "poses": [], "facts": []}).resource == {
        "resourceType": "Patient",
        "id": "1",
    }
