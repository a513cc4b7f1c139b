"""What a folder lists, on the disk: a new file is safe when its name is, too."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["sync_folder"]


def sync_folder(folder: Path) -> None:
    """Bring the names of the files in ``folder`` to the disk; Windows does so by itself, and opens no folders.

    Raises: OSError.
    """
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
