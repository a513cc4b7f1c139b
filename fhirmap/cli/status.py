"""``fhirmap status``: what became of each record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirmap.cli.localized import FilePath, WordChoice, argument, define, option
from fhirmap.cli.screen import echo_folded, echo_json, screen_width
from fhirmap.data import JsonValue
from fhirmap.texts import first_names, text
from fhirmap.texts.shown_keys import hide, shown_data

if TYPE_CHECKING:
    from fhirmap.journal import Journal, RecordedAnswer, RunSummary, Status, Withdrawal
    from fhirmap.records import Issue
    from fhirmap.runner.rule_words import RuleWords

_SEVERITIES = ("fatal", "error", "warning", "information")
_STATES = (
    "accepted",
    "refused",
    "invalid",
    "out_of_scope",
    "gone",
    "ready",
    "sending",
    "deferred",
    "uncertain",
    "unreadable",
)


@define("status")
@argument("project", type=FilePath(exists=True), default=".")
@option("--key")
@option("--records", "every", is_flag=True)
@option("--state", "states", multiple=True, type=WordChoice(_STATES))
@option("--refused", is_flag=True)
@option("--invalid", is_flag=True)
@option("--pending", is_flag=True)
@option("--withdrawn", is_flag=True)
@option("--in-doubt", is_flag=True)
@option("--json", "as_json", is_flag=True)
def command(
    project: Path,
    key: str | None,
    every: bool,
    states: tuple[str, ...],
    refused: bool,
    invalid: bool,
    pending: bool,
    withdrawn: bool,
    in_doubt: bool,
    as_json: bool,
) -> int:
    """Show the states of PROJECT's records (default: this folder) and the last answer of each, from its journal."""
    from fhirmap.cli.faults import EXIT_DONE, EXIT_RECORDS
    from fhirmap.journal import EntryState
    from fhirmap.runner.project import ArchiveSettings
    from fhirmap.runner.project_file import load_project
    from fhirmap.runner.run import has_journal, open_journal
    from fhirmap.sinks.shown_answer import QUOTING_IDENTIFIER

    chosen = {*states}
    chosen |= {"refused"} if refused else set()
    chosen |= {"invalid"} if invalid else set()
    chosen |= {"ready", "sending", "deferred", "uncertain"} if pending else set()
    loaded = load_project(project)
    if not has_journal(loaded):
        _nothing(as_json, key, listed=bool(chosen or every or withdrawn or in_doubt))
        return EXIT_DONE
    from fhirmap.runner.rule_words import words_of_target

    words = words_of_target(loaded.map.target)
    with open_journal(loaded, create=False) as journal:
        hide(journal.unshown_identifiers(QUOTING_IDENTIFIER))
        if key is not None:
            _one(journal, key, words, as_json)
        elif withdrawn:
            _withdrawn(journal, as_json)
        elif in_doubt:
            _in_doubt(journal, as_json)
        elif chosen or every:
            found = journal.answers(states={EntryState(name) for name in chosen} or None)
            answers = [_worded(answer, words) for answer in found]
            if as_json:
                echo_json([_answer_data(answer) for answer in answers], 2)
                return EXIT_DONE
            for answer in answers:
                _show_answer(answer)
            if not answers:
                click.echo(text("status.no_records"))
        else:
            status = shown_data(journal.status())
            has_archive = loaded.archive != ArchiveSettings()
            _overview(status if has_archive else replace(status, archive_pending=0), as_json, journal.is_shared)
            return EXIT_RECORDS if status.unreadable or status.states.get(EntryState.UNREADABLE) else EXIT_DONE
    return EXIT_DONE


def _nothing(as_json: bool, key: str | None, *, listed: bool) -> None:
    """What there is to say before the first run."""
    from fhirmap.errors import ConfigError
    from fhirmap.journal import Status

    if key is not None:
        raise ConfigError("FM745", variant="journal", key=key)
    if listed:
        click.echo("[]" if as_json else text("status.no_run"))
    else:
        _overview(Status(), as_json)


def _overview(status: Status, as_json: bool, is_shared: bool = False) -> None:
    from fhirmap.journal import EntryState
    from fhirmap.runner.report_lines import reason_text

    if as_json:
        echo_json(
            {
                "states": dict(status.states),
                "reasons": [_plain(reason) for reason in status.reasons],
                "possible_duplicates": [_answer_data(answer) for answer in status.possible_duplicates],
                "last_run": _plain(status.last_run) if status.last_run else None,
                "next_due": status.next_due,
                "archive_pending": status.archive_pending,
                "held": status.held,
                "withdrawn": [_plain(entry) for entry in status.withdrawn],
                "shared_identifiers": [_plain(entry) for entry in status.shared_identifiers],
                "unreadable": list(status.unreadable),
            }
        )
        return
    if status.last_run is None:
        click.echo(text("status.no_run"))
        return
    run = status.last_run
    echo_folded(_run_line(run, is_shared=is_shared))
    counts = [(name, status.states.get(EntryState(name), 0)) for name in _STATES]
    shown = [text(f"states.counted.{name}", count=count) for name, count in counts if count]
    echo_folded("   ".join(shown) or text("status.no_records"))
    for reason in status.reasons:
        keys = first_names(reason.keys, reason.count)
        line = f"{text(f'states.one.{reason.state}'):<10} {reason.count:>5}x {reason_text(reason)}   ({keys})"
        echo_folded(line, 18)
    for line in _receiver_lines(status):
        echo_folded(line)
    if status.archive_pending:
        echo_folded(text("status.archive_pending", count=status.archive_pending))
    if status.states.get(EntryState.REFUSED):
        echo_folded(text("status.retry"))
    if status.states.get(EntryState.INVALID):
        echo_folded(text("status.invalid"))


def _run_line(run: RunSummary, *, is_shared: bool) -> str:
    """When the last run was, and how long it took. ``is_shared``: no lock says whether one goes on."""
    if run.is_unreadable:
        return text("status.last_run_unreadable", number=run.run_id)
    started = _moment(run.started_at)
    if run.finished_at:
        return text("status.last_run", started=started, seconds=round(run.finished_at - run.started_at))
    if run.is_under_way:
        return text("status.last_run_under_way", started=started)
    return text("status.last_run_open" if is_shared else "status.last_run_interrupted", started=started)


def _receiver_lines(status: Status) -> list[str]:
    """What somebody has to decide about records that the receiver holds."""
    lines = []
    if status.unreadable:
        lines.append(text("status.unreadable", count=len(status.unreadable), keys=first_names(status.unreadable)))
    if status.withdrawn:
        lines.append(text("status.withdrawn", count=len(status.withdrawn)))
    doubtful = list(dict.fromkeys(answer.key for answer in status.possible_duplicates))
    if doubtful:
        lines.append(text("status.in_doubt", count=len(doubtful), keys=first_names(doubtful)))
    if status.held:
        lines.append(text("status.held", count=status.held))
    for shared in status.shared_identifiers:
        lines.append(text("run.lines.shared", identifier=shared.value, keys=", ".join(shared.keys)))
    return lines


def _withdrawn(journal: Journal, as_json: bool) -> None:
    from fhirmap.runner.receiver_lines import withdrawal_text

    found = shown_data(journal.withdrawals())
    if as_json:
        echo_json([_plain(entry) for entry in found], 2)
        return
    for entry in found:
        echo_folded(f"{entry.key}   {withdrawal_text(entry)}   {_moment(entry.at)}")
    echo_folded(text("status.what_to_do" if found else "status.none_withdrawn"))


def _in_doubt(journal: Journal, as_json: bool) -> None:
    found = shown_data(journal.doubts())
    if as_json:
        echo_json([_answer_data(answer) for answer in found], 2)
        return
    for answer in found:
        shown = (text("status.earlier_payload"),) if answer.state == "superseded" else ()
        identifier = (answer.identifier_value,) if answer.identifier_value else ()
        state = text(f"states.one.{answer.state}")
        echo_folded("   ".join((answer.key, state, *identifier, *shown, _moment(answer.changed_at))))
    echo_folded(text("status.what_to_do_in_doubt" if found else "status.none_in_doubt"))


def _one(journal: Journal, key: str, words: RuleWords, as_json: bool) -> None:
    from fhirmap.errors import ConfigError
    from fhirmap.runner.meant_keys import meant_keys
    from fhirmap.runner.same_records import known_key

    (key,) = meant_keys(journal, [key])
    answers = [_worded(answer, words) for answer in journal.answers(keys=[key])]
    if not answers:
        columns = known_key(journal)
        variant = "journal_columns" if len(columns) > 1 else "journal"
        raise ConfigError("FM745", variant=variant, key=key, form="|".join(columns))
    history = shown_data(journal.history(key))
    identifiers, withdrawals = shown_data(journal.identifiers(key)), shown_data(journal.withdrawals([key]))
    if as_json:
        echo_json(
            {
                **_answer_data(answers[0]),
                "identifiers": [_plain(one) for one in identifiers],
                "withdrawals": [_plain(entry) for entry in withdrawals],
                "history": [_plain(event) for event in history],
            }
        )
        return
    _show_answer(answers[0])
    happened = [(event["at"], _event(event), event["issues"]) for event in history]
    happened += [(one.at, text("status.identifier", value=one.value), ()) for one in identifiers]
    for withdrawal in withdrawals:
        happened += [(at, words, ()) for at, words in _withdrawal_events(withdrawal)]
    doubts = journal.doubts([key])
    for doubt in doubts:
        if doubt.doubt_settled_at is not None:
            words_of_doubt = text("status.acknowledged", by=doubt.doubt_settled_by, why=doubt.doubt_why)
            happened.append((doubt.doubt_settled_at, words_of_doubt, ()))
    for at, said, issues in sorted(happened, key=lambda event: event[0]):
        echo_folded(f"  {_moment(at)}  {said}", 6)
        for issue in issues:
            echo_folded(f"      {_issue(issue)}", 8)
    if any(doubt.in_doubt for doubt in doubts):
        echo_folded("  " + text("status.doubt"), 4)


def _withdrawal_events(entry: Withdrawal) -> list[tuple[float, str]]:
    """When and why the record was withdrawn, who has dealt with it, and whether it is declared again."""
    from fhirmap.runner.receiver_lines import cause_text

    events = [(entry.at, cause_text(entry))]
    if entry.acknowledged_at is not None:
        said = text("status.acknowledged", by=entry.acknowledged_by, why=entry.why)
        events.append((entry.acknowledged_at, said))
    if entry.ended_at is not None:
        events.append((entry.ended_at, text("status.withdrawal_ended")))
    return events


def _worded(answer: RecordedAnswer, words: RuleWords) -> RecordedAnswer:
    """As it is shown, with the words of the target's rules in the current language, whatever that of the run was."""
    from fhirmap.runner.rule_words import worded

    return shown_data(replace(answer, faults=tuple(worded(fault, words) for fault in answer.faults)))


def _show_answer(answer: RecordedAnswer) -> None:
    """A record in a line, and beneath it what the receiver said or what is wrong with it."""
    from fhirmap.diagnostics.catalog import page
    from fhirmap.diagnostics.render import fault_to_lines, note_to_lines

    identifier = f"   {answer.identifier_value}" if answer.identifier_value else ""
    status = f" {answer.status}" if answer.status else ""
    echo_folded(
        f"{answer.key}   {text(f'states.one.{answer.state}')}{status}{identifier}   {_moment(answer.changed_at)}"
    )
    for issue in answer.issues:
        echo_folded(f"    {_issue(issue)}", 8)
        if issue.position or issue.columns:
            origin = text("status.origin", position=issue.position, columns=", ".join(issue.columns))
            echo_folded(f"        {origin}", 10)
    if answer.code and not answer.issues:
        echo_folded(f"    {answer.code}: {page(answer.code).title}", 8)
    width = screen_width()
    for fault in answer.faults:
        click.echo("\n".join(fault_to_lines(fault, width, 4)))
    for note in answer.notes:
        click.echo("\n".join(note_to_lines(note, width, 4)))
    if answer.held:
        echo_folded("    " + text("status.held", count=1), 8)
    if answer.not_before and answer.state in ("deferred", "uncertain"):
        echo_folded("    " + text("status.next_try", at=_moment(answer.not_before)), 8)


def _issue(issue: Issue) -> str:
    """What the receiver said. A severity that FHIR does not have is left out."""
    severity = issue.severity if issue.severity in _SEVERITIES else "other"
    return text(f"status.issue.{severity}", code=issue.code, words=issue.diagnostics)


def _event(event: Mapping[str, Any]) -> str:
    """A line of a record's history: the attempt's number, what happened, the state it led to, and the answer."""
    happened, state = text(f"states.events.{event['event']}"), text(f"states.one.{event['state']}")
    number = event["number"]
    if event["event"] == "sent":
        return text("status.attempt", number=number, happened=happened)
    result = " ".join([state, *(str(event[name]) for name in ("status", "code") if event[name])])
    return text("status.attempt_ended", number=number, happened=happened, result=result)


def _answer_data(answer: RecordedAnswer) -> dict[str, Any]:
    from fhirmap.diagnostics.render import fault_to_json

    return {**_plain(answer), "faults": [fault_to_json(fault) for fault in answer.faults]}


def _plain(value: object) -> JsonValue:
    import msgspec

    return msgspec.to_builtins(value)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="seconds")
