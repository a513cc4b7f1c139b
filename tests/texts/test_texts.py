"""The catalogues: complete in each language, with the same arguments, chosen by the caller or the environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Formatter

import pytest

from fhirmap import texts


def keys(area: str, code: str) -> dict[str, str | Mapping[str, str]]:
    found: dict[str, str | Mapping[str, str]] = {}

    def visit(prefix: str, value: object) -> None:
        if isinstance(value, str) or (isinstance(value, Mapping) and value.keys() == {"one", "other"}):
            found[prefix] = value
            return
        assert isinstance(value, Mapping), prefix
        for name, entry in value.items():
            visit(f"{prefix}.{name}", entry)

    visit(area, texts.catalogue(area, code))
    return found


def arguments(template: str | Mapping[str, str]) -> set[str]:
    forms = [template] if isinstance(template, str) else list(template.values())
    return {name for form in forms for _, name, _, _ in Formatter().parse(form) if name}


@pytest.mark.parametrize("area", texts.areas())
def test_each_text_is_in_both_languages_with_the_same_arguments(area: str) -> None:
    english, french = keys(area, "en"), keys(area, "fr")
    assert sorted(english) == sorted(french)
    for key, template in english.items():
        assert arguments(template) - {"count"} == arguments(french[key]) - {"count"}, key
        assert template and french[key], key


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in ("FHIRMAP_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    yield monkeypatch


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr"}, "fr"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "FHIRMAP_LANG": "fr"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "FHIRMAP_LANG": "en"}, "en"),
    ],
)
def test_the_language_comes_from_the_environment(
    environment: pytest.MonkeyPatch, values: dict[str, str], expected: str
) -> None:
    for name, value in values.items():
        environment.setenv(name, value)
    assert texts.language() == expected


def test_a_text_is_shown_in_the_language_of_the_moment() -> None:
    value = texts.Text("hints.did_you_mean", {"name": "udi"})
    with texts.language_of("en"):
        assert str(value) == "did you mean `udi`?"
    with texts.language_of("fr"):
        assert str(value) == "vouliez-vous dire `udi`\N{NO-BREAK SPACE}?"


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        texts.text("hints.no_such_text")
