"""Identifiers written back: into a table or a CSV, once however often it is tried, and never lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from fhirmap.errors import ConfigError, JournalError
from fhirmap.journal import Accepted, Entry, EntryState, Journal
from fhirmap.records import Receipt, ReceiptState
from fhirmap.runner.archive import CsvArchive, TableArchive, archive
from fhirmap.runner.project import ArchiveTable
from fhirmap.sources.address import parse_address

TABLE = ArchiveTable("RECU", "cle", "valeur", "systeme", "etat", "le")


def rows(path: Path, table: str = "RECU") -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
    finally:
        connection.close()


def make(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def accept(journal: Journal, *keys: str, value: str = "R") -> None:
    journal.put([Entry(key, EntryState.READY, b"{}", f"d{key}{value}") for key in keys])
    for lease in journal.lease(100):
        identifier = f"{value}-{lease.envelope.key}" if value else ""
        receipt = Receipt(ReceiptState.ACCEPTED, "", 200, identifier_system="urn:r", identifier_value=identifier)
        journal.settle(lease, receipt)


def table(path: Path, settings: ArchiveTable = TABLE) -> TableArchive:
    return TableArchive(parse_address(str(path)), settings)


def test_a_table_is_made_where_there_is_none_and_filled_once(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "sih.db"
    accept(journal, "1", "2")
    found = archive(journal, [table(path)])
    assert (found.count, found.first, found.last, found.places) == (2, "R-1", "R-2", ("RECU",))
    written = rows(path)
    assert [row[:4] for row in written] == [("1", "urn:r", "R-1", "complet"), ("2", "urn:r", "R-2", "complet")]
    assert written[0][4].endswith("Z")
    assert archive(journal, [table(path)]).count == 0
    assert rows(path) == written


def test_an_interruption_between_writing_and_noting_it_writes_the_same_row(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "sih.db"
    accept(journal, "1")
    table(path).write(journal.to_archive())
    written = rows(path)
    assert archive(journal, [table(path), CsvArchive(tmp_path / "out.csv")]).count == 1
    assert rows(path) == written


def test_a_newer_identifier_takes_the_place_of_the_older(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "sih.db"
    for value in ("R", "S"):
        accept(journal, "1", value=value)
        archive(journal, [table(path), CsvArchive(tmp_path / "out.csv")])
    assert [row[2] for row in rows(path)] == ["S-1"]
    assert (tmp_path / "out.csv").read_text().splitlines()[1].startswith("1;urn:r;S-1;complet;")


def test_the_hospitals_own_table_is_filled_in_and_never_given_rows(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "sih.db"
    make(
        path,
        "CREATE TABLE OPS (id INTEGER PRIMARY KEY, patient TEXT NOT NULL, registre TEXT)",
        "INSERT INTO OPS VALUES (1, 'p', NULL)",
    )
    accept(journal, "1", "2")
    archive(journal, [table(path, ArchiveTable("OPS", "id", "registre"))])
    assert rows(path, "OPS") == [(1, "p", "R-1")]


def test_accepted_without_an_identifier_says_so(journal: Journal, tmp_path: Path) -> None:
    accept(journal, "1", value="")
    archive(journal, [table(tmp_path / "sih.db")])
    assert rows(tmp_path / "sih.db")[0][2:4] == ("", "sans identifiant")


def test_a_table_that_lacks_a_column_is_reported_before_anything(tmp_path: Path) -> None:
    path = tmp_path / "sih.db"
    make(path, "CREATE TABLE RECU (cle TEXT PRIMARY KEY, valeur TEXT)")
    with pytest.raises(ConfigError, match="FM796") as caught:
        table(path).check()
    assert "systeme" in str(caught.value)


def test_a_database_that_may_only_be_read_loses_nothing(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "sih.db"
    table(path).check()
    accept(journal, "1")
    connection = sqlite3.connect(path)
    connection.execute("BEGIN EXCLUSIVE")
    locked = TableArchive(parse_address(str(path)), TABLE)
    locked._engine = locked._engine.execution_options()
    import sqlalchemy as sa

    locked._engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 0.05}, poolclass=sa.NullPool)
    with pytest.raises(JournalError, match="FM808") as caught:
        archive(journal, [locked])
    assert "locked" in str(caught.value)
    connection.close()
    assert len(journal.to_archive()) == 1
    assert archive(journal, [table(path)]).count == 1


def test_a_csv_of_other_columns_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("mine;yours\n1;2\n")
    with pytest.raises(ConfigError, match="FM796"):
        CsvArchive(path).write([Accepted(1, "1", "s", "v", 0.0, "d")])
    assert path.read_text() == "mine;yours\n1;2\n"


def test_a_csv_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="FM808"):
        CsvArchive(tmp_path / "file" / "out.csv").write([Accepted(1, "1", "s", "v", 0.0, "d")])
