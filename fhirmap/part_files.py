"""Files that are being written: beside the place of the whole one, under a name that says by which process of which
machine. A process that is killed leaves them there, with patients' data; the next write to the folder removes them."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

__all__ = ["part_of", "remove_left", "remove_part"]

_SIDES = ("", "-journal", "-wal", "-shm")
"""What SQLite has beside a file."""


def part_of(path: Path) -> Path:
    """The name that this process writes the file under, ``.name.host.pid.part``."""
    return path.with_name(f".{path.name}.{_host()}.{os.getpid()}.part")


def remove_part(part: Path) -> None:
    """Removes one, and what a database has beside it; what cannot be removed stays."""
    for side in _SIDES:
        with suppress(OSError):
            part.with_name(part.name + side).unlink(missing_ok=True)


def remove_left(folder: Path) -> None:
    """Removes those of processes that are dead, as far as that is possible. Those of other machines, which may share
    the folder, are not known to be."""
    with suppress(OSError):
        for side in _SIDES:
            for place in folder.glob(f".*.part{side}"):
                _, _, owner = place.name.removesuffix(f".part{side}").rpartition(f".{_host()}.")
                if owner.isdecimal() and not _is_alive(int(owner)):
                    place.unlink(missing_ok=True)


def _host() -> str:
    return socket.gethostname().replace("/", "-")


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # pragma: no cover - there, to ask with a signal would end it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
