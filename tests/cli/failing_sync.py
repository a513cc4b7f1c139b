"""A disk that cannot keep what is written to it: `fsync` and `fdatasync` fail with EIO, of files of a name, from one
call on. A library that is loaded before the others answers for the system."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int calls = 0;

static int fails(int fd) {
    const char *name = getenv("FAIL_SYNC_OF"), *from = getenv("FAIL_SYNC_FROM"), *times = getenv("FAIL_SYNC_TIMES");
    char link[64], path[4096];
    if (!name || !from) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (!strstr(path, name)) return 0;
    int number = __sync_add_and_fetch(&calls, 1);
    int first = atoi(from), last = times ? first + atoi(times) : 1 << 30;
    return number >= first && number < last;
}

int fsync(int fd) {
    if (fails(fd)) { errno = EIO; return -1; }
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd) {
    if (fails(fd)) { errno = EIO; return -1; }
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
"""


def compiled(folder: Path) -> Path | None:
    """The library; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source, library = folder / "failing_sync.c", folder / "failing_sync.so"
    source.write_text(SOURCE, encoding="utf-8")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    done = subprocess.run(command, capture_output=True, check=False)
    return library if done.returncode == 0 else None


def failing(library: Path, name: str, first: int, times: int | None = None) -> Mapping[str, str]:
    """The environment of a process whose calls for files with ``name`` in their path fail from the ``first`` on."""
    found = {"LD_PRELOAD": str(library), "FAIL_SYNC_OF": name, "FAIL_SYNC_FROM": str(first)}
    return found | ({"FAIL_SYNC_TIMES": str(times)} if times is not None else {})
