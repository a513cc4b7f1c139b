"""``fhirmap inspect``: a `model` block from live data."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  fhirmap inspect sqlite:///sih.sqlite INTERVENTION
  fhirmap inspect postgresql://sih-lecture@db/bloc interventions -o bloc.map
  fhirmap inspect export.csv
  fhirmap inspect cases.json cases          the list at a path of the document"""
)
@click.argument("url")
@click.argument("table", required=False)
@click.option("--name", help="Name of the model; default: the table's.")
@click.option("--encoding", default="", help="Of a CSV file; default: found out.")
@click.option("--zone", default="Europe/Paris", show_default=True, help="Where times without an offset are local.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: standard output."
)
@click.option("--json", "as_json", is_flag=True, help="The block as JSON.")
def command(
    url: str, table: str | None, name: str | None, encoding: str, zone: str, output: Path | None, as_json: bool
) -> None:
    """Write the `model` block of TABLE at URL: a SQLite, PostgreSQL or MariaDB table, a CSV or a JSON file.

    Types and formats come from the columns and from a sample of their values; no value is written.
    """
    from fhirmap.inspection import inspect_source, sketches_to_text
    from fhirmap.runner.whole_file import write_whole

    block = sketches_to_text(inspect_source(url, table, name=name, encoding=encoding, zone=zone))
    if output is not None:
        write_whole(output, block.encode(), mode=0o644)
    if as_json:
        click.echo(json.dumps({"model": block}, ensure_ascii=False))
    elif output is None:
        click.echo(block, nl=False)
