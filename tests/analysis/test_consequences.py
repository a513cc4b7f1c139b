"""What is not reported because it only follows from something that is, and what is reported all the same."""

from __future__ import annotations

import pytest

from tests.analysis.harness import codes, diagnose

ROW = """uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target

model Row from table 't' key 'id' {{ id : string 1..1  {column} : string 0..1 }}

group main(source src : Row, target tgt : Patient) {{
  {rule}
}}
"""


@pytest.mark.parametrize("column", ["gender", "other"])
def test_an_unused_column_is_reported_whatever_a_misspelt_target_meant(column: str) -> None:
    found = diagnose(ROW.format(column=column, rule="src.id as v -> tgt.gendr = v;"))
    assert sorted(codes(found)) == ["FM204", "FM241"]


@pytest.mark.parametrize(
    ("rule", "reported"),
    [
        ("src.gendr as v -> tgt.gender = v; src.id as v -> tgt.id = v;", ["FM204"]),
        ("src.id as v -> tgt.id = v; src where (gendr = 'a') -> tgt.active = true;", ["FM250"]),
        ("src.id as v -> tgt.id = v; src.gendr as v -> tgt.gendr = v;", ["FM204", "FM204"]),
    ],
)
def test_the_column_that_a_misspelt_name_meant_is_not_reported(rule: str, reported: list[str]) -> None:
    assert codes(diagnose(ROW.format(column="gender", rule=rule))) == reported


@pytest.mark.parametrize(
    ("rule", "reported"),
    [
        ("src.gender as v -> tgt.language = truncate(v, limt);", ["FM104"]),
        ("src.gender as v where (v.length() > %limt) -> tgt.language = v;", ["FM254"]),
        ("src.gender as v where (v.length() > %lmt) -> tgt.language = (limit.toString());", ["FM254"]),
        ("src.gender as v -> tgt.langage = v;", ["FM152", "FM204"]),
    ],
)
def test_the_constant_that_a_misspelt_variable_meant_is_not_reported(rule: str, reported: list[str]) -> None:
    text = ROW.format(column="gender", rule="src.id as v -> tgt.id = v; " + rule)
    text = text.replace("model", "let limit = 5;\nmodel", 1)
    assert sorted(codes(diagnose(text))) == reported


def test_an_element_of_the_same_name_in_another_model_is_reported() -> None:
    text = ROW.format(
        column="gender", rule="src.id as v -> tgt.id = v; src.parts as p where (gendr = 'a') -> tgt.active = true;"
    )
    text = text.replace("gender : string 0..1 }", "gender : string 0..1  parts : Part 0..* join 'p' on 'id' = 'id' }")
    text += "model Part { gender : string 0..1 from 'g' }\n"
    found = diagnose(text)
    assert sorted(codes(found)) == ["FM241", "FM250"]
    unused = next(entry for entry in found if entry.code == "FM241")
    assert unused.args["column"] == "t.gender"


def test_a_variable_of_another_group_is_reported() -> None:
    text = ROW.format(column="gender", rule="src.gender as value -> tgt.gender = valeu; src then other(src, tgt);")
    text += "group other(source src : Row, target tgt : Patient) { src.id as value -> tgt.active = true; }\n"
    found = diagnose(text)
    assert sorted(codes(found)) == ["FM104", "FM152"]
    assert codes(diagnose(text.replace("as value -> tgt.active = true", "as w -> tgt.id = w"))) == ["FM104"]


@pytest.mark.parametrize(
    ("broken", "use", "code"),
    [
        ("group other(source s, target t) { s.id -> -> ; ", "src then other(src, tgt);", "FM103"),
        ('conceptmap "sex" { prefix s = = }', "src.id as v -> tgt.gender = translate(v, '#sex', 'code');", "FM108"),
    ],
)
def test_a_name_whose_declaration_could_not_be_read_is_not_unknown(broken: str, use: str, code: str) -> None:
    whole = ROW.format(column="gender", rule=use)
    assert code in codes(diagnose(whole))
    first, _, rest = whole.partition("model")
    found = codes(diagnose(f"{first}{broken}\n\nmodel{rest}"))
    assert code not in found and any(entry < "FM100" for entry in found)


def test_a_name_in_a_comment_or_a_text_declares_nothing() -> None:
    rule = "src.id as v -> tgt.id = 'group other(x)'; src then other(src, tgt); // group other("
    assert "FM103" in codes(diagnose(ROW.format(column="gender", rule=rule) + "\nmodel Other {\n  a ; string\n}\n"))
