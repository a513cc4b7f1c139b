"""Which files an address means: one, those of a folder or of a pattern, the members of an archive."""

from __future__ import annotations

import gzip
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

from fhirmap.bounded_files import open_regular
from fhirmap.errors import ConfigError
from fhirmap.sources.address import Address
from fhirmap.sources.files.packed import open_gzip, open_member
from fhirmap.texts import FileRefused, Text, os_reason

__all__ = ["FileListing", "FileSet", "SourceFile", "Stamp", "reading"]

Stamp = tuple[int, int]
"""Size of a file and time of its last change, in ns."""

_MEMBER = "!"
"""Between an archive and a pattern of its members: `export.zip!*.csv`."""
_PATTERN = "*?["
_UNFINISHED = frozenset({".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".swp", ".lock"})
"""Suffixes that programs give to files while they write them."""
_PACKED = frozenset({".zip", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".zst"})
"""Suffixes of what a member of an archive would have to be unpacked from once more."""
_QUIET_NS = 2_000_000_000
"""A file of a folder that was changed since (two seconds) may be one that is being written."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to read. ``name``: as origins show it; ``shown``: as messages about the source show it.

    ``member``: its name in the archive that ``path`` is.
    """

    path: Path
    name: str
    shown: str
    member: str = ""

    @property
    def inner_suffix(self) -> str:
        """The suffix of what is read, lower case: of the member, or of what a `.gz` holds."""
        path = Path(self.member) if self.member else self.path
        return (Path(path.stem) if path.suffix.lower() == ".gz" else path).suffix.lower()

    @property
    def is_packed(self) -> bool:
        """Is it in an archive, or compressed: cheap to read from the first byte on, and not here and there?"""
        return bool(self.member) or self.path.suffix.lower() == ".gz"

    def open(self) -> IO[bytes]:
        """Its bytes, unpacked, from the first; seekable. Raises: what `reading` translates."""
        if self.path.suffix.lower() == ".gz" and not self.member:
            return open_gzip(self.path)
        if not self.member:
            return open_regular(self.path)
        if Path(self.member).suffix.lower() in _PACKED:
            raise _PackedTwiceError
        return open_member(self.path, self.member)

    def stamp(self) -> Stamp:
        """What changes when the file does. Raises: OSError."""
        status = self.path.stat()
        return status.st_size, status.st_mtime_ns


class _PackedTwiceError(Exception):
    """A member of an archive is an archive itself."""


@contextmanager
def reading(file: SourceFile) -> Iterator[None]:
    """What goes wrong while a file is opened, unpacked or read, as FM701 (it is not there) or FM702."""
    try:
        yield
    except FileNotFoundError:
        raise ConfigError("FM701", source=file.shown, path=str(file.path)) from None
    except _PackedTwiceError:
        raise ConfigError("FM702", variant="packed", source=file.shown) from None
    except gzip.BadGzipFile:  # an OSError, but no fault of the system
        raise _damaged(file) from None
    except FileRefused as error:
        raise ConfigError("FM702", variant="refused", source=file.shown, reason=error.reason) from None
    except OSError as error:
        is_folder = isinstance(error, IsADirectoryError)
        reason = Text("reasons.is_folder") if is_folder else os_reason(error, "cannot_be_read")
        raise ConfigError("FM702", source=file.shown, reason=reason) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, RecursionError) or not file.is_packed:
            raise
        raise _damaged(file) from None


def _damaged(file: SourceFile) -> ConfigError:
    """Neither a word of the archive nor its password is in the message."""
    return ConfigError("FM702", variant="damaged", source=file.shown, reason=Text("reasons.archive_broken"))


@dataclass(frozen=True, slots=True)
class FileListing:
    """The files of one reading, in the order of their names; those that are being written, for the next one."""

    files: tuple[SourceFile, ...]
    unfinished: tuple[str, ...] = ()


class FileSet:
    """The files of an address, listed again for each reading.

    ``is_several``: it is a folder, a pattern or an archive, where one broken file costs itself alone.
    """

    def __init__(self, address: Address) -> None:
        self._shown = address.shown
        self._may_be_empty = address.may_be_empty
        self._path = address.path or Path(address.url)
        archive, mark, members = str(self._path).partition(f".zip{_MEMBER}")
        self._members = members
        if mark:
            self._path = Path(f"{archive}.zip")
        is_pattern = any(sign in str(self._path) for sign in _PATTERN) and not self._path.exists()
        self._pattern = self._path if is_pattern else self._path / "*" if self._path.is_dir() else None
        self.is_several = self._pattern is not None or _is_archive(self._path)

    @property
    def root(self) -> Path | None:
        """The folder that is read, or the one above the first part of a path that is a pattern; None of one file."""
        if self._pattern is None:
            return None
        return self._path if self._pattern is not self._path else _root(self._path)

    def may_list(self, folder: Path) -> bool:
        """Might files of ``folder``, or of those below it, be among those that are read?"""
        if self._pattern is None or self.root is None:
            return False
        root, place = self.root.resolve(), folder.resolve()
        parts = self._pattern.relative_to(self.root).parts
        return place == root or ((len(parts) > 1 or parts[0] == "**") and root in place.parents)

    def reads(self, path: Path) -> bool:
        """Is ``path`` the file, one of the files, or a folder that has files that are read?"""
        place, first = path.resolve(), (self.root or self._path).resolve()
        if place == first or place in first.parents:
            return True
        if self._pattern is None:
            return False
        return self.may_list(path) or place in (found.resolve() for found in _matching(self._pattern))

    def listing(self) -> FileListing:
        """The files that are there now. One that was changed just now is looked at again a moment later, and left out
        if it has changed; so are those with the suffix of an unfinished one (`.part`), and hidden ones without a word.

        Raises: ConfigError FM701 (no file, or no member), FM702 (the archive that the address is cannot be read).
        """
        if self._pattern is None:
            return FileListing(tuple(self._unpacked(self._path, self._path.name)))
        found = {path: _stamp(path) for path in _matching(self._pattern)}
        youngest = min((time.time_ns() - stamp[1] for stamp in found.values() if stamp), default=-1)
        if 0 <= youngest < _QUIET_NS:
            time.sleep((_QUIET_NS - youngest) / 1e9)
        whole = [path for path, stamp in found.items() if not _is_unfinished(path) and _stamp(path) == stamp]
        if not found and not (self._may_be_empty and self.root is not None and self.root.is_dir()):
            raise ConfigError("FM701", source=self._shown, path=str(self._path), variant="files")
        root = self.root
        assert root is not None
        files = [file for path in whole for file in self._of_several(path, path.relative_to(root).as_posix())]
        left = sorted(path.relative_to(root).as_posix() for path in set(found).difference(whole))
        return FileListing(tuple(files), tuple(left))

    def _of_several(self, path: Path, name: str) -> list[SourceFile]:
        """What a file of a folder has to read; an archive that cannot be opened as a member that nothing can open."""
        try:
            return list(self._unpacked(path, name))
        except ConfigError as error:
            if error.code != "FM702":
                raise
            return [SourceFile(path, name, f"{self._shown}: {name}", "?")]

    def _unpacked(self, path: Path, name: str) -> Iterator[SourceFile]:
        """The file, or the members of the archive that it is."""
        if not _is_archive(path):
            yield SourceFile(path, name, f"{self._shown}: {name}" if self.is_several else self._shown)
            return
        archive = SourceFile(path, name, self._shown if self._pattern is None else f"{self._shown}: {name}", "?")
        with reading(archive), open_regular(path) as stored, zipfile.ZipFile(stored) as opened:
            members = sorted(entry.filename for entry in opened.infolist() if not entry.is_dir())
        wanted = [member for member in members if self._is_wanted(member)]
        if not wanted:
            raise ConfigError("FM701", source=archive.shown, path=str(path), variant="members")
        for member in wanted:
            yield SourceFile(path, f"{name}{_MEMBER}{member}", f"{archive.shown}{_MEMBER}{member}", member)

    def _is_wanted(self, member: str) -> bool:
        is_hidden = any(part.startswith((".", "__")) for part in member.split("/"))
        return not is_hidden and (not self._members or fnmatchcase(member, self._members))


def _matching(pattern: Path) -> Iterator[Path]:
    """The files of a pattern in the order of their names, hidden ones left out."""
    root = _root(pattern)
    for path in sorted(root.glob(pattern.relative_to(root).as_posix())):
        if path.is_file() and not path.name.startswith((".", "~$")):
            yield path


def _root(pattern: Path) -> Path:
    """The folder above the first part of a path that is a pattern."""
    return next(parent for parent in (pattern, *pattern.parents) if not any(sign in str(parent) for sign in _PATTERN))


def _is_archive(path: Path) -> bool:
    return path.suffix.lower() == ".zip"


def _is_unfinished(path: Path) -> bool:
    return path.suffix.lower() in _UNFINISHED


def _stamp(path: Path) -> Stamp | None:
    """None for a file that has gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
