"""``fhirmap keys``: the public keys that the receiver registers."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.texts import text


@define("keys")
@argument("project", type=FilePath(exists=True), default=".")
@option("--json", "as_json", is_flag=True)
def command(project: Path, as_json: bool) -> None:
    """Print PROJECT's public keys as a JWK Set; the private ones are read and not shown."""
    from fhirmap.errors import ConfigError
    from fhirmap.runner.project_file import load_project
    from fhirmap.sinks.signing_key import public_key_set, read_signing_keys

    auth = load_project(project).sink.auth
    if auth.private_key is None:
        raise ConfigError("FM734", setting="sink.auth.private_key")
    signing = read_signing_keys(auth.private_key.reveal())
    public = public_key_set(signing, auth.key_id)
    click.echo(json.dumps(public, ensure_ascii=False, indent=2))
    if not as_json and not signing[0].key_id and not auth.key_id:
        click.echo(text("output.keys.set_id", key_id=public["keys"][0]["kid"]), err=True)
