"""``fhirmap retry``: let refused or deferred records be sent again."""

from __future__ import annotations

from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.screen import echo_json
from fhirmap.texts import text


@define("retry")
@argument("project", type=FilePath(exists=True), default=".")
@option("--key", "keys", multiple=True)
@option("--reason")
@option("--refused", is_flag=True)
@option("--deferred", is_flag=True)
@option("--uncertain", is_flag=True)
@option("--json", "as_json", is_flag=True)
def command(
    project: Path,
    keys: tuple[str, ...],
    reason: str | None,
    refused: bool,
    deferred: bool,
    uncertain: bool,
    as_json: bool,
) -> None:
    """Release refused or deferred records of PROJECT (default: this folder) for the next `fhirmap run`."""
    from fhirmap.journal import EntryState
    from fhirmap.runner.meant_keys import meant_keys
    from fhirmap.runner.project_file import load_project
    from fhirmap.runner.run import has_journal, open_journal

    if not (keys or reason or refused or deferred or uncertain):
        raise click.UsageError(text("output.retry.say_which"))
    wanted = {"refused": refused, "deferred": deferred, "uncertain": uncertain}
    states = [state for state, chosen in wanted.items() if chosen] or ["refused", "deferred"]
    loaded = load_project(project)
    count = 0
    if has_journal(loaded):
        with open_journal(loaded, create=False) as journal:
            count = journal.release(meant_keys(journal, keys) or None, reason, [EntryState(state) for state in states])
    if as_json:
        echo_json({"released": count})
        return
    click.echo(text("output.retry.released", count=count) if count else text("output.retry.none"))
