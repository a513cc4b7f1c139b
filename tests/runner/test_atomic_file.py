"""A file is complete, or as it was before; and nothing else is left."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fhirmap.runner.atomic_file import write_atomically


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    host = socket.gethostname()
    left = tmp_path / f".a.csv.{host}.{dead.pid}.part"
    others = [
        tmp_path / f".a.csv.{host}.{os.getpid()}.part",
        tmp_path / f".a.csv.another-machine.{dead.pid}.part",
        tmp_path / ".somebody.part",
        tmp_path / "export.csv.part",
    ]
    for path in (left, *others):
        path.write_text("half", encoding="utf-8")
    write_atomically(tmp_path / "b.csv", b"whole")
    assert not left.exists()
    assert all(path.exists() for path in others)
    assert (tmp_path / "b.csv").read_bytes() == b"whole"


def test_a_file_that_cannot_be_written_is_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.mkdir()
    with pytest.raises(OSError, match="a"):
        write_atomically(place, b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
