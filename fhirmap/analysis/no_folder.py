"""Files that a map names and may not read: it came as a text alone, or the file is elsewhere."""

from __future__ import annotations

__all__ = ["NoFolder", "OutsideFolder", "no_files"]


class NoFolder(FileNotFoundError):
    """The map came as a text alone: nothing is beside it."""


class OutsideFolder(PermissionError):
    """The file is outside of the folders that the map may read, or hidden. It was not opened.

    ``variant``: of FM102, which says so.
    """

    def __init__(self, variant: str) -> None:
        super().__init__(variant)
        self.variant = variant


def no_files(_map: str, file: str) -> bytes:
    """A reader for maps that come without a folder. Raises: ``NoFolder``, always."""
    raise NoFolder(file)
