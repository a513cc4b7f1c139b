"""Names of new files are on the disk before anything counts as delivered."""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISDIR

import pytest

from fhirmap.records import Envelope
from fhirmap.sinks.folder_sync import sync_folder
from fhirmap.sinks.ndjson_file import NdjsonFile
from fhirmap.sinks.parquet_folder import ParquetFolder

ENVELOPE = Envelope("S1", b"{}", "d", "r")


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Of each folder that is brought to the disk, what is in it then."""
    found: list[list[str]] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        sync(descriptor)
        if S_ISDIR(os.fstat(descriptor).st_mode):
            found.append(sorted(os.listdir(descriptor)))

    monkeypatch.setattr(os, "fsync", noted)
    return found


def test_a_folder(tmp_path: Path, synced: list[list[str]]) -> None:
    (tmp_path / "a").touch()
    sync_folder(tmp_path)
    assert synced == [["a"]]
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "b")


def test_a_file_of_lines_has_its_name(tmp_path: Path, synced: list[list[str]]) -> None:
    NdjsonFile(tmp_path / "out.ndjson").close()
    assert synced == [["out.ndjson"]]


def test_each_file_of_a_folder_has_its_name(tmp_path: Path, synced: list[list[str]]) -> None:
    sink = ParquetFolder(tmp_path / "out")
    assert synced == [["out"]]
    sink.send(ENVELOPE)
    sink.send(ENVELOPE)
    assert [len(names) for names in synced[1:]] == [1, 2]
    assert all(name.startswith("part-") for names in synced[1:] for name in names)
