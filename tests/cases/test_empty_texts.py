"""An empty text is no value: whatever computes one, no element is written, in FHIR trees and in records of models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.mapset import MapSet, run

PATIENT = "http://hl7.org/fhir/StructureDefinition/Patient"
FHIR = f'''uses "{PATIENT}" alias Patient as source
uses "{PATIENT}" alias Target as target
let blank = ' '.trim();
group main(source src : Patient, target tgt : Target) {{
  src -> tgt.active = true;
  RULE
}}
group named(source text, target name : HumanName) {{
  text -> name.family = text;
}}
'''
MODEL = f'''uses "{PATIENT}" alias Target as target
let blank = ' '.trim();
model Row from json key 'id' {{
  id : string 1..1
  gender : string
  language : string
  name : Name 0..*
}}
model Name {{
  text : string
}}
group main(source src : Row, target tgt : Target) {{
  src -> tgt.active = true;
  RULE
}}
group named(source text, target name : HumanName) {{
  text -> name.family = text;
}}
'''
INPUT = {"resourceType": "Patient", "id": "1", "gender": "male", "name": [{"text": "A"}]}
NOTHING = (
    "src -> tgt.language = (' '.trim());",
    "src -> tgt.language = (%src.language & %src.language);",
    "src -> tgt.language = ('a'.substring(1, 0) + '');",
    "src -> tgt.language = ('a'.replace('a', ''));",
    "src -> tgt.language = ('a'.replaceMatches('a', ''));",
    "src -> tgt.language = (''.upper());",
    "src -> tgt.language = (iif(%src.gender = 'male', ' '.trim(), 'x'));",
    "src -> tgt.language = (('' | 'a').first());",
    "src -> tgt.language = ('a'.select('').first());",
    "src -> tgt.language = (''.encode('base64'));",
    "src -> tgt.language = (({} | '').join(','));",
    "src -> tgt.language = (('' | ' '.trim()).min());",
    "src -> tgt.language = (''.defineVariable('v').skip(0));",
    "src -> tgt.language = ('a'.defineVariable('v', '').iif(true, %v));",
    "src -> tgt.language = (' '.trim().iif(true, $this));",
    "src -> tgt.language = (%blank);",
    "src -> tgt.language = blank;",
    "src -> tgt.language = append('', '');",
    "src -> tgt.language = escape('', 'xml', 'plain');",
    "src.gender as g -> tgt.language = truncate(g, 0);",
    "src -> tgt.language = cast((' '.trim()), 'string');",
    "src -> tgt.birthDate = cast((' '.trim()), 'date');",
    "src -> tgt.birthDate = (' '.trim());",
    "src -> tgt.language as l, l.value = (' '.trim());",
    "src -> tgt.language = (' '.trim()) as l, l.id = (' '.trim());",
    "src -> (' '.trim()) as t, tgt.language = t;",
    "src -> (' '.trim()) as t then { t as x -> tgt.language = x; };",
    "src -> ('|'.split('|')) as t then { t as x -> tgt.name as n, n.family = x; };",
    "src -> ('|'.split('|')) as t, tgt.name as n, n.given = t;",
    "src -> tgt.name as n, n.given = ('|'.split('|'));",
    "src -> tgt.name as n, n.family = ('|'.split('|'));",
    "src -> tgt.name as n, n.given = ('a'.toChars().select(''));",
    "src -> tgt.name as n, n.given = (%src.name.text.select($this.substring(1, 0)));",
    "src -> (' '.trim()) as t, tgt.name as n then named(t, n);",
    "src -> tgt.name as n then named((' '.trim()), n);",
    "src.name as s -> tgt.name as n then { s.text as t -> n.text = (%t.replace('A', '')); };",
    "src.language default (' '.trim()) as l -> tgt.language = l;",
    "src -> tgt.maritalStatus = cc((' '.trim()));",
    "src -> tgt.maritalStatus = (' '.trim());",
    "src -> tgt.maritalStatus = cc('http://s', (' '.trim()));",
    "src -> tgt.maritalStatus as m, m.coding = c('http://s', (' '.trim()), 'd');",
    "src -> tgt.managingOrganization = (' '.trim());",
    "src -> tgt.identifier = id('http://s', (' '.trim()));",
    "src -> tgt.telecom = cp('phone', (' '.trim()));",
    "src -> tgt.telecom = cp((' '.trim()));",
    "src -> tgt.language = (' '.trim()); src -> tgt.language = (''.trim());",
)  # fmt: skip
PARTS: dict[str, dict[str, Any]] = {
    "src -> tgt.maritalStatus = cc((' '.trim()), 'm', (''.trim()));": {"maritalStatus": {"coding": [{"code": "m"}]}},
    "src -> tgt.maritalStatus as m, m.coding = c(blank, 'm');": {"maritalStatus": {"coding": [{"code": "m"}]}},
    "src -> tgt.identifier = id((' '.trim()), 'm', (' '.trim()));": {"identifier": [{"value": "m"}]},
    "src -> tgt.telecom = cp((' '.trim()), '06');": {"telecom": [{"value": "06"}]},
    "src -> tgt.name as n, n.given = ('a||b'.split('|'));": {"name": [{"given": ["a", "b"]}]},
    "src -> tgt.name as n, n.family = ('|a'.split('|'));": {"name": [{"family": "a"}]},
    "src -> tgt.name as n, n.family = ('-' & ' '.trim());": {"name": [{"family": "-"}]},
    "src -> ('a||b'.split('|')) as t then { t as x where ($index = 2) -> tgt.language = x; };": {"language": "b"},
    "src -> tgt.language = (' '.trim()); src -> tgt.language = 'fr';": {"language": "fr"},
    "src -> tgt.language = 'fr'; src -> tgt.language = (' '.trim());": {"language": "fr"},
    "src -> tgt.extension as e, e.url = 'http://u', e.value = qty(5, (' '.trim()), blank, 'mg');": {
        "extension": [{"url": "http://u", "valueQuantity": {"value": 5, "code": "mg"}}]
    },
}


def outcome(rule: str, template: str, folder: Path, content: dict[str, Any] = INPUT) -> dict[str, Any]:
    file = folder / "case.map"
    file.write_text(template.replace("RULE", rule), encoding="utf-8")
    result = run(MapSet([]).runnable(file), content)
    assert [fault.code for fault in result.faults] == []
    assert result.resource is not None
    return json.loads(json.dumps(result.resource, default=float))  # type: ignore[no-any-return]


@pytest.mark.parametrize("template", [FHIR, MODEL], ids=["tree", "record"])
def test_an_empty_text_is_no_element(template: str, tmp_path: Path) -> None:
    found = {rule: outcome(rule, template, tmp_path) for rule in NOTHING}
    assert {rule: held for rule, held in found.items() if held != {"resourceType": "Patient", "active": True}} == {}


@pytest.mark.parametrize("template", [FHIR, MODEL], ids=["tree", "record"])
def test_an_empty_part_is_left_out(template: str, tmp_path: Path) -> None:
    found = {rule: outcome(rule, template, tmp_path) for rule in PARTS}
    wanted = {rule: {"resourceType": "Patient", "active": True, **held} for rule, held in PARTS.items()}
    assert {rule: held for rule, held in found.items() if held != wanted[rule]} == {}


def test_empty_texts_of_an_input_do_not_travel(tmp_path: Path) -> None:
    content = {
        "resourceType": "Patient",
        "language": "",
        "name": [{"family": "", "given": ["", "a"], "text": "t"}, {"given": [""]}],
        "contact": [{"name": {"given": ["", "b"], "_given": [{"id": "i"}, None]}}],
    }
    rules = """src.language as l -> tgt.language = l;
    src.name as n -> tgt.name = n;
    src.contact as c -> tgt.contact = c;
    src.name as s -> tgt.name as n then { s.family as f -> n.family = f; s.given as g -> n.given = g; };"""
    assert outcome(rules, FHIR, tmp_path, content) == {
        "resourceType": "Patient",
        "active": True,
        "name": [{"given": ["a"], "text": "t"}, {"given": ["a"]}],
        "contact": [{"name": {"given": [None, "b"], "_given": [{"id": "i"}, None]}}],
    }
