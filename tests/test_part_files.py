"""What killed processes have left of files is removed, and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from fhirmap.part_files import part_of, remove_left, remove_part


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    host = socket.gethostname()
    name = f".a.csv.{host}.{dead.pid}.part"
    left = [tmp_path / (name + side) for side in ("", "-journal", "-wal", "-shm")]
    others = [
        part_of(tmp_path / "a.csv"),
        tmp_path / f".a.csv.another-machine.{dead.pid}.part",
        tmp_path / ".somebody.part",
        tmp_path / "export.csv.part",
        tmp_path / "journal.db-wal",
    ]
    for path in (*left, *others):
        path.write_text("half", encoding="utf-8")
    remove_left(tmp_path)
    assert [path for path in left if path.exists()] == []
    assert all(path.exists() for path in others)


def test_its_own_goes_with_what_a_database_has_beside_it(tmp_path: Path) -> None:
    part = part_of(tmp_path / "copy.db")
    assert part.name == f".copy.db.{socket.gethostname()}.{os.getpid()}.part"
    for side in ("", "-journal", "-wal", "-shm"):
        part.with_name(part.name + side).touch()
    remove_part(part)
    remove_part(part)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    remove_left(tmp_path / "none")
