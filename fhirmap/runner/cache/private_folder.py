"""Files that only this user can have written, and that are what was written: for code that is run again.

Two different things protect it. Against damage, and a file that is not whole: a digest of the content, which is in the
file itself and compared before anything is made of the content. Against another's file that digest is worth nothing,
since its author writes it, too: only owner and mode are. Folder and file must belong to the user who runs this, and no
other may be able to write them; both are asked of what was opened, so that nothing can be put in its place in between.
Where a system has no such owners (Windows) nothing is kept.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from fhirmap.runner.atomic_file import write_atomically

__all__ = ["PrivateFolder", "user_folder"]

_BEGINNING = b"fhirmap work 1\n"
_DIGEST = 32
_UNUSED_DAYS = 30


def user_folder() -> Path | None:
    """`fhirmap` in this user's folder for what can be made again: `XDG_CACHE_HOME`, else `~/.cache`; None without a
    home."""
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if given.is_absolute():
        return given / "fhirmap"
    with suppress(RuntimeError):
        return Path.home() / ".cache" / "fhirmap"
    return None


class PrivateFolder:
    """Files by name in a folder of this user's own. What cannot be read or trusted is not there; what cannot be written
    is not kept: neither is anybody's fault."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """What `write` wrote under ``name``, whole and by this user; None otherwise."""
        content = b""
        with suppress(OSError):
            content = _trusted(self._folder, name)
        head = len(_BEGINNING) + _DIGEST
        if content[: len(_BEGINNING)] != _BEGINNING or content[len(_BEGINNING) : head] != _digest(content[head:]):
            return None
        return content[head:]

    def write(self, name: str, content: bytes) -> None:
        """Keep ``content`` under ``name`` in place of what was there; files that were not written for long go."""
        with suppress(OSError):
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                self._folder.mkdir(mode=0o700)
            descriptor = _opened_folder(self._folder)
            if descriptor is not None:
                os.close(descriptor)
                write_atomically(self._folder / name, _BEGINNING + _digest(content) + content)
                self._sweep()

    def _sweep(self) -> None:
        oldest = time.time() - _UNUSED_DAYS * 86_400
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                if path.lstat().st_mtime < oldest:
                    path.unlink()


def _digest(content: bytes) -> bytes:
    return sha256(content).digest()


def _trusted(folder: Path, name: str) -> bytes:
    """The content of a file that only this user can have written; empty for any other. Raises: ``OSError``."""
    opened = _opened_folder(folder)
    if opened is None:
        return b""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=opened)
    finally:
        os.close(opened)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        return file.read() if stat.S_ISREG(found.st_mode) and _is_own(found) else b""


def _opened_folder(folder: Path) -> int | None:
    """The folder, opened; None where another owns it or may write it. Raises: ``OSError``."""
    if not hasattr(os, "geteuid"):
        return None
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    if _is_own(os.fstat(opened)):
        return opened
    os.close(opened)
    return None


def _is_own(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
