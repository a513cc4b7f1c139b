"""``fhirmap audit``: verify the audit log, or export it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirmap.cli.localized import FilePath, WordChoice, argument, define, option
from fhirmap.data import JsonValue
from fhirmap.texts import text
from fhirmap.texts.shown_keys import hide, shown_data

if TYPE_CHECKING:
    from fhirmap.journal import AuditProof, Journal

_FORMATS = ("ndjson", "fhir")


@define("audit")
@argument("action", type=WordChoice(("verify", "export")), metavar="action")
@argument("project", type=FilePath(exists=True), default=".")
@option("--head", "heads", multiple=True)
@option("--since")
@option("--format", "form", type=WordChoice(_FORMATS), default=_FORMATS[0])
@option("--output", "-o", type=FilePath("file"))
@option("--json", "as_json", is_flag=True)
def command(
    action: str, project: Path, heads: tuple[str, ...], since: str | None, form: str, output: Path | None, as_json: bool
) -> int:
    """Verify the audit log of PROJECT's journal, or export it."""
    from fhirmap.runner.own_files import require_other_file
    from fhirmap.runner.project_file import load_project
    from fhirmap.runner.run import look_into_journal

    at = _moment(since)
    loaded = load_project(project)
    if output is not None:
        require_other_file(loaded, output)
    journal = look_into_journal(loaded)
    if action == "verify":
        return _verify(journal, heads, as_json)
    return _export(journal, at, form, output)


def _verify(journal: Journal | None, heads: tuple[str, ...], as_json: bool) -> int:
    from fhirmap.cli.faults import EXIT_DONE, EXIT_RECORDS
    from fhirmap.journal import AuditProof, BreakKind
    from fhirmap.journal.audit_chain import AuditBreak

    if journal is None:
        missing = tuple(AuditBreak(BreakKind.HEAD_MISSING) for _ in heads)
        proof = AuditProof(0, 0, 0, "", missing)
    else:
        with journal:
            proof = journal.verify_audit([head.strip().lower() for head in heads])
    if as_json:
        breaks = [{"kind": str(one.kind), "chain": one.number, "entry": one.seq} for one in proof.breaks]
        counts = {"chains": proof.chains, "entries": proof.entries, "keyed": proof.keyed, "head": proof.head}
        click.echo(json.dumps({"intact": not proof.breaks, **counts, "breaks": breaks}, indent=2))
    else:
        _show(proof)
    return EXIT_RECORDS if proof.breaks else EXIT_DONE


def _show(proof: AuditProof) -> None:
    for one in proof.breaks:
        place = {"number": one.number, "seq": one.seq}
        where = "output.audit.entry" if one.seq is not None and one.number is not None else "output.audit.chain"
        if one.number is None:
            where = "output.audit.run" if one.seq is not None else "output.audit.log"
        click.echo(text(where, **place) + text(f"output.audit.kinds.{one.kind}"))
    result = "output.audit.broken" if proof.breaks else "output.audit.intact"
    click.echo(text(result, entries=proof.entries, chains=proof.chains, keyed=proof.keyed, count=len(proof.breaks)))
    if proof.head:
        click.echo(text("output.audit.head", head=proof.head))


def _export(journal: Journal | None, since: float, form: str, output: Path | None) -> int:
    from fhirmap.cli.faults import EXIT_DONE, EXIT_RECORDS, show_warning
    from fhirmap.diagnostics import Diagnostic
    from fhirmap.runner.atomic_file import write_atomically

    unreadable: list[None] = []
    lines = _lines(journal, since, form, lambda: unreadable.append(None))
    if output is None:
        for line in lines:
            click.echo(line)
    else:
        write_atomically(output, "".join(f"{line}\n" for line in lines).encode())
    if not unreadable:
        return EXIT_DONE
    show_warning(Diagnostic("FM816", args={"count": len(unreadable)}, variant="entries"))
    return EXIT_RECORDS


def _lines(journal: Journal | None, since: float, form: str, left_out: Callable[[], None]) -> Iterator[str]:
    from fhirmap.runner.audit_event import audit_event, audit_line
    from fhirmap.sinks.shown_answer import QUOTING_IDENTIFIER

    if journal is None:
        return
    with journal:
        hide(journal.unshown_identifiers(QUOTING_IDENTIFIER))
        for one in journal.audit_records(since, left_out):
            found: dict[str, JsonValue] = audit_event(one) if form == "fhir" else audit_line(one)
            yield json.dumps(shown_data(found), ensure_ascii=False)


def _moment(since: str | None) -> float:
    """A date, of local time, or a moment with its zone, as seconds since the epoch."""
    if since is None:
        return 0.0
    try:
        found = datetime.fromisoformat(since)
        return (found.astimezone() if found.tzinfo is None else found.astimezone(UTC)).timestamp()
    except (ValueError, OverflowError, OSError):  # of local time, the first and the last years have no zone
        raise click.UsageError(text("output.audit.no_date", value=since)) from None
