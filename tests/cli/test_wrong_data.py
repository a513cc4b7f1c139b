"""What a hospital's files and tables have wrong: named, with the exit code, and the good records still go."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import FILES, ROWS, Done, Tiny, in_process

Make = Callable[..., Tiny]


def run(project: Tiny, *more: str | Path) -> Done:
    return in_process("run", project.folder, *more)


def stopped(project: Tiny) -> None:
    """Nothing was read into the journal and nothing was sent."""
    assert not (project.folder / "journal.db").exists()
    assert not (project.folder / "reports").exists()
    assert project.sent == []


def sql(project: Tiny, statement: str) -> None:
    with sqlite3.connect(project.data) as connection:
        connection.execute(statement)
    connection.close()


def replaced(project: Tiny, old: str, new: str) -> None:
    text = project.data.read_text(encoding="utf-8")
    assert old in text
    project.data.write_text(text.replace(old, new), encoding="utf-8")


# ---- layouts ---------------------------------------------------------------------------------------------------------


def test_a_renamed_table(tiny: Make) -> None:
    project = tiny()
    sql(project, "alter table STAY rename to STAYS")
    run(project).reported("FM703", 2, "has no table `STAY`", "did you mean `STAYS`?", "tiny.map:6:")
    stopped(project)


@pytest.mark.parametrize("kind", ["sqlite", "csv"])
def test_a_renamed_column(tiny: Make, kind: str) -> None:
    project = tiny(kind)
    if kind == "sqlite":
        sql(project, "alter table STAY rename column nir to nir_patient")
    else:
        replaced(project, "id;nir;", "id;nir_patient;")
    run(project).reported("FM704", 2, "has no column `nir`", "`nir_patient`", "tiny.map:8:27", "'nir'")
    stopped(project)


def test_a_missing_json_path_and_key(tiny: Make) -> None:
    project = tiny("json")
    replaced(project, '"stays"', '"stay"')
    run(project).reported("FM714", 2, "no list of records at `stays`", "did you mean `stay`?")
    project.write(ROWS)
    replaced(project, '"id"', '"ident"')
    run(project).reported("FM704", 2, "no record of `stays.json` has `id`", "`ident`", "tiny.map:7:")
    stopped(project)


def test_a_json_column_that_no_record_has_makes_them_invalid(tiny: Make) -> None:
    project = tiny("json")
    replaced(project, '"nir"', '"nirr"')
    done = run(project)
    assert done.code == 1
    assert "column `nir` is empty" in done.out
    assert project.ledger["invalid"] == 3


@pytest.mark.parametrize("kind", list(FILES))
def test_no_file_or_a_folder_in_its_place(tiny: Make, kind: str) -> None:
    project = tiny(kind)
    project.data.unlink()
    run(project).reported("FM701", 3, FILES[kind], "does not exist", "[source] url")
    project.data.mkdir()
    if kind == "sqlite":
        run(project).reported("FM702", 3, FILES[kind], "not a file")
    else:
        run(project).reported("FM701", 3, FILES[kind], "holds no file", "folder")
    stopped(project)


@pytest.mark.parametrize(
    ("kind", "code", "exit_code"), [("sqlite", "FM703", 2), ("csv", "FM711", 3), ("json", "FM713", 3)]
)
def test_a_file_of_no_bytes(tiny: Make, kind: str, code: str, exit_code: int) -> None:
    project = tiny(kind)
    project.data.write_bytes(b"")
    run(project).reported(code, exit_code, FILES[kind])
    stopped(project)


@pytest.mark.parametrize("kind", list(FILES))
def test_no_rows_is_a_good_run_of_nothing(tiny: Make, kind: str) -> None:
    project = tiny(kind).write([])
    done = run(project)
    assert (done.code, done.err) == (0, "")
    assert "read 0 = " in done.out


# ---- characters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_another_encoding_than_declared(tiny: Make, kind: str) -> None:
    project = tiny(kind)
    text = project.data.read_text(encoding="utf-8").replace("DURAND", "DÛRAND").replace("PETIT", "PÉTIT")
    project.data.write_text(text.replace("MARTIN", "MÂRTIN"), encoding="cp1252")
    # What stops the run is an error of `check` too, and no warning about a source out of reach.
    checked = in_process("check", project.folder)
    assert (checked.code, "error[FM705]" in checked.out, "FM761" in checked.out) == (2, True, False)
    done = run(project).reported("FM705", 2, FILES[kind], "is not utf-8", "line", "encoding 'cp1252'")
    assert "RAND" not in done.err
    stopped(project)
    map_file = project.folder / "tiny.map"
    map_file.write_text(
        map_file.read_text(encoding="utf-8").replace("key 'id'", "key 'id' encoding 'cp1252'", 1), encoding="utf-8"
    )
    assert run(project).code == 0
    assert "DÛRAND" in json.dumps(project.sent, ensure_ascii=False)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_byte_order_marks_everywhere(tiny: Make, kind: str) -> None:
    project = tiny(kind)
    for file in (project.data, project.folder / "tiny.map", project.folder / "fhirmap.toml"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert in_process("check", project.folder).code == 0
    assert run(project).code == 0
    assert len(project.sent) == 3


@pytest.mark.parametrize(("file", "code"), [("tiny.map", "FM760"), ("fhirmap.toml", "FM731")])
def test_own_files_that_are_no_utf8(tiny: Make, file: str, code: str) -> None:
    project = tiny()
    path = project.folder / file
    path.write_bytes(
        b"# \xe9t\xe9\n" + path.read_bytes() if file.endswith("toml") else b"// \xe9t\xe9\n" + path.read_bytes()
    )
    for command in ("run", "check", "preview"):
        done = in_process(command, project.folder)
        assert done.code == 2
        assert code in done.out + done.err
        assert "not UTF-8" in done.out + done.err
        assert file in done.out + done.err
    stopped(project)


# ---- lines of a CSV --------------------------------------------------------------------------------------------------

SECOND = "2;260057523800129;MARTIN;1960-05-04;L1002"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2;260057523800129;MARTIN", "line 3 has 3 fields, the first line has 5"),
        ("2;260057523800129;MAR;TIN;1960-05-04;L1002", "line 3 has 6 fields"),
        ('2;260057523800129;"MAR"TIN;1960-05-04;L1002', "line 3: text after a closing quote"),
    ],
)
def test_a_ragged_line_is_one_invalid_record(tiny: Make, line: str, words: str) -> None:
    project = tiny("csv")
    replaced(project, SECOND, line)
    done = run(project)
    assert done.code == 1
    assert words in done.out
    assert (project.ledger["accepted"], project.ledger["invalid"]) == (2, 1)
    assert len(project.sent) == 2


def test_a_line_break_within_quotes_is_part_of_the_field(tiny: Make) -> None:
    project = tiny("csv")
    replaced(project, "MARTIN", '"MAR\nTIN"')
    replaced(project, "PETIT", '"PE;TIT"')
    assert run(project).code == 0
    names = [p["valueString"] for sent in project.sent for p in sent["parameter"] if p["name"] == "name"]
    assert names == ["DURAND", "MAR\nTIN", "PE;TIT"]


def test_a_quote_that_is_never_closed_costs_its_record_alone(tiny: Make) -> None:
    project = tiny("csv")
    replaced(project, "MARTIN", '"MARTIN')
    for command in ("check", "preview", "inspect"):
        arguments = [project.data] if command == "inspect" else [project.folder]
        assert in_process(command, *arguments).code in (0, 1), command
    done = run(project)
    assert done.code == 1
    assert "line 3: the quote opened in column `name` is not closed" in " ".join(done.out.split())
    assert (project.ledger["accepted"], project.ledger["invalid"]) == (2, 1)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_bad_byte_costs_its_record_alone(tiny: Make, kind: str) -> None:
    project = tiny(kind)
    project.data.write_bytes(project.data.read_bytes().replace(b"MARTIN", b"MARTIN\xff"))
    for command in ("check", "preview", "inspect"):
        arguments = [project.data] if command == "inspect" else [project.folder]
        assert in_process(command, *arguments).code in (0, 1), command
    done = run(project)
    assert done.code == 1
    assert ("`name` contains bytes that are not utf-8 (line 3)" if kind == "csv" else "entry 2") in " ".join(
        done.out.split()
    )
    assert (project.ledger["accepted"], project.ledger["invalid"]) == (2, 1)


# ---- cells -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(FILES))
@pytest.mark.parametrize(
    ("name", "words"), [("MAR\0TIN", "NUL"), ("M" * 5_000_000, "exceeds the 1 MB")], ids=["nul", "5mb"]
)
def test_a_cell_that_no_receiver_would_take(tiny: Make, kind: str, name: str, words: str) -> None:
    project = tiny(kind).write([ROWS[0], ("2", "260057523800129", name, "1960-05-04", "L1002"), ROWS[2]])
    done = run(project)
    assert done.code == 1
    assert words in done.out, done
    assert "TIN" not in done.out + done.err
    assert "MMM" not in done.out + done.err
    assert (project.ledger["accepted"], project.ledger["invalid"]) == (2, 1)
    assert not any(path.stat().st_size > 1_000_000 for path in (project.folder / "reports").iterdir())


@pytest.mark.parametrize("kind", list(FILES))
def test_a_number_too_large_to_calculate_with(tiny: Make, kind: str) -> None:
    """One cell is one record's fault: the others are sent, this night and the next."""
    rows = [(*row[:4], number) for row, number in zip(ROWS, ("2", "9E999999", "3"), strict=True)]
    project = tiny(kind).write(rows)
    file = project.folder / "tiny.map"
    text = file.read_text(encoding="utf-8").replace("lot  : string", "lot  : decimal")
    text = text.replace("src.lot as v ->", "src.lot as v where (v * v > 1.0) ->")
    file.write_text(text, encoding="utf-8")
    for new in (2, 0):
        done = run(project)
        assert done.code == 1
        assert "Overflow" in done.out
        assert (project.ledger["accepted"], project.ledger["invalid"]) == (new, 1)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_keys_absent_or_twice(tiny: Make, kind: str) -> None:
    project = tiny(kind).write([ROWS[0], (None, *ROWS[1][1:]), ("3", *ROWS[1][1:]), ROWS[2]])
    done = run(project)
    assert done.code == 1
    assert "the key (id) is empty" in done.out
    assert "another record has the same key" in done.out
    assert project.ledger["accepted"] == 1
    assert project.ledger["read"] == 4


@pytest.mark.parametrize("kind", list(FILES))
def test_a_cell_that_decides_the_scope_and_cannot_be_read(tiny: Make, kind: str) -> None:
    """Not known is not out of scope; what was written in a cell that nobody asks for does not matter."""
    late = (*ROWS[0][:3], "1999-01-01", "L1")
    project = tiny(kind).write([late, (*ROWS[1][:3], "4 mai", "L2"), ROWS[2]])
    file = project.folder / "tiny.map"
    text = (
        file.read_text(encoding="utf-8").replace("group tiny(", "group stay(").replace("lot  : string", "lot  : date")
    )
    scope = "src where (born < @1990-01-01) then stay(src, tgt);"
    group = f"group tiny(source src : Stay, target tgt : Parameters) {{ {scope} }}\n\ngroup stay("
    file.write_text(text.replace("group stay(", group), encoding="utf-8")
    done = run(project)
    assert done.code == 1
    assert "column `STAY.born`" in done.out or "column `born`" in done.out
    ledger = project.ledger
    assert (ledger["invalid"], ledger["out_of_scope"], ledger["read"]) == (2, 1, 3)
    shown = in_process("preview", project.folder, "--row", "2")
    assert "FM410" in shown.out
    assert "born" in shown.out


# ---- broken documents ------------------------------------------------------------------------------------------------


def test_a_json_document_that_was_cut(tiny: Make) -> None:
    project = tiny("json")
    project.data.write_bytes(project.data.read_bytes()[:-5])
    run(project).reported("FM713", 3, "stays.json", "ends too early", "line 1, column")
    stopped(project)


def test_json_of_another_shape(tiny: Make) -> None:
    project = tiny("json")
    project.data.write_text('{"stays": "none"}', encoding="utf-8")
    run(project).reported("FM714", 2, "no list of records at `stays`")
    stopped(project)
    project.data.write_text('{"stays": [1, null, {"id": "7", "nir": "1"}]}', encoding="utf-8")
    done = run(project)
    assert done.code == 1
    assert "entry 1 is not an object" in done.out
    assert len(project.sent) == 1


@pytest.mark.parametrize("whole", [True, False])
def test_a_damaged_sqlite_file(tiny: Make, whole: bool) -> None:
    project = tiny()
    raw = bytearray(project.data.read_bytes())
    first = 0 if whole else 4096
    raw[first:] = b"\xa5" * (len(raw) - first)
    project.data.write_bytes(raw)
    run(project).reported("FM706", 3, "stays.sqlite", "integrity_check")
    assert project.sent == []


# ---- servers ---------------------------------------------------------------------------------------------------------

SERVERS = ("FHIRMAP_TEST_POSTGRESQL", "FHIRMAP_TEST_MARIADB")


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Any:
    """A real server's URL and a table of it, dropped afterwards."""
    import sqlalchemy as sa

    url = os.environ.get(request.param)
    if not url:
        pytest.skip(f"{request.param} names no server")
    table = f"fhirmap_cli_{os.getpid()}"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    columns = "id varchar(20) primary key, nir varchar(20), name varchar(80), born varchar(20), lot varchar(20)"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"create table {table} ({columns})")
        for row in ROWS:
            quoted = ", ".join(f"'{cell}'" for cell in row)
            connection.exec_driver_sql(f"insert into {table} values ({quoted})")
    yield url, table, engine
    with engine.begin() as connection:
        connection.exec_driver_sql(f"drop table if exists {table}")


def on_server(tiny: Make, url: str, table: str) -> Tiny:
    project = tiny().configure(source=f'url = "{url}"')
    path = project.folder / "tiny.map"
    path.write_text(path.read_text(encoding="utf-8").replace("'STAY'", f"'{table}'"), encoding="utf-8")
    return project


def test_a_servers_table_renamed_column_and_empty_table(tiny: Make, server: Any) -> None:
    url, table, engine = server
    project = on_server(tiny, url, table)
    assert run(project).code == 0
    assert len(project.sent) == 3
    with engine.begin() as connection:
        connection.exec_driver_sql(f"delete from {table}")
    assert "read 0 = " in run(project).out
    with engine.begin() as connection:
        connection.exec_driver_sql(f"alter table {table} rename column nir to nir_patient")
    run(project).reported("FM704", 2, f"`{table}` has no column `nir`", "`nir_patient`", "tiny.map:8:27")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"drop table {table}")
    run(project).reported("FM703", 2, f"has no table `{table}`", "tiny.map:6:")


@pytest.mark.parametrize("variable", SERVERS)
def test_servers_that_cannot_be_used(tiny: Make, variable: str) -> None:
    import sqlalchemy as sa

    given = os.environ.get(variable)
    if not given:
        pytest.skip(f"{variable} names no server")
    url = sa.make_url(given)
    project = tiny()

    def against(changed: sa.URL) -> Done:
        project.configure(source='url = "${TINY_DB}"')
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TINY_DB", changed.render_as_string(hide_password=False))
            done = run(project)
        assert "Canary-pw-77" not in done.out + done.err
        return done

    secret = url.set(password="Canary-pw-77")
    against(secret.set(port=9)).reported("FM708", 3, "refused")
    against(secret.set(host="no-such-host.invalid")).reported("FM708", 3, "host name not found")
    against(url.set(database="no_such_database")).reported("FM708", 3)
    against(secret.set(username="nobody_here")).reported("FM709", 3)
    stopped(project)
