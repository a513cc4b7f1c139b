"""``fhirmap doctor``: is everything around a run as it should be?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from fhirmap.cli.finding import Finding
from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.screen import echo_folded, echo_json
from fhirmap.texts import text

if TYPE_CHECKING:
    from fhirmap.runner.engine import Engine
    from fhirmap.runner.project import Project
    from fhirmap.sinks.signing_key import SigningKey
    from fhirmap.sinks.sink import SinkSettings

_LOW_DISK_BYTES = 200 * 1024 * 1024


@define("doctor")
@argument("project", type=FilePath(exists=True), default=".")
@option("--offline", is_flag=True)
@option("--json", "as_json", is_flag=True)
def command(project: Path, offline: bool, as_json: bool) -> int:
    """Check PROJECT's settings (default: this folder), source, journal, certificates, token and clock; send nothing."""
    findings: list[Finding] = []
    for finding in _examine(project, offline):
        findings.append(finding)
        if not as_json:
            echo_folded(f"  {text(f'doctor.states.{finding.state}'):<6} {finding.what}", 9)
            if finding.hint:
                echo_folded(f"         -> {finding.hint}", 12)
    code = max((finding.exit for finding in findings), default=0)
    if as_json:
        echo_json({"exit": code, "findings": [asdict(entry) for entry in findings]})
    return code


def _examine(folder: Path, offline: bool) -> Iterator[Finding]:
    from fhirmap.runner.engine import build_engine
    from fhirmap.runner.project_file import load_project

    engine: Engine | None = None
    try:
        project = load_project(folder)
        engine = build_engine(project)
    except Exception as fault:  # noqa: BLE001 - whatever is wrong with the project is the finding
        yield from _failed("project", fault)
        return
    target = project.map.target
    names = {"name": project.name, "digest": engine.digest[:12]}
    if target:
        yield Finding("ok", text("doctor.project_and_target", **names, target=target.name))
    else:
        yield Finding("ok", text("doctor.project", **names))
    maps = engine.diagnostics
    for warning in (*project.warnings, *(maps if len(maps) == 1 else ())):
        yield Finding("warn", warning.message, warning.hint_text)
    if len(maps) > 1:
        yield Finding("warn", text("diagnostics.map_warnings", count=len(maps), place=folder))
    for unset in project.unset:
        yield Finding("FAIL", unset.message, unset.hint_text, 2)
    yield from _tried("source", lambda: _source(engine))
    yield from _keys(engine)
    yield from _tried("journal", lambda: _journal(project))
    yield from _archive(engine)
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
            shown = _failure(what, f"{where}{entry.message}", entry.code)
            yield Finding(state, shown, entry.hint_text, 2 * entry.is_error)
    elif isinstance(fault, FhirmapError):
        entry = fault.diagnostic()
        yield Finding("FAIL", _failure(what, entry.message, entry.code), entry.hint_text, exit_code(fault.code))
    else:
        raise fault


def _failure(what: str, message: str, code: str) -> str:
    return text("doctor.failed", what=text(f"doctor.parts.{what}"), message=message, code=code)


def _source(engine: Engine) -> Finding:
    from fhirmap.runner.source import open_project_source

    with open_project_source(engine.project, engine.plan) as source:
        tables = len(source.columns())
        count = source.count()
    shown = text("doctor.source", address=engine.project.source_address(engine.plan.source).shown, count=tables)
    return Finding("ok", shown if count is None else f"{shown}, {text('doctor.records', count=count)}")


def _keys(engine: Engine) -> Iterator[Finding]:
    """Keys of the first records that look like a person's number."""
    from fhirmap.errors import ConfigError
    from fhirmap.runner.personal_keys import sampled_keys
    from fhirmap.runner.source import open_project_source

    with suppress(ConfigError), open_project_source(engine.project, engine.plan) as source:
        for warning in sampled_keys(source, engine.plan):
            yield Finding("warn", warning.message, warning.hint_text)


def _archive(engine: Engine) -> Iterator[Finding]:
    from fhirmap.runner.archive import open_archives
    from fhirmap.runner.check import archive_findings

    project = engine.project
    found = archive_findings(project, engine.transformer.store)
    for entry in found:
        shown = _failure("archive", entry.message, entry.code)
        yield Finding("FAIL" if entry.is_error else "warn", shown, entry.hint_text, 3 * entry.is_error)
    if not found:
        for place in open_archives(project):
            yield Finding("ok", text("doctor.archive", place=place.name))


def _journal(project: Project) -> Finding:
    from fhirmap.runner.run import has_journal, open_journal

    if not has_journal(project):
        return _no_journal(project.journal.path)
    with open_journal(project) as journal:
        journal.require_sound_pages()
        run = journal.last_run()
    if project.journal.url is not None:
        return Finding("ok", text("doctor.journal_on_server"))
    path = project.journal.path
    mode = path.stat().st_mode & 0o777
    free = shutil.disk_usage(path.parent).free
    found = text("doctor.journal", path=path, mode=f"{mode:04o}", free=_gigabytes(free))
    found = found if run else f"{found}, {text('doctor.no_run')}"
    if mode & 0o077 and os.name == "posix":
        return Finding("warn", found, text("doctor.others_may_read", path=path))
    if free < _LOW_DISK_BYTES:
        return Finding("warn", found, text("doctor.low_disk"))
    return Finding("ok", found)


def _no_journal(path: Path) -> Finding:
    """A journal that the first run will make: can it?"""
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        return Finding("FAIL", text("doctor.journal_folder", path=path), text("doctor.journal_folder_hint"), 3)
    free = shutil.disk_usage(path.parent).free
    return Finding("ok", text("doctor.journal_to_come", path=path, free=_gigabytes(free)))


def _gigabytes(size_bytes: int) -> str:
    return text("doctor.gigabytes", size=f"{size_bytes / 1024**3:.1f}")


def _receiver(project: Project, offline: bool) -> Iterator[Finding]:
    if project.sink.is_simulator:
        yield Finding("skip", text("doctor.simulator"))
        return
    if project.unset:
        yield Finding("skip", text("doctor.token_unset"))
        return
    try:
        settings = project.sink_settings()
    except Exception as fault:  # noqa: BLE001 - a secret that cannot be had is a finding
        yield from _failed("sink", fault)
        return
    token_url = settings.credentials.token_url if settings.credentials else ""
    yield from _proxies(settings, settings.url, token_url)
    if offline:
        yield Finding("skip", text("doctor.token_offline"))
        return
    tokens = list(_token(settings)) if settings.credentials else [Finding("skip", text("doctor.token_no_auth"))]
    yield from tokens
    if not any(finding.exit for finding in tokens):  # the receiver would be asked with a token
        yield from _operation(settings)


def _operation(settings: SinkSettings) -> Iterator[Finding]:
    from fhirmap.cli.receiver_look import look_at_receiver

    try:
        yield from look_at_receiver(settings)
    except Exception as fault:  # noqa: BLE001 - what stops a run is the finding
        yield from _failed("sink", fault)


def _token(settings: SinkSettings) -> Iterator[Finding]:
    """Where tokens come from, how we say who we are, and one token."""
    from fhirmap.errors import FhirmapError
    from fhirmap.sinks.discovery import configuration_url
    from fhirmap.sinks.oauth import TokenSource
    from fhirmap.sources.address import mask

    credentials = settings.credentials
    assert credentials is not None
    try:
        with closing(TokenSource(credentials, settings.transport, settings.url)) as tokens:
            url = mask(tokens.discover())
            if not credentials.token_url:
                yield Finding("ok", text("doctor.discovered", url=url, place=mask(configuration_url(settings.url))))
                yield from _proxies(settings, tokens.endpoint)
            if tokens.key is not None:
                yield Finding("ok", _signature(tokens.key))
            tokens.bearer()
            yield _granted(url, credentials.scope, tokens.granted)
    except FhirmapError as fault:
        yield from _failed("token", fault)


def _signature(key: SigningKey) -> str:
    if key.key_id:
        return text("doctor.signature", algorithm=key.algorithms[0], key_id=key.key_id)
    return text("doctor.signature_plain", algorithm=key.algorithms[0])


def _proxies(settings: SinkSettings, *addresses: str) -> Iterator[Finding]:
    """The proxy of each host that is spoken to, and what named it; nothing where there is none."""
    from fhirmap.errors import FhirmapError
    from fhirmap.sinks.proxy import find_proxy
    from fhirmap.sources.address import mask

    said: list[Finding] = []
    for url in filter(None, addresses):
        try:
            route = find_proxy(url, settings.transport.proxy)
        except FhirmapError as fault:
            said += _failed("sink", fault)
            continue
        what = {"host": mask(url), "origin": route.origin, "proxy": route.shown}
        if route.excepted or route.url:
            said.append(Finding("ok", text("doctor.proxy_excepted" if route.excepted else "doctor.proxy", **what)))
    yield from dict.fromkeys(said)


def _granted(url: str, asked: str, granted: str | None) -> Finding:
    """What the token is good for: RFC 6749 section 5.1 lets a server grant another scope than the one asked for."""
    if granted is None:
        unnamed = text("doctor.token_unnamed", url=url, scope=asked) if asked else text("doctor.token_plain", url=url)
        return Finding("ok", unnamed)
    missing = " ".join(name for name in asked.split() if name not in granted.split())
    shown = granted or text("doctor.no_scope")
    if missing:
        refused = text("doctor.token_other", url=url, scope=shown, missing=missing)
        return Finding("warn", refused, text("doctor.token_other_hint"))
    return Finding("ok", text("doctor.token", url=url, scope=shown))
