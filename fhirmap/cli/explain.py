"""``fhirmap explain FM203``."""

from __future__ import annotations

import json

import click

from fhirmap.diagnostics.catalog import codes, page


@click.command(
    epilog="""\b
Examples:
  fhirmap explain FM203
  fhirmap explain            every code with its title"""
)
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True, help="The page as JSON.")
def command(code: str | None, as_json: bool) -> None:
    """Show the page of CODE: what is wrong, why it matters, a wrong map and its repair."""
    from fhirmap.diagnostics.explain import explain

    if code is None:
        titles = {name: page(name).title for name in codes()}
        click.echo(json.dumps(titles, ensure_ascii=False) if as_json else "\n".join(f"{k}  {v}" for k, v in titles.items()))
        return
    wanted = code.upper()
    if wanted not in codes():
        from difflib import get_close_matches

        near = ", ".join(get_close_matches(wanted, codes(), n=3))
        raise click.ClickException(f"no code `{code}`" + (f"; nearest: {near}" if near else ""))
    if as_json:
        found = page(wanted)
        shown = {"code": wanted, "title": found.title, "severity": found.severity, "text": found.body}
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    click.echo(explain(wanted))
