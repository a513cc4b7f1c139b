"""What a source may say of its last reading, beside the records: what it left out, and the files that it read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from fhirmap.diagnostics import Diagnostic
from fhirmap.texts import Listing, Text

__all__ = ["NOTHING", "FolderSource", "PartialSource", "ReadFile", "Unread"]


@dataclass(frozen=True, slots=True)
class Unread:
    """What a reading left out, so that a record which it does not hold may be there all the same.

    ``files``: that could not be read; ``unfinished``: files that are being written; ``rows``: whose key may be lost.
    """

    files: int = 0
    unfinished: int = 0
    rows: int = 0

    def __bool__(self) -> bool:
        """Is there anything?"""
        return bool(self.files or self.unfinished or self.rows)

    def diagnostic(self) -> Diagnostic:
        """FM789: nothing is gone this time, and why."""
        counts = {"unread_files": self.files, "unfinished_files": self.unfinished, "unread_rows": self.rows}
        parts = tuple(Text(f"reasons.{name}", {"count": count}) for name, count in counts.items() if count)
        return Diagnostic("FM789", args={"reason": Listing(parts, joint="lists.and")})


NOTHING = Unread()
"""Everything was read."""


@runtime_checkable
class PartialSource(Protocol):
    """A source that goes on where it cannot read something. Others read everything, or fail."""

    def unread(self) -> Unread:
        """What the last reading left out."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file of a folder that the last reading read to its end. ``name``: below that folder, with `/`.

    ``keys``: reads it again for the keys of its records, the empty one for a record without. ``is_unchanged``: is it as
    it was read? Raises: ConfigError, both where it is not there any more.
    """

    path: Path
    name: str
    keys: Callable[[], Iterator[str]] = field(repr=False)
    is_unchanged: Callable[[], bool] = field(repr=False)


@runtime_checkable
class FolderSource(Protocol):
    """A source whose files may be moved away once all of their records are settled."""

    def read_files(self) -> Iterator[ReadFile]:
        """The files of the last reading, without those that could not be read; none where it is of one file alone."""
