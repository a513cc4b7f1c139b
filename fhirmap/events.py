"""What happens during a run, as typed values: the log shows them as text or as JSON, one event a line.

A field holds a code, a count, a time, a digest, a name of the project's own or a record's key as reports show it: never
a value of a cell, nor an answer's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, TypeAlias

__all__ = [
    "LOGGER",
    "Answered",
    "CircuitOpened",
    "Event",
    "FieldValue",
    "IdentifiersArchived",
    "LeftToSteps",
    "RetryPlanned",
    "RunEnded",
    "RunFailed",
    "RunInterrupted",
    "RunStarted",
    "RunStopped",
    "SimulatorAnswered",
    "SourceRead",
    "TokenFetched",
    "Warned",
    "emit",
]

LOGGER = "fhirmap"
"""The logger of Python's `logging` that all events go to; a record's attribute ``event`` is the value."""

FieldValue: TypeAlias = str | int | float | bool | Mapping[str, int] | None

# Those of `logging`, which is loaded only where an event is emitted.
_DEBUG, _INFO, _WARNING, _ERROR = 10, 20, 30, 40


@dataclass(frozen=True, slots=True)
class Event:
    """The base of all. ``name``: the key by which programs know the kind; it never changes. ``level``: of `logging`."""

    name: ClassVar[str] = ""
    level: ClassVar[int] = _INFO

    def __str__(self) -> str:
        return f"{self.name} {self.values()}"

    def values(self) -> dict[str, FieldValue]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """The journal has opened run number ``run`` (0 where there is no journal). ``sink``: without a password."""

    name = "run_started"
    run: int
    project: str
    target: str
    sink: str
    map_digest: str
    version: str
    pid: int


@dataclass(frozen=True, slots=True)
class SourceRead(Event):
    """The source was read to its end. ``kept``: records that are what they were; ``verdicts``: the others, counted."""

    name = "source_read"
    records: int
    kept: int
    verdicts: Mapping[str, int]
    duration_s: float


@dataclass(frozen=True, slots=True)
class Answered(Event):
    """An answer, or the lack of one (``status`` 0), is in the journal; ``request`` is its ``X-Request-Id``."""

    name = "answered"
    level = _DEBUG
    key: str
    request: str
    attempt: int
    state: str
    code: str
    status: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class RetryPlanned(Event):
    """This run sends a record again, after ``wait_s``."""

    name = "retry_planned"
    level = _DEBUG
    key: str
    code: str
    tries: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class CircuitOpened(Event):
    """So many failures in a row were no record's fault: nothing leaves for ``wait_s``, then one record at a time."""

    name = "circuit_opened"
    level = _WARNING
    failures: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class TokenFetched(Event):
    """The identity server gave a token. ``number``: how many it gave in this run; ``life_s``: as it says."""

    name = "token_fetched"
    host: str
    number: int
    life_s: float


@dataclass(frozen=True, slots=True)
class IdentifiersArchived(Event):
    """Identifiers were written back; ``unwritten`` could not be."""

    name = "archived"
    count: int
    unwritten: int


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something is allowed and doubtful. ``message``: in the language of the run; ``position``: in a map or project."""

    name = "warning"
    level = _WARNING
    code: str
    message: str
    position: str = ""


@dataclass(frozen=True, slots=True)
class RunStopped(Event):
    """The run ends before its work is done; what it did is in the journal, and ``run_ended`` follows."""

    name = "run_stopped"
    level = _ERROR
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RunEnded(Event):
    """The run is closed. ``counts``: the ledger, records by where they ended; ``audit_head``: digest of the last entry
    of the audit log."""

    name = "run_ended"
    exit_code: int
    duration_s: float
    sent: int
    counts: Mapping[str, int]
    audit_head: str = ""


@dataclass(frozen=True, slots=True)
class RunFailed(Event):
    """A fault ended the command; the last event there is."""

    name = "run_failed"
    level = _ERROR
    code: str
    message: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class RunInterrupted(Event):
    """The command was interrupted before it could close the run; the last event there is."""

    name = "run_interrupted"
    level = _WARNING
    exit_code: int


@dataclass(frozen=True, slots=True)
class LeftToSteps(Event):
    """The one pass of a record ended with an exception of ``kind`` at ``position``: it goes group by group."""

    name = "left_to_steps"
    level = _DEBUG
    kind: str
    position: str


@dataclass(frozen=True, slots=True)
class SimulatorAnswered(Event):
    """The registry simulator answered; ``fault``: the kind it was set up to play."""

    name = "simulator_answered"
    level = _DEBUG
    path: str
    status: int
    request: str = ""
    fault: str = ""


def emit(event: Event) -> None:
    """Gives ``event`` to the log, if anybody listens."""
    from logging import getLogger

    logger = getLogger(LOGGER)
    if logger.hasHandlers():  # without any, `logging` itself would write warnings to standard error
        logger.log(event.level, "%s", event, extra={"event": event})
