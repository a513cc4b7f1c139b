"""What `fhirmap doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``state``: ok, warn, FAIL or skip; ``exit``: the exit code that a failure means."""

    state: str
    what: str
    hint: str = ""
    exit: int = 0
