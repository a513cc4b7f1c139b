"""FHIR JSON read as it came, and the same map over items: what comes of a record is the same, whatever it holds."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from fhirmap.analysis.inference import groups, sources
from fhirmap.compilation.maps import compile_map
from fhirmap.records import Result
from fhirmap.runtime.transformer import Transformer
from fhirmap.texts import Text

FHIR = "http://hl7.org/fhir/StructureDefinition"
PATIENT_MAP = f"""\
/// url = 'http://x.example/StructureMap/patients'
uses "{FHIR}/Patient" alias Patient as source
uses "{FHIR}/Patient" alias Target as target
group main(source src : Patient, target tgt : Target) {{
  src.name as n -> tgt.name as t then names(n, t) "name";
  src.name as n where (use = 'official') -> tgt.contact as c then {{
    n.family as f -> c.name as cn, cn.family = f "family";
  }} "official";
  src.name as n where (use = 'usual') -> tgt.link as l, l.type = 'seealso', l.other as o,
    o.display = (n.family) "usual";
  src.name as n where (family.exists() and use != 'old') -> tgt.communication as c, c.preferred = true "known";
  src.active as a -> tgt.active = a "active";
  src.birthDate as b -> tgt.birthDate = b "birth";
  src.deceased : boolean as d -> tgt.deceased = d "dead";
  src.deceased : dateTime as d -> tgt.deceased = d "died";
  src.multipleBirth as m -> tgt.multipleBirth = m "births";
  src.extension as e then {{
    e.value : string as v -> tgt.extension as x, x.url = 'text', x.value = v "text";
    e.value as v -> tgt.extension as x, x.url = 'any', x.value = v "any";
  }} "extension";
  src.maritalStatus as m -> tgt.maritalStatus = m "status";
  src.identifier -> tgt.identifier "identifier";
  src -> tgt.language = (src.communication.language.text) "language";
  src.contact as c where (gender = 'male' and name.family.exists()) -> tgt.photo as p,
    p.title = (c.name.family), p.size = (src.name.count()) "contact";
}}
group names(source n, target t) {{
  n.family as f -> t.family = f "family";
  n.given as g -> t.given = g "given";
  n.given as g where ($this.startsWith('A')) -> t.suffix = g "suffix";
  n.period as p -> t.period = p "period";
  n.use as u where ($this = 'official' or $this = 'usual') -> t.use = u, t.text = append('u', u) "use";
}}
"""
PATIENT = {
    "resourceType": "Patient",
    "active": True,
    "name": [{"use": "official", "family": "A", "given": ["Ada", "Bo"], "period": {"start": "2020"}}, {"use": "usual"}],
    "birthDate": "2020-01-01",
    "deceasedBoolean": False,
    "multipleBirthInteger": 2,
    "extension": [{"url": "u", "valueString": "y"}, {"url": "v", "valueCoding": {"system": "s", "code": "c"}}],
    "maritalStatus": {"text": "M"},
    "identifier": [{"system": "a", "value": "b"}],
    "communication": [{"language": {"text": "de"}}],
    "contact": [{"gender": "male", "name": {"family": "C"}}],
}
ANSWERS_MAP = f"""\
/// url = 'http://x.example/StructureMap/answers'
uses "{FHIR}/QuestionnaireResponse" alias QR as source
uses "{FHIR}/Patient" alias Patient as target
group main(source src : QR, target tgt : Patient) {{
  src.item as page then {{
    page.item as q where (linkId = 'sex') -> tgt.gender = (q.answer.valueString) "sex";
    page.item as q where ('name' = q.linkId) then {{
      q.answer as a -> tgt.name as n, n.family = (a.valueString) "family";
      q.answer as a then {{ a.value as v -> tgt.name as n, n.text = v "text"; }} "texts";
    }} "name";
  }} "page";
}}
"""
JUNK: tuple[Any, ...] = (
    None, "", "x", 5, True, False, 0, {}, [], [None], {"a": 1}, ["x"], [{}], [[]], "2020",
    {"extension": [{"url": "q", "valueString": "z"}]},
)  # fmt: skip
COMPARED_ALONE = ("use", "gender", "linkId")
"""Primitives whose extensions no rule reads: items look at them all the same."""


def answers(others: int) -> dict[str, Any]:
    """A response with as many questions that no rule asks for."""
    said = {"name": "A", "sex": "female"} | {f"q{number}": "x" for number in range(others)}
    items = [{"linkId": link, "answer": [{"valueString": text}]} for link, text in said.items()]
    return {"resourceType": "QuestionnaireResponse", "item": [{"linkId": "page", "item": items}]}


CASES = {"patient": (PATIENT_MAP, PATIENT), "few": (ANSWERS_MAP, answers(2)), "many": (ANSWERS_MAP, answers(30))}


def over_items(text: str, monkeypatch: pytest.MonkeyPatch) -> Transformer:
    """The map where no source is known to be an object."""
    with monkeypatch.context() as patched:
        for module in (groups, sources):
            patched.setattr(module, "is_object", lambda *_: False)
        return compile_map(text, validate=False)


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if above:
        yield above
    for key, entry in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(entry, (*above, key))


def changed(content: dict[str, Any], random: Random) -> dict[str, Any]:
    """The content with something else somewhere: of another type, absent, twice, with extensions."""
    made = deepcopy(content)
    for _ in range(random.choice((1, 1, 2))):
        *above, last = random.choice(list(places(made)))
        node: Any = made
        for key in above:
            node = node[key]
        way = random.choice(("other", "other", "absent", "more"))
        if way == "other":
            node[last] = deepcopy(random.choice(JUNK))
        elif way == "absent":
            del node[last]
        elif isinstance(node, list):
            node.insert(0, deepcopy(random.choice((*JUNK, node[last]))))
        elif _takes_extensions(last, node[last]):
            node[f"_{last}"] = deepcopy(random.choice(({"id": "i"}, [None, {"id": "i"}], "x", None, {})))
        else:
            node[random.choice(("valueInteger", "deceasedDateTime", "name"))] = deepcopy(random.choice(JUNK))
    return made


def _takes_extensions(key: Any, value: Any) -> bool:
    is_primitive = isinstance(value, str | bool) or (isinstance(value, list) and isinstance((value or [0])[0], str))
    return is_primitive and key not in (*COMPARED_ALONE, "resourceType") and not str(key).startswith("_")


def outcome(result: Result) -> Any:
    """What comes of a record; of one with faults, that it has some: rules end at the first, in another order."""
    return "faulty" if result.faults else result.resource


@pytest.mark.parametrize("name", CASES)
def test_the_same_comes_of_objects_and_of_items(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, content = CASES[name]
    as_objects, as_items = compile_map(text, validate=False), over_items(text, monkeypatch)
    assert ".get(" in as_objects.source
    assert as_objects.source != as_items.source
    assert as_objects(content).resource == as_items(content).resource
    assert not as_objects(content).faults
    random, faulty = Random(name), 0
    for _ in range(400):
        other = changed(content, random)
        before = deepcopy(other)
        found, wanted = as_objects(other), as_items(other)
        assert outcome(found) == outcome(wanted), other
        assert other == before
        assert {fault.code for fault in found.faults} <= {fault.code for fault in wanted.faults} | {"FM404"}
        faulty += bool(found.faults)
    assert 20 < faulty < 380


def test_the_generated_code_says_where_it_goes_by_items() -> None:
    code = compile_map(PATIENT_MAP, validate=False).source
    for why in (
        "by items: multipleBirth may be of several types",
        "by items: there is no value, or it has extensions, or another shape or type",
    ):
        assert f"# {why}\n" in code
    named = compile_map(ANSWERS_MAP, validate=False).source
    assert "for q in item if len(item) < 16 else run.found(page, " in named


def test_an_element_that_is_no_list_is_named() -> None:
    transform = compile_map(ANSWERS_MAP, validate=False)
    for held in (5, "x", {"a": 1}, True, 0, ""):
        faults = transform({"resourceType": "QuestionnaireResponse", "item": held}).faults
        named = ("FM438", "QuestionnaireResponse.item", Text("values.a_list"))
        assert [(fault.code, fault.args.get("name"), fault.args.get("wanted")) for fault in faults] == [named], held
        assert faults[0].position.endswith(":5:3")


LISTS_MAP = f"""\
/// url = 'http://x.example/StructureMap/lists'
uses "{FHIR}/QuestionnaireResponse" alias QR as source
uses "{FHIR}/Patient" alias Patient as target
group main(source src : QR, target tgt : Patient) {{
  src.item.item.answer as a -> tgt.contact as c, c.id = (a.id) "path";
  src.item as i, i.answer as a -> tgt.contact as c, c.id = (a.id) "two";
  src.extension as e then {{ e.value : CodeableConcept as v then {{
    v.coding as c -> tgt.maritalStatus as m, m.coding = c "coding";
  }} "value"; }} "extension";
  src.contained : Patient as p then {{ p.contact.telecom as t -> tgt.telecom = t "telecom"; }} "contained";
}}
"""


@pytest.mark.parametrize("number", [5, True, Decimal("1.5")])
@pytest.mark.parametrize(
    ("held", "named"),
    [
        ({"item": [{"item": "?"}]}, {"path": "QuestionnaireResponse.item.item"}),
        ({"item": [{}, {"item": [{"answer": [{}]}, {"answer": "?"}]}]}, {"path": "QuestionnaireResponse.item.answer"}),
        ({"item": [{"answer": "?"}]}, {"two": "QuestionnaireResponse.item.answer"}),
        ({"extension": "?"}, {"extension": "QuestionnaireResponse.extension"}),
        ({"extension": [{"valueCodeableConcept": {"coding": "?"}}]}, {"coding": "CodeableConcept.coding"}),
        ({"contained": "?"}, {"contained": "QuestionnaireResponse.contained"}),
        ({"contained": [{"resourceType": "Patient", "contact": "?"}]}, {"telecom": "Patient.contact"}),
        ({"item": [{"item": "?", "answer": "?"}], "extension": "?"}, {
            "path": "QuestionnaireResponse.item.item",
            "two": "QuestionnaireResponse.item.answer",
            "extension": "QuestionnaireResponse.extension",
        }),
    ],
)  # fmt: skip
def test_a_number_in_the_place_of_a_list_is_named_by_the_rule_that_goes_through_it(
    held: dict[str, Any], named: dict[str, str], number: Any
) -> None:
    transform = compile_map(LISTS_MAP, validate=False)
    faults = transform({"resourceType": "QuestionnaireResponse", **with_number(held, number)}).faults
    rules = {rule: LISTS_MAP[: LISTS_MAP.index(f'"{rule}"')].count("\n") + 1 for rule in named}
    rules |= {"coding": 8, "extension": 7, "contained": 10}
    assert {(fault.code, fault.args["name"], fault.position.split(":")[-2]) for fault in faults} == {
        ("FM438", element, str(rules[rule])) for rule, element in named.items()
    }


def with_number(held: Any, number: Any) -> Any:
    """What is held, with the number where there is a `?`."""
    if isinstance(held, dict):
        return {key: with_number(entry, number) for key, entry in held.items()}
    return [with_number(entry, number) for entry in held] if isinstance(held, list) else number if held == "?" else held


def test_a_single_element_that_one_rule_repeats_keeps_one_value() -> None:
    transform = compile_map(ANSWERS_MAP.replace("tgt.name as n, n.family", "tgt.gender"), validate=False)
    assert "if 'gender' not in tgt:" not in transform.source, "two rules write it"
    alone = """group main(source src : QR, target tgt : Patient) {
      src.item as page then { page.item as q -> tgt.gender = (q.text) "g"; } "page"; }"""
    transform = compile_map(ANSWERS_MAP.partition("group ")[0] + alone, validate=False)
    assert "if 'gender' not in tgt:" in transform.source

    def outcome_of(*items: dict[str, Any]) -> tuple[Any, list[str]]:
        result = transform({"resourceType": "QuestionnaireResponse", "item": [{"item": list(items)}]})
        return result.resource, [fault.code + fault.variant for fault in result.faults]

    one, other = {"text": "male"}, {"text": "female"}
    with_extensions = {"text": "male", "_text": {"id": "i"}}
    patient = {"resourceType": "Patient", "gender": "male"}
    assert outcome_of(one, one) == (patient, [])
    assert outcome_of(one, other) == (patient, ["FM415repeats"])
    assert outcome_of(one, with_extensions) == (patient | {"_gender": {"id": "i"}}, [])
    assert outcome_of(with_extensions, one) == (patient | {"_gender": {"id": "i"}}, [])
    assert outcome_of(other, with_extensions)[1] == ["FM415repeats"]


CHOICE_MAP = f"""\
/// url = 'http://x.example/StructureMap/choices'
uses "{FHIR}/QuestionnaireResponse" alias QR as source
uses "{FHIR}/Observation" alias Observation as target
group main(source src : QR, target tgt : Observation) {{
  src.item as i then {{ i.answer as a then {{
    a.value : Coding as c -> tgt.category = cc(c.system, c.code), tgt.note as n, n.text = (c.display) "coded";
    a.value : Quantity as q then {{ q.unit as u -> tgt.note as n, n.text = u "unit"; }} "quantity";
    a.value : decimal as d -> tgt.component as o, o.value = create('Quantity') as v, v.value = d "number";
  }} "answer"; }} "item";
}}
"""


def test_an_object_of_a_choice_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    as_objects, as_items = compile_map(CHOICE_MAP, validate=False), over_items(CHOICE_MAP, monkeypatch)
    assert "fp.object_of_choice(a, " in as_objects.source
    coding, quantity = {"system": "s", "code": "c", "display": "d"}, {"value": 1, "unit": "mg"}
    each: tuple[dict[str, Any], ...] = (
        {"valueCoding": coding},
        {"valueQuantity": quantity},
        {"valueCoding": coding, "valueQuantity": None},
        {"valueCoding": coding, "valueString": "x"},
        {"valueCoding": "c"},
        {"valueCoding": [coding]},
        {"valueCoding": {}},
        {"valueDecimal": Decimal("1.50")},
        {"valueDecimal": 2},
        {"valueDecimal": "2"},
        {"valueDecimal": 2, "_valueDecimal": {"id": "i"}},
        {},
    )
    for answer in each:
        record = {"resourceType": "QuestionnaireResponse", "item": [{"answer": [answer]}]}
        assert outcome(as_objects(record)) == outcome(as_items(record)), answer


BUNDLE_MAP = f"""\
/// url = 'http://x.example/StructureMap/bundles'
uses "{FHIR}/Bundle" alias Bundle as source
uses "{FHIR}/Patient" alias Patient as source
uses "{FHIR}/Person" alias Person as target
group main(source src : Bundle, target tgt : Person) {{
  src.entry as e then {{ e.resource : Patient as p then patient(p, tgt) "patient"; }} "entry";
}}
group patient(source p : Patient, target tgt : Person) {{
  p.gender as g -> tgt.gender = g "gender";
  p.contained : Organization as o then {{ o.name as n -> tgt.name as m, m.text = n "name"; }} "contained";
}}
"""


def test_a_resource_of_one_type_is_read_where_there_may_be_any(monkeypatch: pytest.MonkeyPatch) -> None:
    as_objects, as_items = compile_map(BUNDLE_MAP, validate=False), over_items(BUNDLE_MAP, monkeypatch)
    assert "fp.child" not in as_objects.source
    organization = {"resourceType": "Organization", "name": "O"}
    patient = {
        "resourceType": "Patient",
        "gender": "male",
        "contained": [{"resourceType": "Group"}, None, organization],
    }
    resources: tuple[Any, ...] = (
        patient,
        {"resourceType": "Group", "gender": "male"},
        {"gender": "male"},
        None,
        "Patient",
        [patient],
        patient | {"contained": organization},
        patient | {"contained": ["Organization"]},
        patient | {"contained": [{"name": "O"}]},
    )
    for resource in resources:
        found, wanted = (
            transform({"resourceType": "Bundle", "entry": [{"resource": resource}]})
            for transform in (as_objects, as_items)
        )
        assert (found.resource, found.faults) == (wanted.resource, wanted.faults), resource


RULES = (
    "src -> tgt.language = (%resource.id);",
    "src -> tgt.id = (%resource.name.count().toString());",
    "src.managingOrganization as o -> tgt.language = (o.resolve().id);",
    "src.managingOrganization as o where (resolve().exists()) -> tgt.active = true;",
    "src.name as a, src.name as b where (%a.family = %b.family) -> tgt.name as n, n.family = (%a.family & %b.use);",
    "src.name first as a, src.birthDate as b -> tgt.birthDate = b, tgt.name as n, n.family = (a.family);",
    "src as p where (name.exists(use = 'official')) -> tgt.active = true;",
    "src : Patient as p -> tgt.active = (p.active);",
    "src.name as n -> tgt.name as m share x then { n.given as g -> m.given = g; };",
    "src.name as n check (family.exists()) -> tgt.active = true;",
    "src.name as n log (family) -> tgt.active = true;",
    "src.name as n where ($index = 1) -> tgt.name as m, m.text = (n.family);",
    "src.name 1..1 as n -> tgt.name = n;",
    "src.name last as n -> tgt.name = n first;",
    "src.gender as g -> tgt.gender = (%g), tgt.language = append(g, '-', src.id);",
    "src.name.given as g -> tgt.name as n, n.given = g, n.text = (g.length().toString());",
    "src -> tgt.name = create('HumanName') as n then { src.name as a -> n.family = (a.family.first()); };",
    "src -> evaluate(src, $this.name.given.first()) as q then { q as z -> tgt.language = z; };",
    "src.name as n then h(n, tgt);",
    "src -> tgt.name as t then { src.name as n -> t.period = (n.period) as pp then { n.use as u -> t.use = u; }; };",
    "src.birthDate as b -> tgt.birthDate = b as t then { b.extension as e -> t.extension = e; };",
    "src.gender as v where (v in ('male' | 'female')) -> tgt.gender = v;",
    "src.name as n where (n.given contains 'Bo') -> tgt.active = true;",
    "src.name as n where (n.given.where($this = 'Bo').exists() and (n.use = 'old').not()) -> tgt.active = false;",
    "src.multipleBirth as m where (m is integer) -> tgt.multipleBirth = m;",
    "src.name as n where (iif(use.exists(), use, 'no') = 'no') -> tgt.language = (iif(n.use.exists(), n.use, 'no'));",
    "src.name as n -> tgt.contact as c, c.name = n, c.gender = cast(src.gender, 'code');",
    "src.identifier as i -> tgt.identifier = id(i.system, i.value);",
    "src.name -> tgt.name;",
    "src.contact as c -> tgt.contact as d then { c.name as n -> d.name = n; c.name -> d.name; };",
    "src.deceased as d -> tgt.deceased = d;",
    "src.contained as o where (o is Organization) -> tgt.language = (o.name);",
    "src.communication as c -> tgt.communication as d, d.language = (c.language), d.preferred = (c.preferred);",
    "src.active as a where (a) -> tgt.active = a;",
    "src.name as n where (n.family.startsWith('A') or n.family.matches('^B')) -> tgt.active = true;",
    "src.name as n where (n.family = n.use) -> tgt.active = true;",
    "src.name as n where (n.period.start < @2021) -> tgt.active = true;",
    "src.name as n -> tgt.name as m, m.family = (n.family | n.text);",
    "src.photo as p where (p.size > 3) -> tgt.photo as q, q.size = (p.size + 1);",
    "src.name as n where (n.family.value = 'A') -> tgt.language = (n.family.value);",
    "src.name as n where (family.value in ('B' | 'X')) -> tgt.name as m, m.family = (n.family.value);",
    "src.name as n where (n.given.value contains 'Bo') -> tgt.name as m, m.given = (n.given.value);",
    "src.name as n where (family.value.exists()) -> tgt.name as m, m.text = (n.family.value & '!');",
    "src.active as a where (a.value) -> tgt.active = (src.active.value);",
    "src -> tgt.birthDate = (src.birthDate.value);",
    "src where (birthDate.value = @2020-01-01) -> tgt.active = true;",
    "src -> tgt.language = (src.birthDate.extension.value);",
    "src -> tgt.language = (src.name.family.id);",
)
"""Sources, conditions and targets of all kinds."""
EVERYTHING = {
    "resourceType": "Patient",
    "id": "p",
    "active": True,
    "birthDate": "2020-01-01",
    "_birthDate": {"extension": [{"url": "u", "valueString": "x"}]},
    "gender": "male",
    "name": [
        {"use": "official", "family": "A", "given": ["Ann", "Bo"], "period": {"start": "2020"}},
        {"family": "B", "_family": {"id": "f"}, "given": ["Bo"], "_given": [{"id": "g"}]},
        {"use": "X", "family": "X"},
    ],
    "multipleBirthInteger": 2,
    "deceasedBoolean": False,
    "managingOrganization": {"reference": "#o"},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Org"}],
    "identifier": [{"system": "s", "value": "v"}, {"value": "w"}],
    "contact": [{"name": {"family": "C"}}],
    "communication": [{"language": {"text": "de"}, "preferred": True}],
    "photo": [{"size": 5}, {"size": "7"}],
}
GROUPS = f"""\
/// url = 'http://x.example/StructureMap/m'
uses "{FHIR}/Patient" alias Patient as source
uses "{FHIR}/Patient" alias Target as target
uses "{FHIR}/Organization" alias Organization as source
group main(source src : Patient, target tgt : Target) {{
  RULE
}}
group h(source n, target t) {{
  n.use as u -> t.language = u;
  n.given as g -> t.name as m, m.given = g;
}}
"""


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_any_kind_says_the_same(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GROUPS.replace("RULE", rule)
    found, wanted = (made(EVERYTHING) for made in (compile_map(text, validate=False), over_items(text, monkeypatch)))
    assert (found.resource, found.notes) == (wanted.resource, wanted.notes)
    assert found.faults == wanted.faults
    assert found.resource is not None
