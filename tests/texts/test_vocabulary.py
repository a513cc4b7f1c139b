"""Help and catalogues are written in plain words; French ones as French is typeset."""

from __future__ import annotations

import re

import pytest

from fhirmap import texts
from fhirmap.cli import COMMANDS
from fhirmap.cli.journal import JOURNAL_COMMANDS
from tests.cli.conftest import in_process
from tests.texts.test_texts import keys
from tests.vocabulary import odd_words

_CODE = re.compile(r"`[^`]*`")
_COMMAND = re.compile(r"\n[^\n]*?  +|^[^\n]*?  +")
"""What is before the columns of an example: a command."""
_BARE_SIGN = re.compile(r"[^\s\u00a0] [:;?!»](?=\s|$)|« ")


def templates(area: str, code: str) -> list[tuple[str, str]]:
    found = []
    for key, template in keys(area, code).items():
        found += [(key, form) for form in ([template] if isinstance(template, str) else template.values())]
    return found


@pytest.mark.parametrize("name", ["", *COMMANDS, *(f"journal {name}" for name in JOURNAL_COMMANDS)])
def test_help_has_plain_words(name: str) -> None:
    done = in_process(*name.split(), "--lang", "en", "--help")
    assert done.code == 0
    assert odd_words(done.out) == []


@pytest.mark.parametrize("area", texts.areas())
def test_a_catalogue_has_plain_words(area: str) -> None:
    assert [(key, odd_words(form)) for key, form in templates(area, "en") if odd_words(form)] == []


@pytest.mark.parametrize("area", texts.areas())
def test_french_signs_have_a_space_that_does_not_break(area: str) -> None:
    bare = [key for key, form in templates(area, "fr") if _BARE_SIGN.search(_COMMAND.sub("\n", _CODE.sub("x", form)))]
    assert bare == []
