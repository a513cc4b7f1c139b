"""``fhirmap journal purge``: payloads and answers of records that are done with are deleted after a time."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fhirmap.cli.localized import Days, FilePath, WordChoice, argument, define, option
from fhirmap.cli.screen import echo_folded
from fhirmap.texts import text

_STATES = ("accepted", "refused", "superseded", "invalid", "out_of_scope", "gone")


@define("purge", "journal")
@argument("project", type=FilePath(exists=True), default=".")
@option("--state", "states", multiple=True, required=True, type=WordChoice(_STATES))
@option("--older-than", "days", required=True, type=Days())
@option("--dry-run", is_flag=True)
@option("--json", "as_json", is_flag=True)
def command(project: Path, states: tuple[str, ...], days: int, dry_run: bool, as_json: bool) -> int:
    """Delete payloads and answers of PROJECT's records (default: this folder) that came to a final state long ago."""
    from fhirmap.journal import EntryState
    from fhirmap.runner.journal_upkeep import purge
    from fhirmap.runner.project_file import load_project

    done = purge(load_project(project), [EntryState(name) for name in states], days, dry_run=dry_run)
    if as_json:
        data = {"records": done.records, "forgotten": done.forgotten, "bytes": done.size, "dry_run": dry_run}
        click.echo(json.dumps(data))
        return 0
    how = "would_purge" if dry_run else "purged"
    echo_folded(text(f"journal.{how}", count=done.records, size=done.size))
    echo_folded(text(f"journal.{how}_whole", count=done.forgotten))
    return 0
