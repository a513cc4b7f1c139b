"""A database of each kind, real, with tables of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.source_plan import SourceColumn

VARIABLES = {"postgresql": "FHIRMAP_TEST_POSTGRESQL", "mariadb": "FHIRMAP_TEST_MARIADB"}


def columns(*names: str) -> tuple[SourceColumn, ...]:
    """Columns as a map names them, each at a line of its own."""
    return tuple(SourceColumn(name, f"a.map:{line}:3", name) for line, name in enumerate(names, 1))


@dataclass
class Database:
    """``url``: what the source is opened with; ``engine``: writes what the tests need."""

    kind: str
    url: str
    engine: sa.Engine
    metadata: sa.MetaData

    def fill(self, name: str, columns: Sequence[sa.Column[Any]], rows: Sequence[dict[str, Any]]) -> sa.Table:
        table = sa.Table(name, self.metadata, *columns)
        table.create(self.engine)
        if rows:
            with self.engine.begin() as connection:
                connection.execute(table.insert(), list(rows))
        return table


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    kind = request.param
    if kind == "sqlite":
        path = tmp_path / "sih.sqlite"
        url, engine = str(path), sa.create_engine(f"sqlite:///{path}")
    else:
        url = os.environ.get(VARIABLES[kind], "")
        if not url:
            pytest.skip(f"{VARIABLES[kind]} names no server")
        engine = sa.create_engine(url, poolclass=sa.NullPool)
    found = Database(kind, url, engine, sa.MetaData())
    yield found
    found.metadata.drop_all(engine)
    engine.dispose()


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """Table names that no other test or worker uses."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return f"fmsrc_{worker}_{abs(hash(request.node.name)) % 100000}_"
