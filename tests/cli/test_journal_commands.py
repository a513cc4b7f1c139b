"""`fhirmap journal`: examined, copied, restored, purged."""

from __future__ import annotations

import base64
import json
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from fhirmap.journal.sealing import encryption_key_id
from tests.cli.conftest import ROWS, Receiver, Tiny, in_process

Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]


@pytest.fixture
def project(tiny: Make, receiver: Receiving) -> Tiny:
    """With two records sent."""
    made = tiny().to(receiver().url, archive__csv='path = "archive.csv"').write(ROWS[:2])
    assert in_process("run", made.folder).code == 0
    return made


def test_a_sound_journal(project: Tiny) -> None:
    done = in_process("journal", "verify", project.folder)
    assert (done.code, done.out) == (0, "the journal is sound\n")


def test_a_changed_payload_is_found_by_verify_and_by_a_run(project: Tiny) -> None:
    project.write(ROWS)
    in_process("run", project.folder, "--source", str(project.data)).code  # noqa: B018
    with closing(sqlite3.connect(project.folder / "journal.db")) as connection, connection:
        connection.execute("UPDATE fhirmap_payload SET payload = X'7B7D' WHERE entry_id = 1")
    done = in_process("journal", "verify", project.folder, "--json")
    assert done.code == 1
    [found] = json.loads(done.out)["findings"]
    assert (found["kind"], found["count"], found["keys"]) == ("payload_changed", 1, ["1"])


def test_back_up_change_and_restore(project: Tiny, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert in_process("journal", "backup", copy, project.folder).code == 0
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    in_process("journal", "backup", copy, project.folder).reported("FM815", 2, "--overwrite")
    project.write(ROWS)
    assert in_process("run", project.folder).code == 0
    done = in_process("journal", "restore", copy, project.folder, "--json")
    kept = Path(json.loads(done.out)["kept"])
    assert kept.exists()
    stopped = in_process("run", project.folder)
    assert (stopped.code, "FM812" in stopped.out) == (3, True)
    assert "(records: 1)" in " ".join(stopped.out.split())
    assert json.loads(in_process("journal", "adopt", project.folder, "--json").out) == {"adopted": 1}
    assert in_process("run", project.folder).code == 0
    in_process("journal", "backup", copy, project.folder, "--overwrite").code  # noqa: B018
    assert in_process("journal", "restore", copy, project.folder).code == 0
    assert "no identifier that the journal does not know" in " ".join(in_process("run", project.folder).out.split())
    assert in_process("journal", "verify", project.folder).code == 0


def test_what_is_no_copy_of_this_journal_is_refused(project: Tiny, tiny: Make, tmp_path: Path) -> None:
    own = project.folder / "journal.db"
    in_process("journal", "backup", own, project.folder, "--overwrite").reported("FM815", 2, "itself")
    in_process("journal", "restore", own, project.folder).reported("FM815", 2, "itself")
    in_process("journal", "restore", project.data, project.folder).reported("FM815", 2, "no tables")
    other = tiny("csv").configure(project='name = "other"')
    assert in_process("run", other.folder).code == 0
    in_process("journal", "restore", other.folder / "journal.db", project.folder).reported("FM815", 2, "tiny")
    (tmp_path / "torn.db").write_bytes(own.read_bytes()[:5000])
    assert in_process("journal", "restore", tmp_path / "torn.db", project.folder).code == 3
    assert in_process("run", project.folder).code == 0


def test_a_folder_that_is_not_there_gets_no_copy(project: Tiny, tmp_path: Path) -> None:
    in_process("journal", "backup", tmp_path / "no" / "copy.db", project.folder).reported("FM800", 3, "copy.db")


def test_purge_says_what_it_does(project: Tiny) -> None:
    options = ["--state", "accepted", "--older-than", "400d"]
    done = in_process("journal", "purge", project.folder, *options, "--json")
    assert json.loads(done.out) == {"records": 0, "forgotten": 0, "bytes": 0, "dry_run": False}
    with closing(sqlite3.connect(project.folder / "journal.db")) as connection, connection:
        connection.execute("UPDATE fhirmap_entry SET changed_at = changed_at - 500 * 86400")
    done = in_process("journal", "purge", project.folder, *options, "--dry-run")
    assert "would purge 2" in done.out
    assert "purged 2" in in_process("journal", "purge", project.folder, *options).out
    for file in project.folder.glob("journal.db*"):
        assert b"DURAND" not in file.read_bytes()
    assert in_process("run", project.folder).code == 0
    assert in_process("plan", project.folder).code == 0


@pytest.mark.parametrize("age", ["400", "d", "-1d", "1.5d", "400h", "٣d", "99999999d"])
def test_an_age_that_is_none(project: Tiny, age: str) -> None:
    done = in_process("journal", "purge", project.folder, "--state", "accepted", "--older-than", age)
    assert (done.code, "number of days" in done.err) == (2, True)


def test_no_journal_yet(tiny: Make, tmp_path: Path) -> None:
    made = tiny()
    in_process("journal", "verify", made.folder).reported("FM815", 2, "no journal")
    in_process("journal", "backup", tmp_path / "copy.db", made.folder).reported("FM815", 2, "no journal")
    in_process("journal", "purge", made.folder, "--state", "gone", "--older-than", "1d").reported("FM815", 2)
    assert not (made.folder / "journal.db").exists()
    assert not (tmp_path / "copy.db").exists()


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """A new key, in the environment."""
    printed = in_process("journal", "key").out.strip()
    monkeypatch.setenv("JOURNAL_KEY", printed)
    return printed


def plain(project: Tiny) -> list[str]:
    """Files of the journal that show a value."""
    return [file.name for file in project.folder.glob("journal.db*") if b"DURAND" in file.read_bytes()]


def test_payloads_are_encrypted_and_the_key_is_replaced(
    project: Tiny, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_process("journal", "rekey", project.folder).reported("FM815", 2, "encryption_keys")
    assert plain(project) == ["journal.db"]
    project.configure(journal='encryption_keys = ["${JOURNAL_KEY}"]')
    done = in_process("journal", "rekey", project.folder)
    assert (done.code, "payloads 2, answers 2" in done.out, plain(project)) == (0, True, [])
    assert in_process("run", project.write(ROWS).folder).code == 0
    assert plain(project) == []
    copy = tmp_path / "copy.db"
    assert in_process("journal", "backup", copy, project.folder).code == 0
    assert b"DURAND" not in copy.read_bytes()

    (project.folder / "new.key").write_text(in_process("journal", "key").out, encoding="utf-8")
    (project.folder / "new.key").chmod(0o600)
    project.configure(journal='encryption_keys = [{ file = "new.key" }]')
    done = in_process("journal", "verify", project.folder)
    assert (done.code, "encryption_keys" in done.out) == (1, True)
    done = in_process("journal", "rekey", project.folder)
    assert (done.code, "left as they are" in done.out) == (1, True)
    project.configure(journal='encryption_keys = [{ file = "new.key" }, "${JOURNAL_KEY}"]')
    assert in_process("journal", "rekey", project.folder).code == 0
    project.configure(journal='encryption_keys = [{ file = "new.key" }]')
    monkeypatch.delenv("JOURNAL_KEY")
    assert in_process("journal", "verify", project.folder).code == 0
    assert in_process("run", project.folder).code == 0


def test_a_run_names_the_key_that_is_absent(tiny: Make, key: str) -> None:
    made = tiny().to("http://127.0.0.1:9/", journal='encryption_keys = ["${JOURNAL_KEY}"]').write(ROWS[:2])
    assert in_process("run", made.folder).code != 0
    with closing(sqlite3.connect(made.folder / "journal.db")) as connection, connection:
        connection.execute("UPDATE fhirmap_entry SET not_before = 0")  # as after a while
    other = in_process("journal", "key").out.strip()
    made.configure(journal=f'encryption_keys = ["{other}"]', source=f"{made.settings['source']}\ncomplete = false")
    made.configure(sink='kind = "ndjson"\npath = "out.ndjson"').write(ROWS[2:])
    done = in_process("run", made.folder)
    named = encryption_key_id(base64.b64decode(key))
    assert (done.code, "FM814" in done.out + done.err, named in done.out + done.err) == (1, True, True)
    assert other not in done.out + done.err
    assert len(made.sent) == 1


def test_what_is_no_key_stops_a_run(tiny: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tiny().configure(journal='encryption_keys = ["${JOURNAL_KEY}"]')
    in_process("run", made.folder).reported("FM736", 2, "JOURNAL_KEY")
    monkeypatch.setenv("JOURNAL_KEY", "hunter2hunter2")
    done = in_process("run", made.folder)
    done.reported("FM735", 2, "32 bytes")
    assert "hunter2" not in done.out + done.err
    assert not (made.folder / "journal.db").exists()


def test_a_damaged_journal_is_said_of_the_journal_and_by_doctor(project: Tiny, tmp_path: Path) -> None:
    path = project.folder / "journal.db"
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xff" * (len(content) - 12288)
    path.write_bytes(content)
    in_process("journal", "backup", tmp_path / "copy.db", project.folder).reported("FM804", 3, "journal.db")
    assert not (tmp_path / "copy.db").exists()
    done = in_process("doctor", project.folder, "--offline")
    assert (done.code, "FM804" in done.out) == (3, True), done


@pytest.mark.parametrize("name", ["journal.db.lock", "journal.db-wal", "fhirmap.toml", "stays.sqlite"])
def test_no_own_file_is_overwritten(project: Tiny, name: str) -> None:
    own = project.folder / name
    before = own.read_bytes() if own.exists() else None
    in_process("journal", "backup", own, project.folder, "--overwrite").reported("FM815", 2, name)
    in_process("report", project.folder, "-o", own).reported("FM815", 2, name)
    in_process("audit", "export", project.folder, "-o", own).reported("FM815", 2, name)
    assert (own.read_bytes() if own.exists() else None) == before
