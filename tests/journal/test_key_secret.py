"""A journal's secret: made once, the same for all that open it, absent where nothing may be written."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fhirmap.journal import Journal
from fhirmap.journal.key_secret import key_secret
from fhirmap.journal.store import open_engine
from fhirmap.texts.shown_keys import show_with, shown_key

NUMBER = "151024610204372"


def opened(place: str | Path) -> str:
    show_with(b"")
    with Journal.open(place, "a", "b"):
        return shown_key(NUMBER)


def test_each_journal_has_one_of_its_own(tmp_path: Path) -> None:
    first = opened(tmp_path / "one.db")
    assert opened(tmp_path / "one.db") == first != opened(tmp_path / "two.db")
    show_with(b"")
    found = Journal.look(tmp_path / "one.db", "a", "b")
    assert found is not None
    found.close()
    assert shown_key(NUMBER) == first


def test_nothing_is_made_where_nothing_may_be_written(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "one.db")
    with engine.begin() as connection:
        assert key_secret(connection, create=False) == b""
        assert len(key_secret(connection, create=True)) == 32
    engine.dispose()


def test_processes_that_come_together_have_the_same_on_a_server() -> None:
    url = os.environ.get("FHIRMAP_TEST_POSTGRESQL")
    if not url:
        pytest.skip("FHIRMAP_TEST_POSTGRESQL names no server")
    engine = open_engine(url)

    def secret(_: int) -> bytes:
        with engine.begin() as connection:
            return key_secret(connection, create=True)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(secret, range(8)))) == 1
    engine.dispose()
