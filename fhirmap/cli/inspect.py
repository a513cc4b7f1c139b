"""``fhirmap inspect``: a `model` block from live data."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option


@define("inspect")
@argument("url")
@argument("table", required=False)
@option("--name")
@option("--encoding", default="")
@option("--zone", default="Europe/Paris", show_default=True)
@option("-o", "--output", type=FilePath("file"))
@option("--json", "as_json", is_flag=True)
def command(
    url: str, table: str | None, name: str | None, encoding: str, zone: str, output: Path | None, as_json: bool
) -> None:
    """Write the `model` block of TABLE at URL: a SQLite, PostgreSQL or MariaDB table, a CSV or a JSON file."""
    from fhirmap.inspection.inspection import inspect_source
    from fhirmap.inspection.text import sketches_to_text
    from fhirmap.runner.atomic_file import write_atomically

    block = sketches_to_text(inspect_source(url, table, name=name, encoding=encoding, zone=zone))
    if output is not None:
        write_atomically(output, block.encode(), mode=0o644)
    if as_json:
        click.echo(json.dumps({"model": block}, ensure_ascii=False))
    elif output is None:
        click.echo(block, nl=False)
