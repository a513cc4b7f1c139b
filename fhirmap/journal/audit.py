"""Writing the audit log: in the transaction of what it is about, so that both are there or neither.

Entries hold keys as they are shown, digests of what was sent and answered, codes, identifiers: no value of a record and
no words of a person. `audit_chain` says how they are bound to one another.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, func, insert, select, update

from fhirmap.data import JsonValue
from fhirmap.journal.audit_chain import (
    ANCHORED,
    MOST_CHAINS,
    AuditAct,
    AuditChain,
    AuditEntry,
    Sealer,
    Stored,
    anchor_text,
    anchored_number,
)
from fhirmap.journal.entries import Lease, LeaseAnswer
from fhirmap.journal.row_statement import insert_into, update_of
from fhirmap.journal.schema import audit, audit_chain, meta
from fhirmap.texts.shown_keys import shown_key
from fhirmap.version import __version__

__all__ = ["ANCHOR", "AuditTrail", "answered", "digest_of", "is_written_body", "sent"]

ANCHOR = "audit"
"""The row of the table `meta` that says which chain is the last."""

_ENTRY = insert_into(audit, *AuditEntry._fields)
_LENGTH = update_of(audit_chain, "length", "head", "seal")


@dataclass(frozen=True, slots=True)
class _ChainEnd:
    """Where the chain of this process is."""

    number: int
    chain: str
    count: int
    head: str


class AuditTrail:
    """The log of one process, its chain begun with its first entry.

    ``identity``: what the chain is about (project and target). ``key``: see `audit_chain`.
    """

    def __init__(self, identity: Mapping[str, str], clock: Callable[[], float], key: bytes = b"") -> None:
        self._identity = dict(identity)
        self._clock = clock
        self._sealer = Sealer(key)
        self._place: _ChainEnd | None = None

    @property
    def key(self) -> bytes:
        """What its digests are made with; empty without one."""
        return self._sealer.key

    @property
    def head(self) -> str:
        """The digest of the last entry of this process, empty before there is one."""
        return self._place.head if self._place else ""

    def append(self, connection: Connection, act: AuditAct, body: Mapping[str, JsonValue]) -> None:
        """Adds an entry in the transaction of ``connection``; `forget` is to be called where that is not committed."""
        self._place = self._written(connection, self._place or self._opened(connection), act, body)

    def forget(self) -> None:
        """A transaction was not committed, or it is not known whether it was: what comes next begins a chain."""
        self._place = None

    def _opened(self, connection: Connection) -> _ChainEnd:
        """A new chain, after the last one there is."""
        if connection.dialect.name != "sqlite":  # there, whoever writes is alone
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(audit.name))))
        known = select(audit_chain).where(audit_chain.c.id < MOST_CHAINS).order_by(audit_chain.c.id.desc()).limit(1)
        row = connection.execute(known).one_or_none()
        last = AuditChain(*row) if row else None
        anchor = connection.execute(select(meta.c.value).where(meta.c.name == ANCHOR)).scalar()
        number = 1 + max(last.number if last else 0, anchored_number(anchor))
        body: dict[str, JsonValue] = {
            **self._identity,
            "entries_before": last.length if last and isinstance(last.length, int) else 0,
            # The anchor is written anew below: what it said before would be lost.
            ANCHORED: self._is_anchored(connection, last, anchor),
            "user": _user(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": __version__,
            "python": platform.python_version(),
            "keyed": bool(self._sealer.key),
        }
        head = last.head if last and isinstance(last.head, str) else ""
        place = _ChainEnd(number, uuid.uuid4().hex, 0, head)
        new = {"id": number, "chain": place.chain, "length": 0, "head": "", "seal": ""}
        connection.execute(insert(audit_chain).values(new))
        place = self._written(connection, place, AuditAct.OPENED, body)
        anchor = anchor_text(self._sealer, number, place.head)
        changed = connection.execute(update(meta).where(meta.c.name == ANCHOR).values(value=anchor))
        if not changed.rowcount:
            connection.execute(insert(meta).values(name=ANCHOR, value=anchor))
        return place

    def _is_anchored(self, connection: Connection, last: AuditChain | None, anchor: Stored) -> bool:
        """Does the anchor say that ``last`` is the last chain? Without chains there is none."""
        if last is None:
            return anchor is None
        first = select(audit.c.digest).where(audit.c.chain == last.chain, audit.c.seq == 0)
        opening = connection.execute(first).scalar() or ""
        for one in (self._sealer, Sealer()):  # the chains before a key was set up are without it
            if one.of_chain(last) == last.seal:
                return bool(anchor == anchor_text(one, last.number, opening))
        # Its key is not there, which is found by its seal: the rest of the anchor can be compared.
        return isinstance(anchor, str) and anchor.startswith(f"{last.number}:{opening}:")

    def _written(
        self, connection: Connection, place: _ChainEnd, act: AuditAct, body: Mapping[str, JsonValue]
    ) -> _ChainEnd:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        one = AuditEntry(place.chain, place.count, float(self._clock()), str(act), text, place.head, "")
        one = one._replace(digest=self._sealer.of_entry(one))
        _ENTRY.execute(connection, [tuple(one)])
        length = AuditChain(place.number, place.chain, place.count + 1, one.digest, "")
        _LENGTH.execute(connection, [(length.length, length.head, self._sealer.of_chain(length), place.number)])
        return _ChainEnd(place.number, place.chain, length.length, length.head)


def sent(lease: Lease) -> list[JsonValue]:
    """What an entry has of a request that leaves: key, request, digest of the payload, number of the attempt."""
    envelope = lease.envelope
    return [shown_key(envelope.key), envelope.request_key, envelope.digest, lease.number]


def answered(answer: LeaseAnswer) -> list[JsonValue]:
    """What an entry has of an answer: what was sent, then state, status, code, the identifier's system and value, the
    digest of the answer."""
    receipt = answer.receipt
    given = (receipt.identifier_system, receipt.identifier_value)
    return [*sent(answer.lease), str(receipt.state), receipt.status, receipt.code, *given, digest_of(receipt.body)]


def digest_of(content: bytes | str) -> str:
    """SHA-256, in hexadecimal; empty of nothing."""
    return sha256(content.encode() if isinstance(content, str) else content).hexdigest() if content else ""


def _user() -> str:
    """The account that the process has: what a variable of the environment says does not count."""
    if os.name == "nt":  # pragma: no cover
        import getpass

        return getpass.getuser()
    import pwd

    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # an account that the machine has no name for, as in a container
        return str(number)


_SENT, _ANSWERED = 4, 10
"""How long the lists of `sent` and `answered` are."""
_DEEPEST = 3
"""Of lists and objects in one another in the body of an entry."""


def is_written_body(act: str, body: Mapping[str, JsonValue]) -> bool:
    """Has the body of an entry the form that is written of this act? An edited one may have any."""
    if not body or not _is_shallow(body, _DEEPEST):
        return False
    lists = {
        AuditAct.EXCHANGED: {"sent": _SENT, "answers": _ANSWERED},
        AuditAct.LOST: {"records": 2},
    }
    for name, length in lists.get(AuditAct(act), {}).items():
        found = body.get(name)
        if not isinstance(found, list) or not all(isinstance(one, list) and len(one) == length for one in found):
            return False
        if not all(isinstance(one[0], str) for one in found if isinstance(one, list)):
            return False
    keys = body.get("keys", [])
    return isinstance(keys, list) and all(isinstance(key, str) for key in keys)


def _is_shallow(value: JsonValue, depth: int) -> bool:
    if isinstance(value, Mapping):
        return depth > 0 and all(_is_shallow(inner, depth - 1) for inner in value.values())
    if isinstance(value, list):
        return depth > 0 and all(_is_shallow(inner, depth - 1) for inner in value)
    return True
