"""The catalogue of codes: one Markdown page a code, its texts as templates in a TOML front matter.

A page opens with ``+++``, TOML, ``+++``: ``title``, ``severity``, ``message``, and where it helps ``label``, ``hint``
and ``[variants.NAME]`` tables that replace them; ``masked`` where the marked characters must not be shown; ``given``:
what a page's examples are checked with (``columns``, ``files``, ``definitions``). A translation is a second folder of
pages beside ``codes/``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_FENCED = re.compile(r"^```([^\n`]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """One code's page: title, severity, message templates and the Markdown below the front matter."""

    code: str
    title: str
    severity: str
    fields: Mapping[str, Any]
    body: str

    def text(self, field: str, variant: str, args: Mapping[str, object]) -> str:
        """The template ``field`` of ``variant`` filled with ``args``; empty where the page has none."""
        chosen = self.fields.get("variants", {}).get(variant, {}) if variant else {}
        template = chosen.get(field, self.fields.get(field, ""))
        return template.format_map(_Arguments(args)) if template else ""

    @property
    def examples(self) -> Mapping[str, str]:
        """The fenced blocks of the page by their info string: ``map wrong``, ``text rendered``, ``map repaired``."""
        return {info.strip(): text for info, text in _FENCED.findall(self.body)}


class _Arguments(dict[str, object]):
    """A template's arguments. One that the caller forgot shows as `…`, so that no crash of its text hides a fault."""

    def __missing__(self, key: str) -> str:
        return "…"


@cache
def page(code: str) -> Page:
    """The page of ``code``; raises ``KeyError`` for a code without one."""
    source = files(__package__).joinpath("codes", f"{code}.md")
    try:
        text = source.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise KeyError(code) from None
    _, front, body = text.split("+++\n", 2)
    fields = tomllib.loads(front)
    return Page(code, fields["title"], fields["severity"], fields, body.strip() + "\n")


def codes() -> tuple[str, ...]:
    """Every code that has a page, in order."""
    folder = files(__package__).joinpath("codes")
    return tuple(sorted(entry.name.removesuffix(".md") for entry in folder.iterdir() if entry.name.endswith(".md")))
