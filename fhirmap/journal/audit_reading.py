"""What is asked of the audit log: whether it is as it was written, and its entries one after the other. Reads only."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, func, select, union

from fhirmap.journal.audit import ANCHOR, is_written_body
from fhirmap.journal.audit_chain import (
    AuditAct,
    AuditBreak,
    AuditChain,
    AuditEntry,
    AuditProof,
    BreakKind,
    broken_places,
)
from fhirmap.journal.connection import CHUNK
from fhirmap.journal.figures import JournalFigures
from fhirmap.journal.schema import attempt, audit, audit_chain, entry, meta, run
from fhirmap.journal.states import AttemptEvent
from fhirmap.journal.store import translated
from fhirmap.journal.stored_cells import MOST, counted

__all__ = ["AuditRecord", "JournalAudit"]

_BEFORE = "audit_from"
"""The row of the table `meta` that has the last run of the time before there was a log."""


_YEAR_10000 = 253402300800
"""Seconds since the epoch: no time from then on can be shown."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An entry to be shown. ``at``: seconds since the epoch; ``body``: what `audit.py` wrote; ``opening``: the body of
    its chain's first entry, which says who wrote it."""

    chain: str
    seq: int
    at: float
    act: AuditAct
    body: Mapping[str, Any]
    opening: Mapping[str, Any]
    digest: str


class JournalAudit(JournalFigures):
    """What is asked of the audit log."""

    def verify_audit(self, noted: Collection[str] = ()) -> AuditProof:
        """Whether the log is as it was written, with the key that the journal was opened with. ``noted``: digests of
        entries that were kept elsewhere."""
        seen = _LoggedRuns()
        with self._snapshot() as connection:
            chains = [AuditChain(*row) for row in connection.execute(select(audit_chain).order_by(audit_chain.c.id))]
            anchor = connection.execute(select(meta.c.value).where(meta.c.name == ANCHOR)).scalar()
            entries = seen.passing(_entries(connection))
            proof = broken_places(chains, entries, anchor, self._audit.key, noted)
            missing = [AuditBreak(BreakKind.RUN_MISSING, None, number) for number in seen.lacking(connection)]
        return replace(proof, breaks=(*proof.breaks, *missing))

    def audit_records(self, since: float = 0.0, left_out: Callable[[], None] = lambda: None) -> Iterator[AuditRecord]:
        """The entries about this project and target from ``since`` on, chain after chain in the order in which they
        began. ``left_out`` is called for each that cannot be read: `verify_audit` says which.
        """
        opening: Mapping[str, Any] = {}
        chain = None
        with self._snapshot() as connection:
            for one in _entries(connection):
                if one.chain != chain:
                    chain, opening = one.chain, {}
                body = _body(one)
                if not _is_written(one) or not is_written_body(one.act, body):
                    left_out()
                    continue
                if one.seq == 0:
                    opening = body
                if not opening:  # whose it is cannot be read
                    left_out()
                    continue
                own = (opening.get("project"), opening.get("target")) == tuple(self._identity.values())
                if own and one.at >= since:
                    yield AuditRecord(one.chain, one.seq, one.at, AuditAct(one.act), body, opening, one.digest)

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """A transaction that sees one moment, whoever writes meanwhile."""
        engine = self._engine.execution_options(isolation_level="REPEATABLE READ") if self._on_server else self._engine
        with self._threads, translated(self._name), engine.begin() as connection:
            yield connection

    @property
    def _on_server(self) -> bool:
        return self._engine.dialect.name != "sqlite"


def _entries(connection: Connection) -> Iterator[AuditEntry]:
    """In the order of the chains, those of none at the end."""
    query = (
        select(audit)
        .outerjoin(audit_chain, audit_chain.c.chain == audit.c.chain)
        .order_by(audit_chain.c.id.is_(None), audit_chain.c.id, audit.c.chain, audit.c.seq)
        .execution_options(yield_per=CHUNK)
    )
    for row in connection.execute(query):
        yield AuditEntry(*row)


class _LoggedRuns:
    """Which runs and requests the log has, to be compared with those of the journal."""

    def __init__(self) -> None:
        self._runs: set[str] = set()
        self._requests: Counter[str] = Counter()

    def passing(self, entries: Iterator[AuditEntry]) -> Iterator[AuditEntry]:
        """The same entries."""
        for one in entries:
            if one.act == AuditAct.RUN_STARTED:
                self._runs.add(str(_body(one).get("run")))
            elif one.act == AuditAct.EXCHANGED:
                body = _body(one)
                sent = body.get("sent")
                self._requests[str(body.get("run"))] += len(sent) if isinstance(sent, list) else 0
            yield one

    def lacking(self, connection: Connection) -> list[int]:
        """Numbers of runs that the journal has, or has more requests of, than the log. It may have less: what is
        removed after its retention stays in the log."""
        before = connection.execute(select(meta.c.value).where(meta.c.name == _BEFORE)).scalar()
        first = counted(before) or 0
        # A run that was removed is still named by what it read and settled.
        columns = (run.c.id, entry.c.read_run, entry.c.settled_run)
        named = union(*(select(column.label("number")).where(column > first, column < MOST) for column in columns))
        runs = connection.execute(named).scalars()
        requests = connection.execute(
            select(attempt.c.run_id, func.count())
            .where(attempt.c.run_id > first, attempt.c.run_id < MOST, attempt.c.event == AttemptEvent.SENT)
            .group_by(attempt.c.run_id)
        )
        found = {number for number in runs if str(number) not in self._runs}
        return sorted(found | {number for number, count in requests if count > self._requests[str(number)]})


def _is_written(one: AuditEntry) -> bool:
    """Are its columns of the kinds that fhirmap writes?"""
    texts = (one.chain, one.act, one.digest)
    is_time = isinstance(one.at, int | float) and 0 <= one.at < _YEAR_10000
    is_place = isinstance(one.seq, int) and all(isinstance(text, str) for text in texts)
    return is_time and is_place and one.act in set(AuditAct)


def _body(one: AuditEntry) -> Mapping[str, Any]:
    try:
        found = json.loads(one.body)
    except (ValueError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
