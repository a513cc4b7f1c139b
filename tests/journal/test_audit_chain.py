"""The chain: every row that is changed, removed, added or moved is found, by whatever hand."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.journal.audit import ANCHOR
from fhirmap.journal.audit_chain import (
    AuditChain,
    AuditEntry,
    AuditProof,
    BreakKind,
    Sealer,
    anchor_text,
    broken_places,
)
from tests.journal.sending import ACCEPTED, REFUSED, ready

KEY = b"a key that the database does not have"
Rows = tuple[list[AuditChain], list[AuditEntry], str | None]


def written(path: Path, key: bytes = b"") -> Path:
    """A journal of five runs, as five processes made them, and what people did between them."""
    for number in range(5):
        with Journal.open(path, "ch-test", "associer", exclusive=True, audit_key=key) as journal:
            journal.start_run(f"map-{number}", places=["data/sih.sqlite"])
            journal.recover()
            journal.put([ready(f"{number}-{key}", f"payload {number}{key}") for key in range(4)])
            for lease, receipt in zip(journal.lease(4), (ACCEPTED, REFUSED, ACCEPTED, ACCEPTED), strict=True):
                journal.settle(lease, receipt)
            journal.archived([one.entry_id for one in journal.to_archive()])
            journal.finish_run(1)
            if number == 2:
                journal.release(["2-1"])
    with Journal.open(path, "ch-test", "associer", audit_key=key) as journal:
        journal.start_run("map-5")
        journal.put([Entry("0-0", EntryState.OUT_OF_SCOPE)])
        assert journal.acknowledge(["0-0"], "somebody", "cancelled") == ()
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("plain") / "journal.db")


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("keyed") / "journal.db", KEY)


def rows_of(connection: sqlite3.Connection) -> Rows:
    chains = connection.execute("select id, chain, length, head, seal from fhirmap_audit_chain order by id")
    entries = connection.execute(
        "select a.chain, seq, at, act, body, prev, digest from fhirmap_audit a"
        " left join fhirmap_audit_chain c on c.chain = a.chain order by c.id is null, c.id, a.chain, a.seq"
    )
    anchor = connection.execute("select value from fhirmap_meta where name = ?", (ANCHOR,)).fetchone()
    return (
        [AuditChain(*row) for row in chains.fetchall()],
        [AuditEntry(*row) for row in entries.fetchall()],
        anchor and anchor[0],
    )


def proof_of(connection: sqlite3.Connection, key: bytes = b"", noted: tuple[str, ...] = ()) -> AuditProof:
    return broken_places(*rows_of(connection), key, noted)


@pytest.fixture
def copies() -> Iterator[Callable[[Path], sqlite3.Connection]]:
    """``copies(path)``: the journal in memory, without the guard against changes."""
    opened: list[sqlite3.Connection] = []

    def make(path: Path) -> sqlite3.Connection:
        copy = sqlite3.connect(":memory:")
        opened.append(copy)
        with closing(sqlite3.connect(path)) as connection:
            connection.backup(copy)
        for (name,) in copy.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            copy.execute(f"drop trigger {name}")
        return copy

    yield make
    for connection in opened:
        connection.close()


def test_what_was_written_is_intact(plain: Path, keyed: Path, copies: Callable[[Path], sqlite3.Connection]) -> None:
    for path, key, count in ((plain, b"", 0), (keyed, KEY, 6)):
        proof = proof_of(copies(path), key)
        assert proof.breaks == ()
        assert (proof.chains, proof.keyed) == (6, count)
        assert proof.entries == len(rows_of(copies(path))[1]) > 40
        assert proof.head == rows_of(copies(path))[1][-1].digest


# ---- mutations -------------------------------------------------------------------------------------------------------

COLUMNS = ("chain", "seq", "at", "act", "body", "prev", "digest")


def _another(value: Any, rng: random.Random) -> Any:
    """A value of the column that it is not: near it, of another row, of another type, empty."""
    if isinstance(value, float):
        return rng.choice([value + 1e-6, value - 1, -value, 0.0, float("inf")])
    if isinstance(value, int):
        return rng.choice([value + 1, value + 1000, -1])
    if not value:
        return "x"
    place = rng.randrange(len(value))
    changed = chr((ord(value[place]) - 31) % 90 + 32)
    return rng.choice(
        [
            value[:place] + changed + value[place + 1 :],
            value[:place] + value[place + 1 :],
            value + " ",
            "",
            b"\xff",
            value.swapcase() + ".",
        ]
    )


def _edit(db: sqlite3.Connection, rng: random.Random) -> str:
    chain, seq = _some(db, rng)
    column = rng.choice(COLUMNS)
    (value,) = db.execute(f"select {column} from fhirmap_audit where chain = ? and seq = ?", (chain, seq)).fetchone()
    other = _another(value, rng)
    db.execute(f"update or replace fhirmap_audit set {column} = ? where chain = ? and seq = ?", (other, chain, seq))
    return f"{column} of {seq}: {value!r} -> {other!r}"


def _edit_length(db: sqlite3.Connection, rng: random.Random) -> str:
    column = rng.choice(["id", "chain", "length", "head", "seal"])
    number, value = rng.choice(db.execute(f"select id, {column} from fhirmap_audit_chain").fetchall())
    other = _another(value, rng)
    db.execute(f"update or replace fhirmap_audit_chain set {column} = ? where id = ?", (other, number))
    return f"{column} of chain {number}: {value!r} -> {other!r}"


def _edit_anchor(db: sqlite3.Connection, rng: random.Random) -> str:
    (value,) = db.execute("select value from fhirmap_meta where name = ?", (ANCHOR,)).fetchone()
    other = _another(value, rng)
    if rng.random() < 0.1:
        db.execute("delete from fhirmap_meta where name = ?", (ANCHOR,))
    else:
        db.execute("update fhirmap_meta set value = ? where name = ?", (other, ANCHOR))
    return f"anchor: {other!r}"


def _remove(db: sqlite3.Connection, rng: random.Random) -> str:
    place = _some(db, rng)
    db.execute("delete from fhirmap_audit where chain = ? and seq = ?", place)
    return f"without {place}"


def _remove_and_close_up(db: sqlite3.Connection, rng: random.Random) -> str:
    chain, seq = _some(db, rng)
    db.execute("delete from fhirmap_audit where chain = ? and seq = ?", (chain, seq))
    for (later,) in db.execute(
        "select seq from fhirmap_audit where chain = ? and seq > ? order by seq", (chain, seq)
    ).fetchall():
        db.execute("update fhirmap_audit set seq = ? where chain = ? and seq = ?", (later - 1, chain, later))
    if rng.random() < 0.5:
        db.execute("update fhirmap_audit_chain set length = length - 1 where chain = ?", (chain,))
    return f"without {seq}, the others moved up"


def _remove_tail(db: sqlite3.Connection, rng: random.Random) -> str:
    chain, seq = _some(db, rng)
    db.execute("delete from fhirmap_audit where chain = ? and seq >= ?", (chain, seq))
    if rng.random() < 0.5:
        last = db.execute("select digest from fhirmap_audit where chain = ? and seq = ?", (chain, seq - 1)).fetchone()
        said = (seq, last[0] if last else "", chain)
        db.execute("update fhirmap_audit_chain set length = ?, head = ? where chain = ?", said)
    return f"without those from {seq} on"


def _remove_run(db: sqlite3.Connection, rng: random.Random) -> str:
    chain, _ = _some(db, rng)
    db.execute("delete from fhirmap_audit where chain = ?", (chain,))
    how = rng.randrange(3)
    if how:
        (number,) = db.execute("select id from fhirmap_audit_chain where chain = ?", (chain,)).fetchone()
        db.execute("delete from fhirmap_audit_chain where chain = ?", (chain,))
        if how == 2:
            db.execute("update fhirmap_audit_chain set id = id - 1 where id > ?", (number,))
    return f"without a run ({how})"


def _remove_last_runs(db: sqlite3.Connection, rng: random.Random) -> str:
    (last,) = db.execute("select max(id) from fhirmap_audit_chain").fetchone()
    first = rng.randint(1, last)
    db.execute(
        "delete from fhirmap_audit where chain in (select chain from fhirmap_audit_chain where id >= ?)", (first,)
    )
    db.execute("delete from fhirmap_audit_chain where id >= ?", (first,))
    return f"without the runs from {first} on"


def _swap(db: sqlite3.Connection, rng: random.Random) -> str:
    one, two = _some(db, rng), _some(db, rng)
    while one == two:
        two = _some(db, rng)
    columns = ", ".join(rng.sample(["at", "act", "body", "prev", "digest"], rng.randint(1, 5)))
    contents = [
        db.execute(f"select {columns} from fhirmap_audit where chain = ? and seq = ?", place).fetchone()
        for place in (one, two)
    ]
    if contents[0] == contents[1]:
        return _swap(db, rng)
    sets = ", ".join(f"{name} = ?" for name in columns.split(", "))
    for place, content in zip((two, one), contents, strict=True):
        db.execute(f"update fhirmap_audit set {sets} where chain = ? and seq = ?", (*content, *place))
    return f"{columns} of {one} and {two}"


def _swap_places(db: sqlite3.Connection, rng: random.Random) -> str:
    one, two = _some(db, rng), _some(db, rng)
    while one == two:
        two = _some(db, rng)
    move = "update fhirmap_audit set chain = ?, seq = ? where chain = ? and seq = ?"
    for before, after in ((one, ("", -1)), (two, one), (("", -1), two)):
        db.execute(move, (*after, *before))
    return f"{one} in the place of {two}"


def _swap_runs(db: sqlite3.Connection, rng: random.Random) -> str:
    one, two = rng.sample([number for (number,) in db.execute("select id from fhirmap_audit_chain").fetchall()], 2)
    for before, after in ((one, -1), (two, one), (-1, two)):
        db.execute("update fhirmap_audit_chain set id = ? where id = ?", (after, before))
    return f"run {one} and {two}"


def _add(db: sqlite3.Connection, rng: random.Random) -> str:
    chain, seq = _some(db, rng)
    (last,) = db.execute("select max(seq) from fhirmap_audit where chain = ?", (chain,)).fetchone()
    target = rng.choice(
        [chain, "0" * 32, rng.choice(db.execute("select chain from fhirmap_audit_chain").fetchall())[0]]
    )
    place = (target, last + 1 + 40 * (target != chain))
    db.execute(
        "insert into fhirmap_audit select ?, ?, at, act, body, prev, digest from fhirmap_audit"
        " where chain = ? and seq = ?",
        (*place, chain, seq),
    )
    return f"{seq} once more, as {place}"


def _add_run(db: sqlite3.Connection, rng: random.Random) -> str:
    (number,) = db.execute("select max(id) from fhirmap_audit_chain").fetchone()
    chain, _ = _some(db, rng)
    db.execute(
        "insert into fhirmap_audit_chain select ?, 'f', length, head, seal from fhirmap_audit_chain where chain = ?",
        (number + 1, chain),
    )
    db.execute(
        "insert into fhirmap_audit select 'f', seq, at, act, body, prev, digest from fhirmap_audit where chain = ?",
        (chain,),
    )
    return "a run once more"


def _some(db: sqlite3.Connection, rng: random.Random) -> tuple[str, int]:
    found: tuple[str, int] = rng.choice(db.execute("select chain, seq from fhirmap_audit").fetchall())
    return found


MUTATIONS = [
    *(_edit, _edit, _edit, _edit_length, _edit_anchor, _remove, _remove_and_close_up, _remove_tail, _remove_run),
    *(_remove_last_runs, _swap, _swap_places, _swap_runs, _add, _add_run),
]


@pytest.mark.parametrize("key", [b"", KEY], ids=["plain", "keyed"])
def test_each_of_a_thousand_changes_is_found(
    plain: Path, keyed: Path, copies: Callable[[Path], sqlite3.Connection], key: bytes
) -> None:
    rng = random.Random(20261130)
    db = copies(keyed if key else plain)
    db.isolation_level = None
    unseen = []
    for number in range(1000):
        db.execute("begin")
        change = MUTATIONS[number % len(MUTATIONS)]
        what = change(db, rng)
        if not proof_of(db, key).breaks:
            unseen.append(f"{change.__name__}: {what}")
        db.execute("rollback")
    assert unseen == []
    assert proof_of(db, key).breaks == ()


# ---- where it is said to be ------------------------------------------------------------------------------------------


def kinds(proof: AuditProof) -> list[tuple[str, int | None, int | None]]:
    return [(str(one.kind), one.number, one.seq) for one in proof.breaks]


def test_a_change_is_said_to_be_where_it_is(plain: Path, copies: Callable[[Path], sqlite3.Connection]) -> None:
    db = copies(plain)
    (chain,) = db.execute("select chain from fhirmap_audit_chain where id = 2").fetchone()
    db.execute("update fhirmap_audit set body = replace(body, 'map-1', 'map-9') where chain = ?", (chain,))
    assert kinds(proof_of(db)) == [("edited", 2, 1)]
    db = copies(plain)
    db.execute("delete from fhirmap_audit where chain = ? and seq = 3", (chain,))
    assert kinds(proof_of(db)) == [("missing", 2, 3)]
    db = copies(plain)
    db.execute("delete from fhirmap_audit where chain = ? and seq > 6", (chain,))
    found = kinds(proof_of(db))
    assert ("missing", 2, 7) in found
    assert ("moved", 3, 0) in found


def test_who_can_write_the_database_needs_the_key_to_write_the_log_anew(
    plain: Path, keyed: Path, copies: Callable[[Path], sqlite3.Connection]
) -> None:
    """Everything of a forged log fits, made without the key: without one, that is what cannot be shown."""
    forged = copies(plain)
    assert proof_of(forged).breaks == ()
    assert {one.kind for one in proof_of(copies(keyed)).breaks} >= {BreakKind.SEAL, BreakKind.EDITED}
    db = copies(keyed)
    for table in ("fhirmap_audit", "fhirmap_audit_chain"):
        db.execute(f"delete from {table}")
        names = [row[1] for row in db.execute(f"pragma table_info({table})")]
        rows = forged.execute(f"select {', '.join(names)} from {table}").fetchall()
        db.executemany(f"insert into {table} values ({', '.join('?' * len(names))})", rows)
    (anchor,) = forged.execute("select value from fhirmap_meta where name = ?", (ANCHOR,)).fetchone()
    db.execute("update fhirmap_meta set value = ? where name = ?", (anchor, ANCHOR))
    assert proof_of(db).breaks == ()
    assert {one.kind for one in proof_of(db, KEY).breaks} == {BreakKind.NOT_KEYED}


def test_a_key_that_is_set_up_later_covers_what_was_before(
    tmp_path: Path, copies: Callable[[Path], sqlite3.Connection]
) -> None:
    path = written(tmp_path / "journal.db")
    with Journal.open(path, "ch-test", "associer", audit_key=KEY) as journal:
        journal.start_run("map")
    assert proof_of(copies(path), KEY).breaks == ()
    with Journal.open(path, "ch-test", "associer") as journal:
        journal.start_run("map")
    assert set(kinds(proof_of(copies(path), KEY))) == {("not_keyed", 8, None)}


def test_runs_are_not_removed_under_a_seal_without_the_key(
    keyed: Path, copies: Callable[[Path], sqlite3.Connection]
) -> None:
    """Each of the rows that are left was made with the key; what says that they are the last is not."""
    db = copies(keyed)
    db.execute("delete from fhirmap_audit where chain in (select chain from fhirmap_audit_chain where id > 3)")
    db.execute("delete from fhirmap_audit_chain where id > 3")
    (chain,) = db.execute("select chain from fhirmap_audit_chain where id = 3").fetchone()
    opening = next(one for one in rows_of(db)[1] if (one.chain, one.seq) == (chain, 0))
    anchor = anchor_text(Sealer(), 3, opening.digest)
    db.execute("update fhirmap_meta set value = ? where name = ?", (anchor, ANCHOR))
    assert kinds(proof_of(db, KEY)) == [("anchor", None, None)]


def test_a_digest_that_was_noted_elsewhere_shows_an_earlier_copy(
    plain: Path, copies: Callable[[Path], sqlite3.Connection]
) -> None:
    db = copies(plain)
    head = proof_of(db).head
    assert proof_of(db, noted=(head,)).breaks == ()
    assert kinds(proof_of(db, noted=(head, "0" * 64))) == [("head_missing", None, None)]
