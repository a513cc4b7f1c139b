"""``fhirmap acknowledge``: somebody has dealt with a withdrawal, or with a record in doubt."""

from __future__ import annotations

from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.screen import echo_folded, echo_json
from fhirmap.texts import text
from fhirmap.texts.shown_keys import shown_key


@define("acknowledge")
@argument("keys", nargs=-1, metavar="key")
@option("--why")
@option("--all", "every", is_flag=True)
@option("--in-doubt", is_flag=True)
@option("--project", type=FilePath(exists=True), default=".")
@option("--json", "as_json", is_flag=True)
def command(keys: tuple[str, ...], why: str | None, every: bool, in_doubt: bool, project: Path, as_json: bool) -> int:
    """Note that the withdrawals and doubts of the records KEYS are dealt with: they are not reported any more."""
    from fhirmap.errors import ConfigError
    from fhirmap.runner.meant_keys import meant_keys
    from fhirmap.runner.project_file import load_project
    from fhirmap.runner.run import has_journal, open_journal
    from fhirmap.runner.same_records import known_key
    from fhirmap.sinks.redaction import redact_numbers

    if not (keys or every or in_doubt):
        raise click.UsageError(text("output.acknowledge.say_which"))
    if why is None or not why.strip():
        raise click.UsageError(text("output.acknowledge.say_why"))
    loaded = load_project(project)
    if not has_journal(loaded):
        raise ConfigError("FM666", keys=", ".join(map(shown_key, keys)))
    with open_journal(loaded, create=False) as journal:
        withdrawn = [entry.key for entry in journal.withdrawals()] if every else []
        doubtful = [entry.key for entry in journal.doubts()] if in_doubt else []
        chosen = list(dict.fromkeys([*meant_keys(journal, keys), *withdrawn, *doubtful]))
        unknown = journal.acknowledge(chosen, _who(), redact_numbers(why.strip()))
        form = known_key(journal)
    if unknown:
        listed = ", ".join(f"`{shown_key(key)}`" for key in unknown)
        raise ConfigError("FM666", keys=listed, variant="columns" if len(form) > 1 else "", form="|".join(form))
    if as_json:
        echo_json({"acknowledged": chosen})
    else:
        echo_folded(text("output.acknowledge.done", count=len(chosen)))
    return 0


def _who() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in some containers
        return ""
