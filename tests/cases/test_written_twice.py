"""Two values for a single element are a fault that names the element, whichever way each of them was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.compilation.mapset import MapSet, run

PATIENT = "http://hl7.org/fhir/StructureDefinition/Patient"
MAP = f'''uses "{PATIENT}" alias Patient as source
uses "{PATIENT}" alias Target as target
uses "http://hl7.org/fhir/StructureDefinition/HumanName" alias HumanName as source
uses "http://hl7.org/fhir/StructureDefinition/CodeableConcept" alias Concept as target
group main(source src : Patient, target tgt : Target) {{
  RULES
}}
group of_language(source src : Patient, target tgt : Target) {{ src.language as v -> tgt.implicitRules = v; }}
group of_gender(source src : Patient, target tgt : Target) {{ src.gender as v -> tgt.implicitRules = v; }}
group written(source v, target tgt : Target) {{ v -> tgt.implicitRules = v; }}
group filled(source v, target node) {{ v -> node.value = v; }}
group text_language(source src : Patient, target m) {{ src.language as v -> m.text = v; }}
group text_gender(source src : Patient, target m) {{ src.gender as v -> m.text = v; }}
group taking(source src : Patient, target tgt : Target) {{
  src.gender as g -> tgt.telecom as t single, t.period as p, p.start = '2021';
}}
group marital(source src : HumanName, target tgt : Concept) <<types>> {{ src.family as f -> tgt.text = f; }}
'''
INPUT = {
    "resourceType": "Patient",
    "gender": "male",
    "language": "fr",
    "name": [{"family": "A"}, {"family": "B"}],
    "telecom": [{"value": "1"}, {"value": "2"}],
}
PRIMITIVE = {
    "plain": "src.SOURCE as v -> tgt.implicitRules = v;",
    "computed": "src.SOURCE as v -> tgt.implicitRules = (%v & '');",
    "alias": "src.SOURCE as v -> tgt as t, t.implicitRules = v;",
    "alias of an alias": "src -> tgt as t then { src.SOURCE as v -> t as u, u.implicitRules = v; };",
    "inner rule": "src then { src.SOURCE as v -> tgt.implicitRules = v; };",
    "group": "src then of_SOURCE(src, tgt);",
    "group of a value": "src.SOURCE as v then written(v, tgt);",
    "node": "src.SOURCE as v -> tgt.implicitRules as x, x.value = v;",
    "node of an inner rule": "src.SOURCE as v -> tgt.implicitRules as x then { src -> x.value = v; };",
    "node of a group": "src.SOURCE as v -> tgt.implicitRules as x then filled(v, x);",
    "created": "src.SOURCE as v -> tgt.implicitRules = create('uri') as c, c.value = v;",
    "the node itself": "src.SOURCE as v -> tgt.implicitRules as x, x = v;",
    "default rule": "src.SOURCE -> tgt.implicitRules;",
    "with an id": "src.SOURCE as v -> tgt.implicitRules = v as z then { src -> z.id = 'i'; };",
    "cast": "src.SOURCE as v -> tgt.implicitRules = cast(v, 'string');",
    "default of a source": "src.implicitRules default (%src.SOURCE) as v -> tgt.implicitRules = v;",
}
COMPLEX = {
    "function": "src.SOURCE as v -> tgt.maritalStatus = cc(v);",
    "text": "src.SOURCE as v -> tgt.maritalStatus = v;",
    "path": "src.SOURCE as v -> tgt.maritalStatus.text = v;",
    "node": "src.SOURCE as v -> tgt.maritalStatus as m, m.text = v;",
    "node of an inner rule": "src -> tgt.maritalStatus as m then { src.SOURCE as v -> m.text = v; };",
    "node of a group": "src -> tgt.maritalStatus as m then text_SOURCE(src, m);",
    "created": "src.SOURCE as v -> tgt.maritalStatus = create('CodeableConcept') as m, m.text = v;",
    "shared": "src.SOURCE as v -> tgt.maritalStatus as m share z, m.text = v;",
}
"""Rules by what they do; SOURCE is the element that they read."""
ONE_ITEM = {
    """src.telecom as c -> tgt.telecom as t, t.value = (%c.value);
       src.gender as g -> tgt.telecom as t single, t.value = g;""": "Patient.telecom.value",
    """src.language as l -> tgt.telecom as t share x, t.value = l;
       src.gender as g -> tgt.telecom as t single, t.value = g;""": "Patient.telecom.value",
    """src -> tgt.telecom as o then { src.gender as g -> tgt.telecom as t single, t.value = g;
       src.language as l -> o.value = l; };""": "Patient.telecom.value",
    """src -> tgt.telecom as o share x then { src.gender as g -> tgt.telecom as t collate, t.value = g;
       src.language as l -> o.value = l; };""": "Patient.telecom.value",
    """src -> tgt.telecom as o then { src.gender as g -> tgt.telecom as t single, t.value = g;
       src.language as l then filled(l, o); };""": "Patient.telecom.value",
    """src -> tgt.telecom as o then { src then taking(src, tgt);
       src.language as l -> o.period as p, p.start = '2020'; };""": "Patient.telecom.period.start",
    "src.telecom as c -> tgt.telecom as t single, t.value = (%c.value);": "Patient.telecom.value",
    """src -> tgt.telecom as t, t.period as p, p.start = '2020';
       src -> tgt.telecom as t single, t.period as p, p.start = '2021';""": "Patient.telecom.period.start",
    """src -> tgt.extension as e, e.url = 'http://u', e.value = 'a';
       src.id default (%src.language) as i -> tgt.extension as e single, e.value = 5;""": "Patient.extension.value[x]",
    "src.name -> tgt.maritalStatus;": "Patient.maritalStatus.text",
    "src.name first as n -> tgt.maritalStatus as m then marital(n, m); src.name last -> tgt.maritalStatus;":
        "Patient.maritalStatus.text",
    "src.gender as g -> tgt.deceased = true; src.gender as g -> tgt.deceased = @2020-01-01;": "Patient.deceased[x]",
}  # fmt: skip


def faults(rules: str, folder: Path) -> list[tuple[str, str]]:
    file = folder / "case.map"
    file.write_text(MAP.replace("RULES", rules), encoding="utf-8")
    return [(fault.code, fault.element) for fault in run(MapSet([]).runnable(file), INPUT).faults]


@pytest.mark.parametrize(("forms", "element"), [(PRIMITIVE, "implicitRules"), (COMPLEX, "maritalStatus")])
def test_two_rules_in_whatever_forms(forms: dict[str, str], element: str, tmp_path: Path) -> None:
    names = list(forms)
    pairs = {*zip(names, [*names[1:], names[0]], strict=True), *zip(names, names, strict=True)}
    for first, second in sorted(pairs):
        rules = forms[first].replace("SOURCE", "gender") + "\n  " + forms[second].replace("SOURCE", "language")
        found = faults(rules, tmp_path)
        assert {code for code, _ in found} == {"FM415"}, (first, second)
        assert {path.removesuffix(".text") for _, path in found} == {f"Patient.{element}"}, (first, second)


@pytest.mark.parametrize("rules", ONE_ITEM)
def test_items_that_rules_take_up(rules: str, tmp_path: Path) -> None:
    assert faults(rules, tmp_path) == [("FM415", ONE_ITEM[rules])]


@pytest.mark.parametrize(
    "rules",
    [
        """src.photo as p -> tgt.maritalStatus = cc('z');
        src -> tgt.maritalStatus = cc('q') as m then {
          src.gender as g -> m.text = g; src.photo as p -> m.text = 'p'; };""",
        """src.photo as p -> tgt.maritalStatus = cc('z');
        src -> tgt.maritalStatus = cc('q') as m then {
          src.telecom as c where (value = '1') -> m.text = (%c.value); };""",
        """src -> tgt.telecom as o, o.period as p, p.start = '2020';
        src -> tgt.telecom as t single, t.value = 'x';""",
        "src -> tgt.telecom as t single, t.period = create('Period') as p, p.start = '2020', p.start = '2021';",
    ],
)
def test_a_part_of_its_own_whole_is_no_second_value(rules: str, tmp_path: Path) -> None:
    assert faults(rules, tmp_path) == []


def test_two_types_of_one_choice_meet_in_the_parts_of_their_values_too(tmp_path: Path) -> None:
    rules = """src -> tgt.deceased = create('dateTime') as d, d.value = '2020';
    src -> tgt.deceased = create('boolean') as b, b.id = 'i';"""
    assert faults(rules, tmp_path) == [("FM507", "Patient.deceased[x]")]
