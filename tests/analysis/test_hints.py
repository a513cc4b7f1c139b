"""Parts of messages of analysis."""

from __future__ import annotations

from fhirmap.analysis.hints import column_hint, number_of, variable_hint
from fhirmap.diagnostics import suggestion
from fhirmap.texts import language_of


def test_numbers_of_arguments() -> None:
    assert [str(number_of(*given)) for given in ((2, 2), (1, 3), (1, None))] == ["2", "1 to 3", "at least 1"]
    with language_of("fr"):
        assert str(number_of(1, None)) == "au moins 1"


def test_a_header_of_one_cell_shows_its_delimiter() -> None:
    hint, found = column_hint("kind", ["kind;code"])
    assert str(hint).endswith("write `delimiter ';'`") and found["known"] == ()
    hint, found = column_hint("kode", ["kind", "code"])
    assert hint is None and found["meant"] == "code"
    hint, _ = column_hint("zzz", ["kind", "code"])
    assert str(hint) == "its columns: kind, code"


def test_a_bare_word_may_be_a_text() -> None:
    assert variable_hint("nirr", suggestion("nirr", ["nir"])) is None
    assert variable_hint("x", suggestion("x", [])) is None
    assert str(variable_hint("abc", suggestion("abc", ["src"]))).endswith("a text is written in quotes: `'abc'`")
