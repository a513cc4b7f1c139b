"""Journals of earlier versions, as the code of their time made them.

`versions/N.json` was written from a journal of version N that had records in each state: the tables as SQLAlchemy of
then created them, and the rows. Keys: accepted-1 (written back), accepted-2 and shared (one identifier), without
(none), refused, deferred, uncertain, changed (two payloads, R-3 then R-4), superseded (two payloads, the second
refused), lost (a process died), waits, invalid, outside.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table

VERSIONS = Path(__file__).parent / "versions"
NUMBERS = sorted(int(path.stem) for path in VERSIONS.glob("*.json"))
NAME, OPERATION = "ch-valmorel", "declare"


def content(number: int) -> dict[str, Any]:
    """Tables and rows of a version."""
    found: dict[str, Any] = json.loads((VERSIONS / f"{number}.json").read_text(encoding="utf-8"))
    return found


def make_file(path: Path, number: int) -> Path:
    """A SQLite journal of that version."""
    found = content(number)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        for statement in found["sqlite"]:
            connection.execute(statement)
        for table, (names, *rows) in found["rows"].items():
            marks = ", ".join("?" * len(names))
            quoted = ", ".join(f'"{name}"' for name in names)
            written = [[_bytes(value) for value in row] for row in rows]
            connection.executemany(f"INSERT INTO {table} ({quoted}) VALUES ({marks})", written)
        connection.commit()
    return path


def make_on_server(connection: Connection, number: int) -> None:
    """The tables of that version in the schema that ``connection`` works in."""
    found = content(number)
    for statement in found["postgresql"]:
        connection.exec_driver_sql(statement)
    for name, (names, *rows) in found["rows"].items():
        table = Table(name, MetaData(), autoload_with=connection)
        values = [dict(zip(names, map(_bytes, row), strict=True)) for row in rows]
        connection.execute(table.insert(), values)
        if "id" in names:
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
            )


def _bytes(value: Any) -> Any:
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value
