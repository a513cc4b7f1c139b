"""A group is a function: a paragraph a rule, and rules inside rules."""

from __future__ import annotations

from tests.compiler.generated import body_of, compiled, plain


def test_a_paragraph_a_rule() -> None:
    text = '  src.a as v -> tgt.id = v "first";\n  src.n as v -> tgt.multipleBirth = v "second";'
    transformer = compiled(text)
    assert '"""group g(source src : Row, target tgt : Patient)  <string>:4"""' in transformer.source
    assert body_of(transformer, "g") == plain(
        """
        # first  (<string>:5)
        v = src.get('a')
        if v is not None:
            tgt['id'] = v

        # second  (<string>:6)
        v = src.get('n')
        if v is not None:
            tgt['multipleBirthInteger'] = v
        """
    )


def test_inner_rules_have_their_own_try() -> None:
    body = body_of(compiled("  src.part as p then { p.y as y where (y * y > 1.0) -> tgt.id = 'x'; };"), "g")
    assert body.count("try:") == 1
    assert body.index("for p in") < body.index("try:")


def test_a_group_without_rules_that_write_is_a_function_all_the_same() -> None:
    transformer = compiled("  src.a as v where (false) -> tgt.id = v;")
    assert transformer({"a": "x"}).resource is None
