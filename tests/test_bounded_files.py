"""Files that are read whole: up to a size, and no devices or pipes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fhirmap.bounded_files import open_regular, read_bounded
from fhirmap.texts import FileRefused, os_reason


def test_a_file_of_the_size_is_read_and_one_byte_more_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x" * 2_000_000)
    assert len(read_bounded(file, 2_000_000)) == 2_000_000
    file.write_bytes(b"x" * 2_000_001)
    with pytest.raises(FileRefused) as caught:
        read_bounded(file, 2_000_000)
    assert str(os_reason(caught.value)) == "it holds more than 2 MB, which is the limit"


@pytest.mark.parametrize("read", [open_regular, lambda path: read_bounded(path, 10)])
def test_a_device_and_a_pipe_are_refused_without_waiting(tmp_path: Path, read: object) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert callable(read)
    for place in (Path("/dev/zero"), pipe):
        with pytest.raises(FileRefused) as caught:
            read(place)
        assert str(os_reason(caught.value)) == "it is no regular file but a device, a pipe or a socket"


def test_a_folder_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
