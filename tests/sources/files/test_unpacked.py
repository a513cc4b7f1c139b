"""Files of archives, unpacked for as long as they are read."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.sources.files.unpacked import UnpackedFile, unpacked

TEXT = b"".join(b"line %d\n" % number for number in range(50_000))


def packed(tmp_path: Path, suffix: str) -> SourceFile:
    path = tmp_path / f"a{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", TEXT)
        return SourceFile(path, "a.zip!a.csv", "a.zip!a.csv", "a.csv")
    path.write_bytes(gzip.compress(TEXT))
    return SourceFile(path, path.name, path.name)


@pytest.mark.parametrize("suffix", [".zip", ".csv.gz"])
def test_a_packed_file_is_read_here_and_there_by_several_at_once(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = packed(tmp_path, suffix)
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    found = unpacked(file)
    assert isinstance(found, UnpackedFile)
    assert list(folder.iterdir()) == []
    assert (found.name, found.inner_suffix, found.stamp()) == (file.name, ".csv", file.stamp())
    with found.open() as one, found.open() as other:
        assert one.readline() == b"line 0\n"
        other.seek(len(TEXT) - 11)
        assert other.read() == b"line 49999\n"
        assert one.readline() == b"line 1\n"
        assert one.seek(-11, 2) == len(TEXT) - 11
        assert one.seek(1, 1) == len(TEXT) - 10
    with found.open() as stream:
        assert stream.read() == TEXT
    found.close()
    found.close()


def test_a_file_by_itself_stays_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(TEXT)
    file = SourceFile(tmp_path / "a.csv", "a.csv", "a.csv")
    assert unpacked(file) is file


def test_an_archive_that_is_broken_cannot_be_read(tmp_path: Path) -> None:
    file = packed(tmp_path, ".csv.gz")
    file.path.write_bytes(file.path.read_bytes()[:-2000])
    with pytest.raises(ConfigError) as caught:
        unpacked(file)
    assert caught.value.code == "FM702"
