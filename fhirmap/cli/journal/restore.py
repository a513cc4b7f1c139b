"""``fhirmap journal restore``: a copy takes the place of the journal."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.screen import echo_folded
from fhirmap.texts import text


@define("restore", "journal")
@argument("file", type=FilePath("file", exists=True))
@argument("project", type=FilePath(exists=True), default=".")
@option("--json", "as_json", is_flag=True)
def command(file: Path, project: Path, as_json: bool) -> int:
    """Put the copy FILE in the place of the journal of PROJECT (default: this folder)."""
    from fhirmap.runner.journal_upkeep import restore
    from fhirmap.runner.project_file import load_project

    loaded = load_project(project)
    kept = restore(loaded, file)
    if as_json:
        data = {"journal": str(loaded.journal.path), "kept": str(kept) if kept else None}
        click.echo(json.dumps(data, ensure_ascii=False))
        return 0
    click.echo(text("journal.restored", journal=loaded.journal.path))
    if kept:
        click.echo(text("journal.kept", kept=kept))
    echo_folded(text("journal.restored_next"))
    return 0
