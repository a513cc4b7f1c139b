"""A disk that cannot keep what is written to it, or a machine that goes off meanwhile: calls of the system for files of
a name fail with an error, or end the process as SIGKILL does, from one call on. A library that is loaded before the
others answers for the system."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int calls = 0;

static int fails_at(const char *kind, const char *path) {
    const char *name = getenv("FAIL_OF"), *from = getenv("FAIL_FROM"), *times = getenv("FAIL_TIMES");
    const char *kinds = getenv("FAIL_CALLS"), *error = getenv("FAIL_WITH");
    if (!name || !from || !kinds || !error || !strstr(kinds, kind) || !strstr(path, name)) return 0;
    int number = __sync_add_and_fetch(&calls, 1);
    int first = atoi(from), last = times ? first + atoi(times) : 1 << 30;
    if (number < first || number >= last) return 0;
    if (!atoi(error)) kill(getpid(), SIGKILL);
    errno = atoi(error);
    return 1;
}

static int fails(const char *kind, int fd) {
    char link[64], path[4096];
    if (!getenv("FAIL_OF")) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails_at(kind, path);
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

int fsync(int fd) { return fails("sync", fd) ? -1 : REAL("fsync", int (*)(int))(fd); }
int fdatasync(int fd) { return fails("sync", fd) ? -1 : REAL("fdatasync", int (*)(int))(fd); }
ssize_t write(int fd, const void *from, size_t size) {
    return fails("write", fd) ? -1 : REAL("write", ssize_t (*)(int, const void *, size_t))(fd, from, size);
}
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    return fails("write", fd) ? -1 : REAL("pwrite", ssize_t (*)(int, const void *, size_t, off_t))(fd, from, size, at);
}
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    return fails("write", fd) ? -1
        : REAL("pwrite64", ssize_t (*)(int, const void *, size_t, off64_t))(fd, from, size, at);
}
int rename(const char *from, const char *to) {
    return fails_at("rename", to) ? -1 : REAL("rename", int (*)(const char *, const char *))(from, to);
}
int renameat(int folder, const char *from, int other, const char *to) {
    return fails_at("rename", to) ? -1
        : REAL("renameat", int (*)(int, const char *, int, const char *))(folder, from, other, to);
}
int unlink(const char *path) {
    return fails_at("unlink", path) ? -1 : REAL("unlink", int (*)(const char *))(path);
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
    """The environment of a process whose `fsync` of files with ``name`` in their path fails from the ``first`` on."""
    return _environment(library, name, first, times, "sync", errno.EIO)


def full(library: Path, name: str, first: int, times: int | None = None) -> Mapping[str, str]:
    """As `failing`: what is written to the files finds no space."""
    return _environment(library, name, first, times, "write", errno.ENOSPC)


def killed(library: Path, name: str, first: int) -> Mapping[str, str]:
    """As `failing`: the process ends in the midst of it, at whatever it does to the files."""
    return _environment(library, name, first, None, "write sync rename unlink", 0)


def _environment(library: Path, name: str, first: int, times: int | None, calls: str, error: int) -> Mapping[str, str]:
    found = {
        "LD_PRELOAD": str(library),
        "FAIL_OF": name,
        "FAIL_FROM": str(first),
        "FAIL_CALLS": calls,
        "FAIL_WITH": str(error),
    }
    return found | ({"FAIL_TIMES": str(times)} if times is not None else {})
