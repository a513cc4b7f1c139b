"""``fhirmap journal``: what keeps a journal in the long run, one file per command."""

from __future__ import annotations

import click

from fhirmap.cli.localized import LazyGroup

JOURNAL_COMMANDS = ("verify", "backup", "restore", "adopt", "confirm", "purge", "rekey", "key", "migrate")


class JournalCommands(LazyGroup):
    """The commands of the journal."""

    names = JOURNAL_COMMANDS
    package = __name__
    listed = "journal."


@click.command("journal", cls=JournalCommands, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Called alone it shows its help."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)
