"""``fhirmap init``: a project folder."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  fhirmap init --example ch-valmorel demo           a shipped establishment, ready to run
  fhirmap init hospital                             a small project to change
  fhirmap init hospital --source postgresql://sih-lecture@db/bloc --table interventions
  fhirmap init pharmacie --source export.csv"""
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--example", help="Copy a shipped establishment: ch-valmorel, clinique-sainte-aubierge, export-pharmacie."
)
@click.option("--source", help="URL or file of your data: its columns become the map's first model.")
@click.option("--table", help="Table of interventions (or path of the list in a JSON document).")
@click.option(
    "--target", default="renacot", show_default=True, help="renacot, renacot-2025-03, procedure-device or a folder."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    folder: Path, example: str | None, source: str | None, table: str | None, target: str, as_json: bool
) -> None:
    """Start a project in FOLDER, new or empty: fhirmap.toml, a map, and a sample where no source is given."""
    from fhirmap.runner.scaffold import copy_example, init_project

    if example is not None:
        copy_example(example, folder)
    else:
        init_project(folder, source, table, target)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "files": files}, ensure_ascii=False))
        return
    click.echo(f"{folder}: {', '.join(files)}")
    click.echo(f"next: fhirmap check {folder}   fhirmap preview {folder}   fhirmap run {folder}")
