"""Files whose content is held whole, as far as they may be large: none of them can fill the memory of a run.

Standard library only.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from fhirmap.texts import FileRefused, Text

__all__ = [
    "MOST_DEFINITION_BYTES",
    "MOST_MAP_BYTES",
    "MOST_NAMED_BYTES",
    "MOST_SETTINGS_BYTES",
    "open_regular",
    "read_bounded",
    "too_large",
]

_MEGABYTE = 1_000_000
MOST_MAP_BYTES = 20 * _MEGABYTE
"""Of a map's text."""
MOST_NAMED_BYTES = 100 * _MEGABYTE
"""Of a file that a map names: a code table, a query."""
MOST_DEFINITION_BYTES = 128 * _MEGABYTE
"""Of one resource, or Bundle, of definitions, and of one document to transform."""
MOST_SETTINGS_BYTES = 2 * _MEGABYTE
"""Of a project's or target's settings."""


def read_bounded(path: Path, most: int) -> bytes:
    """What a file holds, no more than ``most`` bytes.

    Raises: ``FileRefused`` where it is larger, or no regular file: a device, a pipe; ``OSError``.
    """
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size <= most:
            # What the system makes up as it is read says no size (`/proc`).
            content = file.read(most + 1)
            if len(content) <= most:
                return content
        raise too_large(most)


def open_regular(path: Path) -> BufferedReader:
    """A file opened for reading.

    Raises: ``FileRefused`` for a device, a pipe or a socket, without waiting for what would come out of it;
    ``OSError``.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise FileRefused(Text("reasons.not_regular"))


def too_large(most: int) -> FileRefused:
    """A file of more than ``most`` bytes."""
    return FileRefused(Text("reasons.too_large", {"limit": most // _MEGABYTE}))
