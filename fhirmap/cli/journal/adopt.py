"""``fhirmap journal adopt``: what the archive has identifiers of is not sent again."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.screen import echo_folded
from fhirmap.texts import text


@define("adopt", "journal")
@argument("project", type=FilePath(exists=True), default=".")
@option("--json", "as_json", is_flag=True)
def command(project: Path, as_json: bool) -> int:
    """Take the records of PROJECT (default: this folder) that the archive has identifiers of for accepted."""
    from fhirmap.runner.journal_upkeep import adopt_archived
    from fhirmap.runner.project_file import load_project

    count = adopt_archived(load_project(project))
    if as_json:
        click.echo(json.dumps({"adopted": count}))
    else:
        echo_folded(text("journal.adopted", count=count))
    return 0
