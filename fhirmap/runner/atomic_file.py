"""Atomic writes: a file is complete, or as it was before."""

from __future__ import annotations

import os
from pathlib import Path

from fhirmap.part_files import part_of, remove_left, remove_part

__all__ = ["write_atomically"]


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file by way of a temporary one beside it; readable by its owner alone unless ``mode`` says more. What
    killed processes of this machine have left in the folder is removed.

    Raises:
        OSError: the file is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = part_of(path)
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
        remove_part(temporary)
    remove_left(path.parent)
