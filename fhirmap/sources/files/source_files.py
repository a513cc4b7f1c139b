"""Which files an address means: one, those of a folder or of a pattern, the members of an archive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

__all__ = ["SourceFile"]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to read. ``name``: as origins show it; ``shown``: as messages about the source show it."""

    path: Path
    name: str
    shown: str

    def open(self, mode: Literal["rb"] = "rb") -> IO[bytes]:
        """Its bytes, from the first; seekable. Raises: OSError."""
        return self.path.open(mode)

    def stamp(self) -> tuple[int, int]:
        """What changes when the file does: size and time of its last change, in ns. Raises: OSError."""
        status = self.path.stat()
        return status.st_size, status.st_mtime_ns
