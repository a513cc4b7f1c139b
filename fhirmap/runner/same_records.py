"""Are the records of this run those that the journal knows? Under other keys, or another name, all of them would be
new, and sent a second time."""

from __future__ import annotations

import json

from fhirmap.errors import JournalError
from fhirmap.journal import Journal
from fhirmap.runner.project import Project
from fhirmap.source_plan import SourcePlan

__all__ = ["known_key", "note_key", "require_same_records"]

_KEY = "key"


def require_same_records(project: Project, plan: SourcePlan, journal: Journal, *, resend: bool) -> None:
    """Makes sure that records which were accepted are not taken for new ones. ``resend``: they are to be sent again.

    Raises: JournalError FM809 where the model's key has other columns than when they were accepted, or where the
    project's own journal holds those of another project or target, and none of this one.
    """
    if resend:
        return
    known = journal.checkpoint(_KEY)
    if known is None and project.journal.url is None and journal.checkpoint("source") is None:
        # A file is one project's; a database may hold the journals of several.
        for name, target in journal.others_with_accepted():
            raise JournalError(
                "FM809",
                variant="project",
                journal=journal.name,
                name=name,
                target=target,
                project=project.name,
                own_target=project.target_name,
            )
    if known is not None and _folded(known) != _folded(_written(plan)) and journal.accepted_count():
        before, now = ", ".join(json.loads(known)), ", ".join(plan.key)
        raise JournalError("FM809", journal=journal.name, before=before, now=now)


def note_key(plan: SourcePlan, journal: Journal) -> None:
    """Keep in the journal by which columns its records are known."""
    journal.put((), {_KEY: _written(plan)})


def known_key(journal: Journal) -> tuple[str, ...]:
    """The columns by which the journal's records are known, as the last run noted them; none before."""
    return tuple(json.loads(journal.checkpoint(_KEY) or "[]"))


def _written(plan: SourcePlan) -> str:
    return json.dumps(list(plan.key), ensure_ascii=False)


def _folded(written: str) -> str:
    return written.casefold()
