"""Identifiers written back: into a table or a CSV, once however often it is tried, and never lost."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.errors import ConfigError, JournalError
from fhirmap.journal import Accepted, Entry, EntryState, Journal
from fhirmap.records import Receipt, ReceiptState
from fhirmap.runner.archive import archive
from fhirmap.runner.archive_csv import CsvArchive
from fhirmap.runner.archive_table import TableArchive
from fhirmap.runner.project import ArchiveTable
from fhirmap.sources.address import parse_address
from tests.journal.sending import digest_of
from tests.sources.conftest import Database, database, prefix

__all__ = ["database", "prefix"]

TABLE = ArchiveTable("RECU", ("cle",), "valeur", "systeme", "etat", "le", create=True)


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
    journal.put([Entry(key, EntryState.READY, value.encode(), digest_of(value.encode())) for key in keys])
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
    assert [row[5] for row in rows(path)] == ["R-1"], "what it had before is kept beside it"
    line = (tmp_path / "out.csv").read_text().splitlines()[1]
    assert line.startswith("1;urn:r;S-1;complet;")
    assert line.endswith(";R-1")


def test_the_hospitals_own_table_is_filled_in_and_never_given_rows(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "sih.db"
    make(
        path,
        "CREATE TABLE OPS (id INTEGER PRIMARY KEY, patient TEXT NOT NULL, registre TEXT)",
        "INSERT INTO OPS VALUES (1, 'p', NULL)",
    )
    accept(journal, "1", "2")
    found = archive(journal, [table(path, ArchiveTable("OPS", ("id",), "registre"))])
    assert rows(path, "OPS") == [(1, "p", "R-1")]
    assert [(entry.key, entry.place) for entry in found.unwritten] == [("2", "OPS")], "there is no row for it"
    make(path, "INSERT INTO OPS VALUES (2, 'q', NULL)")
    assert archive(journal, [table(path, ArchiveTable("OPS", ("id",), "registre"))]).count == 1, "tried again"
    assert rows(path, "OPS")[1] == (2, "q", "R-2")


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


def test_no_table_is_made_unless_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "sih.db"
    make(path)
    with pytest.raises(ConfigError, match="FM669"):
        table(path, ArchiveTable("RECU", ("cle",), "valeur")).check()
    assert codes(table(path, ArchiveTable("RECU", ("cle",), "valeur"))) == ["FM669"]
    assert codes(table(path)) == [], "a run will make it"
    with pytest.raises(sqlite3.OperationalError):
        rows(path)


def codes(place: TableArchive, *keys: str) -> list[str]:
    return [entry.code for entry in place.diagnostics(keys)]


@pytest.mark.parametrize(
    ("columns", "keys", "expected"),
    [
        ("cle TEXT PRIMARY KEY, valeur TEXT, valeur_previous TEXT", ["a"], []),
        ("cle TEXT PRIMARY KEY, valeur TEXT", ["a"], ["FM672"]),
        ("cle TEXT PRIMARY KEY, valeur VARCHAR(10), valeur_previous TEXT", ["a"], ["FM670"]),
        ("cle TEXT PRIMARY KEY, valeur INTEGER, valeur_previous TEXT", ["a"], ["FM670"]),
        ("cle INTEGER PRIMARY KEY, valeur TEXT, valeur_previous TEXT", ["12"], []),
        ("cle INTEGER PRIMARY KEY, valeur TEXT, valeur_previous TEXT", ["0012"], ["FM671"]),
        ("cle INTEGER PRIMARY KEY, valeur TEXT, valeur_previous TEXT", ["I-12"], ["FM671"]),
        ("cle TEXT PRIMARY KEY, autre TEXT", ["a"], ["FM796"]),
    ],
)
def test_what_is_wrong_with_a_table_is_found_without_writing(
    tmp_path: Path, columns: str, keys: list[str], expected: list[str]
) -> None:
    path = tmp_path / "sih.db"
    make(path, f"CREATE TABLE RECU ({columns})")
    assert codes(table(path, ArchiveTable("RECU", ("cle",), "valeur")), *keys) == expected
    assert rows(path) == []


def test_a_database_that_cannot_be_written_is_found(tmp_path: Path) -> None:
    path = tmp_path / "sih.db"
    make(path, "CREATE TABLE RECU (cle TEXT PRIMARY KEY, valeur TEXT)")
    place = table(path, ArchiveTable("RECU", ("cle",), "valeur"))
    place._engine = sa.create_engine(f"sqlite:///file:{path}?mode=ro&uri=true", poolclass=sa.NullPool)
    assert codes(place, "a") == ["FM808"]


@pytest.fixture
def reader(database: Database, prefix: str) -> Iterator[str]:
    """The address of an account that may read and not write what `place_of` names."""
    name = f"{prefix}r"
    is_postgresql = database.kind == "postgresql"
    account = name if is_postgresql else f"{name}@'%'"
    made = [f"CREATE ROLE {name} LOGIN", f"CREATE SCHEMA {prefix}s", f"GRANT USAGE ON SCHEMA {prefix}s TO {name}"]
    with database.engine.begin() as connection:
        for statement in made if is_postgresql else [f"CREATE USER {account}"]:
            connection.exec_driver_sql(statement.replace("%", "%%"))
        table = place_of(database, prefix)
        connection.exec_driver_sql(f"CREATE TABLE {table} (site varchar(5), num int, valeur varchar(64))")
        connection.exec_driver_sql(f"GRANT SELECT ON {table} TO {account}".replace("%", "%%"))
    yield sa.make_url(database.url).set(username=name).render_as_string(hide_password=False)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {place_of(database, prefix)}")
        for statement in [f"DROP SCHEMA {prefix}s", f"DROP ROLE {name}"] if is_postgresql else [f"DROP USER {account}"]:
            connection.exec_driver_sql(statement.replace("%", "%%"))


def place_of(database: Database, prefix: str, name: str = "a") -> str:
    """A table of two key columns; on PostgreSQL in a schema of its own, since all may create in some public ones."""
    return f"{prefix}s.{name}" if database.kind == "postgresql" else f"{prefix}{name}"


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_an_account_that_may_not_write_is_found(database: Database, prefix: str, reader: str, journal: Journal) -> None:
    settings = ArchiveTable(place_of(database, prefix), ("site", "num"), "valeur")
    accept(journal, "A|1")
    place = TableArchive(parse_address(reader), settings)
    [found] = place.diagnostics(["A|1"])
    assert (found.code, found.variant) == ("FM808", "readonly")
    with pytest.raises(JournalError) as caught:
        place.write(journal.to_archive())
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM808", "readonly")
    to_be_made = ArchiveTable(place_of(database, prefix, "new"), ("site", "num"), "valeur", create=True)
    [cannot] = TableArchive(parse_address(reader), to_be_made).diagnostics(["A|1"])
    assert (cannot.code, cannot.variant) == ("FM808", "readonly")


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_a_row_that_a_server_refuses_does_not_keep_back_the_others(
    database: Database, prefix: str, journal: Journal
) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE {prefix}a (site varchar(5), num int, valeur varchar(64) CHECK (valeur <> 'R-A|2'))"
        )
    accept(journal, "A|1", "A|2", "A|x", "B|1")
    settings = ArchiveTable(f"{prefix}a", ("site", "num"), "valeur")
    try:
        unwritten = TableArchive(parse_address(database.url), settings).write(journal.to_archive())
        with database.engine.connect() as connection:
            found = connection.exec_driver_sql(f"SELECT site, num FROM {prefix}a ORDER BY 1").all()
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {prefix}a")
    assert [tuple(row) for row in found] == [("A", 1), ("B", 1)]
    assert sorted(entry.key for entry in unwritten) == ["A|2", "A|x"]


def test_one_row_that_cannot_be_written_does_not_keep_back_the_others(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "sih.db"
    make(path, "CREATE TABLE RECU (cle INTEGER PRIMARY KEY, valeur TEXT CHECK (valeur <> 'R-2'))")
    accept(journal, "1", "2", "x", "007", "3")
    settings = ArchiveTable("RECU", ("cle",), "valeur")
    csv = CsvArchive(tmp_path / "out.csv")
    found = archive(journal, [table(path, settings), csv])
    assert rows(path) == [(1, "R-1"), (3, "R-3")]
    assert found.count == 2
    assert sorted(entry.key for entry in found.unwritten) == ["007", "2", "x"]
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 6, "the other archive has them all"
    assert sorted(row.key for row in journal.to_archive()) == ["007", "2", "x"], "the next run tries again"


def test_parts_of_a_key_go_into_columns_of_their_own(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "sih.db"
    make(path, "CREATE TABLE RECU (site TEXT, num INTEGER, valeur TEXT, PRIMARY KEY (site, num))")
    make(path, "INSERT INTO RECU VALUES ('A', 1, NULL)")
    accept(journal, "A|1", "B|1", "C")
    settings = ArchiveTable("RECU", ("site", "num"), "valeur")
    found = archive(journal, [table(path, settings)])
    assert rows(path) == [("A", 1, "R-A|1"), ("B", 1, "R-B|1")]
    assert [entry.key for entry in found.unwritten] == ["C"]


def test_a_replaced_identifier_is_counted_where_the_table_has_no_column_for_it(
    journal: Journal, tmp_path: Path
) -> None:
    path = tmp_path / "sih.db"
    make(path, "CREATE TABLE RECU (cle TEXT PRIMARY KEY, valeur TEXT)")
    found = []
    for value in ("R", "S"):
        accept(journal, "1", value=value)
        found.append(archive(journal, [table(path, ArchiveTable("RECU", ("cle",), "valeur"))]).replaced)
    assert found == [0, 1]


SERVERS = ("FHIRMAP_TEST_POSTGRESQL", "FHIRMAP_TEST_MARIADB")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Callable[[str], tuple[str, str]]]:
    """``server(columns)``: a table of these columns, dropped after the test; the server's URL and the table's name."""
    url = os.environ.get(request.param, "")
    if not url:
        pytest.skip(f"{request.param} names no server")
    name = f"recu_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(url)

    def make_table(columns: str) -> tuple[str, str]:
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE TABLE {name} ({columns})"))
        return url, name

    yield make_table
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP TABLE IF EXISTS {name}"))
    engine.dispose()


def test_on_a_server_nothing_is_cut_or_mixed_up(
    server: Callable[[str], tuple[str, str]], journal: Journal, tmp_path: Path
) -> None:
    url, name = server("cle varchar(8) PRIMARY KEY, valeur varchar(12)")
    place = TableArchive(parse_address(url), ArchiveTable(name, ("cle",), "valeur"))
    assert codes(place, "123456789") == ["FM670", "FM671", "FM672"]
    accept(journal, "a", "123456789", "b")
    accept(journal, "c", value="R-2025-00000001")
    found = archive(journal, [place])
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        written = connection.execute(sa.text(f"SELECT cle, valeur FROM {name} ORDER BY cle")).all()
    engine.dispose()
    assert [tuple(row) for row in written] == [("a", "R-a"), ("b", "R-b")]
    assert sorted(entry.key for entry in found.unwritten) == ["123456789", "c"]


def test_a_key_that_the_database_takes_for_another_is_not_written(
    server: Callable[[str], tuple[str, str]], journal: Journal
) -> None:
    """MariaDB compares text without case by default."""
    url, name = server("cle varchar(20) PRIMARY KEY, valeur varchar(40)")
    place = TableArchive(parse_address(url), ArchiveTable(name, ("cle",), "valeur"))
    accept(journal, "ab")
    archive(journal, [place])
    accept(journal, "AB")
    found = archive(journal, [place])
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        written = dict(tuple(row) for row in connection.execute(sa.text(f"SELECT cle, valeur FROM {name}")))
    engine.dispose()
    assert written["ab"] == "R-ab"
    assert (written.get("AB") == "R-AB") is not bool(found.unwritten)


def test_a_key_that_is_more_than_any_number_costs_its_own_record(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "sih.db"
    make(path, "CREATE TABLE RECU (cle INTEGER PRIMARY KEY, valeur TEXT, systeme TEXT, etat TEXT, le TEXT)")
    accept(journal, "1", "9" * 30, "2")
    found = archive(journal, [table(path)])
    assert (found.count, [entry.key for entry in found.unwritten]) == (2, ["9" * 30])
    assert [row[0] for row in rows(path)] == [1, 2]


@pytest.mark.parametrize("line", ["1;urn:r;R-1;complet;2025-01-01T00:00:00Z;;more", "1;urn:r"])
def test_a_csv_with_lines_of_another_length_is_not_written_over(journal: Journal, tmp_path: Path, line: str) -> None:
    path = tmp_path / "out.csv"
    path.write_text(f"key;system;value;state;time;previous\n{line}\n")
    accept(journal, "2")
    with pytest.raises(ConfigError, match="FM796"):
        archive(journal, [CsvArchive(path)])
    assert path.read_text().endswith(f"{line}\n")
