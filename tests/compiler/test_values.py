"""Transforms in the plainest Python that the types of their arguments allow."""

from __future__ import annotations

import pytest

from tests.compiler.generated import compiled, rule, try_of

CODES = 'conceptmap "side" { prefix s = "urn:s"\n s:M == s:male\n s:F == s:female }\n'


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("tgt.id = v", "tgt['id'] = v"),
        ("tgt.birthDate = cast(v, 'date')", "tgt['birthDate'] = cast(v, 'date')"),
        ("tgt.maritalStatus = cc('urn:s', v)", "tgt['maritalStatus'] = {'coding': [{'system': 'urn:s', 'code': v}]}"),
        ("tgt.maritalStatus = v", "tgt['maritalStatus'] = {'text': v}"),
        ("tgt.id = 'it\\'s'", "tgt['id'] = \"it's\""),
    ],
)
def test_values(target: str, line: str) -> None:
    found = rule(f"  src.a as v -> {target};")
    assert line in found


def test_displays_need_no_try_and_casts_do() -> None:
    assert not rule("  src.a as v -> tgt.identifier = id('urn:s', v);").startswith("try:")
    assert rule("  src.a as v -> tgt.active = cast(v, 'boolean');") == try_of(
        """
        v = src.get('a')
        if v is not None:
            tgt['active'] = cast(v, 'boolean')
        """
    )


def test_a_coding_whose_display_may_be_absent_is_written_in_place() -> None:
    transformer = compiled(
        "  src.a as v -> translate(v, '#side', 'code') as d, tgt.maritalStatus = cc('urn:s', v, d);", uses=CODES
    )
    assert (
        "tgt['maritalStatus'] = {'coding': [{'system': 'urn:s', 'code': v} if d is None"
        " else {'system': 'urn:s', 'code': v, 'display': d}]}"
    ) in transformer.source
    coding = {"system": "urn:s", "code": "M"}
    assert (transformer({"a": "M"}).resource or {})["maritalStatus"] == {"coding": [coding | {"display": "male"}]}
    assert (transformer({"a": "X"}).resource or {})["maritalStatus"] == {"coding": [coding | {"code": "X"}]}


WRONG = {
    "uuid": ("x", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"),
    "oid": ("1.2.3", "urn:oid:3.2"),
    "id": ("a_b", "a" * 65),
    "code": ("a  b", "a\tb"),
    "uri": ("http://x y",),
    "url": ("a b",),
    "canonical": ("a b",),
    "base64Binary": ("AAA", "A=A="),
    "integer": ("98765432109",),
}


@pytest.mark.parametrize(("wanted", "text"), [(wanted, text) for wanted, texts in WRONG.items() for text in texts])
def test_a_cast_in_a_map_refuses_what_the_validator_refuses(wanted: str, text: str) -> None:
    transformer = compiled(f"  src.a as v -> tgt.language = cast(v, '{wanted}');")
    assert [fault.code for fault in transformer({"a": text}).faults] == ["FM404"]


def test_a_cast_that_refuses_nothing_is_not_called() -> None:
    assert "cast" not in rule("  src.a as v -> tgt.language = cast(v, 'string');").partition("\n")[2]


def test_a_code_of_a_simple_table_is_looked_up() -> None:
    text = "  src.a as v -> tgt.gender = translate(v, '#side', 'code');"
    assert "gender = _SIDE.get(v) or run.unmapped('side', v, 1)" in rule(text, uses=CODES)
    assert "gender = translate(v, _CODES_SIDE, 'code', run)" not in rule(text, uses=CODES)


def test_an_optional_value_is_wrapped_where_there_is_one() -> None:
    transformer = compiled("  src.a as v -> tgt.maritalStatus = (v.substring(5));")
    assert transformer({"a": "x"}).resource is None
    assert transformer({"a": "123456"}).resource == {"resourceType": "Patient", "maritalStatus": {"text": "6"}}
