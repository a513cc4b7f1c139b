"""Maps as StructureMap resources: shapes, round trips, what is told, and resources that are not as they should be."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhirmap.interchange.formats import json_text
from fhirmap.interchange.structure_map import (
    FhirVersion,
    WrittenMap,
    read_structure_map,
    structure_map_to_text,
    write_structure_map,
)
from fhirmap.language import nodes as n
from fhirmap.language.format import format_map
from fhirmap.language.parser import parse
from tests.language import strategies
from tests.language.corpus import CONSTRUCTS, suite_maps

ROOT = Path(__file__).resolve().parents[3]
VERSIONS: tuple[FhirVersion, ...] = ("R4", "R5")
_QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=150)
HEAD = "/// url = 'http://example.org/StructureMap/a'\n/// name = 'a'\n"


def written(rules: str, version: FhirVersion = "R5", head: str = "", **options: Any) -> WrittenMap:
    """A map of one group with these rules."""
    text = f"{HEAD}{head}\ngroup main(source src, target tgt) {{\n{rules}\n}}\n"
    tree, told = parse(text)
    assert not [entry.message for entry in told]
    return write_structure_map(tree, version, **options)


def rules(text: str, version: FhirVersion = "R5", head: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = written(text, version, head).resource["group"][0]["rule"]
    return found


def targets(text: str, version: FhirVersion = "R5") -> list[dict[str, Any]]:
    (rule,) = rules(f"src.a as v -> {text};", version)
    found: list[dict[str, Any]] = rule["target"]
    return found


def codes(found: WrittenMap) -> list[str]:
    return [entry.code + entry.variant for entry in found.diagnostics]


def through(text: str, version: FhirVersion) -> tuple[str, str]:
    """The text of a map that went through its resource, and the resource as JSON."""
    tree, told = parse(text)
    assert not [entry.message for entry in told if entry.is_error]
    resource = json_text(write_structure_map(tree, version).resource)
    back, lost = structure_map_to_text(json.loads(resource, parse_float=Decimal), "map.json")
    assert lost == ()
    return back, resource


# --- text → resource --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        ("tgt.x = v", "R5", {"transform": "copy", "parameter": [{"valueId": "v"}]}),
        ("tgt.x = 'a'", "R5", {"transform": "copy", "parameter": [{"valueString": "a"}]}),
        ("tgt.x = 5", "R5", {"transform": "copy", "parameter": [{"valueInteger": 5}]}),
        ("tgt.x = -1.50", "R4", {"transform": "copy", "parameter": [{"valueDecimal": Decimal("-1.50")}]}),
        ("tgt.x = true", "R5", {"transform": "copy", "parameter": [{"valueBoolean": True}]}),
        ("tgt.x = @2024-05", "R5", {"transform": "copy", "parameter": [{"valueDate": "2024-05"}]}),
        ("tgt.x = @2024-05", "R4", {"transform": "evaluate", "parameter": [{"valueString": "@2024-05"}]}),
        ("tgt.x = @T10:11:12", "R5", {"transform": "copy", "parameter": [{"valueTime": "10:11:12"}]}),
        ("tgt.x = @T10:11", "R5", {"transform": "evaluate", "parameter": [{"valueString": "@T10:11"}]}),
        ("tgt.x = @2024T", "R5", {"transform": "copy", "parameter": [{"valueDateTime": "2024"}]}),
        ("tgt.x = 5 days", "R5", {"transform": "evaluate", "parameter": [{"valueString": "5 days"}]}),
        ("tgt.x = ''", "R5", {"transform": "evaluate", "parameter": [{"valueString": "''"}]}),
        ("tgt.x = v.b", "R5", {"transform": "evaluate", "parameter": [{"valueString": "v.b"}]}),
        ("tgt.x = (v.b + 1)", "R5", {"transform": "evaluate", "parameter": [{"valueString": "v.b + 1"}]}),
        (
            "tgt.x = evaluate(v, 'lit')",
            "R4",
            {"transform": "evaluate", "parameter": [{"valueId": "v"}, {"valueString": "'lit'"}]},
        ),
        (
            "tgt.x = truncate(v, 3)",
            "R4",
            {"transform": "truncate", "parameter": [{"valueId": "v"}, {"valueInteger": 3}]},
        ),
        ("tgt.x = create('Y')", "R4", {"transform": "create", "parameter": [{"valueString": "Y"}]}),
    ],
)
def test_transforms(text: str, version: FhirVersion, expected: dict[str, Any]) -> None:
    (target,) = targets(text, version)
    place = {"context": "tgt", "element": "x"}
    assert target == {**place, **({"contextType": "variable"} if version == "R4" else {}), **expected}


def test_decimals_keep_their_digits() -> None:
    assert '"valueDecimal": 1.50' in through("group main(source src, target tgt) { src -> tgt.x = 1.50; }", "R4")[1]


def test_an_expression_among_parameters_is_computed_before() -> None:
    lifted, target = targets("tgt.x = append(v, v.b & 'c')")
    assert lifted == {"variable": "t1", "transform": "evaluate", "parameter": [{"valueString": "v.b & 'c'"}]}
    assert target["parameter"] == [{"valueId": "v"}, {"valueId": "t1"}]


def test_computed_variables_have_no_context() -> None:
    assert targets("(1 + 2) as three") == [
        {"variable": "three", "transform": "evaluate", "parameter": [{"valueString": "1 + 2"}]}
    ]


def test_default_mapped_rules() -> None:
    (rule,) = rules("src.a -> tgt.b;", "R4")
    assert rule == {
        "name": "a",
        "source": [{"context": "src", "element": "a", "variable": "vvv"}],
        "target": [
            {"context": "tgt", "contextType": "variable", "element": "b", "variable": "vvv", "transform": "create"}
        ],
    }


def test_batches() -> None:
    found = rules('src -> tgt : a, b; src -> tgt : c, d "more";')
    assert [rule["name"] for rule in found] == ["unnameda", "unnamedb", "morec", "mored"]


def test_names_of_rules() -> None:
    found = rules('src.a as v; src.a : Quantity as v; src.a as w; src as x; src.a as y "given name";')
    assert [rule["name"] for rule in found] == ["a", "aQuantity", "a-2", "rule-4", "given-name"]


def test_sources() -> None:
    line = "src.a : Q 0..* default (1 + 2) first as v where (v > 1) check (true) log ('x') -> tgt.b = v;"
    (rule,) = rules(line)
    assert rule["source"] == [
        {
            "defaultValue": "1 + 2",
            "context": "src",
            "min": 0,
            "max": "*",
            "type": "Q",
            "element": "a",
            "listMode": "first",
            "variable": "v",
            "condition": "v > 1",
            "check": "true",
            "logMessage": "'x'",
        }
    ]


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        ("'x'", {"defaultValueString": "x"}),
        ("5", {"defaultValueInteger": 5}),
        ("@2024-05-01", {"defaultValueDate": "2024-05-01"}),
    ],
)
def test_defaults_of_r4_are_values(default: str, expected: dict[str, Any]) -> None:
    (source,) = rules(f"src.a default ({default}) as v;", "R4")[0]["source"]
    assert source == {"context": "src", "element": "a", "variable": "v", **expected}


def test_a_default_that_is_computed_in_r4() -> None:
    found = written("src.a default (1 + 2) as v;", "R4")
    assert codes(found) == ["FM040newer"]
    assert "default (1 + 2)" in structure_map_to_text(found.resource, "x")[0]


def test_paths_are_rules_inside_rules() -> None:
    (rule,) = rules("src.a.b where (c) as x -> tgt.d.e = x;".replace("where (c) as x", "as x where (c)"))
    assert rule["source"] == [{"context": "src", "element": "a", "variable": "t1"}]
    (inner,) = rule["rule"]
    assert inner["source"] == [{"context": "t1", "element": "b", "variable": "x", "condition": "c"}]
    assert inner["target"] == [
        {"context": "tgt", "element": "d", "variable": "t2"},
        {"context": "t2", "element": "e", "transform": "copy", "parameter": [{"valueId": "x"}]},
    ]


def test_dependents() -> None:
    text = "src.a as v -> tgt.b as t then main(v, t), main('x', v.c) { v.d -> t.e; };"
    (new,), (old,) = rules(text), rules(text, "R4")
    assert new["dependent"][0] == {"name": "main", "parameter": [{"valueId": "v"}, {"valueId": "t"}]}
    assert new["dependent"][1]["parameter"] == [{"valueString": "x"}, {"valueId": "t1"}]
    assert old["dependent"][1] == {"name": "main", "variable": ["'x'", "t1"]}
    assert [rule["name"] for rule in new["rule"]] == ["d"]


def test_list_modes() -> None:
    assert targets("tgt.b as x single")[0]["listMode"] == ["single"]
    assert targets("tgt.b as x single", "R4")[0]["listMode"] == ["collate"]
    assert targets("tgt.b as x collate")[0]["listMode"] == ["single"]
    shared = targets("tgt.b as x share one")[0]
    assert (shared["listMode"], shared["listRuleId"]) == (["share"], "one")


def test_groups() -> None:
    text = HEAD + "group a(source s : X, target t) <<type+>> {}\ngroup b(source s, target t) extends a {}\n"
    for version, mode in (("R4", "none"), ("R5", None)):
        first, second = write_structure_map(parse(text)[0], version).resource["group"]  # type: ignore[arg-type]
        assert first["typeMode"] == "type-and-types"
        assert (second.get("typeMode"), second["extends"]) == (mode, "a")
        assert first["input"] == [{"name": "s", "type": "X", "mode": "source"}, {"name": "t", "mode": "target"}]


def test_constants() -> None:
    head = "let limit = 20;"
    assert written("src;", "R5", head).resource["const"] == [{"name": "limit", "value": "20"}]
    old = written("src;", "R4", head)
    assert "const" not in old.resource
    assert codes(old) == ["FM040newer"]
    assert "let limit = 20;" in structure_map_to_text(old.resource, "x")[0]


def test_metadata_goes_to_its_elements() -> None:
    head = """/// experimental = 'true'
/// version = 1.0
/// jurisdiction.coding.system = 'urn:iso:std:iso:3166'
/// jurisdiction.coding.code = 'AQ'
/// jurisdiction =
/// jurisdiction.coding.code = 'FR'
/// contact.telecom.value = 'a@b'
/// contact.telecom.value = 'c@d'
/// contact.telecom.rank = 2
/// copyrightLabel = 'mine'
"""
    found = written("src;", "R4", head)
    assert codes(found) == ["FM045version"]
    assert {name: found.resource[name] for name in ("experimental", "version", "jurisdiction", "contact")} == {
        "experimental": True,
        "version": "1.0",
        "jurisdiction": [
            {"coding": [{"system": "urn:iso:std:iso:3166", "code": "AQ"}]},
            {"coding": [{"code": "FR"}]},
        ],
        "contact": [{"telecom": [{"value": "a@b"}, {"value": "c@d", "rank": 2}]}],
    }
    assert list(found.resource)[:6] == ["resourceType", "id", "url", "version", "name", "status"]


def test_metadata_that_no_element_holds() -> None:
    head = "/// author = 'x'\n/// title =\n/// title = 'a'\n/// title = 'b'\n/// group.name = 'x'\n"
    found = written("src;", "R5", head)
    assert codes(found) == ["FM045", "FM045empty", "FM045twice", "FM045"]
    assert found.resource["title"] == "b"


CONCEPT_MAP = """conceptmap "m" {
  prefix s = "urn:s"
  prefix t = "urn:t"
  unmapped for s = provided
  s:a == t:b
  s:a ~ t:c
  s:x --
}"""


def test_concept_maps() -> None:
    (old,) = written("src;", "R4", CONCEPT_MAP).resource["contained"]
    new = written("src;", "R5", CONCEPT_MAP)
    assert old["group"] == [
        {
            "source": "urn:s",
            "target": "urn:t",
            "element": [
                {
                    "code": "a",
                    "target": [{"code": "b", "equivalence": "equivalent"}, {"code": "c", "equivalence": "inexact"}],
                },
                {"code": "x", "target": [{"equivalence": "unmatched"}]},
            ],
            "unmapped": {"mode": "provided"},
        }
    ]
    (group,) = new.resource["contained"][0]["group"]
    assert group["element"][0]["target"][1] == {"code": "c", "relationship": "related-to"}
    assert group["element"][1] == {"code": "x", "noMap": True}
    assert group["unmapped"] == {"mode": "use-source-code"}
    assert codes(new) == ["FM049"]


def test_comments_are_documentation() -> None:
    head = """// of the structure
uses "http://x/y" as source
// lost
let x = 1;
// of the group
"""
    line = """// one
// two
src.a as v; // behind
src.b as w -> tgt.c = w, /* inside */ tgt.d = w;
// at the end"""
    tree = parse(f"{HEAD}{head}group main(source src, target tgt) {{\n{line}\n}}\n// after")[0]
    found = write_structure_map(tree, "R5")
    group = found.resource["group"][0]
    assert found.resource["structure"][0]["documentation"] == "of the structure"
    assert group["documentation"] == "of the group\r\nat the end"
    assert [rule["documentation"] for rule in group["rule"]] == ["one\r\ntwo\r\nbehind", "inside"]
    assert [(entry.code, entry.args["count"]) for entry in found.diagnostics] == [("FM044", 2)]


def test_names_become_ids_everywhere() -> None:
    targets = "tgt.b = (%my_var & x), tgt.c = my_var then my_group(my_var, tgt)"
    line = f"src.a as my_var where (my_var > min_value) -> {targets};"
    text = f"{HEAD}let min_value = 1;\ngroup my_group(source src, target tgt) {{ {line} }}\n"
    found = write_structure_map(parse(text)[0], "R5")
    assert codes(found) == ["FM041", "FM041", "FM041"]
    assert "_" not in json_text(found.resource)
    assert "where (myVar > minValue)" in structure_map_to_text(found.resource, "x")[0]


def test_a_name_that_may_be_an_element_is_kept() -> None:
    found = written("src.my_var as my_var where (my_var > 1) -> tgt.b = my_var;")
    assert codes(found) == ["FM041kept"]


def test_functions_that_others_lack_are_told() -> None:
    found = written("src.a as v where (luhn(v)) -> tgt.b = toDate(v), tgt.c = luhn(v);", functions=["luhn"])
    assert codes(found) == ["FM042date", "FM042function", "FM042expression"]


def test_models_come_back() -> None:
    model = "model Stay from table 'stay' key 'id' {\n  id : string 1..1 // the key\n}\n"
    text = f"{HEAD}{model}\ngroup main(source src : Stay, target tgt) {{\n  src.id as v -> tgt.id = v;\n}}\n"
    found = write_structure_map(parse(text)[0], "R4")
    (structure,) = found.resource["structure"]
    assert (structure["url"], structure["mode"], structure["alias"]) == (
        "http://example.org/StructureDefinition/Stay",
        "source",
        "Stay",
    )
    back = structure_map_to_text(found.resource, "x")[0]
    assert parse(back)[0].models == parse(text)[0].models
    assert "// the key" in back


# --- there and back ---------------------------------------------------------------------------------------------------


def corpus(shared: Path | None) -> list[Path]:
    own = [path for folder in ("maps", "examples", "tests/cases") for path in (ROOT / folder).rglob("*.map")]
    return sorted(own) + (suite_maps(shared) if shared is not None else [])


def check_stable(text: str, version: FhirVersion) -> None:
    back, resource = through(text, version)
    again, second = through(back, version)
    assert second == resource
    assert again == back


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", corpus(None), ids=lambda path: path.name)
def test_own_maps_are_stable(path: Path, version: FhirVersion) -> None:
    check_stable(path.read_text(encoding="utf-8"), version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("text", CONSTRUCTS, ids=("modern", "legacy", "models"))
def test_every_construct_is_stable(text: str, version: FhirVersion) -> None:
    check_stable(text, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_suite_is_stable(shared_dir: Path, version: FhirVersion) -> None:
    paths = suite_maps(shared_dir)
    assert len(paths) > 40
    for path in paths:
        check_stable(path.read_text(encoding="utf-8-sig"), version)


def test_resources_are_valid(shared_dir: Path) -> None:
    from fhir.resources.R4B.structuremap import StructureMap as OldMap
    from fhir.resources.structuremap import StructureMap as NewMap

    for path in corpus(shared_dir):
        text = path.read_text(encoding="utf-8-sig")
        OldMap.model_validate_json(through(text, "R4")[1])
        NewMap.model_validate_json(through(text, "R5")[1])


@pytest.mark.parametrize("version", VERSIONS)
@_QUIET
@given(tree=strategies.maps)
def test_any_map_is_stable(tree: n.Map, version: FhirVersion) -> None:
    text = format_map(tree)
    if any(entry.is_error for entry in parse(text)[1]):
        return
    first = write_structure_map(parse(text)[0], version)
    back, _ = structure_map_to_text(json.loads(json_text(first.resource), parse_float=Decimal), "map.json")
    parsed, told = parse(back)
    assert not [entry.message for entry in told if entry.is_error], back
    second = write_structure_map(parsed, version)
    again, _ = structure_map_to_text(json.loads(json_text(second.resource), parse_float=Decimal), "map.json")
    third = write_structure_map(parse(again)[0], version)
    assert third.resource == second.resource


# --- resource → text --------------------------------------------------------------------------------------------------


def resource(**rule: Any) -> dict[str, Any]:
    group = {"name": "main", "input": [{"name": "src", "mode": "source"}, {"name": "tgt", "mode": "target"}]}
    return {"resourceType": "StructureMap", "url": "http://x/y", "name": "y", "group": [{**group, "rule": [rule]}]}


def line_of(**rule: Any) -> str:
    text, told = structure_map_to_text(resource(**rule), "y.json")
    assert told == ()
    return text.splitlines()[4].strip()


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


def test_a_map_read_has_places_in_its_text() -> None:
    tree, told = read_structure_map(resource(source=[{"context": "src"}]), "y.json")
    assert told == ()
    assert tree.groups[0].rules[0].span.position == "y.json (as text):5:3"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"source": [{"context": "src", "condition": "a ="}]}, "group[0].rule[0].source[0].condition"),
        ({"source": {"context": "src"}}, "group[0].rule[0].source"),
        ({"source": [{"context": 5}]}, "group[0].rule[0].source[0].context"),
        ({"source": [{"context": "src", "listMode": "second"}]}, "group[0].rule[0].source[0].listMode"),
        ({"source": [{"context": "src", "min": "x"}]}, "group[0].rule[0].source[0].min"),
        ({"source": ["src"]}, "group[0].rule[0].source[0]"),
        ({}, "group[0].rule[0].source"),
        (
            {"source": [{"context": "src"}], "target": [{"context": "tgt", "transform": "copy", "parameter": [{}]}]},
            "group[0].rule[0].target[0].parameter[0]",
        ),
        (
            {"source": [{"context": "src"}], "dependent": [{"variable": ["src"]}]},
            "group[0].rule[0].dependent[0].name",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_path(changes: dict[str, Any], expected: str) -> None:
    told = structure_map_to_text(resource(**changes), "y.json")[1]
    assert ("FM048", expected) in [(entry.code, entry.args["path"]) for entry in told]
    assert all(entry.message for entry in told)


def test_what_is_lost_is_told_with_its_path() -> None:
    made = resource(id="r1", source=[{"context": "src", "extension": [{"url": "http://x"}]}])
    made["group"][0]["input"][0]["documentation"] = "who"
    made["contained"] = [{"resourceType": "Patient"}]
    told = structure_map_to_text(made, "y.json")[1]
    assert sorted(str(entry.args["path"]) for entry in told) == [
        "contained[0]",
        "group[0].input[0].documentation",
        "group[0].rule[0].id",
        "group[0].rule[0].source[0].extension[0]",
    ]
    assert {entry.code for entry in told} == {"FM047"}


_KEYS = st.sampled_from(
    [
        *("resourceType", "url", "name", "group", "rule", "source", "target", "dependent", "parameter", "contained"),
        *(
            "input",
            "mode",
            "context",
            "element",
            "variable",
            "transform",
            "valueId",
            "valueString",
            "structure",
            "import",
        ),
        *("const", "value", "extension", "listMode", "defaultValue", "defaultValueCoding", "min", "max", "condition"),
        *("id", "contact", "telecom", "meta", "_url", "documentation", "typeMode", "extends", "unmapped", "code"),
    ]
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        [
            "StructureMap",
            "ConceptMap",
            "copy",
            "evaluate",
            "create",
            "vvv",
            "src",
            "a =",
            "1 + 1",
            "source",
            "target",
            "",
            "\n",
        ]
    )
)
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=6), max_leaves=30
)


@_QUIET
@given(made=st.dictionaries(_KEYS, _JSON, max_size=8), rule=st.dictionaries(_KEYS, _JSON, max_size=6))
def test_no_resource_is_an_exception(made: dict[str, Any], rule: dict[str, Any]) -> None:
    for whole in (made, {**resource(**rule), **made}, resource(**rule)):
        tree, told = read_structure_map(whole, "any.json")
        assert all(entry.message for entry in told)
        write_structure_map(tree, "R4")
