"""Every code's French page has the same texts as the English one: fields, variants and placeholders.

Of the examples a French page has only what is shown (``text rendered``): the maps are those of the English page.
"""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest

from fhirmap.diagnostics.catalog import codes

FOLDER = Path(str(files("fhirmap.diagnostics"))) / "codes"
TEXTS = ("title", "message", "label", "hint")
_BARE_SIGN = re.compile(r"[^\s\u00a0] [:;?!»](?=\s|$)|« ")
_CODE = re.compile(r"`[^`]*`")
_NOT_WORDS = re.compile(r"`[^`]*`|\{[^}]*\}")


def front_and_prose(path: Path) -> tuple[dict[str, object], str]:
    _, front, prose = path.read_text(encoding="utf-8").split("+++\n", 2)
    return tomllib.loads(front), prose


def texts(fields: dict[str, object]) -> dict[tuple[str, str], str]:
    """Every text of a front matter by its variant (empty for the page's own) and field."""
    variants = fields.get("variants", {})
    assert isinstance(variants, dict)
    tables = {"": fields, **variants}
    return {(name, field): table[field] for name, table in tables.items() for field in TEXTS if field in table}


def placeholders(template: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(template) if name)


def test_no_french_page_is_left_over() -> None:
    assert {path.stem for path in (FOLDER / "fr").iterdir()} == set(codes())


@pytest.mark.parametrize("code", codes())
def test_a_french_page_has_the_texts_of_the_english_one(code: str) -> None:
    english_fields, english_prose = front_and_prose(FOLDER / f"{code}.md")
    french_fields, french_prose = front_and_prose(FOLDER / "fr" / f"{code}.md")
    english, french = texts(english_fields), texts(french_fields)
    assert french.keys() == english.keys()
    assert french_fields.keys() <= {*TEXTS, "variants"}
    assert list(french_fields.get("variants", {})) == list(english_fields.get("variants", {}))  # type: ignore[call-overload]
    for key, text in english.items():
        assert placeholders(french[key]) == placeholders(text), key
        assert french[key] != text or not re.search(r"[a-z]{3}", _NOT_WORDS.sub("", text)), key
    assert len(french_prose.strip()) > 20
    assert french_prose.strip() != english_prose.split("```", 1)[0].strip()
    fenced = re.findall(r"^```(.+)$", french_prose, re.MULTILINE)
    assert fenced in ([], ["text rendered"]), "the maps of the examples are those of the English page"


@pytest.mark.parametrize("code", codes())
def test_french_signs_have_a_space_that_does_not_break(code: str) -> None:
    fields, prose = front_and_prose(FOLDER / "fr" / f"{code}.md")
    for text in (*texts(fields).values(), prose.split("```", 1)[0]):
        assert not _BARE_SIGN.search(_CODE.sub("x", text.replace("\\`", "")))
