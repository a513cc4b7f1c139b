"""A run whose source is lost, or altered, while it is read: nothing is sent or taken for gone, and the next one does
all of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from tests.cli.conftest import Tiny, in_process, tiny
from tests.sources.conftest import VARIABLES
from tests.sources.gate import Gate, gate_to

__all__ = ["tiny"]

COUNT, LONG = 900, 6000
Server = tuple[Gate, sa.Engine, str, str]


@pytest.fixture(params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The way to a database that has stays, and the name of their table."""
    url = os.environ.get(VARIABLES[request.param], "")
    if not url:
        pytest.skip(f"{VARIABLES[request.param]} names no server")
    name = f"fmlost_{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}_stay"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    cells = [sa.Column(column, sa.Text()) for column in ("nir", "born", "lot", "name")]
    table = sa.Table(name, sa.MetaData(), sa.Column("id", sa.Integer(), primary_key=True), *cells,
                     sa.Column("maj", sa.Integer()))  # fmt: skip
    table.drop(engine, checkfirst=True)
    table.create(engine)
    rows = [
        {"id": n, "nir": "151024610204372", "name": "N" * LONG, "born": "1951-02-03", "lot": "L", "maj": n}
        for n in range(1, COUNT + 1)
    ]
    with engine.begin() as connection:
        connection.execute(table.insert(), rows)
    with gate_to(url) as (gate, through):
        yield gate, engine, name, through.render_as_string(hide_password=False)
    table.drop(engine)
    engine.dispose()


@pytest.fixture
def project(tiny: Callable[..., Tiny], server: Server) -> Tiny:
    _, _, name, url = server
    found: Tiny = tiny("sqlite")
    path = found.folder / "tiny.map"
    path.write_text(path.read_text().replace("'STAY'", f"'{name}'"))
    return found.configure(source=f'url = "{url}"\nchanged_since = "maj"\noverlap = 0')


def status(project: Tiny) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(in_process("status", project.folder, "--json").out)
    return found


@pytest.mark.parametrize("silent", [False, True])
def test_a_server_that_is_lost(project: Tiny, server: Server, silent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, engine, name, _ = server
    monkeypatch.setattr("fhirmap.sources.sql_engine._ANSWER_S", 0.5)
    gate.most, gate.is_silent = gate.passed + COUNT * LONG * 2 // 3, silent
    in_process("run", project.folder).reported("FM724", 3, "could not be read to the end")
    assert project.sent == []
    gate.most, gate.is_silent = None, False
    assert in_process("run", project.folder).code == 0
    assert project.ledger["read"] == project.ledger["accepted"] == COUNT
    assert len(project.sent) == COUNT
    # Lost again: the mark is that of the reading that came to its end.
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {name} SET lot = 'M', maj = maj + 1000"))
    gate.most, gate.is_silent = gate.passed + COUNT * LONG * 2 // 3, silent
    in_process("run", project.folder).reported("FM724", 3)
    gate.most, gate.is_silent = None, False
    assert in_process("run", project.folder).code == 0
    assert (project.ledger["read"], len(project.sent)) == (COUNT, 2 * COUNT)
    assert status(project)["withdrawn"] == []
    assert in_process("run", project.folder).code == 0
    assert project.ledger["read"] == 1


@pytest.mark.parametrize(
    ("change", "code", "exit_code"),
    [
        ("RENAME COLUMN lot TO numero", "FM704", 2),
        ("DROP COLUMN lot", "FM704", 2),
        ("RENAME COLUMN id TO ident", "FM704", 2),
        ("RENAME TO {name}_old", "FM703", 2),
    ],
)
def test_a_table_that_was_changed_since_check(
    project: Tiny, server: Server, change: str, code: str, exit_code: int
) -> None:
    _, engine, name, _ = server
    assert in_process("check", project.folder).code == 0
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {name} {change.format(name=name)}")
    in_process("run", project.folder).reported(code, exit_code)
    assert project.sent == []
    assert not list(project.folder.glob("journal.db"))
    if "_old" in change:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {name}_old RENAME TO {name}")


@pytest.mark.parametrize("change", ["RENAME COLUMN lot TO numero", "DROP COLUMN lot"])
def test_a_table_that_is_changed_between_the_check_and_the_reading(
    project: Tiny, server: Server, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, engine, name, _ = server
    assert in_process("run", project.folder).code == 0
    from fhirmap.runner import source

    checked = source.open_project_source

    def change_then(*given: Any) -> Any:
        found = checked(*given)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {name} {change}")
        return found

    monkeypatch.setattr("fhirmap.runner.run.open_project_source", change_then)
    in_process("run", project.folder, "--full").reported("FM715", 2, "lot")
    assert len(project.sent) == COUNT
    assert status(project)["withdrawn"] == []


TYPES = {
    "postgresql": ("ALTER TABLE {name} ALTER maj TYPE bigint", "ALTER TABLE {name} ALTER id TYPE text"),
    "mysql": ("ALTER TABLE {name} MODIFY maj BIGINT", "ALTER TABLE {name} MODIFY id VARCHAR(20)"),
}


FEW = 12


def shortened(engine: sa.Engine, name: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM {name} WHERE id > {FEW}")


def test_columns_of_other_types_between_two_runs(project: Tiny, server: Server) -> None:
    """A wider number and a key that became a text are the same records; a mark that became a text stops the run."""
    _, engine, name, _ = server
    shortened(engine, name)
    assert in_process("run", project.folder).code == 0
    to_text = "ALTER TABLE {name} ALTER maj TYPE text" if engine.dialect.name == "postgresql" else (
        "ALTER TABLE {name} MODIFY maj VARCHAR(20)"
    )  # fmt: skip
    with engine.begin() as connection:
        for statement in TYPES[engine.dialect.name]:
            connection.exec_driver_sql(statement.format(name=name))
    assert in_process("run", project.folder, "--full").code == 0
    assert (project.ledger["read"], project.ledger["unchanged"], len(project.sent)) == (FEW, FEW, FEW)
    with engine.begin() as connection:
        connection.exec_driver_sql(to_text.format(name=name))
    in_process("run", project.folder).reported("FM667", 2, "maj")
    assert len(project.sent) == FEW
    assert status(project)["withdrawn"] == []


def test_cells_that_become_null_between_two_runs(project: Tiny, server: Server) -> None:
    """A mark that is empty is read each time; a value that became empty makes its record another; no key, no record."""
    _, engine, name, _ = server
    shortened(engine, name)
    assert in_process("run", project.folder).code == 0
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {name} SET maj = NULL, lot = NULL WHERE id = 5")
        connection.exec_driver_sql(f"UPDATE {name} SET nir = NULL, maj = {FEW + 1} WHERE id = 6")
    assert in_process("run", project.folder).code == 1
    assert (project.ledger["read"], project.ledger["accepted"], project.ledger["invalid"]) == (3, 1, 1)
    assert in_process("run", project.folder).code in (0, 1)
    assert project.ledger["read"] == 2
    assert len(project.sent) == FEW + 1
