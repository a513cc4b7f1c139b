"""The code pages are written in plain words."""

from __future__ import annotations

import pytest

from fhirmap.diagnostics.catalog import codes, page
from tests.diagnostics.test_french_pages import texts
from tests.vocabulary import odd_words


@pytest.mark.parametrize("code", codes())
def test_a_page_has_plain_words(code: str) -> None:
    found = page(code, "en")
    assert odd_words("\n".join((*texts(dict(found.fields)).values(), found.body))) == []


def test_odd_words_are_found() -> None:
    assert odd_words("what stands `behind` it") == ["stands: write is, comes, is written"]
    assert odd_words("understands {told}") == []
