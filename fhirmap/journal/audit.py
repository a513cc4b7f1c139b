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
from fhirmap.journal.audit_chain import AuditAct, AuditChain, AuditEntry, Sealer, anchor_text
from fhirmap.journal.entries import Lease, LeaseAnswer
from fhirmap.journal.row_statement import insert_into, update_of
from fhirmap.journal.schema import audit, audit_chain, meta
from fhirmap.texts.shown_keys import shown_key
from fhirmap.version import __version__

__all__ = ["ANCHOR", "AuditTrail", "answered", "digest_of", "sent"]

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
        last = connection.execute(select(audit_chain).order_by(audit_chain.c.id.desc()).limit(1)).one_or_none()
        number, head = (last.id + 1, last.head) if last else (1, "")
        body: dict[str, JsonValue] = {
            **self._identity,
            "entries_before": last.length if last else 0,
            "user": _user(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "version": __version__,
            "python": platform.python_version(),
            "keyed": bool(self._sealer.key),
        }
        place = _ChainEnd(number, uuid.uuid4().hex, 0, head)
        row = {"id": number, "chain": place.chain, "length": 0, "head": "", "seal": ""}
        connection.execute(insert(audit_chain).values(row))
        place = self._written(connection, place, AuditAct.OPENED, body)
        anchor = anchor_text(self._sealer, number, place.head)
        changed = connection.execute(update(meta).where(meta.c.name == ANCHOR).values(value=anchor))
        if not changed.rowcount:
            connection.execute(insert(meta).values(name=ANCHOR, value=anchor))
        return place

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
