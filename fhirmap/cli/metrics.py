"""``fhirmap metrics``: figures of projects for a monitoring system."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirmap.cli.localized import FilePath, WholeNumber, argument, define, option
from fhirmap.cli.screen import echo_json
from fhirmap.data import JsonValue
from fhirmap.texts import os_reason, text

if TYPE_CHECKING:
    from fhirmap.runner.metrics import MeasuredProject
    from fhirmap.runner.project import Project


@define("metrics")
@argument("project", type=FilePath(exists=True), nargs=-1)
@option("--port", type=WholeNumber(0, 65535))
@option("--json", "as_json", is_flag=True)
def command(project: tuple[Path, ...], port: int | None, as_json: bool) -> None:
    """Write figures of each PROJECT (default: this folder) as OpenMetrics, or serve them on loopback."""
    from fhirmap.runner.metrics import measure, metrics_text, require_library
    from fhirmap.runner.project_file import load_project

    projects = [load_project(place) for place in project or (Path(),)]
    if port is not None:
        require_library()
        _serve(projects, port, as_json)
    elif as_json:
        measured = [measure(one) for one in projects]
        shown = [{"project": one.project, "target": one.target, "figures": _plain(one)} for one in measured]
        echo_json(shown, 2)
    else:
        click.echo(metrics_text([measure(one) for one in projects], time.time()), nl=False)


def _plain(one: MeasuredProject) -> dict[str, JsonValue] | None:
    return None if one.figures is None else asdict(one.figures)


def _serve(projects: Sequence[Project], port: int, as_json: bool) -> None:
    from prometheus_client import start_wsgi_server

    from fhirmap.errors import ConfigError
    from fhirmap.runner.metrics import measure, metrics_registry

    registry = metrics_registry(lambda: [measure(one) for one in projects])
    try:
        server, thread = start_wsgi_server(port, "127.0.0.1", registry)
    except OSError as error:
        raise ConfigError("FM795", variant="metrics", port=port, reason=os_reason(error)) from None
    try:
        url = f"http://127.0.0.1:{server.server_port}/metrics"
        if as_json:
            echo_json({"url": url})
        else:
            click.echo(text("output.metrics.started", url=url))
        thread.join()
    finally:
        server.shutdown()
        server.server_close()
