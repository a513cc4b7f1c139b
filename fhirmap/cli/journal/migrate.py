"""``fhirmap journal migrate``: tables of an earlier version become those of this one."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.screen import echo_folded
from fhirmap.texts import text


@define("migrate", "journal")
@argument("project", type=FilePath(exists=True), default=".")
@option("--yes", is_flag=True)
@option("--json", "as_json", is_flag=True)
def command(project: Path, yes: bool, as_json: bool) -> int:
    """Migrate the journal of PROJECT (default: this folder) without a run."""
    from fhirmap.journal.upgrade import upgrade_server
    from fhirmap.runner.project_file import load_project
    from fhirmap.runner.run import has_journal, open_journal

    loaded = load_project(project)
    found = None
    if loaded.journal.url is not None:
        if not yes:
            raise click.UsageError(text("journal.migrate.say_yes"))
        found = upgrade_server(loaded.journal.url.reveal(), time.time)
    elif has_journal(loaded):
        with open_journal(loaded, exclusive=True, create=False) as journal:
            found = journal.migration
    if as_json:
        copy = str(found.copy) if found and found.copy else None
        data = {"found": found.found, "made": found.made, "copy": copy} if found else None
        click.echo(json.dumps({"migrated": data}, ensure_ascii=False))
    elif found is None:
        echo_folded(text("journal.migrate.nothing"))
    else:
        echo_folded(text("journal.migrate.done", found=found.found, made=found.made))
        if found.copy:
            click.echo(text("journal.migrate.copy", copy=found.copy))
    return 0
