"""Has the receiver what is about to be sent? The archive's identifiers are compared with the journal's before anything
leaves: a journal that is an older copy, or a new one in the place of another, does not know what was sent since.
"""

from __future__ import annotations

from collections.abc import Sequence

from fhirmap.diagnostics import Diagnostic
from fhirmap.journal import ArchivedIdentifier, Journal
from fhirmap.runner.archive import Archive

__all__ = ["identifiers_elsewhere", "sent_elsewhere"]


def identifiers_elsewhere(journal: Journal, archives: Sequence[Archive]) -> dict[str, ArchivedIdentifier]:
    """Of the records that wait to be sent, those whose identifier an archive has and the journal does not know.

    Raises: JournalError FM808 where an archive cannot be read; ConfigError FM796, FM669.
    """
    found: dict[str, ArchivedIdentifier] = {}
    for keys in journal.keys_to_send() if archives else ():
        for place in archives:
            archived = place.identifiers(keys)
            found.update((key, archived[key]) for key in journal.unknown_among(archived))
    return found


def sent_elsewhere(journal: Journal, archives: Sequence[Archive]) -> Diagnostic | None:
    """FM812 where the receiver may have what waits to be sent, and it was not said what to do about it.

    Raises: JournalError FM808; ConfigError FM796, FM669.
    """
    count = len(identifiers_elsewhere(journal, archives))
    doubt = journal.doubt()
    if doubt is None:
        return Diagnostic("FM812", args={"count": count}) if count else None
    variant = str(doubt.cause)
    if not archives:
        variant += "_without_archive"
    elif not count:
        variant += "_none_unknown"
    return Diagnostic("FM812", args={"count": count, "runs": doubt.runs}, variant=variant)
