"""Maps as files: their texts, the names they are shown by, and the files that they name themselves."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from fhirmap.analysis.no_folder import OutsideFolder, no_files
from fhirmap.bounded_files import MOST_MAP_BYTES, MOST_NAMED_BYTES, read_bounded
from fhirmap.diagnostics import MapText
from fhirmap.errors import ConfigError
from fhirmap.texts import Text, os_reason

__all__ = [
    "NamedFiles",
    "content_digest",
    "files_of",
    "library",
    "map_name",
    "map_path",
    "own_library",
    "read_beside",
    "read_map",
    "reader_of",
    "shipped_folder",
]

_SHIPPED = "fhirmap/maps/"
"""How the maps that come with fhirmap are named, in every installation alike: the name is shown in diagnostics, in
faults and in generated modules."""


def read_map(path: Path) -> str:
    """The text of a map's file, without a byte order mark.

    Raises: ConfigError FM760 where it cannot be read.
    """
    try:
        text = _bytes_of(path, MOST_MAP_BYTES).decode("utf-8-sig")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise ConfigError("FM760", file=str(path), reason=os_reason(error, "cannot_be_read")) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError("FM760", file=str(path), reason=Text("reasons.not_utf8_line", {"line": line})) from None


def map_name(path: Path) -> str:
    """The name that a map's file is shown by: `fhirmap/maps/…` where fhirmap itself found it there, else as given."""
    shipped = shipped_folder("maps")
    return f"{_SHIPPED}{path.relative_to(shipped).as_posix()}" if path.is_relative_to(shipped) else str(path)


def map_path(name: str) -> Path:
    """The file that `map_name` named."""
    return shipped_folder("maps") / name.removeprefix(_SHIPPED) if name.startswith(_SHIPPED) else Path(name)


def shipped_folder(kind: str) -> Path:
    """`maps` or `examples` of this checkout, or where the wheel keeps them (`fhirmap/_maps`, `fhirmap/_examples`)."""
    package = Path(__file__).resolve().parent.parent
    installed = package / f"_{kind}"
    return installed if installed.is_dir() else package.parent / kind


def library(imports: Iterable[str | Path] = (), *, without: Iterable[Path] = ()) -> tuple[MapText, ...]:
    """Maps that may be imported: those of ``imports`` (files or folders), then fhirmap's own library.

    ``without``: files of ``imports`` that are left out, since a newer text of them is at hand.
    """
    left_out = {path.resolve() for path in without}
    files = (file for file in files_of(imports) if file.resolve() not in left_out)
    given = (MapText(str(file), read_map(file)) for file in files)
    return (*given, *(MapText(map_name(file), read_map(file)) for file in own_library()))


def files_of(imports: Iterable[str | Path]) -> Iterator[Path]:
    """The files of maps that ``imports`` are, or hold as folders."""
    for path in map(Path, imports):
        yield from sorted([*path.glob("**/*.map"), *path.glob("**/*.fml")]) if path.is_dir() else [path]


def own_library() -> list[Path]:
    """The files of the library that fhirmap brings."""
    return sorted((shipped_folder("maps") / "lib").glob("*.map"))


def read_beside(name: str, file: str, allowed: Iterable[Path] = ()) -> bytes:
    """A file that a map names: it is in the map's folder, or in one of the folders ``allowed``, or below.

    Raises: ``OSError``; ``OutsideFolder`` for a file that is elsewhere, which is not opened.
    """
    return _named(map_path(name).parent, file, allowed)


def reader_of(
    folders: Mapping[str, Path], unnamed: Collection[str] = (), allowed: Iterable[Path] = ()
) -> Callable[[str, str], bytes]:
    """As `read_beside`, with ``folders``: name of a map -> the folder that replaces its own.

    ``unnamed``: maps that are texts without a file, and so without a folder.
    """
    others = tuple(allowed)

    def read(name: str, file: str) -> bytes:
        if name in unnamed:
            return no_files(name, file)
        folder = folders.get(name)
        return read_beside(name, file, others) if folder is None else _named(folder, file, others)

    return read


def _named(folder: Path, file: str, allowed: Iterable[Path]) -> bytes:
    if "\0" in file:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), file)
    # Where links lead counts, not what they are called.
    place, roots = (folder / file).resolve(), [root.resolve() for root in (folder, *allowed)]
    around = next((root for root in roots if place.is_relative_to(root)), None)
    if around is None:
        raise OutsideFolder("outside")
    if any(part.startswith(".") for part in place.relative_to(around).parts):
        raise OutsideFolder("hidden")  # secrets are kept in such files, and no table is
    return _bytes_of(place, MOST_NAMED_BYTES)


class NamedFiles:
    """Reads the files that maps name, and remembers what each held: ``digests`` by (name of the map, file as it names
    it). One that cannot be read has the digest of nothing at all, which is empty."""

    def __init__(self, read: Callable[[str, str], bytes]) -> None:
        self._read = read
        self.digests: dict[tuple[str, str], bytes] = {}

    def __call__(self, name: str, file: str) -> bytes:
        """As of `read_beside`. Raises: ``OSError``."""
        self.digests[name, file] = b""
        content = self._read(name, file)
        self.digests[name, file] = content_digest(content)
        return content


def content_digest(content: bytes) -> bytes:
    """What two contents share only where they are the same."""
    return sha256(content).digest()


def _bytes_of(path: Path, most: int) -> bytes:
    """What a file holds (`read_bounded`). Raises: ``OSError``, also for what can be no file's name."""
    if "\0" in str(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return read_bounded(path, most)
