"""Which records a person means by the keys that were shown: by the keys themselves, or by their hashes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from fhirmap.errors import JournalError
from fhirmap.runner.project import Project
from fhirmap.texts.shown_keys import is_shown_form, show_with, shown_key

if TYPE_CHECKING:
    from fhirmap.journal import Journal

__all__ = ["meant_key", "meant_keys", "show_keys_of"]


def meant_keys(journal: Journal, given: Sequence[str]) -> list[str]:
    """The keys that ``given`` are, those that are hashes found among the journal's records; what is not found stays as
    it is."""
    hashes = {key for key in given if is_shown_form(key)}
    if not hashes:
        return list(given)
    found = {shown_key(key): key for key in journal.known_keys() if shown_key(key) in hashes}
    return [found.get(key, key) for key in given]


def meant_key(project: Project, given: str) -> str:
    """The key that ``given`` is, where it may be a hash: of a record that the project's journal has."""
    if is_shown_form(given):
        with _looked_into(project) as journal:
            return meant_keys(journal, [given])[0] if journal is not None else given
    return given


def show_keys_of(project: Project) -> None:
    """Show keys as the project's journal does, where there is one: it is looked into when the first hash is shown."""
    show_with(b"", lambda: _secret_of(project))


def _secret_of(project: Project) -> bytes:
    with _looked_into(project) as journal:
        return journal.secret if journal is not None else b""


@contextmanager
def _looked_into(project: Project) -> Iterator[Journal | None]:
    """The project's journal, only to be read; None where there is none that can be read."""
    from fhirmap.runner.run import has_journal, look_into_journal

    journal = None
    if has_journal(project):
        with suppress(JournalError):
            journal = look_into_journal(project)
    try:
        yield journal
    finally:
        if journal is not None:
            journal.close()
