"""What is written of one record, in the words of the archive, and why a row could not be written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirmap.journal import Accepted


__all__ = ["COLUMNS", "COMPLETE", "INCOMPLETE", "Unwritten", "row_values"]

COMPLETE = "complet"
INCOMPLETE = "sans identifiant"
"""The label an accepted record gets: complete is accepted with an identifier."""
COLUMNS = ("key", "system", "value", "state", "time", "previous")


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A record whose identifier could not be written, where, and why."""

    key: str
    place: str
    reason: str


def row_values(row: Accepted) -> dict[str, str]:
    """By the names of `COLUMNS`. ``previous``: the identifiers that the record had before, the oldest first."""
    moment = datetime.fromtimestamp(row.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "key": row.key,
        "system": row.system,
        "value": row.value,
        "state": COMPLETE if row.value else INCOMPLETE,
        "time": moment,
        "previous": " ".join(row.earlier),
    }
