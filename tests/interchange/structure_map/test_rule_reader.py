"""Rules of others' resources as the text of a map."""

from __future__ import annotations

from tests.interchange.structure_map.resources import line_of


def test_a_created_element_is_no_default_mapping() -> None:
    target = {"context": "tgt", "contextType": "variable", "element": "b"}
    assert line_of(source=[{"context": "src", "element": "a"}], target=[target]) == "src.a as vvv -> tgt.b;"


def test_values_of_r4_and_r6() -> None:
    source = {"context": "src", "element": "a", "variable": "v"}
    assert line_of(source=[{**source, "defaultValueCode": "x"}]) == "src.a default ('x') as v;"
    assert line_of(source=[{**source, "defaultValue": "'x'"}]) == "src.a default ('x') as v;"
    dependent = [{"name": "main", "variable": ["v", "'x'", "tgt"]}]
    assert line_of(source=[source], dependent=dependent) == "src.a as v then main(v, 'x', tgt);"


def test_odd_names_are_quoted() -> None:
    assert line_of(source=[{"context": "src", "element": "a-b", "variable": "v"}]) == "src.`a-b` as v;"


MESSAGE = "https://fhirmap.dev/StructureDefinition/check-message"


def checked(message: str | None, **rule: object) -> str:
    extension = [{"url": MESSAGE, "valueString": message}] if message else []
    source = {"context": "src", "element": "a", "variable": "v", "check": "v > 0", "extension": extension}
    return line_of(source=[source], **rule)


def test_the_message_of_a_check() -> None:
    assert checked("v is too low") == 'src.a as v check (v > 0) "v is too low";'
    assert checked("v is too low", name="low") == 'src.a as v check (v > 0) "v is too low" "low";'
    target = {"context": "tgt", "element": "b"}
    assert checked("low", target=[target]) == 'src.a as v check (v > 0) "low" -> tgt.b;'


def test_a_message_and_a_name_at_the_end_of_a_rule_are_kept_apart() -> None:
    # One word there would be read as the name, and a name of two as the message.
    assert checked("low") == 'src.a as v check (v > 0) "low" "a";'
    assert checked(None, name="low") == 'src.a as v check (v > 0) "low";'
    assert checked(None, name="too low") == 'src.a as v check (v > 0) "too-low";'
