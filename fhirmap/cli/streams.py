"""Standard output and standard error that may be closed, full, or a pipe whose reader has gone. Loads no library.

What a command writes on standard error accompanies its work: where it cannot be written, the work goes on. What it
writes on standard output may be all that it is for: that is said, and `run` alone has done its work by then.
"""

from __future__ import annotations

import errno
import io
import os
import sys

__all__ = ["drop_standard_output", "is_output_lost", "keep_streams_open"]


_FULL = frozenset({errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EBADF, getattr(errno, "EDQUOT", errno.ENOSPC)})


class _Forgiving(io.RawIOBase):
    """A file descriptor; what it does not take is dropped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        """It is written to, or pretends to be."""
        return True

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Is it a terminal?"""
        return os.isatty(self._descriptor)

    def write(self, data: object) -> int:
        """All of ``data``, or as much as is taken."""
        content = memoryview(data)  # type: ignore[arg-type]
        try:
            return os.write(self._descriptor, content)
        except OSError:
            return len(content)


def keep_streams_open() -> None:
    """Makes this process's streams safe: none is closed, and errors of standard error stop nothing.

    A file that is opened while descriptor 2 is closed would get that number, and whatever a library writes on standard
    error.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), encoding="utf-8")
    if os.name == "nt":  # a console of Windows has a stream of its own kind
        return
    encoding = sys.stderr.encoding if sys.stderr is not None else "utf-8"
    buffer = io.BufferedWriter(_Forgiving(2))
    sys.stderr = io.TextIOWrapper(buffer, encoding=encoding, errors="backslashreplace", line_buffering=True)


def is_output_lost(fault: OSError) -> bool:
    """Is ``fault`` one of standard output? It does not name what it is about: another line shows it."""
    if fault.filename is not None or fault.errno not in _FULL:
        return False
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError:
        return True
    return False


def drop_standard_output() -> None:
    """What is still to be written goes nowhere; else Python would try again when it ends, and say so."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):  # a test's own
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
