"""The catalogue of codes: one Markdown page a code, its texts as templates in a TOML front matter.

A page opens with ``+++``, TOML, ``+++``: ``title``, ``severity``, ``message``, and where it helps ``label``, ``hint`` and
``[variants.NAME]`` tables that replace them. A translation is a second folder of pages beside ``codes/``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


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
        return template.format_map({key: str(value) for key, value in args.items()}) if template else ""


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
