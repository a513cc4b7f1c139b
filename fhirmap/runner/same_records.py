"""Are the records of this run those that the journal knows? Under other keys, or another name, all of them would be
new, and sent a second time; read from elsewhere, those of another project would be taken for changed or gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from fhirmap.errors import JournalError
from fhirmap.journal import Journal
from fhirmap.records import Record
from fhirmap.runner.project import Project
from fhirmap.runner.read_values import reader_of_values
from fhirmap.source_plan import SourcePlan

__all__ = ["known_key", "note_records", "require_same_records"]

_KEY, _PLACE = "key", "place"
_BATCH = 400


def require_same_records(
    project: Project, plan: SourcePlan, journal: Journal, records: Callable[[], Iterable[Record]], *, resend: bool
) -> None:
    """Makes sure that records which were accepted are not taken for new ones, nor those of one project for another's.
    ``resend``: they are to be sent again. ``records``: reads the source; called where only the records show it.

    Raises: JournalError FM809 where the model's key has other columns than when they were accepted; where the journal
    holds accepted records of another project or target, and none of this one: in a file any, in a database the very
    records that are read; or where none of the records of another place is one of those that were accepted.
    """
    if resend:
        return
    known = known_key(journal)
    accepted = journal.accepted_count()
    if known and accepted and _folded(known) != _folded(tuple(plan.key)):
        before, now = ", ".join(known), ", ".join(plan.key)
        raise JournalError("FM809", journal=journal.name, before=before, now=now)
    if not accepted:
        _require_no_others(project, plan, journal, records)
        return
    read_from = journal.checkpoint(_PLACE)
    place = _place(project, plan)
    if read_from is not None and not project.source_name(plan.source) and read_from != place:
        found = [journal.accepted_among(some) for some in _fingerprints(plan, records())]
        if found and not any(found):
            raise JournalError(
                "FM809",
                variant="place",
                journal=journal.name,
                project=project.journal_name,
                before=read_from,
                now=place,
            )


def _require_no_others(
    project: Project, plan: SourcePlan, journal: Journal, records: Callable[[], Iterable[Record]]
) -> None:
    others = journal.others_with_accepted()
    own: dict[str, Any] = {"journal": journal.name, "project": project.journal_name, "own_target": project.target_name}
    if not others:
        return
    if project.journal.url is None:  # a file is one project's
        if journal.checkpoint(_KEY) is None and journal.checkpoint("source") is None:
            name, target = others[0]
            raise JournalError("FM809", variant="project", name=name, target=target, **own)
        return
    counts = dict.fromkeys(others, 0)
    for some in _fingerprints(plan, records()):
        for other in others:
            counts[other] += journal.accepted_among(some, of=other)
    (name, target), count = max(counts.items(), key=lambda pair: pair[1])
    if count:
        raise JournalError("FM809", variant="records", name=name, target=target, count=count, **own)


def note_records(project: Project, plan: SourcePlan, journal: Journal) -> None:
    """Keep in the journal by which columns its records are known, and where they are read."""
    place = {} if project.source_name(plan.source) else {_PLACE: _place(project, plan)}
    journal.put((), {_KEY: _written(plan), **place})


def known_key(journal: Journal) -> tuple[str, ...]:
    """The columns by which the journal's records are known, as the last run noted them; none before."""
    try:
        found = json.loads(journal.checkpoint(_KEY) or "[]")
    except (ValueError, RecursionError):  # a damaged row: the run that comes notes them anew
        return ()
    is_list = isinstance(found, list) and all(isinstance(name, str) for name in found)
    return tuple(found) if is_list else ()


def _place(project: Project, plan: SourcePlan) -> str:
    """Where the project's records are, without a password; a file by its whole path."""
    address = project.source_address(plan.source)
    return str(address.path.resolve()) if address.path is not None else address.shown


def _fingerprints(plan: SourcePlan, records: Iterable[Record]) -> Iterator[list[tuple[str, str]]]:
    """Key and digest of what is read of each record, in batches."""
    read = reader_of_values(plan)
    found = ((record.key, read(record).digest) for record in records if record.key and not record.superseded)
    while some := list(islice(found, _BATCH)):
        yield some


def _written(plan: SourcePlan) -> str:
    return json.dumps(list(plan.key), ensure_ascii=False)


def _folded(columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.casefold() for name in columns)
