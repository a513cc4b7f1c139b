"""Each element of the result knows its rules and the columns it comes from, through both stages."""

from __future__ import annotations

from fhirmap.analysis.check import check
from fhirmap.analysis.lineage import Lineage, as_json, lineage
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
    trees = [parse(LOCAL, "local.map")[0], parse(target.read_text(encoding="utf-8"), "renacot.map")[0]]
    program, _ = load(trees, library=library())
    checked, _ = check(program, definitions(), functions())
    return lineage(checked)


def test_an_element_leads_to_the_columns_of_the_first_stage() -> None:
    elements = table().elements
    (nir,) = elements["Parameters.parameter:nir.value[x]"]
    assert (nir.rule, nir.columns) == ("nir", ("OP.num_secu", "OP.cle"))
    assert nir.span.name == "renacot.map"
    lots = elements["Parameters.parameter:implants.part:lot.value[x]"]
    assert lots[0].columns[0] == "POSE.num_lot"


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
    program, _ = load([parse(text, "main.map")[0]])
    checked, _ = check(program, definitions(), {})
    assert set(lineage(checked).elements) == {"Basic.id"}
