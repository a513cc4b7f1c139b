"""Files that a map names where it came as a text alone, so that none is beside it."""

from __future__ import annotations

__all__ = ["NoFolder", "no_files"]


class NoFolder(FileNotFoundError):
    """The map came as a text alone: nothing is beside it."""


def no_files(_map: str, file: str) -> bytes:
    """A reader for maps that come without a folder. Raises: ``NoFolder``, always."""
    raise NoFolder(file)
