"""Input of another shape than its type says is a fault of the record that names the element, wherever it is read."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.mapset import MapSet, Runnable, run
from fhirmap.texts import Text

PATIENT = "http://hl7.org/fhir/StructureDefinition/Patient"
MAP = f'''uses "{PATIENT}" alias Patient as source
uses "{PATIENT}" alias Target as target
group main(source src : Patient, target tgt : Target) {{
  RULES
}}
'''
READ = {
    "copied": "src.{name} as v -> tgt.{name} = v;",
    "default rule": "src.{name} -> tgt.{name};",
    "condition": "src where ({name}.exists()) -> tgt.active = true;",
    "expression": "src -> tgt.id = (%src.{name}.count().toString());",
    "children": "src -> tgt.id = (%src.children().count().toString());",
    "descendants": "src -> tgt.id = (%src.descendants().count().toString());",
}
SHAPES: tuple[tuple[str, Any, object], ...] = (
    ("name", {"family": "A"}, Text("values.a_list")),
    ("name", ["A"], Text("values.an_object")),
    ("name", [[{"family": "A"}]], Text("values.an_object")),
    ("name", "A", Text("values.a_list")),
    ("contact", {"gender": "male"}, Text("values.a_list")),
    ("extension", {"url": "u"}, Text("values.a_list")),
    ("contained", {"resourceType": "Group"}, Text("values.a_list")),
    ("gender", ["male", "female"], Text("values.one_value")),
    ("gender", {"value": "male"}, "code"),
    ("gender", 1, "code"),
    ("birthDate", 20200101, "date"),
    ("active", "true", "boolean"),
    ("maritalStatus", [{"text": "M"}], Text("values.one_value")),
    ("maritalStatus", "M", Text("values.an_object")),
)


@cache
def runnable(rules: str, folder: Path) -> Runnable:
    """A map of these rules, compiled once for all that it is given."""
    file = folder / "case.map"
    file.write_text(MAP.replace("RULES", rules), encoding="utf-8")
    return MapSet([]).runnable(file)


def faults(rules: str, content: Any, folder: Path) -> list[tuple[str, object, object]]:
    result = run(runnable(rules, folder), content)
    return [(fault.code, fault.args.get("name"), fault.args.get("wanted")) for fault in result.faults]


@pytest.mark.parametrize("form", READ)
def test_an_element_of_another_shape(form: str, tmp_path: Path) -> None:
    for name, held, wanted in SHAPES:
        content = {"resourceType": "Patient", name: held}
        assert faults(READ[form].format(name=name), content, tmp_path) == [("FM438", f"Patient.{name}", wanted)], (
            name,
            held,
        )


@pytest.mark.parametrize(
    ("held", "name", "wanted"),
    [
        ({"given": "a"}, "HumanName.given", Text("values.a_list")),
        ({"given": [{"value": "a"}]}, "HumanName.given", "string"),
        ({"given": ["a"], "_given": {"id": "i"}}, "HumanName._given", Text("values.a_list")),
        ({"family": ["a"]}, "HumanName.family", Text("values.one_value")),
        ({"family": "a", "_family": [{"id": "i"}]}, "HumanName._family", Text("values.one_value")),
        ({"given": ["a", "b"], "_given": [None, 5]}, "HumanName._given", Text("values.an_object")),
        ({"given": ["a"], "_given": [{"extension": 5}]}, "HumanName._given.extension", Text("values.a_list")),
        ({"period": "2020"}, "HumanName.period", Text("values.an_object")),
        ({"extension": [{"url": "u", "valueCoding": "x"}]}, "Extension.value", Text("values.an_object")),
    ],
)
def test_an_element_further_down(held: dict[str, Any], name: str, wanted: object, tmp_path: Path) -> None:
    rules = """src.name as n -> tgt.name as t then {
      n.given as g -> t.given = g;
      n.family as f -> t.family = f;
      n.period as p -> t.period = p;
      n.extension as e then { e.value as v -> t.extension as x, x.value = v; };
    };"""
    found = faults(rules, {"resourceType": "Patient", "name": [held]}, tmp_path)
    assert [fault for fault in found if fault[0] == "FM438"] == [("FM438", name, wanted)]


@pytest.mark.parametrize("form", READ)
def test_an_id_and_extensions_of_another_shape(form: str, tmp_path: Path) -> None:
    for held, name, wanted in (
        ("x", "_gender", "values.an_object"),
        (5, "_gender", "values.an_object"),
        ([{"id": "i"}], "_gender", "values.one_value"),
        ({"extension": 5}, "_gender.extension", "values.a_list"),
        ({"extension": {"url": "u"}}, "_gender.extension", "values.a_list"),
        ({"extension": ["x"]}, "_gender.extension", "values.an_object"),
    ):
        found = [("FM438", f"Patient.{name}", Text(wanted))]
        content: dict[str, Any] = {"resourceType": "Patient", "_gender": held}
        assert faults(READ[form].format(name="gender"), content, tmp_path) == found, held
        content["gender"] = "male"
        # What is there is there, whatever comes with it.
        assert faults(READ[form].format(name="gender"), content, tmp_path) == (found if form != "condition" else [])
        assert faults("src.birthDate as v -> tgt.birthDate = v;", content, tmp_path) == []


@pytest.mark.parametrize("content", [[], [{"resourceType": "Patient"}], "Patient", 5])
def test_an_input_that_is_no_object(content: object, tmp_path: Path) -> None:
    assert faults("src.name as n -> tgt.name = n;", content, tmp_path) == [
        ("FM438", "Patient", Text("values.an_object"))
    ]


def test_a_resource_of_another_type(tmp_path: Path) -> None:
    content = {"resourceType": "Observation", "status": "final"}
    assert faults("src.name as n -> tgt.name = n;", content, tmp_path) == [("FM438", None, "Patient")]


def test_numbers_may_be_texts_and_what_the_map_does_not_read_is_left_alone(tmp_path: Path) -> None:
    content = {"resourceType": "Patient", "multipleBirthInteger": "2", "photo": "x", "gender": ["male"]}
    assert faults("src.multipleBirth as m -> tgt.multipleBirth = m;", content, tmp_path) == []


@pytest.mark.parametrize("value", [{"valueDecimal": "x"}, {"valueDecimal": "NaN"}, {"valueQuantity": {"value": "x"}}])
def test_a_decimal_that_is_a_text_and_no_number_is_no_number(value: dict[str, Any], tmp_path: Path) -> None:
    content = {"resourceType": "Patient", "extension": [{"url": "u", **value}]}
    assert faults("src where (extension.value.distinct().count() = 1) -> tgt.active = true;", content, tmp_path) == []
    assert faults("src where ((extension | contact).exists()) -> tgt.active = true;", content, tmp_path) == []
    (fault,) = faults("src where (extension.value > 1) -> tgt.active = true;", content, tmp_path)
    assert fault[0] == "FM431"


def test_a_decimal_that_is_a_text_is_its_number(tmp_path: Path) -> None:
    content = {"resourceType": "Patient", "extension": [{"url": "u", "valueDecimal": "0.0"}]}
    rules = "src check (extension.value = 0) -> tgt.active = true; src check (extension.value + 1 = 1) -> tgt.id = 'a';"
    assert faults(rules, content, tmp_path) == []


@pytest.mark.parametrize("form", [*READ, "one type"])
def test_a_choice_of_several_types_is_no_value_of_one(form: str, tmp_path: Path) -> None:
    rules = {**READ, "one type": "src.deceased : boolean as v -> tgt.active = v;"}[form]
    content = {"resourceType": "Patient", "deceasedBoolean": True, "deceasedDateTime": "2020"}
    assert faults(rules.format(name="deceased"), content, tmp_path) == [("FM438", "Patient.deceased", None)]


def test_a_value_and_its_extensions_are_one(tmp_path: Path) -> None:
    extensions = [{"url": "urn:x", "valueString": "y"}]
    content = {
        "resourceType": "Patient",
        "deceasedBoolean": True,
        "_deceasedBoolean": {"extension": extensions},
        "deceasedDateTime": None,
    }
    assert faults(READ["copied"].format(name="deceased"), content, tmp_path) == []


@pytest.mark.parametrize("rules", ["src.e as e -> tgt.e = e;", "src.e first as e -> tgt.e = e first;"])
def test_lists_in_a_list_of_no_type_are_copied(rules: str, tmp_path: Path) -> None:
    file = tmp_path / "case.map"
    file.write_text(f"group main(source src, target tgt) {{ src.e as e -> tgt.e = e; {rules} }}", encoding="utf-8")
    content = {"e": [["a"], ["b"]]}
    resource = run(MapSet([]).runnable(file), content).resource
    assert resource is not None
    assert content == {"e": [["a"], ["b"]]}
    for entry in resource["e"]:
        if isinstance(entry, list):
            entry.append("c")
    assert content == {"e": [["a"], ["b"]]}


def test_items_below_items(tmp_path: Path) -> None:
    response = "http://hl7.org/fhir/StructureDefinition/QuestionnaireResponse"
    map_text = f'''uses "{response}" alias QR as source
    uses "{PATIENT}" alias Target as target
    group main(source src : QR, target tgt : Target) {{ src -> tgt.id = (%src.repeat(item).count().toString()); }}
    '''
    (tmp_path / "case.map").write_text(map_text, encoding="utf-8")
    transform = MapSet([]).runnable(tmp_path / "case.map")
    deep = {"linkId": "a", "item": [{"linkId": "b", "item": [{"linkId": "a"}, {"linkId": "c"}]}]}
    for held, found, name in (
        ([deep, {"linkId": "a"}], "4", None),
        ([{"linkId": "a", "item": {"linkId": "b"}}], None, "QuestionnaireResponse.item.item"),
        ([{"linkId": 5, "item": [{"linkId": 5}]}, {"linkId": 5}], "2", None),
    ):
        result = run(transform, {"resourceType": "QuestionnaireResponse", "item": held})
        assert (result.resource or {}).get("id") == found
        assert [fault.args.get("name") for fault in result.faults] == ([] if name is None else [name])
