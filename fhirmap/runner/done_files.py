"""Files whose records are all settled leave the folder that is read (`done` in ``[source]``)."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from errno import EXDEV
from itertools import islice
from pathlib import Path

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.journal import Journal
from fhirmap.part_files import part_of, remove_left, remove_part
from fhirmap.runner.done_settings import shown_folder
from fhirmap.runner.project import Project
from fhirmap.source_plan import SourcePlan
from fhirmap.sources import Source
from fhirmap.sources.readings import FolderSource, PartialSource, ReadFile
from fhirmap.texts import os_reason

__all__ = ["MovedFiles", "move_done"]

_CHUNK = 400


@dataclass(frozen=True, slots=True)
class MovedFiles:
    """What became of the files of a reading. ``folder``: where they went, empty where none is to be moved; ``left``:
    how many stay."""

    folder: str = ""
    count: int = 0
    left: int = 0


def move_done(
    project: Project, plan: SourcePlan, source: Source, journal: Journal
) -> tuple[MovedFiles, list[Diagnostic]]:
    """Move each file of the last reading of which every record is settled in the journal, and that has not changed
    since. FM798, a warning, for each that could not be moved; it stays, and the next run tries again."""
    done = project.done_folder
    if done is None or plan.source or not isinstance(source, FolderSource):
        return MovedFiles(), []
    count = left = 0
    problems: list[Diagnostic] = []
    for file in list(source.read_files()):
        try:
            is_done = _are_final(file, journal) and file.is_unchanged()
        except ConfigError:
            is_done = False  # it has changed, or gone, since it was read
        if is_done:
            try:
                _move(file.path, done / file.name)
            except OSError as error:
                args = {"file": file.name, "done": shown_folder(project, done), "reason": os_reason(error)}
                problems.append(Diagnostic("FM798", args=args))
                is_done = False
        count += is_done
        left += not is_done
    if isinstance(source, PartialSource):
        left += source.unread().files + source.unread().unfinished
    return MovedFiles(shown_folder(project, done), count, left), problems


def _are_final(file: ReadFile, journal: Journal) -> bool:
    """Is every record of the file settled? One without a key never is: it is to be repaired in the file."""
    keys = file.keys()
    while some := list(islice(keys, _CHUNK)):
        if "" in some or not journal.are_final(some):
            return False
    return True


def _move(path: Path, wanted: Path) -> None:
    """Move a file; a number is added to its name where another has that already. Raises: OSError, and it is where it
    was."""
    wanted.parent.mkdir(parents=True, exist_ok=True)
    place = _reserved(wanted)
    try:
        try:
            path.replace(place)
        except OSError as error:
            if error.errno != EXDEV:
                raise
            _copy(path, place)
            path.unlink()
    except OSError:
        with suppress(OSError):
            place.unlink()
        raise


def _reserved(wanted: Path) -> Path:
    """A name that no file had: an empty file has it now, so that no one else takes it."""
    stem, ends = wanted.name, ""
    for _ in range(2 if wanted.suffix.lower() == ".gz" else 1):
        ends = Path(stem).suffix + ends
        stem = Path(stem).stem
    number = 1
    while True:
        place = wanted if number == 1 else wanted.with_name(f"{stem}-{number}{ends}")
        try:
            os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            number += 1
        else:
            return place


def _copy(path: Path, place: Path) -> None:
    """Copy to another device; the whole file is there, on the disk, or nothing."""
    temporary = part_of(place)
    remove_left(place.parent)
    try:
        shutil.copy2(path, temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(place)
    finally:
        remove_part(temporary)
