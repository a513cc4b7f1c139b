"""Values of a payload in a receiver's words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fhirmap.sinks.redaction import redact

LETTERS = some.sampled_from("aAiIsSkKzZ\u0130\u0131\u017f\u212a\u00e9\u00c9\u00df ")


@pytest.mark.parametrize("words", ["Kim is known", "KIM is known", "K\u0131m is known", "\u212aim is known"])
def test_a_value_is_found_in_any_case(words: str) -> None:
    assert redact(words, {"Kim ": "family"}) == "[family]is known"


@given(some.text(LETTERS, max_size=12), some.text(LETTERS, min_size=1, max_size=3))
def test_no_value_that_a_pattern_would_find_is_left_out(words: str, value: str) -> None:
    wanted = re.sub(re.escape(value), "[name]", words, flags=re.IGNORECASE)
    assert redact(words, {value: "name"}) == wanted
