"""What the receiver holds and the source no longer declares: opened when it happens, kept until it is declared again,
reported until somebody acknowledges it. And every identifier that the receiver gave.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, func, insert, select, update

from fhirmap.journal.connection import CHUNK, Row
from fhirmap.journal.entries import Identifier, SharedIdentifier, Withdrawal
from fhirmap.journal.ledger import RunLedger
from fhirmap.journal.schema import identifier, withdrawal
from fhirmap.journal.states import WithdrawalCause
from fhirmap.records import Receipt

__all__ = ["ForeseenWithdrawals", "Withdrawals"]


def _goes_on(before: WithdrawalCause, cause: WithdrawalCause) -> bool:
    """Is a withdrawal for ``cause`` the one for ``before`` still?"""
    return before == cause or (before.is_left and cause.is_left)


class ForeseenWithdrawals:
    """The withdrawals that would wait for somebody after a reading."""

    def __init__(self, open_rows: Iterable[Row], now: float) -> None:
        self._now = now
        self._open = {row.key: row for row in open_rows}
        self._waiting = {
            row.key: Withdrawal(row.key, row.cause, row.at)
            for row in self._open.values()
            if row.acknowledged_at is None
        }

    def add(self, key: str, cause: WithdrawalCause, *, by_map: bool) -> None:
        """What `Withdrawals._withdraw` would do with a key."""
        before = self._open.get(key)
        if before is None or not _goes_on(before.cause, cause):
            self._waiting.pop(key, None)
            self._waiting[key] = Withdrawal(key, cause, self._now, is_new=True, by_map=by_map)
        elif key in self._waiting:
            self._waiting[key] = Withdrawal(key, cause, before.at)

    def take_back(self, key: str, *, is_sent: bool) -> None:
        """What `Withdrawals._take_back` would do with a key."""
        before = self._open.get(key)
        if before is None or (before.cause == WithdrawalCause.RETURNED and not is_sent):
            return
        self._waiting.pop(key, None)
        if before.acknowledged_at is not None and not is_sent:
            self._waiting[key] = Withdrawal(key, WithdrawalCause.RETURNED, self._now, is_new=True)

    def waiting(self) -> list[Withdrawal]:
        """Those of the reading first, without their identifiers."""
        return sorted(self._waiting.values(), key=lambda entry: not entry.is_new)


class Withdrawals(RunLedger):
    """Withdrawals and identifiers of one establishment and operation."""

    def _own(self, table: Table) -> ColumnElement[bool]:
        return and_(
            table.c.establishment == self._identity["establishment"],
            table.c.operation == self._identity["operation"],
        )

    # ---- withdrawn and back ----------------------------------------------------------------------------------

    def _withdraw(self, connection: Connection, causes: Mapping[str, WithdrawalCause]) -> None:
        """Opens a withdrawal for each key; one that is open goes on, unless the record was to be corrected and is now
        no longer declared at all, or the other way round: that is another matter, to be reported anew."""
        now = self._clock()
        opened: list[dict[str, Any]] = []
        known = {row.key: row for row in self._open_rows(connection, list(causes))}
        for key, cause in causes.items():
            before = known.get(key)
            if before is not None and _goes_on(before.cause, cause):
                connection.execute(update(withdrawal).where(withdrawal.c.id == before.id).values(cause=cause))
                continue
            if before is not None:
                connection.execute(update(withdrawal).where(withdrawal.c.id == before.id).values(ended_at=now))
            opened.append({**self._identity, "key": key, "cause": cause, "run_id": self._run, "at": now})
        if opened:
            connection.execute(insert(withdrawal), opened)

    def _take_back(self, connection: Connection, is_sent: Mapping[str, bool]) -> None:
        """Ends the withdrawals of keys that are declared again. One that was acknowledged and is not sent anew opens
        another: whether the receiver still holds the record is for people to say."""
        now = self._clock()
        returned: list[dict[str, Any]] = []
        for row in self._open_rows(connection, list(is_sent)):
            if row.cause == WithdrawalCause.RETURNED and not is_sent[row.key]:
                continue
            connection.execute(update(withdrawal).where(withdrawal.c.id == row.id).values(ended_at=now))
            if row.acknowledged_at is not None and not is_sent[row.key]:
                returned.append(
                    {
                        **self._identity,
                        "key": row.key,
                        "cause": WithdrawalCause.RETURNED,
                        "run_id": self._run,
                        "at": now,
                    }
                )
        if returned:
            connection.execute(insert(withdrawal), returned)

    def _open_rows(self, connection: Connection, keys: Sequence[str]) -> list[Row]:
        found: list[Row] = []
        for start in range(0, len(keys), CHUNK):
            chosen = withdrawal.c.key.in_(keys[start : start + CHUNK])
            query = select(withdrawal).where(self._own(withdrawal), chosen, withdrawal.c.ended_at.is_(None))
            found += connection.execute(query).all()
        return found

    def foreseen(self) -> ForeseenWithdrawals:
        """Those that are open now, for what a reading would change in them; nothing is written."""
        query = select(withdrawal).where(self._own(withdrawal), withdrawal.c.ended_at.is_(None))
        with self._transaction() as connection:
            rows = connection.execute(query.order_by(withdrawal.c.id)).all()
        return ForeseenWithdrawals(rows, self._clock())

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
                row.key,
                row.cause,
                row.at,
                identifiers=tuple(given.get(row.key, ())),
                is_new=row.run_id == self._run > 0,
                by_map=row.run_id == self._run > 0 and row.key in self._by_map,
                acknowledged_at=row.acknowledged_at,
                acknowledged_by=row.acknowledged_by,
                why=row.why,
                ended_at=row.ended_at,
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
        """Notes that somebody has dealt with the withdrawals of ``keys``. Where some have none that waits for it,
        nothing is noted and these are given."""
        waiting = [entry.key for entry in self.withdrawals()]
        absent = tuple(key for key in keys if key not in set(waiting))
        if absent:
            return absent
        wanted = list(keys)
        with self._transaction() as connection:
            for start in range(0, len(wanted), CHUNK):
                connection.execute(
                    update(withdrawal)
                    .where(self._own(withdrawal), withdrawal.c.key.in_(wanted[start : start + CHUNK]))
                    .where(withdrawal.c.ended_at.is_(None), withdrawal.c.acknowledged_at.is_(None))
                    .values(acknowledged_at=self._clock(), acknowledged_by=by[:200], why=why)
                )
        return ()

    # ---- identifiers -----------------------------------------------------------------------------------------

    def _note_identifiers(self, connection: Connection, given: Iterable[tuple[int, str, Receipt]]) -> None:
        """Keeps what the receiver gave to (entry, key), and whether another record has the same."""
        for entry_id, key, receipt in given:
            same = and_(
                self._own(identifier),
                identifier.c.value == receipt.identifier_value,
                identifier.c.system == receipt.identifier_system,
            )
            holders = set(connection.execute(select(identifier.c.key).where(same)).scalars())
            if key in holders:
                continue
            values = {"key": key, "system": receipt.identifier_system, "value": receipt.identifier_value}
            connection.execute(
                insert(identifier).values(
                    **self._identity,
                    **values,
                    entry_id=entry_id,
                    run_id=self._run,
                    at=self._clock(),
                    is_shared=bool(holders),
                )
            )

    def _identifiers_of(self, connection: Connection, keys: Sequence[str]) -> dict[str, list[Identifier]]:
        found: dict[str, list[Identifier]] = defaultdict(list)
        for start in range(0, len(keys), CHUNK):
            query = (
                select(identifier)
                .where(self._own(identifier), identifier.c.key.in_(keys[start : start + CHUNK]))
                .order_by(identifier.c.id)
            )
            for row in connection.execute(query):
                found[row.key].append(Identifier(row.system, row.value, row.at))
        return found

    def identifiers(self, key: str) -> tuple[Identifier, ...]:
        """Every identifier that the receiver ever gave to ``key``, the oldest first."""
        with self._transaction() as connection:
            return tuple(self._identifiers_of(connection, [key]).get(key, ()))

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
                found.append(SharedIdentifier(system, value, tuple(dict.fromkeys(keys))))
        return tuple(found)
