"""What the receiver holds and the source no longer declares: opened when it happens, kept until it is declared again,
reported until somebody acknowledges it. So are records in doubt, of which an answer was lost. And every identifier that
the receiver gave.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, String, Table, and_, bindparam, func, insert, select, update

from fhirmap.journal.audit import digest_of
from fhirmap.journal.audit_chain import AuditAct
from fhirmap.journal.connection import CHUNK, Row
from fhirmap.journal.entries import Identifier, SharedIdentifier, Withdrawal
from fhirmap.journal.ledger import RunLedger
from fhirmap.journal.row_statement import RowValues, insert_into
from fhirmap.journal.schema import attempt, entry, identifier, withdrawal
from fhirmap.journal.states import WithdrawalCause
from fhirmap.journal.stored_cells import plain
from fhirmap.journal.withdrawal_change import ForeseenWithdrawals, WithdrawalChange
from fhirmap.records import Receipt
from fhirmap.texts.shown_keys import shown_key

__all__ = ["Withdrawals"]

_IDENTIFIER = insert_into(
    identifier, "establishment", "operation", "key", "system", "value", "entry_id", "run_id", "at", "is_shared"
)


class Withdrawals(RunLedger):
    """Withdrawals and identifiers of one establishment and operation."""

    def _own(self, table: Table) -> ColumnElement[bool]:
        return and_(
            table.c.establishment == self._identity["establishment"],
            table.c.operation == self._identity["operation"],
        )

    # ---- withdrawn and back ----------------------------------------------------------------------------------

    def _change(self, connection: Connection, changes: Iterable[WithdrawalChange]) -> None:
        """Writes what was decided."""
        now = self._clock()
        opened: list[dict[str, Any]] = []
        for change in changes:
            before, said = change.before, {"cause": change.cause, "by_map": change.by_map}
            if before is not None and (change.ends or (before.cause, before.by_map) != (change.cause, change.by_map)):
                values = {"ended_at": now} if change.ends else said
                connection.execute(update(withdrawal).where(withdrawal.c.id == before.id).values(values))
            if change.is_new:
                opened.append({**self._identity, "key": change.key, **said, "run_id": self._run, "at": now})
        if opened:
            connection.execute(insert(withdrawal), opened)

    def _open_rows(self, connection: Connection, keys: Sequence[str]) -> dict[str, Row]:
        """The withdrawal of each key that is open: one at most."""
        found: dict[str, Row] = {}
        for start in range(0, len(keys), CHUNK):
            chosen = withdrawal.c.key.in_(keys[start : start + CHUNK])
            query = select(withdrawal).where(self._own(withdrawal), chosen, withdrawal.c.ended_at.is_(None))
            found.update((row.key, row) for row in connection.execute(query))
        return found

    def foreseen(self) -> ForeseenWithdrawals:
        """Those that wait for somebody now, for what a reading would change in them; nothing is written."""
        return ForeseenWithdrawals(self.withdrawals(), self._clock())

    def _returned(self) -> set[str]:
        """Keys that are back and that no one has looked at since."""
        query = select(withdrawal.c.key).where(
            self._own(withdrawal), withdrawal.c.ended_at.is_(None), withdrawal.c.cause == WithdrawalCause.RETURNED
        )
        with self._transaction() as connection:
            return set(connection.execute(query).scalars())

    def withdrawals(self, keys: Collection[str] | None = None) -> list[Withdrawal]:
        """Those that no one has acknowledged, the oldest first; with ``keys`` all that these records ever had."""
        query = select(withdrawal).where(self._own(withdrawal)).order_by(withdrawal.c.id)
        if keys is None:
            query = query.where(withdrawal.c.ended_at.is_(None), withdrawal.c.acknowledged_at.is_(None))
        else:
            query = query.where(withdrawal.c.key.in_(list(keys)))
        with self._transaction() as connection:
            rows = connection.execute(query).all()
            given = self._identifiers_of(connection, [row.key for row in rows])
        return [
            Withdrawal(
                plain(row.key),
                row.cause,
                plain(row.at),
                identifiers=tuple(given.get(row.key, ())),
                is_new=row.run_id == self._run > 0,
                by_map=bool(row.by_map),
                acknowledged_at=plain(row.acknowledged_at),
                acknowledged_by=plain(row.acknowledged_by),
                why=plain(row.why),
                ended_at=plain(row.ended_at),
            )
            for row in rows
        ]

    def withdrawn_count(self) -> int:
        """How many no one has acknowledged."""
        query = select(func.count()).where(
            self._own(withdrawal), withdrawal.c.ended_at.is_(None), withdrawal.c.acknowledged_at.is_(None)
        )
        with self._transaction() as connection:
            return int(connection.execute(query).scalar_one())

    def acknowledge(self, keys: Collection[str], by: str, why: str) -> tuple[str, ...]:
        """Notes that somebody has dealt with the withdrawals and the doubts of ``keys``. Where some have nothing that
        waits for it, nothing is noted and these are given."""
        waiting = set(self.to_acknowledge())
        absent = tuple(key for key in keys if key not in waiting)
        if absent:
            return absent
        wanted, now, name = list(keys), self._clock(), by[:200]
        with self._transaction() as connection:
            for start in range(0, len(wanted), CHUNK):
                chunk = wanted[start : start + CHUNK]
                connection.execute(
                    update(withdrawal)
                    .where(self._own(withdrawal), withdrawal.c.key.in_(chunk))
                    .where(withdrawal.c.ended_at.is_(None), withdrawal.c.acknowledged_at.is_(None))
                    .values(acknowledged_at=now, acknowledged_by=name, why=why)
                )
                connection.execute(
                    update(entry)
                    .where(self._in_doubt, entry.c.key.in_(chunk))
                    .values(doubt_settled_at=now, doubt_settled_by=name, doubt_why=why)
                )
            body = {"keys": [shown_key(key) for key in wanted], "by": name, "why": digest_of(why)}
            self._audit.append(connection, AuditAct.ACKNOWLEDGED, body)
        return ()

    def to_acknowledge(self) -> list[str]:
        """Keys of the records that wait for somebody: withdrawn, then in doubt."""
        withdrawn = [found.key for found in self.withdrawals()]
        with self._transaction() as connection:
            doubtful = connection.execute(select(entry.c.key).where(self._in_doubt).order_by(entry.c.id)).scalars()
            return list(dict.fromkeys([*withdrawn, *doubtful]))

    @property
    def _in_doubt(self) -> ColumnElement[bool]:
        """Entries of which an answer was lost, and no one has settled what became of the request."""
        return and_(self._scope, entry.c.in_doubt.is_(True), entry.c.doubt_settled_at.is_(None))

    # ---- identifiers -----------------------------------------------------------------------------------------

    def _note_identifiers(self, connection: Connection, given: Iterable[tuple[int, str, Receipt]]) -> None:
        """Keeps what the receiver gave to (entry, key), and whether another record has the same."""
        new = list(given)
        if not new:
            return
        holders: dict[tuple[str, str], set[str]] = defaultdict(set)
        values = list({receipt.identifier_value for _, _, receipt in new})
        for system, value, key in connection.execute(self._holders, {"values": values}):
            holders[system, value].add(key)
        rows: list[RowValues] = []
        for entry_id, key, receipt in new:
            system, value = receipt.identifier_system, receipt.identifier_value
            others = holders[system, value]
            if key not in others:
                rows.append(
                    (*self._identity.values(), key, system, value, entry_id, self._run, self._clock(), bool(others))
                )
                others.add(key)
        _IDENTIFIER.execute(connection, rows)

    @cached_property
    def _holders(self) -> Select[Any]:
        """Which keys have the identifiers with these values."""
        query = select(identifier.c.system, identifier.c.value, identifier.c.key).where(self._own(identifier))
        return query.where(identifier.c.value.in_(bindparam("values", type_=String(), expanding=True)))

    def _identifiers_of(self, connection: Connection, keys: Sequence[str]) -> dict[str, list[Identifier]]:
        found: dict[str, list[Identifier]] = defaultdict(list)
        for start in range(0, len(keys), CHUNK):
            query = (
                select(identifier.c.key, identifier.c.system, identifier.c.value, identifier.c.at)
                .where(self._own(identifier), identifier.c.key.in_(keys[start : start + CHUNK]))
                .order_by(identifier.c.id)
            )
            for row in connection.execute(query):
                found[row.key].append(Identifier(plain(row.system), plain(row.value), plain(row.at)))
        return found

    def identifiers(self, key: str) -> tuple[Identifier, ...]:
        """Every identifier that the receiver ever gave to ``key``, the oldest first."""
        with self._transaction() as connection:
            return tuple(self._identifiers_of(connection, [key]).get(key, ()))

    def unshown_identifiers(self, code: str) -> frozenset[str]:
        """The identifiers that came with an answer of ``code``, which says that they are not to be shown."""
        quoting = select(attempt.c.entry_id).where(attempt.c.code == code)
        query = select(identifier.c.value).where(self._own(identifier), identifier.c.entry_id.in_(quoting))
        with self._transaction() as connection:
            return frozenset(connection.execute(query).scalars())

    def shared_identifiers(self, *, of_this_run: bool = False) -> tuple[SharedIdentifier, ...]:
        """Identifiers that several records have; ``of_this_run``: those of which a record got one in this run."""
        query = select(identifier.c.system, identifier.c.value).where(
            self._own(identifier), identifier.c.is_shared.is_(True)
        )
        if of_this_run:
            query = query.where(identifier.c.run_id == self._run)
        found = []
        with self._transaction() as connection:
            for system, value in dict.fromkeys(
                tuple(row) for row in connection.execute(query.order_by(identifier.c.id))
            ):
                same = and_(self._own(identifier), identifier.c.value == value, identifier.c.system == system)
                keys = connection.execute(select(identifier.c.key).where(same).order_by(identifier.c.id)).scalars()
                found.append(SharedIdentifier(plain(system), plain(value), tuple(map(plain, dict.fromkeys(keys)))))
        return tuple(found)
