"""``fhirmap retry``: let refused or deferred records be sent again."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  fhirmap retry hospital --refused                     all refused records
  fhirmap retry hospital --refused --reason 422        those refused with that status
  fhirmap retry hospital --reason "ne correspond"      those whose answer has these words
  fhirmap retry hospital --key 1042 --key 1043
  fhirmap run hospital                                 then sends them"""
)
@click.argument("project", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--key", "keys", multiple=True, help="A record, by its key; repeatable.")
@click.option("--reason", help="HTTP status, FM code, issue code, or words of the answer.")
@click.option("--refused", is_flag=True, help="Refused records.")
@click.option("--deferred", is_flag=True, help="Deferred records, without waiting for their time.")
@click.option("--uncertain", is_flag=True, help="Records whose answer was lost: may create duplicates at the receiver.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    project: Path,
    keys: tuple[str, ...],
    reason: str | None,
    refused: bool,
    deferred: bool,
    uncertain: bool,
    as_json: bool,
) -> None:
    """Release refused or deferred records of PROJECT (default: this folder) for the next `fhirmap run`.

    Without a state, keys and reason choose among refused and deferred ones.
    """
    from fhirmap.journal import EntryState
    from fhirmap.runner.project import load_project
    from fhirmap.runner.run import has_journal, open_journal

    if not (keys or reason or refused or deferred or uncertain):
        raise click.UsageError("say which: --refused, --deferred, --uncertain, --reason or --key")
    wanted = {"refused": refused, "deferred": deferred, "uncertain": uncertain}
    states = [state for state, chosen in wanted.items() if chosen] or ["refused", "deferred"]
    loaded = load_project(project)
    count = 0
    if has_journal(loaded):
        with open_journal(loaded, create=False) as journal:
            count = journal.release(keys or None, reason, [EntryState(state) for state in states])
    if as_json:
        click.echo(json.dumps({"released": count}))
        return
    click.echo(f"released {count}" + ("; fhirmap run sends them" if count else ": none matches"))
