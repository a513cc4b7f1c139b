"""``fhirmap journal verify``: is the journal what it has to be?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.screen import echo_folded
from fhirmap.texts import first_names, text

if TYPE_CHECKING:
    from fhirmap.journal import JournalFinding


@define("verify", "journal")
@argument("project", type=FilePath(exists=True), default=".")
@option("--json", "as_json", is_flag=True)
def command(project: Path, as_json: bool) -> int:
    """Examine the journal of PROJECT (default: this folder); exit code 1 where something is not as it has to be."""
    from fhirmap.runner.journal_upkeep import verify_journal
    from fhirmap.runner.project_file import load_project

    findings = verify_journal(load_project(project))
    if as_json:
        click.echo(json.dumps({"findings": [finding_data(one) for one in findings]}, ensure_ascii=False, indent=2))
    else:
        show_findings(findings)
    return 1 if findings else 0


def show_findings(findings: list[JournalFinding]) -> None:
    """A line for each."""
    for one in findings:
        names = first_names(one.keys, one.count) if one.keys else ""
        said = (text(f"journal.findings.{one.kind}", count=one.count), names, one.detail)
        echo_folded(": ".join(part for part in said if part))
    if not findings:
        echo_folded(text("journal.sound"))


def finding_data(one: JournalFinding) -> dict[str, Any]:
    """As JSON."""
    return {"kind": str(one.kind), "count": one.count, "keys": list(one.keys), "detail": one.detail}
