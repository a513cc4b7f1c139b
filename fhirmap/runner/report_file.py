"""A run's report as it is kept: as JSON, and as one page."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhirmap.records import Fault
from fhirmap.runner.atomic_file import write_atomically
from fhirmap.runner.receiver_lines import withdrawal_text
from fhirmap.runner.report import FaultLine, Report
from fhirmap.runner.report_lines import reason_text, report_lines
from fhirmap.runner.rule_words import RuleWords, worded
from fhirmap.texts import language, text

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["report_from_data", "report_to_data", "report_to_html", "write_report"]

_CHARTED = ("accepted", "refused", "invalid", "out_of_scope", "unchanged", "pending")


def report_to_data(report: Report) -> dict[str, Any]:
    """The report as JSON values, with the equation and the lines for people as text."""
    ledger = report.ledger
    shown = {"equation": ledger.equation(), "balanced": ledger.balanced, "lines": report_lines(report)}
    return {**asdict(report), **shown}


def report_from_data(data: Mapping[str, Any], words: RuleWords) -> Report:
    """The report that `report_to_data` wrote, to be shown again; ``words``: those of the target's rules, if it has any
    in the current language."""
    import msgspec

    report = msgspec.convert(data, Report)
    return replace(
        report,
        invalid=tuple(_reworded(line, words) for line in report.invalid),
        notes=tuple(_reworded(line, words) for line in report.notes),
        out_of_scope=tuple(_reworded(line, words) for line in report.out_of_scope),
    )


def _reworded(line: FaultLine, words: RuleWords) -> FaultLine:
    shown = worded(Fault(line.code, rule=line.rule, args=dict(line.args), variant=line.variant), words)
    return replace(line, args=tuple((name, str(value)) for name, value in shown.args.items()))


def report_to_html(report: Report) -> str:
    """The report as one page that needs nothing else."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    from fhirmap.runner.cache.template_cache import template_cache

    environment = Environment(
        loader=PackageLoader("fhirmap.runner"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        bytecode_cache=template_cache(),
    )
    environment.filters["moment"] = _moment
    environment.filters["reason"] = reason_text
    environment.filters["marked"] = _marked
    script = environment.get_template("report.js").render().strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.filters["withdrawal"] = withdrawal_text
    return environment.get_template("report.html.j2").render(
        report=report,
        rows=_bars(report),
        links=_links(report),
        known={record.key: number for number, record in enumerate(report.records)},
        shown_states=tuple(dict.fromkeys(state for day in report.days for state in day.states)),
        listed_states=tuple(dict.fromkeys(record.state for record in report.records)),
        script=Markup(script),
        digest=digest,
        states=Counter(report.carried),
        equation=report.ledger.equation(),
        text=text,
        language=language(),
    )


def _links(report: Report) -> list[tuple[str, str]]:
    """The lists that the page has: place and title."""
    lists = {
        "withdrawn": report.withdrawn,
        "shared": report.shared_identifiers,
        "held": report.held,
        "refused": report.refused,
        "pending": report.pending,
        "invalid": report.invalid,
        "notes": report.notes,
        "out_of_scope": report.out_of_scope,
        "looked_at": report.looked_at,
        "unmapped": report.unmapped,
        "warnings": report.warnings,
        "duplicates": report.possible_duplicates,
        "not_archived": report.archived.unwritten,
    }
    return [(name, text(f"run.page.links.{name}")) for name, rows in lists.items() if rows]


def _marked(words: str) -> Markup:
    """Text for the page, what is between backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(words))))


def _bars(report: Report) -> list[tuple[str, int]]:
    """State and count of what the run read, for the chart."""
    ledger = report.ledger
    return [(state, count) for state in _CHARTED if (count := getattr(ledger, state))]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def write_report(report: Report, folder: Path) -> Path:
    """Writes ``<start>.html`` and ``<start>.json`` into ``folder``; the page's path.

    Raises: OSError where the folder cannot be written.
    """
    import json

    name = datetime.fromtimestamp(report.started_at).strftime("%Y-%m-%dT%H%M%S")
    page = folder / f"{name}.html"
    write_atomically(page, report_to_html(report).encode())
    content = json.dumps(report_to_data(report), ensure_ascii=False, indent=2)
    write_atomically(page.with_suffix(".json"), content.encode())
    return page
