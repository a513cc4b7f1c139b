"""Texts that the language's tests share: every construct once, and the public suite where it is there."""

from __future__ import annotations

from pathlib import Path

MODERN = r"""/// url = 'https://example.org/StructureMap/all'
/// name = 'All'
/// experimental = false
/// date = @2024-05-01
/// version = '1.0' // a comment
/// jurisdiction =
/// description = '''
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Pat as source
uses "http://hl7.org/fhir/StructureDefinition/Bundle" as target
uses "http://example.org/q" as queried
uses "http://example.org/p" as produced;
imports "http://example.org/StructureMap/*lib"

conceptmap "sides" {
  prefix s = "urn:s"
  prefix t = "urn:t"
  unmapped for s = provided
  s:male - t:M
  s:"a b" == t:"c"
  s : x != t : 07
  s:y --
  s:z <= t:z
}

let limit = 20;
let label = 'a' & 'b';

group Main(source src : Pat, target tgt : Bundle, source extra) extends Base <<type+>> {
  src.id -> tgt.id "simple";
  src -> tgt : active, gender, birthDate;
  src.name : HumanName 0..* default (%x) first as n where (n.use = 'usual') check (given.exists()) log ('n' & family) ->
    tgt.name as t, t.family = n, t.text = (n.family & ', ' & n.given.first()), (1 + 2) as three, uuid() as u,
    t.period.start = @2024-01-01T10:00:00Z, t.count = 5 days, t.flag = true, t.none = {}, t.neg = -1.50
    then other(n, t), third(n, 'x', a + 1) {
      n.given as g -> t.given = truncate(g, limit) share one;
      n -> t.`odd name` = create('HumanName') as made first then { made -> t.x = made; } "deep";
    } "full";
  src.a as a, a.b as b -> tgt.c = append(a, b) as c last, tgt.d = c single;
  src.group as group, src.where as where -> tgt.map = group.first, tgt.type.source = where;
  search(Patient.name = 'x') as found -> tgt.entry as e;
  src.value then nothing();
  src.a as v check (v > 0) "v must be above 0" log ('n') -> tgt.v = v;
  src.a as v check (v > 0) "too low", src.b check (true) "word" then other(v, tgt);
  src.a as v check (v < 9) "v must be below 9";
  src.a as v check (v < 9) "v must be below 9" "small";
  src.a as v check (v < 9) "named";
  src.a check (true) bare;
  src.alone;
}

group other(source src, target tgt) <<types>> {
}
""".replace("'''", '"""\nsome *text*\nmore\n"""')

LEGACY = r"""map "http://example.org/StructureMap/old" = "old name"

uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source

group Old(source src : Patient, target tgt) {
  src.item as item where linkId in ('a' | 'b') log (linkId) -> tgt.x = "text" collate "r1";
  src.item as item check item.m < 2 -> tgt.y = evaluate(src, iif(true, "a", "b")) share "id" 'r2';
  src.name first default "none" as n where type = 'x' -> tgt."-quote" = n bare;
  src.b default 5 only_one -> tgt.c;
};

group for type+types Older extends Old
  input src : Patient as source;
  input tgt : "http://x/y" as target
  a.b : for src.a as v where v.exists() make tgt.b = v;
  c : for src.c as v make tgt.c as w then {
    d : for v.d make w.d;
    e : for v.e then Old(v, w);
  };
endgroup
"""

MODELS = r"""model Stay from table 'stay' key 'id', 'rank' where "closed = 0" order by 'day' desc, 'id'
    latest by 'changed' {
  id : string 1..1 from 'id'
  day : date from 'day' format 'yyyyMMdd' zone 'Europe/Paris' null 'X', '00000000';
  items : Item 0..* join 'item' on 'id', 'child' = 'parent' where "n > '1'" order by 'n' desc
    repeat 'qty',
  from : string, null : string from 'null' where : string
}
model Item { rank : integer from position lot : FHIR.string }
model Lines from csv key 'N° séjour' encoding 'cp1252' delimiter ';' { ward : string lines : Item 1..* lines }
model Case from json path 'cases' key 'id' { nir : string 0..1 from 'patient.nir' }
model Plain from json { a : string }
model Sheet from csv key 'site', 'id' null 'NULL', '\\N' decimal ',' thousands ' ' {
  codes : string 0..* from 'codes' split '|'  items : Item 0..* from 'items' split ';'
  facts : Plain 0..1 join query 'select id, code, v from facts' on 'id' attributes 'code' values 'v',
  decimal : decimal, split : string 0..* split '|' values : string attributes : string thousands : string
  more : Item 0..* join query 'more.sql' on 'id', 'site' order by 'n'
}
model Rows from query 'rows.sql' key 'id' order by 'n' { items : Item 0..* lines }
model Query from query 'stays.sql' key 'id' { a : string }
conceptmap "table" from "codes.csv" columns 'a', 'b', 'relation' encoding 'cp1252' delimiter ',' {
  prefix s = "urn:s" prefix t = "urn:t" unmapped code t:X
}
conceptmap "pass" { prefix s = "urn:s" prefix t = "urn:t" unmapped pass s:a - t:b }
group g(source src : Stay, target tgt) { src.id -> tgt.id; }
model After { a : string }
"""

CONSTRUCTS = (MODERN, LEGACY, MODELS)


def suite_maps(shared: Path) -> list[Path]:
    """Every map of the public suite."""
    folder = shared / "fml" / "suite"
    return sorted(path for path in folder.rglob("*") if path.suffix in (".map", ".fml"))
