"""The chain of the audit log: how an entry is bound to the one before it, and how to find where one is not as it was.

Each process that writes has a chain of its own, so that several may write at a time. Its first entry is bound to the
last entry that the chain before it had then; every other entry to the one before. What is written last of a chain, and
which chain is the last, is said by seals in other tables. Every column of every row is part of a digest: a row that is
changed, added, removed or moved does not fit any more.

Without a key the digests are SHA-256: they show what was damaged or changed by hand, but who can write the database and
knows this file can make them anew. With a key they are HMAC-SHA-256 (RFC 2104), which needs the key. Neither shows that
a whole database was replaced by an earlier copy of it: for that, a digest has to be kept elsewhere (``noted``).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple, TypeAlias

__all__ = [
    "ANCHORED",
    "MOST_CHAINS",
    "AuditAct",
    "AuditBreak",
    "AuditChain",
    "AuditEntry",
    "AuditProof",
    "BreakKind",
    "Sealer",
    "anchor_text",
    "anchored_number",
    "broken_places",
]

_LONGEST_HOLE = 10**6
"""Entries; a number further on was not written by fhirmap."""

MOST_CHAINS = 10**15
"""A chain with such a number, or a higher one, was not written by fhirmap."""

ANCHORED = "anchored"
"""In the first entry of a chain: whether what says which chain is the last was right when it began."""

Stored: TypeAlias = Any
"""What a column of a damaged row holds, which may be of any type."""


class AuditAct(StrEnum):
    """What an entry says was done."""

    OPENED = "opened"
    """A process begins a chain: who, where, with which version."""
    RUN_STARTED = "run_started"
    EXCHANGED = "exchanged"
    """Answers came back, requests leave."""
    LOST = "lost"
    """A process died before it noted answers."""
    ARCHIVED = "archived"
    RUN_ENDED = "run_ended"
    ACKNOWLEDGED = "acknowledged"
    RELEASED = "released"
    MIGRATED = "migrated"
    ADOPTED = "adopted"
    """Records are accepted with the identifiers that the archive has."""
    RESTORED = "restored"
    """A copy was put in the place of the journal."""
    PURGED = "purged"
    REKEYED = "rekeyed"
    """Payloads and answers were encrypted anew."""
    CONFIRMED = "confirmed"
    """What waits may be sent, although another journal may have sent it."""


class AuditEntry(NamedTuple):
    """A row: entry number ``seq``, from 0, of ``chain``. ``at``: seconds since the epoch; ``body``: JSON; ``prev``: the
    digest of the entry before; ``digest``: of all of these."""

    chain: Stored
    seq: Stored
    at: Stored
    act: Stored
    body: Stored
    prev: Stored
    digest: Stored


class AuditChain(NamedTuple):
    """A row: chain ``number``, from 1, has ``length`` entries, the last of which has the digest ``head``."""

    number: Stored
    chain: Stored
    length: Stored
    head: Stored
    seal: Stored


class BreakKind(StrEnum):
    """What does not fit."""

    EDITED = "edited"
    """An entry is not what was written."""
    MISSING = "missing"
    """Entries are missing."""
    ADDED = "added"
    """An entry, or a chain, is there that was never written."""
    MOVED = "moved"
    """An entry does not follow the one before it."""
    SEAL = "seal"
    """What says how long a chain is was changed."""
    CHAIN_MISSING = "chain_missing"
    ANCHOR = "anchor"
    """What says which chain is the last was changed."""
    NOT_KEYED = "not_keyed"
    """A chain without a key comes after one that has it, or is the last one while a key is set up."""
    RUN_MISSING = "run_missing"
    """The journal has a run, or requests of it, that the log does not have."""
    HEAD_MISSING = "head_missing"
    """No entry has a digest that was noted elsewhere."""


@dataclass(frozen=True, slots=True)
class AuditBreak:
    """Where the log is not as it was written: entry ``seq`` of chain number ``number``; None: it is about more."""

    kind: BreakKind
    number: int | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class AuditProof:
    """What a verification came to. ``breaks``: nothing is wrong without any; ``head``: digest of the last entry, to be
    noted elsewhere; ``keyed``: chains whose digests need the key."""

    chains: int
    entries: int
    keyed: int
    head: str
    breaks: tuple[AuditBreak, ...] = ()


@dataclass(frozen=True, slots=True)
class Sealer:
    """Makes digests, with ``key`` where there is one."""

    key: bytes = field(default=b"", repr=False)

    def of_entry(self, one: AuditEntry) -> str:
        """The digest of an entry, whatever its column ``digest`` holds."""
        return self._digest("entry", *one[:-1])

    def of_chain(self, one: AuditChain) -> str:
        """The seal of a chain."""
        return self._digest("chain", *one[:-1])

    def of_anchor(self, number: int, opening: str) -> str:
        """The seal of what says that chain ``number``, whose first entry has the digest ``opening``, is the last."""
        return self._digest("anchor", number, opening)

    def _digest(self, *parts: object) -> str:
        # JSON keeps the parts apart; a column of a damaged row may hold what JSON has not.
        message = json.dumps(parts, separators=(",", ":"), default=repr).encode()
        return hmac.new(self.key, message, sha256).hexdigest() if self.key else sha256(message).hexdigest()


def anchor_text(sealer: Sealer, number: int, opening: str) -> str:
    """What says which chain is the last."""
    return f"{number}:{opening}:{sealer.of_anchor(number, opening)}"


def anchored_number(anchor: Stored) -> int:
    """The number of the chain that an anchor names; 0 where it names none."""
    number = anchor.partition(":")[0] if isinstance(anchor, str) else ""
    found = int(number) if number.isdecimal() and len(number) <= len(str(MOST_CHAINS)) else 0
    return found if found < MOST_CHAINS else 0


def broken_places(
    chains: Sequence[AuditChain],
    entries: Iterable[AuditEntry],
    anchor: str | None,
    key: bytes = b"",
    noted: Collection[str] = (),
) -> AuditProof:
    """Everything in a log that does not fit. ``chains``: in the order of their numbers; ``entries``: chain after chain
    in that order, each in the order of its entries, then those of no chain. ``noted``: digests of entries that were
    kept elsewhere.
    """
    return _Verification(key, set(noted)).of(chains, entries, anchor)


class _Verification:
    def __init__(self, key: bytes, noted: set[str]) -> None:
        self._sealers = [Sealer(key), Sealer()] if key else [Sealer()]
        self._noted = noted
        self._breaks: list[AuditBreak] = []
        self._entries = 0
        self._keyed = 0
        self._sealer = self._sealers[0]
        """Of the last chain."""
        self._before: list[str] = []
        """Digests of the entries of the chain before."""
        self._head = ""

    def of(self, chains: Sequence[AuditChain], entries: Iterable[AuditEntry], anchor: str | None) -> AuditProof:
        waiting = iter(entries)
        following = next(waiting, None)
        opening = ""
        last = 0
        for chain in chains:
            if chain.number != last + 1:  # one gap is one fault
                self._break(BreakKind.CHAIN_MISSING, last + 1)
            last = chain.number
            own: list[AuditEntry] = []
            while following is not None and following.chain == chain.chain:
                own.append(following)
                following = next(waiting, None)
            opening = self._chain(chain.number, chain, own)
        while following is not None:
            self._break(BreakKind.ADDED)
            following = next(waiting, None)
        self._anchored(last, opening, anchor)
        for _ in self._noted:
            self._break(BreakKind.HEAD_MISSING)
        return AuditProof(len(chains), self._entries, self._keyed, self._head, tuple(self._breaks))

    def _chain(self, number: int, chain: AuditChain, own: Sequence[AuditEntry]) -> str:
        """The digest of its first entry."""
        sealer = next((one for one in self._sealers if one.of_chain(chain) == chain.seal), None)
        if sealer is None:
            self._break(BreakKind.SEAL, number)
            sealer = self._sealers[0]
        if sealer.key:
            self._keyed += 1
        elif self._keyed:
            self._break(BreakKind.NOT_KEYED, number)
        self._sealer = sealer
        digests: list[str] = []
        for one in own:
            self._entries += 1
            place = len(digests)
            if not isinstance(one.seq, int) or one.seq < place or one.seq - place > _LONGEST_HOLE:
                self._break(BreakKind.ADDED, number, place)
                continue
            if one.seq > place:  # one hole is one fault: what follows is looked at by itself
                self._break(BreakKind.MISSING, number, place)
                digests += [""] * (one.seq - place)
            if sealer.of_entry(one) != one.digest:
                self._break(BreakKind.EDITED, number, one.seq)
            elif not self._follows(number, one, digests):
                self._break(BreakKind.MOVED, number, one.seq)
            if one.seq == 0 and _opening(one.body).get(ANCHORED) is False:
                self._break(BreakKind.ANCHOR, number)
            digests.append(one.digest if isinstance(one.digest, str) else "")
            self._noted.discard(digests[-1])
        if len(digests) != chain.length or (digests[-1] if digests else "") != chain.head:
            more = isinstance(chain.length, int) and len(digests) > chain.length
            self._break(BreakKind.ADDED if more else BreakKind.MISSING, number, len(digests))
        self._before = digests
        self._head = digests[-1] if digests else self._head
        return digests[0] if digests else ""

    def _follows(self, number: int, one: AuditEntry, digests: Sequence[str]) -> bool:
        if digests:
            return not digests[-1] or bool(one.prev == digests[-1])
        if number == 1:
            return bool(one.prev == "" and one.act == AuditAct.OPENED)
        count = _count_before(one.body)
        is_there = 0 < count <= len(self._before) and one.prev == self._before[count - 1]
        return bool(is_there and one.act == AuditAct.OPENED)

    def _anchored(self, last: int, opening: str, anchor: str | None) -> None:
        """``last``: the number of the last chain."""
        if anchor is None and not last:
            return
        if anchor != anchor_text(self._sealer, last, opening):
            self._break(BreakKind.ANCHOR)
        if self._sealers[0].key and not self._sealer.key:
            self._break(BreakKind.NOT_KEYED, last)

    def _break(self, kind: BreakKind, number: int | None = None, seq: int | None = None) -> None:
        self._breaks.append(AuditBreak(kind, number, seq))


def _count_before(body: Stored) -> int:
    """How many entries the chain before had when the one of this first entry began."""
    found = _opening(body).get("entries_before")
    return found if isinstance(found, int) else 0


def _opening(body: Stored) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
