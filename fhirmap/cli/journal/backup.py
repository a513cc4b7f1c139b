"""``fhirmap journal backup``: a copy of the journal, also while a run writes to it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.texts import text


@define("backup", "journal")
@argument("file", type=FilePath("file"))
@argument("project", type=FilePath(exists=True), default=".")
@option("--overwrite", is_flag=True)
@option("--json", "as_json", is_flag=True)
def command(file: Path, project: Path, overwrite: bool, as_json: bool) -> int:
    """Copy the journal of PROJECT (default: this folder) to FILE."""
    from fhirmap.cli.journal.verify import finding_data, show_findings
    from fhirmap.runner.journal_upkeep import back_up
    from fhirmap.runner.project_file import load_project

    findings = back_up(load_project(project), file, overwrite=overwrite)
    if as_json:
        data = {"file": str(file), "findings": [finding_data(one) for one in findings]}
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        click.echo(text("journal.backed_up", file=file))
        show_findings(findings)
    return 1 if findings else 0
