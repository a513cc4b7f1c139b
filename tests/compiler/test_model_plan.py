"""What a source has to fetch, as the map's models say."""

from __future__ import annotations

import pytest

import fhirmap
from fhirmap.source_plan import Order, Repetition, SourcePlan

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


KEYS = """\
model Op from STORE key 'id' {
  id   : string 1..1
  who  : Who  0..1 join on 'n' = 'who'
  more : Who  0..1 join on 'n' = 'who'
  code : Who  0..1 join on 'n' = 'team.code'
  side : Who  0..1 join on 'n' = 'id'
  pose : Pose 0..*
}
model Who from csv source 's' { name : string 0..1 }
model Pose { side : string 0..1 from '../side' }
group op(source src : Op, target tgt) { src.id as v -> tgt.id = v; }
"""


def test_child_rows_are_kept_apart_from_what_is_read_of_their_row() -> None:
    plan = fhirmap.compile_map(KEYS.replace("STORE", "json")).store
    assert plan is not None
    assert [child.key for child in plan.shape.children] == ["who[]", "more", "code", "side[]"]


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


KINDS = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
model Op from STORE {
  id   : string 1..1 from PLACE
}
group op(source src : Op, target tgt : Patient) { src.id as v -> tgt.id = v; }
"""


def _plan(store: str, place: str = "'id'") -> SourcePlan:
    plan = fhirmap.compile_map(KINDS.replace("STORE", store).replace("PLACE", place)).store
    assert plan is not None
    return plan


@pytest.mark.parametrize("kind", ["csv", "sheet", "fixed", "parquet", "json", "xml", "hl7"])
def test_a_plan_has_the_kind_that_the_model_names(kind: str) -> None:
    place = {"fixed": "1..9", "xml": "'@id'", "hl7": "'PID.3.1'"}.get(kind, "'id'")
    path = " path 'a.b'" if kind == "xml" else ""
    plan = _plan(f"{kind}{path} source 's' key '{'1-9' if kind == 'fixed' else 'id'}'", place)
    assert (plan.kind, plan.source, plan.name) == (kind, "s", "a.b" if path else "")


STORES_OF_SHEETS = ("sheet 'Poses' key 'id'", "sheet 2 key 'id'", "sheet '2' key 'id'")


def test_a_sheet_is_known_by_name_or_by_number() -> None:
    assert [(plan.name, plan.number) for plan in map(_plan, STORES_OF_SHEETS)] == [
        ("Poses", None), ("2", 2), ("2", None),
    ]  # fmt: skip


def test_what_a_plan_says_of_the_lines_of_a_file() -> None:
    plan = _plan("csv key 'id' names line 4 fill 'site', 'date' until 'TOTAL'")
    assert (plan.names, plan.names_line, plan.fill, plan.until) == ((), 4, ("site", "date"), "TOTAL")
    assert _plan("csv key '1' header none", "'1'").names_line == 0
    named = _plan("csv key 'id' names 'id', 'name'")
    assert (named.names, named.names_line) == (("id", "name"), None)
    assert _plan("xml path 'h:a' key 'id' prefix h = 'urn:x' prefix c = 'urn:y'").prefixes == (
        ("h", "urn:x"),
        ("c", "urn:y"),
    )


FIXED = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
model Stay from fixed key '1-9' {
  id        : string 1..1 from 1..9
  sex       : string 0..1 from 28
  diagnoses : string 0..* from 178 count 119..120 width 8
  acts      : Act    0..* from after 'diagnoses' count 121 width 20
}
model Act { code : string 0..1 from 1..8 }
group stay(source src : Stay, target tgt : Patient) {
  src.id as v -> tgt.id = v;
  src.sex as v -> tgt.language = v;
  src.diagnoses as v -> tgt.name as n, n.text = v;
  src.acts as a -> tgt.name as n then { a.code as v -> n.family = v; };
}
"""


def test_columns_of_fixed_width_are_called_by_their_positions() -> None:
    plan = fhirmap.compile_map(FIXED).store
    assert plan is not None
    assert plan.shape.column_names == ("1-9", "28-28", "diagnoses", "acts")
    _, _, diagnoses, acts = plan.shape.columns
    assert diagnoses.repetition == Repetition(8, (119, 120), 178)
    assert acts.repetition == Repetition(20, (121, 121), None, "diagnoses")
    assert acts.below is not None
    assert acts.below.column_names == ("1-8",)


def test_counted_groups_are_read_as_rows_and_as_texts() -> None:
    row = {"1-9": "123456789", "28-28": " ", "diagnoses": ["Z470    ", "M161    "], "acts": [{"1-8": "NEKA020 "}]}
    assert fhirmap.compile_map(FIXED)(row).resource == {
        "resourceType": "Patient", "id": "123456789",
        "name": [{"text": "Z470"}, {"text": "M161"}, {"family": "NEKA020"}],
    }  # fmt: skip


STORES = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
model Op from xml path 'ops.op' key '@id' null '-' {
  id      : string  1..1 from '@id'
  number  : string  0..1 from 'surgeon.@number'
  surgeon : Surgeon 0..1 join on 'RPPS' = 'surgeon.@number' where "actif = 1"
}
model Surgeon from CHILD { name : string 0..1 from 'nom' }
group op(source src : Op, target tgt : Patient) {
  src.id as v -> tgt.id = v;
  src.number as v -> tgt.language = v;
  src.surgeon as s then { s.name as v -> tgt.name as n, n.text = v; };
}
"""


def test_rows_of_the_joined_model_s_own_store() -> None:
    text = STORES.replace(
        "CHILD", "csv source 'surgeons' key 'RPPS' delimiter ';' where \"a = 1\" order by 'nom' null '?'"
    )
    plan = fhirmap.compile_map(text).store
    assert plan is not None
    (child,) = plan.shape.children
    assert (child.table, child.on, child.where) == ("surgeons", (("RPPS", "surgeon.@number"),), "actif = 1")
    assert (child.key, child.order, child.at_most_one) == ("surgeon[]", (Order("nom"),), True)
    own = child.store
    assert own is not None
    assert (own.kind, own.source, own.key, own.where, own.nulls) == ("csv", "surgeons", (), "a = 1", ("?",))
    assert own.shape is child.shape
    assert own.shape.column_names == ("nom", "RPPS")


@pytest.mark.parametrize(
    ("store", "name"),
    [
        ("csv", "Surgeon"),
        ("sheet 'Chirurgiens'", "Chirurgiens"),
        ("sheet 'Chirurgiens' source 's'", "s"),
        ("table 'CHIR' source 's'", "CHIR"),
    ],
)
def test_what_a_joined_store_is_called(store: str, name: str) -> None:
    plan = fhirmap.compile_map(STORES.replace("CHILD", store)).store
    assert plan is not None
    assert plan.shape.children[0].table == name


def test_joined_rows_are_read_as_their_own_store_says() -> None:
    transformer = fhirmap.compile_map(STORES.replace("CHILD", "csv null '?'"))
    found = transformer({"@id": "1", "surgeon": [{"nom": "?"}]}).resource
    assert found == {"resourceType": "Patient", "id": "1"}


GROUPED = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
model Op from json path 'rows' key 'op.id' order by 'rank' {
  id    : string 1..1 from 'op.id'
  poses : Pose   0..* lines
}
model Pose { lot : string 0..1 from 'pose.lot' }
group op(source src : Op, target tgt : Patient) {
  src.id as v -> tgt.id = v;
  src.poses as p -> tgt.name as n then { p.lot as l -> n.text = l; };
}
"""


def test_documents_may_be_the_lines_of_one_record() -> None:
    transformer = fhirmap.compile_map(GROUPED)
    plan = transformer.store
    assert plan is not None
    (poses,) = plan.shape.children
    assert (plan.grouped, plan.order, poses.kind, poses.order) == (False, (), "lines", (Order("rank"),))
    row = {"op.id": "1", "poses": [{"op": {"id": "1"}, "pose": {"lot": "A"}}, {"pose": {"lot": "B"}}]}
    assert transformer(row).resource == {"resourceType": "Patient", "id": "1", "name": [{"text": "A"}, {"text": "B"}]}
