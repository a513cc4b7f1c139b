"""Compressed files as streams: as far as an honest one goes, and no pipes."""

from __future__ import annotations

import gzip
import os
import zipfile
from pathlib import Path
from typing import IO

import pytest

from fhirmap.errors import ConfigError
from fhirmap.sources.files import packed
from fhirmap.sources.files.packed import open_gzip, open_member
from fhirmap.sources.files.source_files import SourceFile, reading
from fhirmap.texts import FileRefused, os_reason

TEXT = b"".join(b"line %d\n" % number for number in range(50_000))


def file_of(tmp_path: Path, content: bytes, suffix: str) -> SourceFile:
    path = tmp_path / f"a{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", content)
        return SourceFile(path, "a.zip!a.csv", "a.zip!a.csv", "a.csv")
    path.write_bytes(gzip.compress(content))
    return SourceFile(path, path.name, path.name)


def opened(tmp_path: Path, content: bytes, suffix: str) -> IO[bytes]:
    file = file_of(tmp_path, content, suffix)
    return open_member(file.path, file.member) if file.member else open_gzip(file.path)


@pytest.mark.parametrize("suffix", [".zip", ".csv.gz"])
def test_lines_and_places_are_those_of_what_was_packed(tmp_path: Path, suffix: str) -> None:
    with opened(tmp_path, TEXT, suffix) as stream:
        assert stream.readline() == b"line 0\n"
        stream.seek(TEXT.index(b"line 40000"))
        assert stream.readline() == b"line 40000\n"
        stream.seek(0)
        assert stream.read() == TEXT
    assert stream.closed


@pytest.mark.parametrize("suffix", [".zip", ".csv.gz"])
def test_what_unpacks_to_far_more_than_it_is_ends_there(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "FREE_BYTES", 1_000_000)
    bomb = b"0" * 3_000_000
    with opened(tmp_path, bomb, suffix) as stream:
        assert stream.read(500_000) == bomb[:500_000]
        with pytest.raises(FileRefused) as caught:
            stream.read()
    assert str(os_reason(caught.value)) == "it unpacks to more than 300 times its size, which no export does"
    file = file_of(tmp_path, bomb, suffix)
    with pytest.raises(ConfigError) as refused, reading(file), file.open() as stream:
        stream.seek(2_900_000)
        stream.read()
    assert (refused.value.code, refused.value.diagnostic().variant) == ("FM702", "refused")


@pytest.mark.parametrize("suffix", [".zip", ".csv.gz"])
def test_lines_of_the_same_blanks_and_zeros_are_honest(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "FREE_BYTES", 1_000_000)
    lines = b"".join(b"%d;;;;0;0;0;;;2026-01-01;;0;0;;;;;;;;;;;;;;\n" % number for number in range(100_000))
    with opened(tmp_path, lines, suffix) as stream:
        assert stream.read() == lines


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileRefused):
        open_gzip(pipe)
    with pytest.raises(FileRefused):
        open_member(pipe, "a.csv")
