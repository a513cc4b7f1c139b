"""``fhirmap acknowledge``: somebody has dealt with a withdrawal."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.screen import echo_folded
from fhirmap.texts import text


@define("acknowledge")
@argument("keys", nargs=-1, metavar="key")
@option("--why")
@option("--all", "every", is_flag=True)
@option("--project", type=FilePath(exists=True), default=".")
@option("--json", "as_json", is_flag=True)
def command(keys: tuple[str, ...], why: str | None, every: bool, project: Path, as_json: bool) -> int:
    """Note that the withdrawals of the records KEYS are dealt with: they are not reported any more."""
    from fhirmap.errors import ConfigError
    from fhirmap.runner.project_file import load_project
    from fhirmap.runner.run import has_journal, open_journal
    from fhirmap.sinks.redaction import redact_numbers

    if not keys and not every:
        raise click.UsageError(text("output.acknowledge.say_which"))
    if why is None or not why.strip():
        raise click.UsageError(text("output.acknowledge.say_why"))
    loaded = load_project(project)
    if not has_journal(loaded):
        raise ConfigError("FM666", keys=", ".join(keys))
    with open_journal(loaded, create=False) as journal:
        chosen = list(dict.fromkeys(keys)) or [entry.key for entry in journal.withdrawals()]
        unknown = journal.acknowledge(chosen, _who(), redact_numbers(why.strip()))
    if unknown:
        raise ConfigError("FM666", keys=", ".join(f"`{key}`" for key in unknown))
    if as_json:
        click.echo(json.dumps({"acknowledged": chosen}, ensure_ascii=False))
    else:
        echo_folded(text("output.acknowledge.done", count=len(chosen)))
    return 0


def _who() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in some containers
        return ""
