"""Payloads and answers encrypted anew with the first key, those that are plain too: after encryption was turned on, and
where a key is replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from fhirmap.journal.audit_chain import AuditAct
from fhirmap.journal.connection import CHUNK, Row
from fhirmap.journal.payloads import LOCKED, is_as_put
from fhirmap.journal.purging import JournalPurging
from fhirmap.journal.row_statement import RowStatement, update_of
from fhirmap.journal.schema import attempt, entry, payload
from fhirmap.journal.sealing import Sealed

__all__ = ["JournalRekeying", "Rekeyed"]

_PAYLOAD = update_of(payload, "payload", "sealed_by")
_ANSWER = update_of(attempt, "body", "sealed_by")


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """``payloads`` and ``answers``: encrypted anew; ``changed``: left, since they are not what was encrypted;
    ``locked``: left, since their keys, ``keys``, are not there."""

    payloads: int = 0
    answers: int = 0
    changed: int = 0
    locked: int = 0
    keys: tuple[str, ...] = ()

    def __add__(self, other: Rekeyed) -> Rekeyed:
        keys = tuple(sorted({*self.keys, *other.keys}))
        return Rekeyed(
            self.payloads + other.payloads,
            self.answers + other.answers,
            self.changed + other.changed,
            self.locked + other.locked,
            keys,
        )


class _RekeyedRows(NamedTuple):
    """``locked``: the key that each of them needs."""

    anew: int
    changed: int
    locked: Sequence[str]

    @property
    def keys(self) -> tuple[str, ...]:
        """Each of them once."""
        return tuple(sorted(set(self.locked)))


class JournalRekeying(JournalPurging):
    """Encrypts anew; each method is one or several committed transactions."""

    def rekey(self) -> Rekeyed:
        """Encrypts with the first key whatever it does not encrypt yet. Where it is interrupted, the next call goes on.

        There has to be a key. Raises: JournalError FM800-FM805; what was encrypted before stays so.
        """
        assert self._sealing.sealed_by
        done = Rekeyed()
        for rows in self._rekeyed(self._other_payloads(), self._payload_anew, _PAYLOAD):
            done += Rekeyed(rows.anew, 0, rows.changed, len(rows.locked), rows.keys)
        for rows in self._rekeyed(self._other_answers(), self._answer_anew, _ANSWER):
            done += Rekeyed(0, rows.anew, rows.changed, len(rows.locked), rows.keys)
        self.note(AuditAct.REKEYED, {"payloads": done.payloads, "answers": done.answers})
        self._give_back()
        return done

    def missing_keys(self) -> tuple[str, ...]:
        """The names of the keys that records need which were not sent for want of them (FM814)."""
        query = select(payload.c.sealed_by).join(entry, entry.c.id == payload.c.entry_id).distinct()
        chosen = query.where(self._scope, entry.c.is_current.is_(True), entry.c.code == LOCKED)
        with self._transaction() as connection:
            found = connection.execute(chosen.order_by(payload.c.sealed_by)).scalars()
            return tuple(name for name in found if not self._sealing.knows(name))

    def _other_payloads(self) -> Select[Any]:
        columns = (entry.c.id, entry.c.key, entry.c.digest, payload.c.payload.label("content"), payload.c.sealed_by)
        query = select(*columns).join(payload, payload.c.entry_id == entry.c.id)
        query = query.where(self._scope, payload.c.sealed_by != self._sealing.sealed_by)
        return query.order_by(entry.c.id).limit(CHUNK)

    def _other_answers(self) -> Select[Any]:
        columns = (attempt.c.id, attempt.c.entry_id, attempt.c.number, attempt.c.body.label("content"))
        query = select(*columns, attempt.c.sealed_by).join(entry, entry.c.id == attempt.c.entry_id)
        other = attempt.c.sealed_by != self._sealing.sealed_by
        query = query.where(self._scope, other, func.length(attempt.c.body) > 0)
        return query.order_by(attempt.c.id).limit(CHUNK)

    def _rekeyed(
        self, query: Select[Any], anew: Callable[[Row], Sealed | None], statement: RowStatement
    ) -> Iterator[_RekeyedRows]:
        """Some rows at a time, in a transaction each."""
        number, last = query.selected_columns[0], 0
        while True:
            with self._writing() as connection:
                rows = connection.execute(query.where(number > last)).all()
                if not rows:
                    return
                last = rows[-1].id
                if not self._on_server:
                    connection.exec_driver_sql("PRAGMA secure_delete=ON")
                sealed = [(*found, row.id) for row in rows if (found := anew(row)) is not None]
                statement.execute(connection, sealed)
            locked = [row.sealed_by for row in rows if not self._sealing.knows(row.sealed_by)]
            yield _RekeyedRows(len(sealed), len(rows) - len(sealed) - len(locked), locked)

    def _payload_anew(self, row: Row) -> Sealed | None:
        plain = self._sealing.open_payload(row.key, row.digest, row.content, row.sealed_by)
        if plain is None or not is_as_put(plain, row.digest):
            return None
        return self._sealing.seal_payload(row.key, row.digest, plain)

    def _answer_anew(self, row: Row) -> Sealed | None:
        plain = self._sealing.open_answer(row.entry_id, row.number, row.content, row.sealed_by)
        return None if plain is None else self._sealing.seal_answer(row.entry_id, row.number, plain)
