"""One mistake each in a map that is right: one diagnostic, at the very characters, with a hint that repairs it."""

# ruff: noqa: E501  a table of mistakes, one a line
from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from fhirmap.diagnostics import Diagnostic
from fhirmap.diagnostics.render import render_diagnostics
from tests.analysis.harness import diagnose

RIGHT = """uses "https://fhir.orthense.com/StructureDefinition/InterventionInputParametersBaseProfile" alias Declaration as target

conceptmap "sides" {
  prefix s = "urn:hospital:side"
  prefix t = "https://fhir.orthense.com/CodeSystem/lateralite"
  s:D - t:DROITE
  s:G - t:GAUCHE
}

conceptmap "kinds" from "kinds.csv" columns 'kind', 'code' delimiter ';' {
  prefix s = "urn:hospital:kind"
  prefix t = "https://fhir.orthense.com/CodeSystem/implant-types"
}

model Operation from table 'OPERATION' key 'id' {
  state   : code    1..1 from 'state'
  nir     : string  1..1 from 'nir'
  finess  : string  1..1 from 'finess'
  day     : date    1..1 from 'day' format 'yyyyMMdd' zone 'Europe/Paris'
  side    : code    0..1 from 'side' null 'X'
  surgeon : Surgeon 1..1 join 'SURGEON' on 'id_surgeon' = 'id_operator'
  pieces  : Piece   0..* join 'PIECE' on 'id' where "placed = 1" order by 'rank'
}

model Surgeon {
  rpps : string 1..1 from 'rpps'
}

model Piece {
  udi  : string 1..1 from 'udi'
  lot  : string 1..1 from 'lot'
  kind : code   1..1 from 'kind'
}

group declaration(source src : Operation, target tgt : Declaration) {
  src where (state = 'DONE') then sent(src, tgt) "done";
  src where (state != 'DONE') log ('not done: ' & state) "not-done";
}

group sent(source src : Operation, target tgt : Declaration) {
  src.nir as v -> tgt.parameter as p, p.name = 'nir', p.value = v "nir";
  src.surgeon as s then {
    s.rpps as v -> tgt.parameter as p, p.name = 'rpps', p.value = v "rpps";
  } "surgeon";
  src.finess as v -> tgt.parameter as p, p.name = 'finessGeographique', p.value = v "finess";
  src.day as v -> tgt.parameter as p, p.name = 'dateIntervention', p.value = v "day";
  src.side as v -> tgt.parameter as p, p.name = 'lateralite', p.value = translate(v, '#sides', 'CodeableConcept') "side";
  src -> tgt.parameter as p, p.name = 'typeProcedure', p.value = cc('http://snomed.info/sct', '19063003') "procedure";
  src.pieces as i -> tgt.parameter as p, p.name = 'implants' then piece(i, p) "pieces";
}

group piece(source i : Piece, target p) {
  i.udi as v -> p.part as q, q.name = 'udi', q.value = v "udi";
  i.lot as v -> p.part as q, q.name = 'lot', q.value = v "lot";
  i.kind as v -> p.part as q, q.name = 'type', q.value = translate(v, '#kinds', 'CodeableConcept') "kind";
}
"""
FILES = {"kinds.csv": b"kind;code\nFEM;PG_FEMORAL\n"}
TABLES = {
    "OPERATION": ["id", "state", "nir", "finess", "day", "side", "id_operator"],
    "SURGEON": ["id_surgeon", "rpps"],
    "PIECE": ["id", "rank", "udi", "lot", "kind", "placed"],
}

MISTAKES = [
    # mistakes of SQL
    ("state != 'DONE'", "state <> 'DONE'", "FM001", "<>", "write `!=`"),
    ("state = 'DONE'", "state == 'DONE'", "FM001", "==", "write `=`"),
    ("state = 'DONE'", "state is null", "FM001", "is null", "x.empty()"),
    ("state = 'DONE'", "state is not null", "FM001", "is not null", "x.exists()"),
    ("state = 'DONE'", "state in ('DONE', 'SENT')", "FM001", ",", "in ('a' | 'b')"),
    ("state = 'DONE'", "state like 'D%'", "FM001", "like", "startsWith"),
    ("state = 'DONE'", "not state = 'DONE'", "FM001", "not", ".not()"),
    ("state = 'DONE'", "state = 'DONE' AND nir.exists()", "FM004", "AND", "`and`"),
    ("state = 'DONE'", "state = 'DONE' && nir.exists()", "FM001", "&&", "`and`"),
    ("state = 'DONE'", "state.isNull()", "FM251", "isNull", "`empty`"),
    ("'not done: ' & state", "'not done: ' || state", "FM001", "||", "`&`"),
    ("model Surgeon", "-- who operates\nmodel Surgeon", "FM012", "--", "`//`"),
    ("model Surgeon", "# who operates\nmodel Surgeon", "FM012", "#", "`//`"),
    ("model Surgeon", "table Surgeon", "FM004", "table", "`model`"),
    ('where "placed = 1"', "where placed = 1", "FM001", "placed = 1", "where"),
    ("lot  : string 1..1", "lot  : varchar(20) 1..1", "FM001", "varchar(20)", "`string`"),
    ("state   : code ", "state   : varchar ", "FM157", "varchar", "`string`"),
    ("join 'SURGEON' on 'id_surgeon'", "left join 'SURGEON' on 'id_surgeon'", "FM004", "left", "clauses"),
    ("on 'id_surgeon' = 'id_operator'", "on 'id_operator' = 'id_surgeon'", "FM150", "'id_operator'", "comes first"),
    ("on 'id_surgeon' = 'id_operator'", "on 'id_surgeon'", "FM150", "'id_surgeon'", "name the column of `OPERATION` too"),
    # marks
    ("src.nir as v -> tgt", "src.nir as v => tgt", "FM001", "=>", "`->`"),
    ("src.nir as v -> tgt", "src.nir as v > tgt", "FM001", ">", "`->`"),
    ("src.nir as v -> tgt", "src.nir v -> tgt", "FM001", "", "`as`"),
    ("src.nir as v -> tgt", "src.nir as v, -> tgt", "FM001", ",", "remove the comma"),
    ("tgt.parameter as p, p.name = 'nir'", "tgt.parameter p, p.name = 'nir'", "FM001", "", "`as`"),
    ("p.name = 'nir', p.value = v", "p.name := 'nir', p.value = v", "FM001", ":=", "`=`"),
    ("p.name = 'nir', p.value = v", "p.name == 'nir', p.value = v", "FM001", "==", "`=`"),
    ("p.name = 'nir', p.value = v", "p.name = 'nir'; p.value = v", "FM001", "=", "targets of one rule with `,`"),
    ("p.name = 'nir', p.value = v", "p.name = nir, p.value = v", "FM104", "nir", "`'nir'`"),
    ("state   : code ", "state   = code ", "FM001", "=", "`:`"),
    ('prefix s = "urn:hospital:side"', 'prefix s : "urn:hospital:side"', "FM001", ":", "`=`"),
    ('prefix s = "urn:hospital:side"', 'prefx s = "urn:hospital:side"', "FM004", "prefx", "`prefix`"),
    ("s:D - t:DROITE", "s:D -> t:DROITE", "FM001", "->", "`-`"),
    ("s:D - t:DROITE", "s:D t:DROITE", "FM001", "", "`-`"),
    ("s:D - t:DROITE", "s:D - DROITE", "FM001", "DROITE", "`t:DROITE`"),
    ("s:D - t:DROITE", "s:D - t:\"DROITE", "FM005", '"DROITE', "close it"),
    ("s:D - t:DROITE", "s:D-1 - t:DROITE", "FM001", "D-1", "`'D-1'`"),
    ("from 'state'", "from state", "FM001", "state", "`'state'`"),
    ("zone 'Europe/Paris'", "zone Europe/Paris", "FM001", "Europe/Paris", "quotes|'Europe/Paris'"),
    ("from 'state'", "from 'state\"", "FM005", "'state\"", "close it"),
    ("from 'state'", "column 'state'", "FM004", "column", "from 'column'"),
    ("state   : code    1..1", "state   : code    [1..1]", "FM007", "[1..1]", "`0..1`"),
    ("state   : code    1..1", "state   : code    0-1", "FM007", "0-1", "`0..1`"),
    ("state   : code    1..1 from 'state'", "state   : code from 'state' 1..1", "FM007", "1..1", "name : type 0..1"),
    ("src.nir as v -> tgt", "src.nir as v where (true) where (v != '1') -> tgt", "FM001", "where", "`and`"),
    # groups and rules
    ("group piece(source i : Piece,", "group piece(source Piece i,", "FM001", "Piece i", "`i : Piece`"),
    ("group piece(", "function piece(", "FM004", "function", "`group`"),
    ("group piece(", "piece(", "FM001", "piece", "`group`"),
    ("then piece(i, p)", "piece(i, p)", "FM001", "", "`then`"),
    ("then piece(i, p)", "then { piece(i, p); }", "FM020", "piece", "after `then`"),
    ("then piece(i, p)", "-> piece(i, p)", "FM001", "->", ""),
    ("then piece(i, p)", "then piece(src, p)", "FM119", "src", "`Piece`"),
    ("group piece(source i : Piece, target p)", "group piece(source p : Piece, target p)", "FM105", "target p", "rename"),
    ("group piece(", "group sent(", "FM105", "sent", "rename"),
    ("model Surgeon", "model Piece", "FM105", "Piece", "rename"),
    ('conceptmap "kinds"', 'conceptmap "sides"', "FM105", '"sides"', "rename"),
    ("src.nir as v ->", "src.nir.split('|') as v ->", "FM015", "src.nir.split('|')", "`src -> (%src.nir.split('|')) as t"),
    ("src.nir as v ->", "src.nir[0] as v ->", "FM015", "src.nir[0]", "`src -> (%src.nir[0]) as t"),
    ("src.nir as v ->", "src.nir & '*' ->", "FM015", "src.nir & '*'", "`src -> (%src.nir & '*') as t"),
    ("src.nir as v ->", "(src.nir.trim()) as v ->", "FM015", "(src.nir.trim())", "`src -> (%src.nir.trim()) as t"),
    ("src.nir as v ->", "(%src.nir.trim()) as v ->", "FM015", "(%src.nir.trim())", "`src -> (%src.nir.trim()) as t"),
    ("tgt.parameter as p, p.name = 'nir'", "v.trim() as p", "FM015", "v.trim()", "`(%v.trim()) as t`"),
    # names and functions
    ("translate(v, '#sides', ", "translate('#sides', v, ", "FM202", "'#sides'", "translate(v"),
    ("p.name = 'nir', p.value = v", "p.name = 'nir', p.value = trim(v)", "FM109", "trim", "`(%v.trim())`"),
    ("p.name = 'nir', p.value = v", "p.name = 'nir', p.value = cast(v, string)", "FM202", "string", "`'string'`"),
    ("p.name = 'nir'", "p.name = 'nirs'", "FM245", "'nirs'", "`nir`"),
    ("cc('http://snomed.info/sct', '19063003')", "cc('knee')", "FM308", "cc('knee')", "cc('http://snomed.info/sct'"),
    ("ParametersBaseProfile", "ParameterBaseProfile", "FM117", None, "ParametersBaseProfile"),
    ("alias Declaration as target", "as target", "FM107", "Declaration", "alias Declaration"),
    ("p.value = v \"day\"", "p.value = toDate(v, 'YYYY-mm-dd') \"day\"", "FM235", "'YYYY-mm-dd'", "`yyyy`"),
    ("columns 'kind', 'code'", "columns 'kind', 'kode'", "FM101", "'kode'", "`code`"),
    ("delimiter ';'", "delimiter ','", "FM101", "'kind'", "delimiter ';'"),
    ("delimiter ';'", "delimiter ';;'", "FM158", "';;'", "delimiter"),
    ('from "kinds.csv"', 'from "kind.csv"', "FM102", '"kind.csv"', "in the folder of the map"),
    ("src.nir as v -> tgt.parameter as p, p.name = 'nir', p.value = v", "src.nir -> tgt.nir", "FM204", "nir", "known here"),
]  # fmt: skip

# What a model reads, checked without the source: what is written there instead is often another source.
SOURCES = [
    ("from table 'OPERATION' key 'id'", "from csv 'x.csv' key 'id'", "FM001", "'x.csv'", "`from csv` without it"),
    ("from table 'OPERATION' key 'id'", "from csv file 'x.csv' key 'id'", "FM001", "file 'x.csv'", "`from csv` without it"),
    ("from table 'OPERATION' key 'id'", "from csv('x.csv') key 'id'", "FM001", "('x.csv')", "`from csv` without it"),
    ("from table 'OPERATION' key 'id'", "from x.csv key 'id'", "FM001", "x.csv", "`from csv` without it"),
    ("from table 'OPERATION' key 'id'", "from json 'x.json' key 'id'", "FM001", "'x.json'", "`from json` without it"),
    ("from table 'OPERATION' key 'id'", "from 'x.ndjson' key 'id'", "FM001", "'x.ndjson'", "`from json` without it"),
    ("from table 'OPERATION' key 'id'", "from json 'cases' key 'id'", "FM001", "'cases'", "`path 'cases'`"),
    ("from table 'OPERATION' key 'id'", "from 'OPERATION' key 'id'", "FM001", "'OPERATION'", "`table 'OPERATION'`"),
    ("from table 'OPERATION' key 'id'", "from view 'OPERATION' key 'id'", "FM001", "view", "`table`"),
    ("from table 'OPERATION' key 'id'", "from sql 'select 1' key 'id'", "FM001", "sql", "`query`"),
    ("from table 'OPERATION' key 'id'", "from query select * from OPERATION key 'id'", "FM001", "select * from OPERATION", "query \"select"),
    ("from table 'OPERATION' key 'id'", "from query (select * from OPERATION) key 'id'", "FM001", "(select * from OPERATION)", "query \"select"),
    ("from table 'OPERATION' key 'id'", "from excel 'x.xlsx' key 'id'", "FM001", "excel 'x.xlsx'", "`from sheet` without it"),
    ("from table 'OPERATION' key 'id'", "from xlsx 'x.xlsx' key 'id'", "FM001", "xlsx 'x.xlsx'", "`from sheet` without it"),
    ("from table 'OPERATION' key 'id'", "from excel 'Feuil1' key 'id'", "FM001", "excel", "`sheet`"),
    ("from table 'OPERATION' key 'id'", "from excel key 'id'", "FM001", "excel", "`sheet`"),
    ("from table 'OPERATION' key 'id'", "from 'x.xlsx' key 'id'", "FM001", "'x.xlsx'", "`from sheet` without it"),
    ("from table 'OPERATION' key 'id'", "from hl7 'x.hl7' key 'id'", "FM001", "'x.hl7'", "`from hl7` without it"),
    ("from table 'OPERATION' key 'id'", "from hl7 'OBR' key 'id'", "FM001", "'OBR'", "`path 'OBR'`"),
    ("from table 'OPERATION' key 'id'", "from hl7v2 key 'id'", "FM001", "hl7v2", "`hl7`"),
    ("from table 'OPERATION' key 'id'", "from parquet 'x.parquet' key 'id'", "FM001", "'x.parquet'", "`from parquet` without it"),
    ("from table 'OPERATION' key 'id'", "from 'x.parquet' key 'id'", "FM001", "'x.parquet'", "`from parquet` without it"),
    ("from table 'OPERATION' key 'id'", "from csv key 'id' header no", "FM001", "header no", "`header none`"),
    ("from table 'OPERATION' key 'id'", "from csv key 'id' header = false", "FM001", "header = false", "`header none`"),
    ("from table 'OPERATION' key 'id'", "from csv no header key 'id'", "FM001", "no header", "`header none`"),
    ("from table 'OPERATION' key 'id'", "from csv without headers key 'id'", "FM001", "without headers", "`header none`"),
    ("from table 'OPERATION' key 'id'", "from csv header yes key 'id'", "FM001", "header yes", "leave it out"),
    ("from table 'OPERATION' key 'id'", "from csv key 'id' skip 3", "FM001", "skip 3", "`names line 4`"),
    ("from table 'OPERATION' key 'id'", "from csv skip lines 3 key 'id'", "FM001", "skip lines 3", "`names line 4`"),
    ("from table 'OPERATION' key 'id'", "from csv skiprows=3 key 'id'", "FM001", "skiprows=3", "`names line 4`"),
    ("from table 'OPERATION' key 'id'", "from csv header 4 key 'id'", "FM001", "header 4", "`names line 4`"),
    ("from table 'OPERATION' key 'id'", "from csv header line 4 key 'id'", "FM001", "header line 4", "`names line 4`"),
    ("from table 'OPERATION' key 'id'", "from csv names 4 key 'id'", "FM001", "names 4", "`names line 4`"),
    ("from table 'OPERATION' key 'id'", "from csv names line '4' key 'id'", "FM001", "'4'", "`4`"),
    ("from table 'OPERATION' key 'id'", "from csv header 'id', 'nir' key 'id'", "FM001", "header", "`names`"),
    ("from table 'OPERATION' key 'id'", "from csv until TOTAL key 'id'", "FM001", "TOTAL", "'TOTAL'"),
    ("from table 'OPERATION' key 'id'", "from csv source surgeons key 'id'", "FM001", "surgeons", "'surgeons'"),
    ("from table 'OPERATION' key 'id'", "from csv key 'id' untill 'TOTAL'", "FM004", "untill", "until"),
    ("from table 'OPERATION' key 'id'", "table 'OPERATION' key 'id'", "FM001", "", "`from`"),
    ("from table 'OPERATION' key 'id'", "from table 'OPERATION' key ('id')", "FM001", "('id')", "`'id'`"),
    ("from table 'OPERATION' key 'id'", "from table 'OPERATION' key = 'id'", "FM001", "=", "leave it out"),
    ("from table 'OPERATION' key 'id'", "from table 'OPERATION' key 'id' and 'nir'", "FM001", "and", "`,`"),
    ("from table 'OPERATION' key 'id'", "from table 'OPERATION' primary key 'id'", "FM001", "primary", "leave it out"),
    ("from table 'OPERATION' key 'id'", "from table 'OPERATION' o key 'id'", "FM001", "o", "leave it out"),
    ("from table 'OPERATION' key 'id'", "from table 'OPERATION' as o key 'id'", "FM001", "as o", "leave it out"),
    ("from table 'OPERATION' key 'id'", "from table 'main'.'OPERATION' key 'id'", "FM001", "'main'.'OPERATION'", "`'main.OPERATION'`"),
    ("from table 'OPERATION' key 'id'", "from table 'OPERATION' limit 10 key 'id'", "FM004", "limit", "`from query '…'`"),
    ("from table 'OPERATION' key 'id'", "from table 'OPERATION' latest 'day' key 'id'", "FM001", "", "`by`"),
    ("from table 'OPERATION' key 'id'", "from table 'OPERATION', 'PIECE' key 'id'", "FM004", ",", "join 'TABLE' on"),
    ("from table 'OPERATION' key 'id'", "from table 'OPERATION' join 'PIECE' on 'id' key 'id'", "FM004", "join", "join 'TABLE' on"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON' on (id_surgeon = id_operator)", "FM001", "(id_surgeon = id_operator)", "`'id_surgeon' = 'id_operator'`"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON' on ('id_surgeon' = 'id_operator')", "FM001", "('id_surgeon' = 'id_operator')", "`'id_surgeon' = 'id_operator'`"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON' on id_surgeon == id_operator", "FM001", "id_surgeon == id_operator", "`'id_surgeon' = 'id_operator'`"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON' on 'id_surgeon' == 'id_operator'", "FM001", "'id_surgeon' == 'id_operator'", "`'id_surgeon' = 'id_operator'`"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON' on id_surgeon = id_operator", "FM001", "id_surgeon = id_operator", "`'id_surgeon' = 'id_operator'`"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON' on 'id_surgeon' -> 'id_operator'", "FM001", "'id_surgeon' -> 'id_operator'", "`'id_surgeon' = 'id_operator'`"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON' on SURGEON.id_surgeon = OPERATION.id_operator", "FM001", "SURGEON.id_surgeon = OPERATION.id_operator", "`'id_surgeon' = 'id_operator'`"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON' on OPERATION.id_operator = SURGEON.id_surgeon", "FM001", "OPERATION.id_operator = SURGEON.id_surgeon", "`'id_surgeon' = 'id_operator'`"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON' s on 'id_surgeon' = 'id_operator'", "FM001", "s", "leave it out"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join table 'SURGEON' on 'id_surgeon' = 'id_operator'", "FM001", "table", "leave it out"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON' using 'id_surgeon' = 'id_operator'", "FM001", "using", "`on`"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON' 'id_surgeon' = 'id_operator'", "FM001", "", "`on`"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON'", "FM001", "", "on 'its column'"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON' on 'id_surgeon' = 'id_operator' and 'rpps' = 'nir'", "FM001", "and", "`,`"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join 'SURGEON' on id_surgeon = id_operator and rpps = nir", "FM001", "id_surgeon = id_operator and rpps = nir", "`'id_surgeon' = 'id_operator', 'rpps' = 'nir'`"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join query select * from SURGEON on 'id_surgeon' = 'id_operator'", "FM001", "select * from SURGEON", "query \"select"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join csv 'x.csv' on 'id_surgeon' = 'id_operator'", "FM001", "csv", "join on"),
    ("join 'SURGEON' on 'id_surgeon' = 'id_operator'", "join source 'x' on 'id_surgeon' = 'id_operator'", "FM001", "source", "join on"),
]  # fmt: skip


def test_the_map_is_right() -> None:
    assert render_diagnostics(diagnose(RIGHT, files=FILES, tables=TABLES)) == ""


@pytest.mark.parametrize(("right", "wrong", "code", "snippet", "hint"), MISTAKES, ids=[entry[1] for entry in MISTAKES])
def test_a_mistake_is_one_diagnostic(right: str, wrong: str, code: str, snippet: str | None, hint: str) -> None:
    assert right in RIGHT
    text = RIGHT.replace(right, wrong, 1)
    is_single(diagnose(text, files=FILES, tables=TABLES), code, snippet, hint)


@pytest.mark.parametrize(("right", "wrong", "code", "snippet", "hint"), SOURCES, ids=[entry[1] for entry in SOURCES])
def test_a_mistake_in_what_a_model_reads(right: str, wrong: str, code: str, snippet: str, hint: str) -> None:
    assert right in RIGHT
    text = RIGHT.replace(right, wrong, 1)
    if wrong.startswith("from ") and re.search(r"json|csv|excel|xls|hl7|parquet", wrong):
        # What a file has instead of joins.
        rows = "from 'rows'" if re.search("json|hl7", wrong) else "lines"
        text = text.replace("join 'SURGEON' on 'id_surgeon' = 'id_operator'", rows)
        text = text.replace("join 'PIECE' on 'id' where \"placed = 1\" order by 'rank'", rows)
    is_single(diagnose(text, files=FILES), code, snippet, hint)


# Lines of fixed width, and documents of XML: their own places and names.
FIXED = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target

model Stay from fixed key '1-9' {
  id    : string 1..1 from 1..9
  size  : decimal 0..1 from 12..31 decimals 3
  parts : string 0..* from 178 count 119..120 width 8
}

group stay(source src : Stay, target tgt : Patient) {
  src.id as v -> tgt.id = v;
  src.size as v -> tgt.language = (%v.toString());
  src.parts as v -> tgt.name as n, n.text = v;
}
"""
XML = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target

model Stay from xml path 'h:stays.h:stay' key '@id' prefix h = 'urn:hl7-org:v3' {
  id : string 1..1 from '@id'
}

group stay(source src : Stay, target tgt : Patient) {
  src.id as v -> tgt.id = v;
}
"""
PLACES = [
    (FIXED, "12..31", "12-31", "FM001", "12-31", "`12..31`"),
    (FIXED, "12..31", "12 - 31", "FM001", "12 - 31", "`12..31`"),
    (FIXED, "12..31", "12 to 31", "FM001", "12 to 31", "`12..31`"),
    (FIXED, "12..31", "12:31", "FM001", "12:31", "`12..31`"),
    (FIXED, "12..31", "12...31", "FM001", "12...31", "`12..31`"),
    (FIXED, "12..31", "12 length 20", "FM001", "12 length 20", "`12..31`"),
    (FIXED, "12..31", "12 (20)", "FM001", "12 (20)", "`12..31`"),
    (FIXED, "12..31", "12 + 20", "FM001", "12 + 20", "`12..31`"),
    (FIXED, "12..31", "position 12..31", "FM001", "position", "leave it out"),
    (FIXED, "12..31", "columns 12..31", "FM001", "columns", "leave it out"),
    (FIXED, "12..31", "'12..31'", "FM162", "'12..31'", "`from 12..31`"),
    (FIXED, "12..31", "'12-31'", "FM162", "'12-31'", "`from 12..31`"),
    (FIXED, "12..31", "31..12", "FM162", "31..12", "counted from 1"),
    (FIXED, "decimals 3", "decimals '3'", "FM001", "'3'", "`3`"),
    (FIXED, "decimals 3", "decimal 3", "FM004", "decimal", "decimals"),
    (FIXED, "119..120", "119-120", "FM001", "119-120", "`119..120`"),
    (FIXED, "from fixed", "from flat", "FM001", "flat", "`fixed`"),
    (FIXED, "from fixed", "from fixed 'x.dat'", "FM001", "'x.dat'", "`from fixed` without it"),
    (XML, "from xml path 'h:stays.h:stay'", "from xml 'x.xml' path 'h:stays.h:stay'", "FM001", "'x.xml'", "`from xml` without it"),
    (XML, "from xml path 'h:stays.h:stay'", "from xml 'h:stays.h:stay'", "FM001", "'h:stays.h:stay'", "`path 'h:stays.h:stay'`"),
    (XML, "prefix h = ", "namespace h = ", "FM001", "namespace h = 'urn:hl7-org:v3'", "`prefix h = 'urn:hl7-org:v3'`"),
    (XML, "prefix h = ", "xmlns:h=", "FM001", "xmlns:h='urn:hl7-org:v3'", "`prefix h = 'urn:hl7-org:v3'`"),
    (XML, "prefix h = ", "prefix h ", "FM001", "", "`=`"),
    (XML, "prefix h = ", "prefix h : ", "FM001", ":", "`=`"),
    (XML, "path 'h:stays.h:stay' ", "", "FM162", "xml", "from xml path"),
]  # fmt: skip


def test_the_maps_of_places_are_right() -> None:
    for text in (FIXED, XML):
        assert render_diagnostics(diagnose(text)) == ""


@pytest.mark.parametrize(
    ("text", "right", "wrong", "code", "snippet", "hint"), PLACES, ids=[f"{entry[1]}: {entry[2]}" for entry in PLACES]
)
def test_a_mistake_in_a_place(text: str, right: str, wrong: str, code: str, snippet: str, hint: str) -> None:
    assert right in text
    is_single(diagnose(text.replace(right, wrong, 1)), code, snippet, hint)


def is_single(found: Sequence[Diagnostic], code: str, snippet: str | None, hint: str) -> None:
    shown = render_diagnostics(found)
    errors = [entry for entry in found if entry.is_error]
    assert [entry.code for entry in errors] == [code], shown
    assert len(found) <= 2, shown
    (error,) = errors
    assert error.span is not None
    assert snippet is None or error.span.snippet == snippet, shown
    assert any(part in error.hint_text for part in hint.split("|")), shown
