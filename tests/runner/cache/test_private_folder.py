"""Files that only this user can have written: what is damaged, another's, or open to others is not there."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from fhirmap.runner.cache.private_folder import PrivateFolder, user_folder

CONTENT = b"what was found" * 100

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A private folder with one file, `a`."""
    place = tmp_path / "above" / "fhirmap"
    PrivateFolder(place).write("a", CONTENT)
    assert PrivateFolder(place).read("a") == CONTENT
    return place


def test_folder_and_file_are_their_owners_alone(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "a").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["a"]


def test_a_name_holds_what_was_written_last(folder: Path) -> None:
    PrivateFolder(folder).write("a", b"")
    assert PrivateFolder(folder).read("a") == b""
    assert PrivateFolder(folder).read("b") is None


def test_a_damaged_file_is_not_there(folder: Path) -> None:
    file = folder / "a"
    whole = file.read_bytes()
    for place in range(0, len(whole), 7):
        file.write_bytes(whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :])
        assert PrivateFolder(folder).read("a") is None, place
    for length in (0, 1, 20, 46, 47, len(whole) - 1):
        file.write_bytes(whole[:length])
        assert PrivateFolder(folder).read("a") is None, length
    file.write_bytes(whole + b"x")
    assert PrivateFolder(folder).read("a") is None


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_not_trusted(folder: Path, mode: int) -> None:
    (folder / "a").chmod(mode)
    assert PrivateFolder(folder).read("a") is None
    PrivateFolder(folder).write("a", CONTENT)
    assert PrivateFolder(folder).read("a") == CONTENT, "a new file takes its place"


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o1777])
def test_a_folder_that_others_may_write_is_not_used(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    PrivateFolder(folder).write("b", CONTENT)
    assert PrivateFolder(folder).read("a") is None
    assert [path.name for path in folder.iterdir()] == ["a"]


@needs_root
def test_another_users_file_is_not_trusted(folder: Path) -> None:
    os.chown(folder / "a", 12345, 12345)
    assert PrivateFolder(folder).read("a") is None


@needs_root
def test_another_users_folder_is_not_used(folder: Path) -> None:
    os.chown(folder, 12345, 12345)
    PrivateFolder(folder).write("b", CONTENT)
    assert PrivateFolder(folder).read("a") is None
    assert [path.name for path in folder.iterdir()] == ["a"]


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "b").symlink_to(folder / "a")
    (tmp_path / "other").symlink_to(folder)
    assert PrivateFolder(folder).read("b") is None
    assert PrivateFolder(tmp_path / "other").read("a") is None


def test_what_is_no_file_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "b", 0o600)
    (folder / "c").mkdir(mode=0o700)
    assert (PrivateFolder(folder).read("b"), PrivateFolder(folder).read("c")) == (None, None)


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    places = PrivateFolder(tmp_path / "file" / "fhirmap")
    places.write("a", CONTENT)
    assert places.read("a") is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_in_a_folder_that_is_read_only_nothing_is_kept(folder: Path) -> None:
    folder.chmod(0o500)
    PrivateFolder(folder).write("b", CONTENT)
    assert (PrivateFolder(folder).read("a"), PrivateFolder(folder).read("b")) == (CONTENT, None)
    folder.chmod(0o700)


def test_what_was_not_written_for_long_goes(folder: Path) -> None:
    PrivateFolder(folder).write("b", CONTENT)
    long_ago = time.time() - 31 * 86_400
    os.utime(folder / "a", (long_ago, long_ago))
    PrivateFolder(folder).write("c", CONTENT)
    assert sorted(path.name for path in folder.iterdir()) == ["b", "c"]


def test_the_users_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert user_folder() == Path("/elsewhere/fhirmap")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert user_folder() == Path("/home/somebody/.cache/fhirmap")
