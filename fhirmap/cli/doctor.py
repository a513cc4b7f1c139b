"""``fhirmap doctor``: is everything around a run as it should be?"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fhirmap.runner.engine import Engine
    from fhirmap.runner.project import Project

_LOW_DISK_BYTES = 200 * 1024 * 1024
_CLOCK_SKEW_S = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``state``: ok, warn, FAIL or skip; ``exit``: the exit code that a failure means."""

    state: str
    what: str
    hint: str = ""
    exit: int = 0


@click.command(
    epilog="""\b
Examples:
  fhirmap doctor hospital
  fhirmap doctor hospital --offline     no network: project, source, journal
  fhirmap doctor hospital --json"""
)
@click.argument("project", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--offline", is_flag=True, help="Do not ask the identity server for a token.")
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON.")
def command(project: Path, offline: bool, as_json: bool) -> int:
    """Check PROJECT's settings (default: this folder), source, journal, certificates, token and clock; send nothing.

    Exit code 0; 2 if the project is wrong; 3 if source, journal or identity server cannot be used.
    """
    findings: list[Finding] = []
    for finding in _examine(project, offline):
        findings.append(finding)
        if not as_json:
            click.echo(f"  {finding.state:<5} {finding.what}")
            if finding.hint:
                click.echo(f"        -> {finding.hint}")
    code = max((finding.exit for finding in findings), default=0)
    if as_json:
        click.echo(json.dumps({"exit": code, "findings": [asdict(entry) for entry in findings]}, ensure_ascii=False))
    return code


def _examine(folder: Path, offline: bool) -> Iterator[Finding]:
    from fhirmap.runner.engine import build_engine
    from fhirmap.runner.project import load_project

    engine: Engine | None = None
    try:
        project = load_project(folder)
        engine = build_engine(project)
    except Exception as fault:  # noqa: BLE001 - whatever is wrong with the project is the finding
        yield from _failed("project", fault)
        return
    target = project.map.target
    contract = f", target {target.name}" if target else ""
    yield Finding("ok", f"project {project.name}, map digest {engine.digest[:12]}{contract}")
    for warning in (*project.warnings, *engine.maps.diagnostics):
        yield Finding("warn", warning.message, warning.hint_text)
    for unset in project.unset:
        yield Finding("FAIL", unset.message, unset.hint_text, 2)
    yield from _tried("source", lambda: _source(engine))
    yield from _tried("journal", lambda: _journal(project))
    yield from _receiver(project, offline)


def _tried(what: str, look: Callable[[], Finding]) -> Iterator[Finding]:
    try:
        yield look()
    except Exception as fault:  # noqa: BLE001 - a failed look is a finding, and the next one is still made
        yield from _failed(what, fault)


def _failed(what: str, fault: Exception) -> Iterator[Finding]:
    from fhirmap.cli.faults import exit_code
    from fhirmap.errors import FhirmapError, MapError, ProjectError

    if isinstance(fault, MapError | ProjectError):
        for entry in fault.diagnostics:
            where = f"{entry.span.position}: " if entry.span else ""
            state = "FAIL" if entry.is_error else "warn"
            yield Finding(state, f"{what}: {where}{entry.message} [{entry.code}]", entry.hint_text, 2 * entry.is_error)
    elif isinstance(fault, FhirmapError):
        entry = fault.diagnostic()
        yield Finding("FAIL", f"{what}: {entry.message} [{entry.code}]", entry.hint_text, exit_code(fault.code))
    else:
        raise fault


def _source(engine: Engine) -> Finding:
    from fhirmap.runner.source import open_project_source

    with open_project_source(engine.project, engine.plan) as source:
        tables = len(source.columns())
        count = source.count()
    told = "" if count is None else f", {count:,} records"
    return Finding(
        "ok", f"source {engine.project.source_address().shown}: {tables} tables or files, all columns as declared{told}"
    )


def _journal(project: Project) -> Finding:
    from fhirmap.runner.run import has_journal, open_journal

    if not has_journal(project):
        return _no_journal(project.journal.path)
    with open_journal(project) as journal:
        run = journal.last_run()
    if project.journal.url is not None:
        return Finding("ok", "journal on a database server")
    path = project.journal.path
    mode = path.stat().st_mode & 0o777
    free = shutil.disk_usage(path.parent).free
    told = f"journal {path}, {mode:04o}, {free / 1024**3:.1f} GB free" + ("" if run else ", no run yet")
    if mode & 0o077 and os.name == "posix":
        return Finding("warn", told, f"others may read it, and it holds patients' numbers: chmod 600 {path}")
    if free < _LOW_DISK_BYTES:
        return Finding("warn", told, "little room is left")
    return Finding("ok", told)


def _no_journal(path: Path) -> Finding:
    """A journal that the first run will make: can it?"""
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        hint = "make the folder, and give the account that runs fhirmap the right to write into it"
        return Finding("FAIL", f"journal {path}: its folder is not there or may not be written", hint, 3)
    free = shutil.disk_usage(path.parent).free
    return Finding("ok", f"journal {path}: the first run makes it, {free / 1024**3:.1f} GB free")


def _receiver(project: Project, offline: bool) -> Iterator[Finding]:
    from fhirmap.sinks.oauth import TokenSource
    from fhirmap.sinks.transport import Transport
    from fhirmap.sources.address import mask

    if project.sink.is_simulator:
        yield Finding("skip", "receiver: the built-in simulator, which starts with each run")
        return
    if project.unset:
        yield Finding("skip", "token endpoint: a setting it needs is not set")
        return
    try:
        settings = project.sink_settings()
    except Exception as fault:  # noqa: BLE001 - a secret that cannot be had is a finding
        yield from _failed("sink", fault)
        return
    if settings.credentials is None or offline:
        yield Finding("skip", "token endpoint: " + ("--offline" if offline else "no [sink.auth]"))
        return

    def token() -> Finding:
        assert settings.credentials is not None
        with Transport(settings.credentials.token_url, settings.transport) as transport:
            TokenSource(settings.credentials, transport).bearer()
        return Finding(
            "ok",
            f"token endpoint {mask(settings.credentials.token_url)}: a token for scope {settings.credentials.scope}",
        )

    yield from _tried("token endpoint", token)
    yield from _tried("clock", lambda: _clock(project))


def _clock(project: Project) -> Finding:
    from fhirmap.sinks.transport import NoAnswer, Transport
    from fhirmap.sources.address import mask

    settings = project.sink_settings()
    shown = mask(settings.url)
    try:
        with Transport(settings.url, settings.transport) as transport:
            answer = transport.post(settings.url, b"", {})
    except NoAnswer as silent:
        return Finding("FAIL", f"receiver {shown}: {silent.reason}", "look at [sink] url, proxy and [sink.tls]", 3)
    stated = next((value for name, value in answer.headers.items() if name.lower() == "date"), "")
    if not stated:
        return Finding("ok", f"receiver {shown} answers ({answer.status}); it tells no time")
    skew = time.time() - parsedate_to_datetime(stated).timestamp()
    if abs(skew) > _CLOCK_SKEW_S:
        return Finding(
            "warn", f"this machine's clock is {skew:+.0f} s off the receiver's", "tokens may be refused: set the clock"
        )
    return Finding("ok", f"receiver {shown} answers ({answer.status}), clocks agree within {abs(skew):.0f} s")
