"""Steps of rules that may multiply are counted: a record that takes too many is at fault, and no other loop counts."""

from __future__ import annotations

import pytest

from fhirmap import Transformer, compile_map
from fhirmap.compilation.files import shipped_folder
from fhirmap.runner.map_work import compiled_project
from fhirmap.runner.program import check_project
from fhirmap.runner.project_file import load_project
from fhirmap.runtime import context

_HEAD = """uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
group main(source src : Patient, target tgt : Basic) { src.id as v -> tgt.language = v "id"; RULE }
"""
_NAMES = {"resourceType": "Patient", "id": "fr", "name": [{"family": str(rank)} for rank in range(20)]}


def _compiled(rule: str, more: str = "") -> Transformer:
    return compile_map(_HEAD.replace("RULE", rule) + more, validate=False)


_NESTED = 'src.name as a then { src.name as b then { src.name as c -> tgt.id = "x" "c"; } "b"; } "a";'.replace(
    '"x"', "'x'"
)
_LISTED = "src.name as a, src.name as b, src.name as c -> tgt.id = 'x' \"c\";"
_DOUBLED = 'src.id as i then walk(src, tgt) "z";'
_WALK = """group walk(source src : Patient, target tgt : Basic) {
  src where (id = 'fr') -> tgt then walk(src, tgt) "a";
  src where (id = 'fr') -> tgt then walk(src, tgt) "b";
}
"""


@pytest.mark.parametrize(("rule", "more"), [(_NESTED, ""), (_LISTED, ""), (_DOUBLED, _WALK)])
def test_a_record_that_takes_too_many_steps_is_at_fault_alone(
    monkeypatch: pytest.MonkeyPatch, rule: str, more: str
) -> None:
    monkeypatch.setattr(context.RecordRun, "steps_left", 2_000)
    transformer = _compiled(rule, more)
    result = transformer(_NAMES)
    assert [(fault.code, fault.variant) for fault in result.faults] == [("FM414", "steps")]
    assert result.resource is None
    assert result.faults[0].position
    other = transformer({"resourceType": "Patient", "id": "en", "name": []})
    assert not other.faults
    assert other.resource == {"resourceType": "Basic", "language": "en"}


@pytest.mark.parametrize(
    "rule",
    [
        'src.name as n -> tgt.language = (%src.name.distinct().count().toString()) "n";',
        "src.name as n where (%src.name.family.distinct().count() > 1) -> tgt.language = 'x' \"n\";",
        "src.name as n where (%src.name.where(family = %n.family).empty()) -> tgt.language = 'x' \"n\";",
        'src.name as n then { n -> tgt.language = (%src.name.family.join(\',\')) "m"; } "n";',
    ],
)
def test_what_a_rule_goes_through_again_for_each_item_of_its_own_loop_is_counted(
    monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    transformer = compile_map(_HEAD.replace('src.id as v -> tgt.language = v "id"; RULE', rule), validate=False)
    few = {**_NAMES, "name": [{"family": "a"}]}
    assert not transformer(few).faults
    assert not transformer(_NAMES).faults
    monkeypatch.setattr(context.RecordRun, "steps_left", 300)
    assert not transformer(few).faults
    assert [(fault.code, fault.variant) for fault in transformer(_NAMES).faults] == [("FM414", "steps")]


@pytest.mark.parametrize(
    "rule",
    [
        'src.name as a then { a.given as b -> tgt.id = b "b"; } "a";',
        'src.contact as a then { a.telecom as b then { b.extension as c -> tgt.id = \'x\' "c"; } "b"; } "a";',
        "src.name as a -> tgt.id = 'x' \"a\"; src.telecom as b -> tgt.id = 'x' \"b\";",
    ],
)
def test_loops_that_go_down_the_record_are_not_counted(rule: str) -> None:
    assert "spend(" not in _compiled(rule).source
    assert "spend(" in _compiled(_NESTED).source


@pytest.mark.parametrize("name", ["ch-valmorel", "ch-lanvern", "clinique-roc-noir"])
def test_nothing_of_the_shipped_maps_is_counted(name: str) -> None:
    project = load_project(shipped_folder("examples") / name)
    assert "spend(" not in compiled_project(project, check_project(project)).map.text
