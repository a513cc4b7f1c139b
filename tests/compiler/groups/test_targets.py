"""Targets become item assignments, appends, and calls only where values have to be converted."""

from __future__ import annotations

from tests.compiler.generated import compiled, plain, rule, try_of


def test_a_text_goes_into_a_text_as_it_is() -> None:
    assert rule("  src.a as v -> tgt.id = v, tgt.language = v;").endswith("    tgt['id'] = v\n    tgt['language'] = v")


def test_another_type_is_cast_and_can_fail() -> None:
    assert rule("  src.n as v -> tgt.id = v;") == try_of(
        """
        v = src.get('n')
        if v is not None:
            tgt['id'] = cast(v, 'id')
        """
    )


def test_an_optional_value_is_written_where_there_is_one() -> None:
    found = rule("  src.a as v -> tgt.birthDate = toDate(v, 'yyyy');")
    assert "        birthDate = to_date(v, 'yyyy')\n        if birthDate is not None:\n" in found


def test_a_repeating_element_is_appended_to() -> None:
    assert "tgt.setdefault('contained', [])" not in rule("  src.a as v -> tgt.name as x, x.given = v;")
    assert "x.setdefault('given', []).append(v)" in rule("  src.a as v -> tgt.name as x, x.given = v;")


def test_a_target_of_a_variable_that_may_be_absent_is_left_out() -> None:
    transformer = compiled("  src.a as v -> toDate(v, 'yyyy') as d, tgt.birthDate = d;")
    assert transformer({"a": "2025"}).resource == {"resourceType": "Patient", "birthDate": "2025"}


def test_items_go_to_the_end_that_is_asked_for() -> None:
    transformer = compiled(
        "  src.a as v -> tgt.name as x, x.given = v;\n  src.many as v -> tgt.name first as x, x.text = v;"
    )
    names = transformer({"a": "last", "many": ["1", "2"]}).resource
    assert names == {"resourceType": "Patient", "name": [{"text": "1"}, {"text": "2"}, {"given": ["last"]}]}


def test_another_name_for_the_node() -> None:
    assert rule("  src.a as v -> tgt as t, t.id = v;") == plain(
        """
        v = src.get('a')
        if v is not None:
            tgt['id'] = v
        """
    )
