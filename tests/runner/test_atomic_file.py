"""A file is complete, or as it was before; and nothing else is left."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fhirmap.runner.atomic_file import write_atomically


def test_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = tmp_path / f".a.csv.{socket.gethostname()}.{dead.pid}.part"
    left.write_text("half", encoding="utf-8")
    write_atomically(tmp_path / "b.csv", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["b.csv"]
    assert (tmp_path / "b.csv").read_bytes() == b"whole"


def test_a_file_that_cannot_be_written_is_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.mkdir()
    with pytest.raises(OSError, match="a"):
        write_atomically(place, b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
