"""A journal in PostgreSQL that was dumped and restored with the database's own tools, as docs/operations/journal.md
says, is sound and goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa

from fhirmap.journal import EntryState, Journal
from tests.journal.sending import ACCEPTED, answer_all, ready

URL = os.environ.get("FHIRMAP_TEST_POSTGRESQL", "")
TOOLS = ("pg_dump", "pg_restore")


@pytest.mark.skipif(not URL, reason="FHIRMAP_TEST_POSTGRESQL names no server")
@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason="the tools of PostgreSQL are not installed")
def test_a_dumped_journal_is_restored_as_it_was(tmp_path: Path) -> None:
    name = f"dumped_{uuid.uuid4().hex}"
    engine = sa.create_engine(URL)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    place = f"{URL}?options=-csearch_path%3D{name}"
    database = sa.make_url(URL).set(drivername="postgresql").render_as_string(hide_password=False)
    dump = str(tmp_path / "journal.dump")
    try:
        with Journal.open(place, "e", "o") as journal:
            journal.start_run()
            journal.put([ready("1"), ready("2")])
            answer_all(journal, ACCEPTED)
            journal.put([ready("3")])
        subprocess.run(["pg_dump", "--format=custom", f"--schema={name}", f"--file={dump}", database], check=True)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
        subprocess.run(["pg_restore", "--exit-on-error", f"--dbname={database}", dump], check=True)
        with Journal.open(place, "e", "o") as journal:
            assert journal.verify() == []
            assert journal.verify_audit().breaks == ()
            assert journal.start_run() == 2
            journal.put([ready("1"), ready("2"), ready("3")])
            assert answer_all(journal, ACCEPTED) == ["3"]
            assert {answer.state for answer in journal.answers()} == {EntryState.ACCEPTED}
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        engine.dispose()
