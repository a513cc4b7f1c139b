"""``fhirmap registry``: the simulator, alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fhirmap.registry import RegistryServer


@click.command(
    epilog="""\b
Examples:
  fhirmap registry --port 8471
  fhirmap registry --config examples/ch-valmorel/registry.toml
  curl -d grant_type=client_credentials -d client_id=demo -d client_secret=demo -d scope=implant \\
       http://127.0.0.1:8471/connect/token"""
)
@click.option(
    "--port",
    default=8471,
    type=click.IntRange(0, 65535),
    show_default=True,
    help="Port on loopback; 0 takes any free one.",
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="registry.toml: clients, known operations, answers, faults.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the addresses as one line of JSON.")
def command(port: int, config: Path | None, as_json: bool) -> None:
    """Serve the registry simulator on loopback until interrupted.

    Token endpoint, $associer-implants-registre, the March 2025 draft and a transaction endpoint. It forgets everything
    when it stops, and logs nothing that is sent to it.
    """
    from fhirmap.registry import read_config, serve

    def announce(server: RegistryServer) -> None:
        if as_json:
            click.echo(json.dumps({"url": server.url, "token_url": server.token_url, "port": server.port}))
            return
        click.echo(f"registry simulator on 127.0.0.1:{server.port}, until Ctrl-C")
        click.echo(f"  base             {server.url}")
        click.echo(f"  token endpoint   {server.token_url}")
        if config is None:
            click.echo("  client           demo, secret demo, scope implant; every well-formed declaration is accepted")

    serve(port, read_config(config) if config else None, announce)
