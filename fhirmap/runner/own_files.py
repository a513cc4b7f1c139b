"""Files that a project works with: no command that writes a copy, an export or a page may take one of their places."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fhirmap.errors import ConfigError
from fhirmap.runner.project import Project

__all__ = ["require_other_file"]

_SIDES = ("", "-wal", "-shm", "-journal", ".lock")


def require_other_file(project: Project, target: Path) -> None:
    """Makes sure that ``target``, which is about to be written, is no file that the project works with.

    Raises: ConfigError FM815 where it is: the project file, a map, a source, the journal and what is beside it, the
    archive, results, figures.
    """
    for own in _files(project):
        if own.resolve() == target.resolve() or (own.exists() and target.exists() and own.samefile(target)):
            raise ConfigError("FM815", variant="own_file", file=str(target))


def _files(project: Project) -> Iterator[Path]:
    yield from (project.file, project.map.source, *project.map.imports)
    if project.journal.url is None:
        path = project.journal.path
        yield from (path.with_name(path.name + side) for side in _SIDES)
    others = (project.archive.csv, project.metrics_file, project.sink.path)
    yield from (path for path in others if path is not None)
    for name in ("", *project.sources):
        with suppress(ConfigError):  # a source without a place has no file
            place = project.source_address(name).path
            if place is not None:
                yield place
