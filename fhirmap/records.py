"""What crosses stages: record, result, envelope, receipt. Frozen values, standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Self


class CalendarText(str):
    """What a database shows for a cell of its own type of dates and times, as text.

    It is in ISO's form whatever the model's `format` says, which is for text; it may be no date at all (`infinity`).
    """

    __slots__ = ()


class TreeText(str):
    """A text of a document that has members beside it: an XML element with attributes, a field of an HL7 v2 message.

    ``members``: what paths lead to from it, by name. As a value it is its text.
    """

    __slots__ = ("members",)
    members: Mapping[str, Any]

    def __new__(cls, text: str, members: Mapping[str, Any]) -> Self:
        """The text with its members."""
        made = super().__new__(cls, text)
        made.members = members
        return made

    def __reduce__(self) -> tuple[type[Self], tuple[str, Mapping[str, Any]]]:
        """What pickle makes it of."""
        return type(self), (str(self), self.members)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one record. Never holds a cell's value.

    ``path``: element path with indexes, ``Parameters.parameter[6].part[1].value``; ``element``: the same with slice
    names and no index, ``Parameters.parameter:implants.part:lot.value[x]``, which lineage knows. ``rule``: invariant
    key, or the kind of check (``required``, ``type``, ``binding``, ``cardinality``…). ``position``: ``file:line:col``
    of the map rule that produces the element; ``columns``: the source columns it comes from, ``POSE_DMI.num_lot``.
    """

    code: str
    severity: str = "error"
    path: str = ""
    element: str = ""
    rule: str = ""
    args: Mapping[str, object] = field(default_factory=dict)
    variant: str = ""
    position: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """What a map's ``log (...)`` attached to a record: sendable, but look. ``position``: ``file:line:col`` of the
    rule."""

    text: str
    position: str = ""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A code that no entry of a concept map took. ``code`` is empty where its text may be more than a code: it is only
    counted then."""

    concept_map: str
    code: str


@dataclass(slots=True)
class Result:
    """What a transformer gives for one record. ``resource`` is empty (``None``) where the map produced nothing: out of
    scope, or, with a fault of severity error, of a scope that is not known. ``unmapped``: codes that concept maps do
    not hold, whatever their policy made of them."""

    resource: dict[str, Any] | None
    notes: tuple[Note, ...] = ()
    faults: tuple[Fault, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()

    @property
    def valid(self) -> bool:
        """Is there a resource, and no fault of severity error?"""
        return self.resource is not None and not any(fault.severity == "error" for fault in self.faults)


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A record as a map's model reads it: ``values`` by the names of the model's elements; what cannot be read is
    absent and among ``faults``."""

    values: Mapping[str, Any]
    faults: tuple[Fault, ...] = ()


class Record(NamedTuple):
    """One business record as the source holds it: raw column values, children nested under the model's element names.

    ``key``: business key as text (several columns joined by ``|``). ``origin``: where to look, ``INTERVENTION id=12``
    or ``export.csv:14``. ``faults``: what the source itself found wrong. ``superseded``: a later revision of the key
    exists.
    """

    key: str
    values: Mapping[str, Any]
    origin: str = ""
    faults: tuple[Fault, ...] = ()
    superseded: bool = False


class Envelope(NamedTuple):
    """A payload on its way: ``payload`` is the exact bytes to send, ``digest`` their SHA-256 in hexadecimal."""

    key: str
    payload: bytes
    digest: str
    limit_key: str = ""
    """What the receiver's rate limit counts by: the establishment's number for the registry."""
    request_key: str = ""
    """The same for every attempt at this payload: lets a receiver recognise a repeat."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of an OperationOutcome, as the receiver worded it, the values of our own payload taken out of its
    words.

    ``element``: the payload's element that ``expression`` names, in the form `Fault.element` has; ``position`` and
    ``columns``: the map rule and the source columns it comes from, where lineage knows them.
    """

    severity: str
    code: str
    diagnostics: str = ""
    expression: tuple[str, ...] = ()
    element: str = ""
    position: str = ""
    columns: tuple[str, ...] = ()

    @property
    def is_failure(self) -> bool:
        """Does it say that something did not work?"""
        return self.severity.casefold() in ("error", "fatal")


class ReceiptState(StrEnum):
    """What an answer means for its record: done, not acceptable as it is, to be sent again later, or not known."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNCERTAIN = "uncertain"


class UncertainPolicy(StrEnum):
    """What is done with a record whose answer was never seen: sent again, or kept until someone releases it."""

    RESEND = "resend"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one attempt.

    ``status``: HTTP status or 0 where no answer was seen. ``retry_after_s``: seconds the receiver asked to wait.
    ``body``: the answer as received, for the journal alone. ``reason``: why there was no answer, in words without any
    value; shown when the run ends for it, not journalled. ``stops_run``: nothing else can be sent either (403,
    refused credentials).
    """

    state: ReceiptState
    code: str
    status: int = 0
    issues: tuple[Issue, ...] = ()
    identifier_system: str = ""
    identifier_value: str = ""
    retry_after_s: float | None = None
    duration_s: float = 0.0
    body: bytes = b""
    stops_run: bool = False
    is_stranger: bool = False
    reason: str = ""
