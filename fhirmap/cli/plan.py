"""``fhirmap plan``: what a run would do."""

from __future__ import annotations

from pathlib import Path

from fhirmap.cli.localized import FilePath, WorkerCount, argument, define, option
from fhirmap.cli.screen import echo_folded, echo_json


@define("plan")
@argument("project", type=FilePath(exists=True), default=".")
@option("--source", multiple=True)
@option("--resend", is_flag=True)
@option("--full", is_flag=True)
@option("--workers", type=WorkerCount(), default=1)
@option("--json", "as_json", is_flag=True)
def command(project: Path, source: tuple[str, ...], resend: bool, full: bool, workers: int, as_json: bool) -> int:
    """Show what `fhirmap run` would do with the records of PROJECT (default: this folder); send and write nothing."""
    return show_plan(project, source, resend=resend, full=full, workers=workers, as_json=as_json)


def show_plan(project: Path, source: tuple[str, ...], *, resend: bool, full: bool, workers: int, as_json: bool) -> int:
    """The plan on standard output; its exit code. `run --dry-run` is this too."""
    from fhirmap.cli.faults import show_warning, show_warnings
    from fhirmap.cli.progress import ProgressBar
    from fhirmap.collector import expect_records, keep_what_is_there
    from fhirmap.runner.engine import build_engine
    from fhirmap.runner.planned_run import make_plan, plan_lines, plan_to_data
    from fhirmap.runner.project_file import load_project

    engine = build_engine(load_project(project, source=source))
    keep_what_is_there()
    expect_records()
    if not as_json:
        show_warnings(engine.project.warnings, engine.diagnostics, project)
    with ProgressBar(f"{engine.project.name} -> {engine.project.target_name}") as progress:
        warned = None if as_json else show_warning
        plan = make_plan(engine, resend=resend, full=full, progress=progress.update, warned=warned, workers=workers)
    if as_json:
        echo_json(plan_to_data(plan), 2)
    else:
        for line in plan_lines(plan):
            echo_folded(f"  {line}", 6)
    return plan.exit_code
