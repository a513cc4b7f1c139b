"""A file of an archive, unpacked for as long as it is read here and there."""

from __future__ import annotations

import io
import os
import shutil
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, cast

from fhirmap.sources.files.source_files import SourceFile, reading

__all__ = ["UnpackedFile", "unpacked"]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class UnpackedFile(SourceFile):
    """A member of an archive or the contents of a `.gz`, in a temporary file that has no name.

    No one else can read that file, and it is gone when it is closed or the process ends.
    """

    held: IO[bytes] = field(default_factory=io.BytesIO, compare=False)
    lock: Lock = field(default_factory=Lock, compare=False)

    def open(self) -> IO[bytes]:
        """Its bytes, from the first; seekable without unpacking again."""
        return cast(IO[bytes], io.BufferedReader(_SharedBytes(self.held, self.lock)))

    def close(self) -> None:
        """Forget what was unpacked; more than once does no harm."""
        self.held.close()


def unpacked(file: SourceFile) -> SourceFile:
    """The file itself, or what it holds, unpacked: an `UnpackedFile`.

    Raises: ConfigError FM701, FM702.
    """
    if not file.is_packed:
        return file
    held = TemporaryFile(prefix="fhirmap-")  # noqa: SIM115 - open until `close`
    try:
        with reading(file), file.open() as stream:
            shutil.copyfileobj(stream, held, _CHUNK)
            held.flush()
    except BaseException:
        held.close()
        raise
    return UnpackedFile(file.path, file.name, file.shown, file.member, held)


class _SharedBytes(io.RawIOBase):
    """The bytes of a file that is open once, read from a place of its own."""

    def __init__(self, held: IO[bytes], lock: Lock) -> None:
        self._held = held
        self._lock = lock
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with self._lock:
            end = self._held.seek(0, os.SEEK_END)
        self._at = offset + (0, self._at, end)[whence]
        return self._at

    def readinto(self, buffer: object) -> int:
        into = memoryview(cast(bytearray, buffer))
        with self._lock:
            self._held.seek(self._at)
            raw = self._held.read(len(into))
        into[: len(raw)] = raw
        self._at += len(raw)
        return len(raw)
