"""``fhirmap functions``: what maps can call beyond FHIRPath."""

from __future__ import annotations

import json

import click

from fhirmap.cli.localized import argument, define, option
from fhirmap.texts import text


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
            {"name": e.name, "signature": e.display, "summary": e.summary, "module": e.module, "doc": e.doc}
            for e in chosen
        ]
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for entry in chosen:
        click.echo(entry.display)
        click.echo("\n".join(f"    {line}".rstrip() for line in (entry.doc if name else entry.summary).splitlines()))
