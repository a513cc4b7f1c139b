"""The values that go into and come out of the journal, frozen; those of which each record has one are named tuples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from fhirmap.journal.states import ArchiveState, EntryState, WithdrawalCause
from fhirmap.records import Envelope, Fault, Issue, Note, Receipt
from fhirmap.texts import text

__all__ = [
    "Accepted",
    "Counts",
    "DayCounts",
    "Entry",
    "Exchanged",
    "Identifier",
    "Lease",
    "LeaseAnswer",
    "Ledger",
    "ReadValues",
    "Reason",
    "RecordReading",
    "RecordedAnswer",
    "RunSummary",
    "SharedIdentifier",
    "Status",
    "Withdrawal",
]


class ReadValues(NamedTuple):
    """What was read of a record, without a value of it: distinguishes a record that the source changed from one that
    only the map, the target or the version makes different.

    ``digest``: of the record as the source gave it; where it is the same, nothing has changed. ``columns``: what was
    read, by name; ``layout``: digest of ``columns``. ``parts``: four bytes for each column, computed where the rest
    does not say.
    """

    digest: str
    layout: str
    columns: tuple[str, ...]
    parts: Callable[[], bytes]


class Entry(NamedTuple):
    """What one source record came to, on its way into the journal.

    ``state``: ``ready`` (with ``payload`` and its ``digest``), ``invalid``, ``out_of_scope``, or ``superseded`` (an
    older revision of a key: counted, not kept). ``request_key`` defaults to one derived from key and digest, so it is
    the same at each attempt. ``read``: what the payload was made of; without it another payload of a key is taken for
    a change of the source. ``made_by``: what makes the same entry whenever the same is read; empty where nothing does.
    """

    key: str
    state: EntryState
    payload: bytes = b""
    digest: str = ""
    limit_key: str = ""
    request_key: str = ""
    origin: str = ""
    notes: tuple[Note, ...] = ()
    faults: tuple[Fault, ...] = ()
    read: ReadValues | None = None
    made_by: str = ""


class RecordReading(NamedTuple):
    """What the source gives of a record, before anything is made of it: as `Entry` has it."""

    key: str
    origin: str
    read: ReadValues


@dataclass(frozen=True, slots=True)
class DayCounts:
    """How many records got their present state on a day, local time, `2026-03-01`: by state."""

    day: str
    states: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries of one `put` came to what. ``unchanged``: accepted or refused before with this very payload;
    ``held``: accepted before, and only the map, the target or the version makes another payload of it; ``pending``:
    journalled before with this payload and not settled yet; ``gone``: the source does not hold it any more;
    ``repeated``: a key read twice in one run."""

    ready: int = 0
    invalid: int = 0
    out_of_scope: int = 0
    superseded: int = 0
    unchanged: int = 0
    pending: int = 0
    held: int = 0
    gone: int = 0
    repeated: int = 0

    @property
    def read(self) -> int:
        """All of them: each entry is counted once, whatever else applies to it."""
        named = self.ready + self.invalid + self.out_of_scope + self.superseded + self.unchanged
        return named + self.pending + self.held

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, name) + getattr(other, name) for name in Counts.__slots__))


class Lease(NamedTuple):
    """The right to send one payload once. ``number``: which attempt at this payload it is, from 1. ``was``: the state
    before. ``leave_at``: when its turn is, at once or in a moment."""

    entry_id: int
    envelope: Envelope
    number: int
    was: EntryState
    token: str
    leave_at: float = 0.0


class LeaseAnswer(NamedTuple):
    """What became of a lease. ``not_before``: when an entry that is deferred or uncertain by it may go again;
    ``is_given_up``: not in this run."""

    lease: Lease
    receipt: Receipt
    not_before: float = 0.0
    is_given_up: bool = False


class Exchanged(NamedTuple):
    """What answers led to, in their order, and what may leave now."""

    states: list[EntryState]
    leases: list[Lease]


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted record whose identifier is still to be written back."""

    entry_id: int
    key: str
    system: str
    value: str
    at: float
    digest: str
    earlier: tuple[str, ...] = ()
    """Other identifiers that the receiver gave to the key, the oldest first."""
    attempt: int = 0
    """The one that it was accepted in: in this order they were sent."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier that the receiver gave to a key, and when."""

    system: str
    value: str
    at: float


@dataclass(frozen=True, slots=True)
class SharedIdentifier:
    """One identifier that the receiver gave to several records."""

    system: str
    value: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A record that the receiver holds, or may hold, and that the source no longer declares as it was.

    ``identifiers``: every one that it ever got. ``is_new``: since the run that the journal is at. ``by_map``: when it
    was withdrawn, the source gave what it was made of, so that the map, the target or the version withdrew it.
    """

    key: str
    cause: WithdrawalCause
    at: float
    identifiers: tuple[Identifier, ...] = ()
    is_new: bool = False
    by_map: bool = False
    acknowledged_at: float | None = None
    acknowledged_by: str = ""
    why: str = ""
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """One current record and what was last said of it."""

    key: str
    state: EntryState
    code: str = ""
    status: int = 0
    issues: tuple[Issue, ...] = ()
    faults: tuple[Fault, ...] = ()
    notes: tuple[Note, ...] = ()
    identifier_system: str = ""
    identifier_value: str = ""
    attempts: int = 0
    changed_at: float = 0.0
    not_before: float = 0.0
    in_doubt: bool = False
    """An answer was lost, and no one has settled what became of the request."""
    doubt_settled_at: float | None = None
    doubt_settled_by: str = ""
    doubt_why: str = ""
    origin: str = ""
    archive: ArchiveState = ArchiveState.NONE
    was_read: bool = False
    """In the run that the journal is at."""
    was_settled: bool = False
    """In that run."""
    held: bool = False
    """The map, the target or the version makes another payload of it than the one that was accepted."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Records of one state that share an answer: code, HTTP status and the receiver's words."""

    state: EntryState
    code: str
    status: int
    words: str
    count: int
    keys: tuple[str, ...] = ()
    """The first few of them."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run as the journal remembers it; ``is_unreadable``: its row was damaged, and nothing but its number is
    known. ``is_under_way``: it holds the journal's lock, or requests of it are under way."""

    run_id: int
    started_at: float
    finished_at: float | None
    exit_code: int | None
    counts: Mapping[str, int] = field(default_factory=dict)
    is_unreadable: bool = False
    is_under_way: bool = False


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where each record that a run read has ended: ``read`` equals the sum of the others, or the run does not end
    well."""

    read: int
    accepted: int = 0
    refused: int = 0
    invalid: int = 0
    out_of_scope: int = 0
    superseded: int = 0
    unchanged: int = 0
    held: int = 0
    pending: int = 0
    reread: int = 0
    """What another run, which worked at the same time, has read since: it is in that one's ledger."""

    @property
    def total(self) -> int:
        """Sum of every destination."""
        return (
            self.accepted
            + self.refused
            + self.invalid
            + self.out_of_scope
            + self.superseded
            + self.unchanged
            + self.held
            + self.pending
            + self.reread
        )

    @property
    def balanced(self) -> bool:
        """Does the equation hold?"""
        return self.read == self.total

    def equation(self) -> str:
        """``read 34 = accepted 24 + refused 1 + …``; superseded and held are shown only where there are any."""
        counts = {
            "accepted": self.accepted,
            "refused": self.refused,
            "invalid": self.invalid,
            "out_of_scope": self.out_of_scope,
            **({"superseded": self.superseded} if self.superseded else {}),
            "unchanged": self.unchanged,
            **({"held": self.held} if self.held else {}),
            "pending": self.pending,
            **({"reread": self.reread} if self.reread else {}),
        }
        parts = " + ".join(text(f"states.counted.{state}", count=count) for state, count in counts.items())
        return text("run.equation", read=text("run.read", count=self.read), parts=parts)


@dataclass(frozen=True, slots=True)
class Status:
    """The journal at a glance: current records by state, why, and what may have been taken twice."""

    states: Mapping[EntryState, int] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    possible_duplicates: tuple[RecordedAnswer, ...] = ()
    last_run: RunSummary | None = None
    next_due: float | None = None
    archive_pending: int = 0
    held: int = 0
    withdrawn: tuple[Withdrawal, ...] = ()
    """Those that no one has acknowledged."""
    shared_identifiers: tuple[SharedIdentifier, ...] = ()
    unreadable: tuple[str, ...] = ()
    """Keys of records of which a row cannot be read."""
