"""``fhirmap journal confirm``: what waits is to be sent, whatever another journal may have sent."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.screen import echo_folded
from fhirmap.texts import text


@define("confirm", "journal")
@argument("project", type=FilePath(exists=True), default=".")
@option("--json", "as_json", is_flag=True)
def command(project: Path, as_json: bool) -> int:
    """Confirm that the waiting records of PROJECT (default: this folder) are to be sent."""
    from fhirmap.runner.journal_upkeep import confirm_sending
    from fhirmap.runner.project_file import load_project

    found = confirm_sending(load_project(project))
    if as_json:
        click.echo(json.dumps({"waiting": found.waiting, "known_to_archive": found.archived}))
        return 0
    echo_folded(text("journal.confirmed", count=found.waiting))
    if found.archived:
        echo_folded(text("journal.confirmed_again", count=found.archived))
    return 0
