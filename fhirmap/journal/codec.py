"""The journal's JSON columns: issues of an answer, faults and notes of a record; and a row as a `RecordedAnswer`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from fhirmap.diagnostics import Diagnostic
from fhirmap.diagnostics.catalog import page
from fhirmap.journal.connection import Row
from fhirmap.journal.entries import RecordedAnswer
from fhirmap.journal.states import EntryState
from fhirmap.journal.stored_cells import is_unreadable, plain
from fhirmap.records import Fault, Issue, Note
from fhirmap.texts import Listing, Text

__all__ = [
    "faults_from_json",
    "faults_to_json",
    "issues_from_json",
    "issues_to_json",
    "notes_to_json",
    "recorded_answer",
    "shown_code",
    "shown_issues",
]

UNREADABLE = "FM816"
"""What is said of a record whose row cannot be read."""
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What JSON raises that is none, or of another shape."""
_TEXT, _LISTING = "$text", "$listing"
"""Keys that no argument of a message has."""


def recorded_answer(row: Row, run_id: int) -> RecordedAnswer:
    """A row without its payload, as the run ``run_id`` sees it."""
    said = _said(row)
    return RecordedAnswer(
        key=plain(row.key),
        state=row.state,
        code=UNREADABLE if row.state == EntryState.UNREADABLE else shown_code(row.code),
        status=plain(row.status),
        issues=said.issues,
        faults=said.faults,
        notes=said.notes,
        identifier_system=plain(row.identifier_system),
        identifier_value=plain(row.identifier_value),
        attempts=plain(row.attempts),
        changed_at=plain(row.changed_at),
        not_before=plain(row.not_before),
        in_doubt=bool(row.in_doubt) and row.doubt_settled_at is None,
        doubt_settled_at=plain(row.doubt_settled_at),
        doubt_settled_by=plain(row.doubt_settled_by),
        doubt_why=plain(row.doubt_why),
        origin=plain(row.origin),
        archive=row.archive,
        was_read=row.read_run == run_id > 0,
        was_settled=row.settled_run == run_id > 0,
        held=bool(row.held),
    )


class _RowWords(NamedTuple):
    """What the columns of JSON hold."""

    issues: tuple[Issue, ...]
    faults: tuple[Fault, ...]
    notes: tuple[Note, ...]


def _said(row: Row) -> _RowWords:
    """What a row says of its record; FM816 in place of what cannot be read, so that it costs no other record."""
    try:
        if is_unreadable(row) or shown_code(row.code) == UNREADABLE:
            raise TypeError
        notes = tuple(Note(**values) for values in json.loads(row.notes))
        return _RowWords(issues_from_json(row.issues), faults_from_json(row.faults), notes)
    except _UNREADABLE:
        return _RowWords((), (Fault(UNREADABLE),), ())


def shown_code(code: str) -> str:
    """A code that some version gives; FM816 in place of anything else."""
    try:
        return page(code).code if code else code
    except KeyError:
        return UNREADABLE


def issues_to_json(issues: Sequence[Issue]) -> str:
    """The column `issues`."""
    if not issues:
        return "[]"
    return json.dumps([asdict(issue) for issue in issues], ensure_ascii=False)


def issues_from_json(text: str) -> tuple[Issue, ...]:
    """The issues that `issues_to_json` wrote.

    Raises: ValueError, TypeError, KeyError, AttributeError, RecursionError for anything else.
    """
    found = tuple(
        Issue(**{**values, "expression": tuple(values["expression"]), "columns": tuple(values.get("columns", ()))})
        for values in json.loads(text)
    )
    _require_texts(part for issue in found for part in (issue.severity, issue.code, issue.diagnostics))
    return found


def _require_texts(found: Iterable[object]) -> None:
    if not all(isinstance(part, str) for part in found):
        raise TypeError


def shown_issues(text: str) -> tuple[Issue, ...]:
    """The issues that the column has; one that says so (FM816) where it cannot be read."""
    try:
        return issues_from_json(text)
    except _UNREADABLE:
        return (Issue("error", "", Diagnostic(UNREADABLE).message),)


def notes_to_json(notes: Sequence[Note]) -> str:
    """The column `notes`."""
    if not notes:
        return "[]"
    return json.dumps([asdict(note) for note in notes], ensure_ascii=False)


def faults_to_json(faults: Sequence[Fault]) -> str:
    """The column `faults`. A text among the arguments is kept by its key, so that any language can be shown later."""
    if not faults:
        return "[]"
    rows = [asdict(fault) | {"args": dict(fault.args)} for fault in faults]
    return json.dumps(rows, ensure_ascii=False, default=_argument_to_json)


def faults_from_json(text: str) -> tuple[Fault, ...]:
    """The faults that `faults_to_json` wrote."""
    found = tuple(
        Fault(**{**values, "columns": tuple(values.get("columns", ()))})
        for values in json.loads(text, object_hook=_argument_from_json)
    )
    for fault in found:
        page(fault.code)  # KeyError where no version has had it
        if not isinstance(fault.args, dict):
            raise TypeError
    return found


def _argument_to_json(value: object) -> object:
    match value:
        case Text(key, args):
            return {_TEXT: key, "args": dict(args)}
        case Listing(parts, joint):
            return {_LISTING: parts, "joint": joint}
    return str(value)


def _argument_from_json(value: dict[str, Any]) -> object:
    if _TEXT in value:
        return Text(value[_TEXT], value["args"])
    if _LISTING in value:
        return Listing(tuple(value[_LISTING]), value["joint"])
    return value
