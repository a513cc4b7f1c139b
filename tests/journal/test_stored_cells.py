"""What a damaged cell holds reads as a value of its column that says so of itself."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.journal.states import EntryState
from fhirmap.journal.stored_cells import Bytes, Count, KeptText, Seconds, Words, counted, is_unreadable, plain

KINDS: dict[str, tuple[Any, Any, Any]] = {
    # a sound cell, and what the others read as
    "word": (Words(EntryState, EntryState.UNREADABLE, 20), EntryState.READY, EntryState.UNREADABLE),
    "text": (KeptText(20), "abc", None),
    "time": (Seconds(), 12.5, 0.0),
    "count": (Count(), 7, 0),
    "bytes": (Bytes(), b"abc", b""),
}


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("garbage", ["X'FF00'", "'soon'", "1.5", "-1", "9e999", "1e300", "4611686018427387904000"])
def test_garbage_in_a_column(kind: str, garbage: str) -> None:
    column, sound, otherwise = KINDS[kind]
    table = sa.Table("t", sa.MetaData(), sa.Column("a", column))
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert().values(a=sound))
        connection.exec_driver_sql(f"INSERT INTO t VALUES (NULL), ({garbage})")
        first, none, odd = connection.execute(sa.select(table.c.a)).scalars()
    assert (first, none) == (sound, None)
    assert not is_unreadable([first, none])
    if kind == "text":
        assert isinstance(odd, str)
        assert is_unreadable([odd]) == garbage.startswith("X")
    elif (kind, garbage) in (("time", "1.5"), ("count", "-1"), ("bytes", "X'FF00'")):
        assert not is_unreadable([odd])
    else:
        assert odd == otherwise
        assert kind == "bytes" or is_unreadable([odd])
        assert type(plain(odd)) is type(sound)
    engine.dispose()


@pytest.mark.parametrize("stored", ["", "-1", "1.0", "٣", "9" * 40, "x"])
def test_what_is_no_count(stored: str) -> None:
    assert counted(stored) is None


def test_a_key_that_is_gone_is_an_unreadable_text() -> None:
    of_key: Any = sa.literal_column("NULL", KeptText(20, is_key=True))
    other: Any = sa.literal_column("NULL", KeptText(20))
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        found = tuple(connection.execute(sa.select(of_key, other)).one())
    assert found == ("", None)
    assert is_unreadable(found)
    engine.dispose()
