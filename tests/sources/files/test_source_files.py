"""The files of an address."""

from __future__ import annotations

from pathlib import Path

from fhirmap.sources.files.source_files import SourceFile


def test_a_file_is_read_from_its_first_byte_and_its_stamp_follows_its_content(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(b"id\n1\n")
    file = SourceFile(path, "export.csv", "data/export.csv")
    with file.open() as stream:
        assert stream.read() == b"id\n1\n"
        stream.seek(0)
        assert stream.read(2) == b"id"
    before = file.stamp()
    path.write_bytes(b"id\n1\n2\n")
    assert file.stamp() != before
