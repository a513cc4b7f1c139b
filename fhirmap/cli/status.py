"""``fhirmap status``: what became of each record."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fhirmap.journal import Journal, RecordedAnswer, Status

_STATES = ("accepted", "refused", "invalid", "out_of_scope", "ready", "sending", "deferred", "uncertain")


@click.command(
    epilog="""\b
Examples:
  fhirmap status hospital                   counts, reasons, possible duplicates
  fhirmap status hospital --refused         each refused record with the registry's words
  fhirmap status hospital --invalid         each invalid record with rule, element and source column
  fhirmap status hospital --key 1042        everything that happened to one record
  fhirmap status hospital --records         every record with its state and last answer"""
)
@click.argument("project", type=click.Path(exists=True, path_type=Path), default=".")
@click.option("--key", help="One record: its state and every attempt.")
@click.option("--records", "every", is_flag=True, help="Every record.")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Records in this state; repeatable.")
@click.option("--refused", is_flag=True, help="Short for --state refused.")
@click.option("--invalid", is_flag=True, help="Short for --state invalid.")
@click.option("--pending", is_flag=True, help="Short for the states ready, sending, deferred and uncertain.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    project: Path,
    key: str | None,
    every: bool,
    states: tuple[str, ...],
    refused: bool,
    invalid: bool,
    pending: bool,
    as_json: bool,
) -> None:
    """Show the states of PROJECT's records (default: this folder) and the last answer of each, from its journal."""
    from fhirmap.journal import EntryState
    from fhirmap.runner.project import load_project
    from fhirmap.runner.run import has_journal, open_journal

    chosen = {*states}
    chosen |= {"refused"} if refused else set()
    chosen |= {"invalid"} if invalid else set()
    chosen |= {"ready", "sending", "deferred", "uncertain"} if pending else set()
    loaded = load_project(project)
    if not has_journal(loaded):
        _nothing(as_json, key, listed=bool(chosen or every))
        return
    with open_journal(loaded, create=False) as journal:
        if key is not None:
            _one(journal, key, as_json)
        elif chosen or every:
            answers = journal.answers(states={EntryState(name) for name in chosen} or None)
            if as_json:
                _echo_json([_answer_data(answer) for answer in answers])
            for answer in () if as_json else answers:
                click.echo("\n".join(_answer_lines(answer)))
        else:
            _overview(journal.status(), as_json)


def _nothing(as_json: bool, key: str | None, *, listed: bool) -> None:
    """What there is to say before the first run."""
    from fhirmap.errors import ConfigError
    from fhirmap.journal import Status

    if key is not None:
        raise ConfigError("FM745", variant="journal", key=key)
    if listed:
        click.echo("[]" if as_json else "no run yet: fhirmap run")
    else:
        _overview(Status(), as_json)


def _overview(status: Status, as_json: bool) -> None:
    from fhirmap.diagnostics.catalog import page
    from fhirmap.journal import EntryState

    if as_json:
        _echo_json(
            {
                "states": dict(status.states),
                "reasons": [_plain(reason) for reason in status.reasons],
                "possible_duplicates": [_answer_data(answer) for answer in status.possible_duplicates],
                "last_run": _plain(status.last_run) if status.last_run else None,
                "next_due": status.next_due,
                "archive_pending": status.archive_pending,
            }
        )
        return
    if status.last_run is None:
        click.echo("no run yet: fhirmap run")
        return
    run = status.last_run
    took = f", {run.finished_at - run.started_at:.0f} s" if run.finished_at else ", interrupted"
    click.echo(f"last run {_moment(run.started_at)}{took}")
    counts = [(name.replace("_", " "), status.states.get(EntryState(name), 0)) for name in _STATES]
    shown = [f"{words} {count:,}" for words, count in counts if count]
    click.echo("   ".join(shown) or "no records")
    for reason in status.reasons:
        words = reason.words or (page(reason.code).title if reason.code else "not sent yet")
        answered = f"{reason.status}: " if reason.status else ""
        keys = f"   ({', '.join(reason.keys[:5])}{', …' if reason.count > 5 else ''})" if reason.keys else ""
        click.echo(f"{reason.state:<10} {reason.count:>5}x {answered}{words}{keys}")
    for answer in status.possible_duplicates:
        click.echo(
            f"in doubt          key {answer.key}: sent and an answer was lost; it may stand twice at the receiver"
        )
    if status.archive_pending:
        click.echo(f"{status.archive_pending} identifiers are still to be archived: fhirmap run")
    if status.states.get(EntryState.REFUSED):
        click.echo("release refused records: fhirmap retry --refused [--reason 422]")


def _one(journal: Journal, key: str, as_json: bool) -> None:
    from fhirmap.errors import ConfigError

    answers = journal.answers(keys=[key])
    if not answers:
        raise ConfigError("FM745", variant="journal", key=key)
    history = journal.history(key)
    if as_json:
        _echo_json({**_answer_data(answers[0]), "history": [_plain(event) for event in history]})
        return
    click.echo("\n".join(_answer_lines(answers[0])))
    for event in history:
        status = f" {event['status']}" if event["status"] else ""
        code = f" {event['code']}" if event["code"] else ""
        click.echo(f"  {_moment(event['at'])}  {event['event']} {event['number']}  {event['state']}{status}{code}")
        for issue in event["issues"]:
            click.echo(f"      {issue.severity} {issue.code}: {issue.diagnostics}")


def _answer_lines(answer: RecordedAnswer) -> list[str]:
    """A record in a line, and beneath it what the receiver said or what is wrong with it."""
    from fhirmap.diagnostics.catalog import page
    from fhirmap.diagnostics.render import fault_to_line, note_to_line

    identifier = f"   {answer.identifier_value}" if answer.identifier_value else ""
    status = f" {answer.status}" if answer.status else ""
    lines = [f"{answer.key}   {answer.state.replace('_', ' ')}{status}{identifier}   {_moment(answer.changed_at)}"]
    for issue in answer.issues:
        lines.append(f"    {issue.severity} {issue.code}: {issue.diagnostics}")
        if issue.position or issue.columns:
            lines.append(f"        --> {issue.position}   from {', '.join(issue.columns)}")
    if answer.code and not answer.issues:
        lines.append(f"    {answer.code}: {page(answer.code).title}")
    lines += [f"    {fault_to_line(fault)}" for fault in answer.faults]
    lines += [f"    {note_to_line(note)}" for note in answer.notes]
    if answer.not_before and answer.state in ("deferred", "uncertain"):
        lines.append(f"    next try {_moment(answer.not_before)}")
    return lines


def _answer_data(answer: RecordedAnswer) -> dict[str, Any]:
    from fhirmap.diagnostics.render import fault_to_json

    return {**_plain(answer), "faults": [fault_to_json(fault) for fault in answer.faults]}


def _plain(value: Any) -> Any:
    import msgspec

    return msgspec.to_builtins(value)


def _echo_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="seconds")
