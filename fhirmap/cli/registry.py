"""``fhirmap registry``: the simulator, alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirmap.cli.localized import FilePath, WholeNumber, define, option
from fhirmap.cli.screen import echo_json
from fhirmap.texts import text

if TYPE_CHECKING:
    from fhirmap.registry import RegistryServer


@define("registry")
@option(
    "--port",
    default=8471,
    type=WholeNumber(0, 65535),
    show_default=True,
)
@option(
    "--config",
    type=FilePath("file", exists=True),
)
@option("--json", "as_json", is_flag=True)
def command(port: int, config: Path | None, as_json: bool) -> None:
    """Serve the registry simulator on loopback until interrupted."""
    from fhirmap.registry import read_config, serve

    def announce(server: RegistryServer) -> None:
        if as_json:
            echo_json({"url": server.url, "token_url": server.token_url, "port": server.port})
            return
        click.echo(text("output.registry.started", port=server.port, url=server.url, token_url=server.token_url))
        if config is None:
            click.echo(text("output.registry.client"))

    serve(port, read_config(config) if config else None, announce)
