"""``fhirmap run``: the main job."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirmap.cli.localized import ENGINES, SPARK, FilePath, WordChoice, WorkerCount, argument, define, option
from fhirmap.cli.run_log import FORMATS, JSON_LINES, VARIABLE, emit_warnings, run_log
from fhirmap.cli.screen import echo_folded, echo_json
from fhirmap.cli.streams import drop_standard_output
from fhirmap.texts import os_reason, text
from fhirmap.version import __version__

if TYPE_CHECKING:
    from fhirmap.runner.engine import Engine
    from fhirmap.runner.project import Project
    from fhirmap.runner.run import RunOutcome
    from fhirmap.sinks import SinkSettings


@define("run")
@argument("project", type=FilePath(exists=True), default=".")
@option("--source", multiple=True)
@option(
    "--reports",
    type=FilePath("folder"),
)
@option("--resend", is_flag=True)
@option("--full", is_flag=True)
@option("--workers", type=WorkerCount(), default=1)
@option("--engine", type=WordChoice(ENGINES), default=ENGINES[0])
@option("--dry-run", is_flag=True)
@option("--json", "as_json", is_flag=True)
@option("--debug", is_flag=True)
@option("--log-format", type=WordChoice(FORMATS), envvar=VARIABLE)
def command(
    project: Path,
    source: tuple[str, ...],
    reports: Path | None,
    resend: bool,
    full: bool,
    workers: int,
    engine: str,
    dry_run: bool,
    as_json: bool,
    debug: bool,
    log_format: str | None,
) -> int:
    """Send the records of PROJECT (default: this folder) that are new or changed, and archive the identifiers."""
    with run_log(log_format, debug=debug, shows_faults=as_json):
        if engine == SPARK:
            if resend or full or dry_run or reports is not None or workers != 1:
                raise click.UsageError(text("run.not_with_spark"))
            return _on_spark(project, source, as_json, debug, log_format)
        if dry_run:
            from fhirmap.cli.plan import show_plan

            return show_plan(project, source, resend=resend, full=full, workers=workers, as_json=as_json)
        return _run(project, source, reports, resend, full, workers, as_json, log_format)


def _run(
    place: Path,
    source: tuple[str, ...],
    reports: Path | None,
    resend: bool,
    full: bool,
    workers: int,
    as_json: bool,
    log_format: str | None,
) -> int:
    from fhirmap.runner.engine import build_engine
    from fhirmap.runner.project_file import load_project

    project = load_project(place, source=source)
    with _metrics(project, log_format) as ends:
        ready = build_engine(project)
        _warn(ready, place, as_json, log_format)
        outcome = _send(ready, reports, resend, full, workers, as_json, log_format)
        ends(outcome.exit_code)
    try:
        _show(outcome, as_json)
    except OSError:
        # The run is done, and its report is in its files: that it cannot be shown changes nothing of it.
        drop_standard_output()
        click.echo(text("run.output_not_written"), err=True)
    return outcome.exit_code


def _send(
    engine: Engine,
    reports: Path | None,
    resend: bool,
    full: bool,
    workers: int,
    as_json: bool,
    log_format: str | None,
) -> RunOutcome:
    from fhirmap.cli.progress import ProgressBar
    from fhirmap.collector import expect_records, keep_what_is_there
    from fhirmap.runner.run import run

    keep_what_is_there()
    expect_records()
    is_log_alone = log_format == JSON_LINES
    with _sink_settings(engine.project, as_json or is_log_alone) as settings:
        title = f"{engine.project.name} -> {engine.project.target_name}"
        with ProgressBar(title, quiet=is_log_alone) as progress:
            return run(
                engine,
                settings=settings,
                reading=progress.update,
                sending=lambda sent: progress.update(sent.done, sent.total),
                reports=reports,
                resend=resend,
                full=full,
                workers=workers,
            )


def _show(outcome: RunOutcome, as_json: bool) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without a character shows its number
    from fhirmap.runner.report_file import report_to_data
    from fhirmap.runner.report_lines import report_lines

    if as_json:
        data = {**report_to_data(outcome.report), "page": str(outcome.page) if outcome.page else None}
        echo_json(data, 2)
        return
    for line in report_lines(outcome.report):
        click.echo(f"  {line}")
    # A path stays on its line, to be copied.
    click.echo("  " + (text("run.report_at", file=outcome.page) if outcome.page else text("run.report_not_written")))


@contextmanager
def _metrics(project: Project, log_format: str | None) -> Iterator[Callable[[int], None]]:
    """Writes the project's metrics at the end, however it comes; what is given is to be called with the exit code."""
    if project.metrics_file is None:
        yield lambda _code: None
        return
    from fhirmap.cli.faults import EXIT_INTERRUPTED, diagnose
    from fhirmap.runner.metrics import require_library

    require_library()  # before anything is sent
    codes = [EXIT_INTERRUPTED]
    try:
        yield codes.append
    except Exception as fault:
        codes.append(diagnose(fault)[1])
        raise
    finally:
        _write_metrics(project, codes[-1], log_format)


def _write_metrics(project: Project, code: int, log_format: str | None) -> None:
    from fhirmap.cli.faults import show_warning
    from fhirmap.diagnostics import Diagnostic, Severity
    from fhirmap.runner.metrics import write_metrics

    try:
        write_metrics(project, code)
    except OSError as error:  # the run is done all the same
        args = {"path": error.filename, "reason": os_reason(error)}
        warning = Diagnostic("FM744", None, args, severity_override=Severity.WARNING)
        if log_format == JSON_LINES:
            emit_warnings([warning])
        else:
            show_warning(warning)


def _warn(engine: Engine, place: Path, as_json: bool, log_format: str | None) -> None:
    """What is doubtful of the project and its map, in the log where that has standard error to itself."""
    from fhirmap.cli.faults import show_warnings

    if log_format == JSON_LINES:
        emit_warnings([*engine.project.warnings, *engine.diagnostics])
    elif not as_json:
        show_warnings(engine.project.warnings, engine.diagnostics, place)


def _on_spark(place: Path, source: tuple[str, ...], as_json: bool, debug: bool, log_format: str | None) -> int:
    """Results to a folder; what Spark shows of its progress is its own."""
    from fhirmap.events import RunEnded, RunStarted, emit
    from fhirmap.runner.engine import build_engine
    from fhirmap.runner.project_file import load_project
    from fhirmap.runner.report_file import report_to_data
    from fhirmap.runner.report_lines import report_lines
    from fhirmap.spark import output_place, run_on_spark, spark_session

    engine = build_engine(load_project(place, source=source))
    output_place(engine.project)  # before Java begins
    _warn(engine, place, as_json, log_format)
    project = engine.project
    emit(RunStarted(0, project.name, project.target_name, project.sink.kind, engine.digest, __version__, os.getpid()))
    with spark_session(engine, with_log=debug) as session:
        report = run_on_spark(engine, session)
    counts = {name: getattr(report.ledger, name) for name in type(report.ledger).__slots__}
    emit(RunEnded(report.exit_code, report.finished_at - report.started_at, 0, counts))
    if as_json:
        echo_json({**report_to_data(report), "page": None}, 2)
        return report.exit_code
    for line in report_lines(report):
        click.echo(f"  {line}")
    click.echo("  " + text("run.results_at", folder=report.sink))
    return report.exit_code


@contextmanager
def _sink_settings(project: Project, quiet: bool) -> Iterator[SinkSettings]:
    """The sink's settings; where the project names the simulator, one is served on loopback meanwhile."""
    from fhirmap.cli.faults import show_warning
    from fhirmap.runner.run import migrated, open_journal, simulated

    if not project.sink.is_simulator:
        yield project.sink_settings()
        return
    from fhirmap.registry import RegistryConfig, RegistryServer, read_config

    config = read_config(project.registry) if project.registry else RegistryConfig()
    with open_journal(project, exclusive=True) as journal:
        if journal.migration is not None and not quiet:
            show_warning(migrated(journal.migration))
        # The simulator forgets; its numbers go on all the same, as the registry's would.
        config = replace(config, first_number=1 + journal.accepted_count())
    client = config.clients[0]
    with RegistryServer(config) as server:
        if not quiet:
            echo_folded("  " + text("run.simulator", port=server.port, rate=config.rate_per_s), err=True)
        yield simulated(
            project.sink_settings(),
            url=server.url,
            token_url=server.token_url,
            client_id=client.id,
            client_secret=client.secret,
            scope=client.scope,
        )
