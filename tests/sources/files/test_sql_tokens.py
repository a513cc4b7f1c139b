"""Tokens of a condition in SQL."""

from __future__ import annotations

import pytest

from fhirmap.sources.files.sql_tokens import SqlToken, TokenKind, ascii_lower, quoted, tokens_of

TEXT, NAME, NUMBER, WORD, SIGN = TokenKind.TEXT, TokenKind.NAME, TokenKind.NUMBER, TokenKind.WORD, TokenKind.SIGN


@pytest.mark.parametrize(
    ("sql", "tokens"),
    [
        ("a<>'it''s'", [(WORD, "a"), (SIGN, "<>"), (TEXT, "'it''s'")]),
        ('[a.b] "c""d" `e``f`', [(NAME, "a.b"), (NAME, 'c"d'), (NAME, "e`f")]),
        ("état_2$ = 1.5e-3", [(WORD, "état_2$"), (SIGN, "="), (NUMBER, "1.5e-3")]),
        ("a -- [b] 'c'\n/* [d] */ e", [(WORD, "a"), (WORD, "e")]),
        ("a /* open", [(WORD, "a")]),
        ("'open", [(SIGN, "'"), (WORD, "open")]),
        ("x'00' -> '$.a'", [(TEXT, "x'00'"), (SIGN, "->"), (TEXT, "'$.a'")]),
    ],
)
def test_names_are_found_outside_of_texts_and_comments(sql: str, tokens: list[tuple[TokenKind, str]]) -> None:
    assert [(token.kind, token.text) for token in tokens_of(sql)] == tokens


def test_brackets_are_no_quotes_and_a_blank_before_a_token_counts() -> None:
    found = [(token.text, token.has_brackets, token.is_adjacent) for token in tokens_of('a[0] "[b]"/**/[c]')]
    assert found == [("a", False, False), ("0", True, True), ("[b]", False, False), ("c", True, False)]


def test_words_are_compared_as_sqlite_does() -> None:
    assert ascii_lower("ÉTAT") == "État"
    assert SqlToken(WORD, "Select").is_word("values", "select")
    assert not SqlToken(NAME, "select").is_word("select")
    assert quoted('a"b') == '"a""b"'
