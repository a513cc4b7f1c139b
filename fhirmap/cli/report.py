"""``fhirmap report``: the report of the last run, again."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  fhirmap report hospital                 where the last report is, and what it says
  fhirmap report hospital --json          its data
  fhirmap report hospital -o today.html   a copy of its page"""
)
@click.argument("project", type=click.Path(exists=True, path_type=Path), default=".")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Copy the page (.html) or data (.json) there.",
)
@click.option("--json", "as_json", is_flag=True, help="The report's data as JSON.")
def command(project: Path, output: Path | None, as_json: bool) -> None:
    """Show the report of PROJECT's last run (default: this folder). No report holds a patient's value."""
    import json

    from fhirmap.errors import ConfigError
    from fhirmap.runner.project import load_project
    from fhirmap.runner.whole_file import write_whole

    folder = load_project(project).folder / "reports"
    pages = sorted(folder.glob("*.html"))
    if not pages:
        raise ConfigError("FM770", folder=str(folder))
    page = pages[-1]
    data = page.with_suffix(".json").read_text(encoding="utf-8")
    if output is not None:
        write_whole(output, data.encode() if output.suffix == ".json" else page.read_bytes())
    if as_json:
        click.echo(data)
        return
    report = json.loads(data)
    click.echo(f"{report['project']} -> {report['target']} ({report['sink']}), exit code {report['exit_code']}")
    for line in report["lines"]:
        click.echo(f"  {line}")
    click.echo(f"report: {output or page}")
