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
