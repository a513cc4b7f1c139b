"""``fhirmap report``: the report of the last run, again."""

from __future__ import annotations

from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.screen import echo_folded
from fhirmap.texts import text


@define("report")
@argument("project", type=FilePath(exists=True), default=".")
@option(
    "-o",
    "--output",
    type=FilePath("file"),
)
@option("--json", "as_json", is_flag=True)
def command(project: Path, output: Path | None, as_json: bool) -> None:
    """Show the report of PROJECT's last run (default: this folder). No report holds a patient's value."""
    import json

    from fhirmap.errors import ConfigError
    from fhirmap.runner.atomic_file import write_atomically
    from fhirmap.runner.own_files import require_other_file
    from fhirmap.runner.project_file import load_project
    from fhirmap.runner.report_file import report_from_data
    from fhirmap.runner.report_lines import report_lines
    from fhirmap.runner.rule_words import words_of_target

    loaded = load_project(project)
    folder = loaded.folder / "reports"
    pages = sorted(folder.glob("*.html"))
    if not pages:
        raise ConfigError("FM770", folder=str(folder))
    page = pages[-1]
    data = page.with_suffix(".json").read_text(encoding="utf-8")
    if output is not None:
        require_other_file(loaded, output)
        write_atomically(output, data.encode() if output.suffix == ".json" else page.read_bytes())
    if as_json:
        click.echo(data)
        return
    report = report_from_data(json.loads(data), words_of_target(loaded.map.target))
    names = {"project": report.project, "target": report.target, "sink": report.sink, "exit_code": report.exit_code}
    echo_folded(text("output.report.head", **names))
    for line in report_lines(report):
        click.echo(f"  {line}")
    click.echo(text("run.report_at", file=output or page))
