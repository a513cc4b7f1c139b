"""``fhirmap journal key``: a new random key for `[journal] encryption_keys`."""

from __future__ import annotations

import click

from fhirmap.cli.localized import define


@define("key", "journal")
def command() -> int:
    """Print a new random key."""
    from fhirmap.runner.encryption_keys import new_key

    click.echo(new_key())
    return 0
