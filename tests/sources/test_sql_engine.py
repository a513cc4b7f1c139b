"""How databases are opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from fhirmap.errors import ConfigError
from fhirmap.sources.address import parse_address
from fhirmap.sources.sql_engine import engine_of
from tests.sources.theatre import small


def test_a_file_is_opened_to_be_read_only(tmp_path: Path) -> None:
    small(tmp_path / "a.sqlite")
    engine = engine_of(parse_address(str(tmp_path / "a.sqlite")))
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError, match="readonly"):
        connection.exec_driver_sql("INSERT INTO t VALUES (1, 'x')")
    with sqlite3.connect(tmp_path / "a.sqlite") as plain:
        assert plain.execute("SELECT count(*) FROM t").fetchone() == (0,)
    plain.close()


@pytest.mark.parametrize(
    ("name", "code"), [("missing.sqlite", "FM701"), (".", "FM702"), ("postgresql://h:port/d", "FM700")]
)
def test_what_cannot_be_opened_is_said(tmp_path: Path, name: str, code: str) -> None:
    address = name if "://" in name else f"sqlite:///{tmp_path / name}"
    with pytest.raises(ConfigError) as caught:
        engine_of(parse_address(address))
    assert caught.value.code == code
