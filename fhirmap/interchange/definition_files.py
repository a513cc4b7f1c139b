"""Which files hold definitions: found without reading one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["NOT_RESOURCES", "definition_files", "is_package"]

NOT_RESOURCES = frozenset({"package.json", ".index.json"})
_SUFFIXES = (".json", ".xml")


def definition_files(path: Path) -> Iterator[Path]:
    """A file or package itself; of a folder, each JSON or XML file below it, in the order of their names."""
    if not path.is_dir():
        yield path
        return
    for entry in sorted(path.rglob("*")):
        if entry.suffix in _SUFFIXES and entry.name not in NOT_RESOURCES and entry.is_file():
            yield entry


def is_package(path: Path) -> bool:
    """Is it a FHIR package: an archive of definitions?"""
    return path.suffix in (".tgz", ".gz") and not path.is_dir()
