"""Types of variables, sources, targets and values, slices included."""

from __future__ import annotations

from fhirmap.analysis.check import check
from fhirmap.analysis.checked import Checked
from fhirmap.analysis.typed import TypedTarget
from fhirmap.analysis.workspace import load
from fhirmap.language.parser import parse
from tests.analysis.harness import codes, definitions, diagnose, functions, library

HEAD = """\
uses "https://fhir.orthense.com/StructureDefinition/InterventionInputParametersBaseProfile" alias Declaration as target
model Op from table 'OP' key 'id' {
  id    : string 1..1
  day   : date   0..1
  parts : Part   0..* join 'PART' on 'id'
}
model Part { lot : string 0..1 }
"""


def checked(rules: str, more: str = "") -> Checked:
    text = f"{HEAD}group main(source src : Op, target tgt : Declaration) {{\n{rules}\n}}\n{more}"
    tree, diagnostics = parse(text, "main.map")
    assert not diagnostics
    program = load([(tree, ())], library=library())
    return check(program, definitions(), functions())[0]


def targets(rules: str, more: str = "") -> list[TypedTarget]:
    return [target for _, rule in checked(rules, more).rules() for target in rule.targets]


def test_a_constant_of_the_rule_chooses_the_slice_wherever_it_is() -> None:
    for rule in (
        "src.day as d -> tgt.parameter as p, p.name = 'dateIntervention', p.value = d;",
        "src.day as d -> tgt.parameter as p, p.value = d, p.name = 'dateIntervention';",
        "src.day as d -> tgt.parameter as p then { d -> p.name = 'dateIntervention'; d -> p.value = d; };",
    ):
        value = next(target for target in targets(rule) if target.steps[-1].name == "value")
        assert value.steps[-1].key == "valueDateTime"
        assert value.steps[-1].element is not None
        assert value.steps[-1].element.path == "Parameters.parameter:dateIntervention.value[x]"


def test_a_group_without_types_gets_its_callers_slice() -> None:
    found = targets(
        "src.parts as i -> tgt.parameter as p, p.name = 'implants' then part(i, p);",
        "group part(source i, target p) { i.lot as v -> p.part as q, q.name = 'lot', q.value = v; }",
    )
    paths = [target.steps[-1].element.path for target in found if target.steps[-1].element]
    assert "Parameters.parameter:implants.part:lot.value[x]" in paths


def test_text_is_taken_where_text_belongs_and_not_for_a_date() -> None:
    good = "src.id as v -> tgt.parameter as p, p.name = 'nir', p.value = v;"
    bad = "src.id as v -> tgt.parameter as p, p.name = 'dateIntervention', p.value = v;"
    text = "{}group main(source src : Op, target tgt : Declaration) {{\n{}\n}}\n"
    assert "FM203" not in codes(diagnose(text.format(HEAD, good)))
    assert "FM203" in codes(diagnose(text.format(HEAD, bad)))


def test_names_of_rules_are_unique_and_say_the_element() -> None:
    found = checked("src.id as a -> tgt.id = a; src.id as a -> tgt.language = a; src -> tgt.implicitRules = 'x';")
    assert [rule.name for _, rule in found.rules()] == ["id", "id-2", "rule-3"]


def test_every_item_of_a_batch_is_a_rule() -> None:
    text = (
        'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source\n'
        'uses "http://hl7.org/fhir/StructureDefinition/Person" alias Person as target\n'
        'group main(source src : Patient, target tgt : Person) { src -> tgt : gender, birthDate "all"; }\n'
    )
    program = load([parse(text, "main.map")])
    found, diagnostics = check(program, definitions(), {})
    assert not diagnostics
    assert [(rule.name, rule.sources[0].steps[0].name) for _, rule in found.rules()] == [
        ("allgender", "gender"), ("allbirthDate", "birthDate"),
    ]  # fmt: skip


def test_a_constant_that_needs_itself_ends() -> None:
    text = HEAD.replace("model Op", "let a = %b;\nlet b = %a;\nmodel Op")
    rules = "group main(source src : Op, target tgt : Declaration) { src -> tgt.id = a; }\n"
    assert "FM113" in codes(diagnose(text + rules))
