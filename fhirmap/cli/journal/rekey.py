"""``fhirmap journal rekey``: payloads and answers are encrypted anew with the first key."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.screen import echo_folded
from fhirmap.texts import text


@define("rekey", "journal")
@argument("project", type=FilePath(exists=True), default=".")
@option("--json", "as_json", is_flag=True)
def command(project: Path, as_json: bool) -> int:
    """Encrypt PROJECT's payloads and answers (default: this folder) with its first key; exit code 1 where some are
    left."""
    from fhirmap.runner.journal_upkeep import rekey
    from fhirmap.runner.project_file import load_project

    done = rekey(load_project(project))
    if as_json:
        counts = {"payloads": done.payloads, "answers": done.answers, "changed": done.changed, "locked": done.locked}
        click.echo(json.dumps({**counts, "keys": list(done.keys)}))
    else:
        echo_folded(text("journal.rekeyed", payloads=done.payloads, answers=done.answers))
        if done.changed:
            echo_folded(text("journal.rekey_changed", count=done.changed))
        if done.locked:
            echo_folded(text("journal.rekey_locked", count=done.locked, keys=", ".join(done.keys)))
    return 1 if done.changed or done.locked else 0
