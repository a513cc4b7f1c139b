"""``fhirmap functions``: what maps can call beyond FHIRPath."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from fhirmap.cli.localized import argument, define, option
from fhirmap.cli.screen import echo_folded, refilled, screen_width
from fhirmap.texts import optional_text, text

if TYPE_CHECKING:
    from fhirmap.signatures import FunctionSignature

_EXAMPLE = "Example:"
"""Where the example of a docstring begins."""


@define("functions")
@argument("name", required=False)
@option("--json", "as_json", is_flag=True)
def command(name: str | None, as_json: bool) -> None:
    """List the functions that plug-ins offer to maps, built in or installed."""
    from fhirmap.plugins import find_plugins, load
    from fhirmap.runtime.functions import functions_of

    found = {
        entry.name: entry
        for plugin in find_plugins("fhirmap.functions").values()
        for entry in functions_of(load(plugin))
    }
    if name is not None and name not in found:
        from fhirmap.diagnostics.nearest import nearest

        near = nearest(name, found)
        key = "output.functions.unknown_near" if near else "output.functions.unknown"
        raise click.ClickException(text(key, name=name, near=near))
    chosen = [found[name]] if name is not None else sorted(found.values(), key=lambda entry: entry.name)
    if as_json:
        shown = [
            {"name": e.name, "signature": e.display, "summary": summary_of(e), "module": e.module, "doc": described(e)}
            for e in chosen
        ]
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for entry in chosen:
        echo_folded(entry.display)
        words = described(entry) if name else summary_of(entry)
        for line in refilled(words, screen_width() - 4):
            click.echo(f"    {line}".rstrip())


def summary_of(entry: FunctionSignature) -> str:
    """What a function gives, in a line: from the catalogue of the current language, else from its docstring."""
    return _translated(entry, "summary") or entry.summary


def described(entry: FunctionSignature) -> str:
    """Everything that there is to say of a function, its example at the end."""
    summary = _translated(entry, "summary")
    if not summary:
        return entry.doc
    more = _translated(entry, "more").strip()
    example = entry.doc.partition(_EXAMPLE)[2].rstrip()
    parts = [summary, more, f"{text('output.functions.example')}{example}" if example else ""]
    return "\n\n".join(part for part in parts if part)


def _translated(entry: FunctionSignature, part: str) -> str:
    """Empty where a plug-in of others, or English, has its docstring alone."""
    return optional_text(f"functions.{entry.name}.{part}")
