"""The catalogue of codes: one Markdown page a code and language, its texts as templates in a TOML front matter.

A page opens with ``+++``, TOML, ``+++``: ``title``, ``message``, and where it helps ``label``, ``hint`` and
``[variants.NAME]`` tables that replace them. The English page (``codes/FMnnn.md``) also holds what has no language:
``severity``; ``follows_from``: what the code may only follow from (`Cause`); ``once``: whether a name is reported once
per ``"group"`` or ``"map"``; ``masked`` where the marked characters must not be shown; ``given``: what a page's
examples are checked with (``columns``, ``files``, ``definitions``); and the examples. A translation
(``codes/fr/FMnnn.md``) holds texts and prose, and of the examples only what is shown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from fhirmap.diagnostics.subject import Cause
from fhirmap.texts import LANGUAGES, language, shown_argument

_CODE = re.compile(r"FM[0-9]{3}")
_FENCED = re.compile(r"^```([^\n`]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """One code's page in one language: title, message templates, the Markdown below; and what has no language."""

    code: str
    language: str
    title: str
    severity: str
    fields: Mapping[str, Any]
    body: str
    follows_from: frozenset[Cause]
    once: str
    is_masked: bool
    is_translated: bool

    def text(self, field: str, variant: str, args: Mapping[str, object]) -> str:
        """The template ``field`` of ``variant`` filled with ``args``; empty where the page has none."""
        chosen = self.fields.get("variants", {}).get(variant, {}) if variant else {}
        template = chosen.get(field, self.fields.get(field, ""))
        return template.format_map(_Arguments(args)) if template else ""

    @property
    def prose(self) -> str:
        """What the page explains, above its examples."""
        return self.body.split("```", 1)[0].strip()

    @property
    def examples(self) -> Mapping[str, str]:
        """The fenced blocks of the page by their info string: ``map wrong``, ``text rendered``, ``map repaired``."""
        return {info.strip(): text for info, text in _FENCED.findall(self.body)}


class _Arguments(dict[str, object]):
    """A template's arguments, as they are shown. One that the caller forgot shows as `…`, so that no crash of its text
    hides a fault."""

    def __getitem__(self, key: str) -> object:
        return shown_argument(key, super().__getitem__(key))

    def __missing__(self, key: str) -> str:
        return "…"


def page(code: str, in_language: str | None = None) -> Page:
    """The page of ``code`` in a language, else the current one.

    Raises:
        KeyError: there is no such code.
    """
    return _page(code, language() if in_language is None else in_language)


@cache
def _page(code: str, in_language: str) -> Page:
    # A code may come from a damaged row: nothing else is taken for the name of a file.
    english = _source(code, LANGUAGES[0]) if _CODE.fullmatch(code) else None
    if english is None:
        raise KeyError(code)
    shared, body = english
    translated = _source(code, in_language) if in_language != LANGUAGES[0] else None
    fields = {**shared, **translated[0]} if translated is not None else shared
    return Page(
        code,
        in_language,
        fields["title"],
        shared["severity"],
        fields,
        _with_examples(translated[1], body) if translated is not None else body,
        frozenset(Cause(entry) for entry in shared.get("follows_from", ())),
        shared.get("once", ""),
        bool(shared.get("masked")),
        translated is not None,
    )


def _source(code: str, in_language: str) -> tuple[Mapping[str, Any], str] | None:
    """Front matter and body of a page as it is written; None where that language has none."""
    folder = files(__package__).joinpath("codes")
    if in_language != LANGUAGES[0]:
        folder = folder.joinpath(in_language)
    try:
        text = folder.joinpath(f"{code}.md").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    _, front, body = text.split("+++\n", 2)
    return tomllib.loads(front), body.strip() + "\n"


def _with_examples(body: str, english: str) -> str:
    """A translated page's prose above the English page's examples, with what is shown of them in its language."""
    own = dict(_FENCED.findall(body))
    blocks = [f"```{info}\n{own.get(info, text)}```" for info, text in _FENCED.findall(english)]
    return "\n\n".join((body.split("```", 1)[0].strip(), *blocks)) + "\n"


def codes() -> tuple[str, ...]:
    """Every code that has a page, in order."""
    folder = files(__package__).joinpath("codes")
    return tuple(sorted(entry.name.removesuffix(".md") for entry in folder.iterdir() if entry.name.endswith(".md")))
