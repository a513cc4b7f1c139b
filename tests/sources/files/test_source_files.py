"""The files of an address."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.sources.address import parse_address
from fhirmap.sources.files.source_files import FileSet, SourceFile, reading


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


def test_which_folders_an_address_may_read(tmp_path: Path) -> None:
    inner = tmp_path / "in"
    (inner / "old").mkdir(parents=True)
    below = {"in": False, "in/*.csv": False, "in/*/a.csv": True, "in/**/*.csv": True}
    for text, is_listed in below.items():
        files = FileSet(parse_address(text, tmp_path))
        assert files.root == inner
        places = (inner, inner / "old", tmp_path / "done")
        assert list(map(files.may_list, places)) == [True, is_listed, False], text
    alone = FileSet(parse_address("a.csv", tmp_path))
    assert (alone.root, alone.may_list(tmp_path)) == (None, False)


def test_a_folder_that_may_be_empty_has_to_be_there(tmp_path: Path) -> None:
    address = replace(parse_address("*.csv", tmp_path), may_be_empty=True)
    assert FileSet(address).listing().files == ()
    with pytest.raises(ConfigError) as raised:
        FileSet(replace(parse_address("in/*.csv", tmp_path), may_be_empty=True)).listing()
    assert raised.value.code == "FM701"


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.zip", "a.xlsx", "a.json", "a.ndjson", "a.xml", "a.hl7"])
def test_pipes_and_devices_are_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    pipe, device = tmp_path / name, tmp_path / "linked" / name
    os.mkfifo(pipe)
    device.parent.mkdir()
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        with pytest.raises(ConfigError) as raised:
            for file in FileSet(parse_address(path.name, path.parent)).listing().files:
                with reading(file), file.open():
                    pass
        assert (raised.value.code, raised.value.diagnostic().variant) == ("FM702", "refused")
        assert "no regular file" in raised.value.diagnostic().message
