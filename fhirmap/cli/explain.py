"""``fhirmap explain FM203``."""

from __future__ import annotations

import json

import click

from fhirmap.cli.localized import argument, define, option
from fhirmap.cli.screen import refilled, screen_width
from fhirmap.diagnostics.catalog import codes, page
from fhirmap.diagnostics.explain import UnknownCode, code_meant, explain


@define("explain")
@argument("code", required=False)
@option("--json", "as_json", is_flag=True)
def command(code: str | None, as_json: bool) -> None:
    """Show the page of CODE: what is wrong, why it matters, a wrong map and its repair."""
    if code is None:
        titles = {name: page(name).title for name in codes()}
        lines = "\n".join(f"{name}  {title}" for name, title in titles.items())
        click.echo(json.dumps(titles, ensure_ascii=False, indent=2) if as_json else lines)
        return
    try:
        found = page(code_meant(code))
    except UnknownCode as unknown:
        raise click.ClickException(str(unknown)) from None
    if as_json:
        shown = {"code": found.code, "title": found.title, "severity": found.severity, "text": found.body}
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for line in refilled(explain(found.code), screen_width()):
        click.echo(line)
