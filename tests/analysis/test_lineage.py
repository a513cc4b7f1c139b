"""Each element of the result knows its rules and the columns it comes from, through both stages."""

from __future__ import annotations

import pytest

from fhirmap.analysis.check import check
from fhirmap.analysis.lineage import Lineage, Origin, as_json, lineage
from fhirmap.analysis.workspace import load
from fhirmap.language.parser import parse
from tests.analysis.harness import MAPS, definitions, functions, library

LOCAL = """\
/// url = 'https://example.org/StructureMap/local'
imports "https://fhirmap.dev/StructureMap/intervention"
model Op from table 'OP' key 'id' {
  id    : string 1..1
  nir   : string 0..1 from 'num_secu'
  key   : string 0..1 from 'cle'
  poses : Pose   0..* join 'POSE' on 'id'
}
model Pose { lot : string 0..1 from 'num_lot' }
group op(source src : Op, target tgt : Intervention) {
  src.nir as n, src.key as k -> tgt.nir = append(n, k) "nir";
  src.poses as p -> tgt.implants as i then { p.lot as v -> i.lot = v "lot"; } "poses";
}
"""


def table() -> Lineage:
    target = MAPS / "renacot" / "renacot.map"
    maps = [parse(LOCAL, "local.map"), parse(target.read_text(encoding="utf-8"), "renacot.map")]
    program = load(maps, library=library())
    checked, _ = check(program, definitions(), functions())
    return lineage(checked)


def test_an_element_leads_to_the_columns_of_the_first_stage() -> None:
    elements = table().elements
    (nir,) = elements["Parameters.parameter:nir.value[x]"]
    assert (nir.rule, nir.columns) == ("nir", ("OP.num_secu", "OP.cle"))
    assert nir.span.name == "renacot.map"
    lots = elements["Parameters.parameter:implants.part:lot.value[x]"]
    assert lots[0].columns[0] == "POSE.num_lot"


def test_a_value_in_a_document_comes_from_its_path() -> None:
    text = """uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
model M from table 'op' key 'id' { first : string from 'doc.lots[0]'  poses : Pose 0..* from 'doc.implants' }
model Pose { lot : string }
group g(source src : M, target tgt : Patient) {
  src.first as v -> tgt.id = v;
  src.poses as p then { p.lot as v -> tgt.language = v; };
}
"""
    program = load([parse(text, "a.map")], library=library())
    elements = lineage(check(program, definitions(), functions())[0]).elements
    assert [elements[name][0].columns for name in ("Patient.id", "Patient.language")] == [
        ("op.doc.lots[0]",),
        ("op.doc.implants.lot",),
    ]


def test_a_constant_comes_from_no_column() -> None:
    assert table().elements["Parameters.parameter:nir.name"][0].columns == ()


def test_as_data() -> None:
    shown = as_json(table())["Parameters.parameter:nir.value[x]"]
    assert shown[0]["columns"] == ["OP.num_secu", "OP.cle"]
    assert str(shown[0]["position"]).startswith("renacot.map:")


def test_a_group_that_calls_itself_ends() -> None:
    text = (
        'uses "http://hl7.org/fhir/StructureDefinition/QuestionnaireResponse" alias Q as source\n'
        'uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target\n'
        "group main(source src : Q, target tgt : Basic) { src.item as i then item(i, tgt); }\n"
        "group item(source src, target tgt) { src.text as t -> tgt.id = t; src.item as i then item(i, tgt); }\n"
    )
    program = load([parse(text, "main.map")])
    checked, _ = check(program, definitions(), {})
    assert set(lineage(checked).elements) == {"Basic.id"}


FLOW = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
conceptmap "codes" {{
  prefix s = "urn:s"
  prefix t = "urn:t"
  s:A - t:male
}}
let fixed = 'x';
model Row from table 'T' key 'id' {{
  id : string 1..1
  a  : string 0..1 from 'col_a'
  b  : string 0..1 from 'col_b'
  c  : string 0..1 from 'col_c'
  kids : Kid 0..* join 'KID' on 'id'
}}
model Kid {{ name : string 0..1  kind : string 0..1 }}
group main(source src : Row, target tgt : Patient) {{
  {rules}
}}
group named(source v, target t) {{ v -> t.id = v "named"; }}
group child(source k : Kid, target t : Patient) {{ k.name as n -> t.id = n "child"; }}
"""


def origins(rules: str) -> tuple[Origin, ...]:
    program = load([(parse(FLOW.format(rules=rules), "flow.map")[0], ())])
    checked, found = check(program, definitions(), functions())
    assert not [entry for entry in found if entry.is_error]
    return lineage(checked).elements["Patient.id"]


@pytest.mark.parametrize(
    ("rules", "columns", "conditions"),
    [
        ("src.a as v -> tgt.id = v;", ["a"], []),
        ("src.a as v -> (%v.upper()) as w, (%w & %src.b) as x, tgt.id = x;", ["a", "b"], []),
        ("src -> tgt.id = (a | b).first();", ["a", "b"], []),
        ("src -> tgt.id = (iif(%src.c = 'x', %src.a, %src.b));", ["a", "b"], ["c"]),
        ("src -> tgt.id = (iif(c = 'x', 'y', 'z'));", [], ["c"]),
        ("src.a as v where (%src.b = '1') -> tgt.id = v;", ["a"], ["b"]),
        ("src.a as v where (%src.b = '1') -> tgt.id = 'x';", [], ["b"]),
        ("src where (b = '1') then { src.a as v -> tgt.id = v; };", ["a"], ["b"]),
        ("src.a as v where ($this.length() > 2) -> tgt.id = v;", ["a"], []),
        ("src.a as v -> (%v.split('|')) as t then { t as x -> tgt.id = x; };", ["a"], []),
        ("src.a as v -> tgt.id = (%v.split('|').last());", ["a"], []),
        ("src.a as v -> tgt.id = translate(v, '#codes', 'code');", ["a"], []),
        ("src.a as v -> (%v.substring(0, 1)) as w, tgt.id = translate(w, '#codes', 'code');", ["a"], []),
        ("src.a as v then named(v, tgt);", ["a"], []),
        ("src then named((%src.a | %src.b), tgt);", ["a", "b"], []),
        ("src.a default (%src.b) as v -> tgt.id = v;", ["a", "b"], []),
        ("src.a as v -> tgt.language = v, tgt.id = (%tgt.language);", ["a"], []),
        ("src.kids as k then child(k, tgt);", ["KID.name"], []),
        ("src -> tgt.id = (%src.kids.where(kind = 'x').name.first());", ["KID.name"], ["KID.kind"]),
        ("src -> tgt.id = (%src.kids.select(name & kind).first());", ["KID.name", "KID.kind"], []),
        ("src -> tgt.id = (%src.kids.where(kind = %src.b).name.first());", ["KID.name"], ["KID.kind", "b"]),
        ("src.a as v -> tgt.id = append(v, '-', %src.c);", ["a", "c"], []),
        ("src.a as v -> tgt.id = append(fixed, 'y');", [], []),
    ],
)
def test_columns_through_what_a_rule_may_say(rules: str, columns: list[str], conditions: list[str]) -> None:
    def full(names: list[str]) -> tuple[str, ...]:
        return tuple(name if "." in name else f"T.col_{name}" for name in names)

    (found,) = origins(rules)
    assert (found.columns, found.conditions) == (full(columns), full(conditions))


def test_a_check_leads_to_the_columns_that_its_condition_reads() -> None:
    rule = "  src.poses as p where (lot.exists()) check (%p.lot != %src.nir) -> tgt.implants;"
    maps = [parse(LOCAL.replace("  src.nir as n,", f"{rule}\n  src.nir as n,"), "local.map")]
    checked, _ = check(load(maps, library=library()), definitions(), functions())
    assert list(lineage(checked).checks.values()) == [("POSE.num_lot", "OP.num_secu")]
