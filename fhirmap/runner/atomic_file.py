"""Atomic writes: a file is complete, or as it was before."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

__all__ = ["write_atomically"]


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file by way of a temporary one beside it; readable by its owner alone unless ``mode`` says more. What
    killed processes of this machine have left in the folder is removed.

    Raises:
        OSError: the file is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{_host()}.{os.getpid()}.part")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        # the file that people know is named, not the temporary one
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    with suppress(OSError):
        _sweep(path.parent)


def _sweep(folder: Path) -> None:
    """Removes the temporary files of processes that are dead. Those of other machines, which may share the folder, are
    not known to be."""
    for place in folder.glob(".*.part"):
        _, _, owner = place.name.removesuffix(".part").rpartition(f".{_host()}.")
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
