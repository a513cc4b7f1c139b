"""``fhirmap functions``: what maps can call beyond FHIRPath."""

from __future__ import annotations

import json

import click


@click.command(
    epilog="""\b
Examples:
  fhirmap functions              every function with its signature
  fhirmap functions parseUdi     one function, with its description and example"""
)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
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
        from difflib import get_close_matches

        near = get_close_matches(name, found, n=3)
        raise click.ClickException(f"no function `{name}`" + (f"; did you mean {', '.join(near)}?" if near else ""))
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
