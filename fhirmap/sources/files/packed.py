"""What is compressed, in a `.gz` or an archive, as a stream: not held, and no further than an honest file goes."""

from __future__ import annotations

import gzip
import io
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

from fhirmap.bounded_files import open_regular
from fhirmap.texts import FileRefused, Text

__all__ = ["FREE_BYTES", "MOST_TIMES", "check_ratio", "open_gzip", "open_member"]

MOST_TIMES = 300
"""How many times its packed size a file may have, unpacked. Lines of the same blanks and zeros have some 100 times."""
FREE_BYTES = 200_000_000
"""What any file may have, unpacked, however small it is packed."""
_BUFFER = 1 << 15


def open_gzip(path: Path) -> IO[bytes]:
    """What a `.gz` holds, from its first byte; seekable.

    Raises: ``FileRefused`` for what is no regular file and, while it is read, for what unpacks to far more than it is;
    ``OSError``, ``EOFError``, ``zlib.error``.
    """
    with ExitStack() as stack:
        stored = stack.enter_context(open_regular(path))
        size = stored.seek(0, io.SEEK_END)
        stored.seek(0)
        stream = stack.enter_context(gzip.GzipFile(fileobj=stored, mode="rb"))
        return _buffered(cast(IO[bytes], stream), size, stack.pop_all())


def open_member(path: Path, member: str) -> IO[bytes]:
    """What a member of an archive holds, as `open_gzip` gives it.

    Raises: what `open_gzip` raises; ``zipfile.BadZipFile``, ``KeyError`` where there is none of that name,
    ``NotImplementedError``, ``RuntimeError`` (a password).
    """
    with ExitStack() as stack:
        archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(open_regular(path))))
        size = archive.getinfo(member).compress_size
        stream = stack.enter_context(archive.open(member))
        return _buffered(stream, size, stack.pop_all())


def check_ratio(size: int, packed: int) -> None:
    """Raise ``FileRefused`` where ``packed`` bytes unpack to ``size``, more than any honest file."""
    if size > FREE_BYTES and size > MOST_TIMES * packed:
        raise FileRefused(Text("reasons.unpacks_to_too_much", {"times": MOST_TIMES}))


def _buffered(stream: IO[bytes], packed: int, held: ExitStack) -> IO[bytes]:
    return cast(IO[bytes], io.BufferedReader(_Unpacking(stream, packed, held), _BUFFER))


class _Unpacking(io.RawIOBase):
    """A stream of ``packed`` bytes, unpacked. ``held``: what is closed with it."""

    def __init__(self, stream: IO[bytes], packed: int, held: ExitStack) -> None:
        self._stream = stream
        self._packed = packed
        self._held = held
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = self._stream.seek(offset, whence)
        check_ratio(self._place, self._packed)
        return self._place

    def readinto(self, buffer: object) -> int:
        into = memoryview(cast(bytearray, buffer))
        raw = self._stream.read(len(into))
        into[: len(raw)] = raw
        self._place += len(raw)
        check_ratio(self._place, self._packed)
        return len(raw)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._held.close()
