"""Where the secrets of a project are: files that it refers to, and headers that hold a key."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from fhirmap.bounded_files import open_regular
from fhirmap.runner.project import Project

__all__ = ["is_readable_by_all", "may_be_key", "secret_files"]

_HARMLESS_HEADERS = frozenset(
    ("accept", "accept-language", "cache-control", "from", "prefer", "referer", "user-agent", "x-request-id")
)
_NAME_OF_KEY = re.compile(r"auth|key|token|secret|cookie|credential|signature|password|session|subscription")
_LENGTH_OF_KEY = 16


def secret_files(project: Project) -> Iterator[tuple[tuple[str, ...], Path]]:
    """Each, with the setting that names it."""
    auth, tls = project.sink.auth, project.sink.tls
    secrets = [project.source.password, auth.client_secret, auth.private_key, project.sink.proxy]
    secrets += [source.password for source in project.sources.values()]
    secrets += [*project.sink.headers.values(), project.journal.url, project.journal.audit_key]
    secrets += project.journal.encryption_keys
    for secret in secrets:
        if secret is not None and secret.file is not None:
            yield tuple(secret.setting.split(".")), secret.file
    if tls.key is not None:
        yield ("sink", "tls", "key"), tls.key
    elif tls.cert is not None and b"PRIVATE KEY" in _beginning(tls.cert):  # with the key in the same file
        yield ("sink", "tls", "cert"), tls.cert


def _beginning(file: Path) -> bytes:
    try:
        with open_regular(file) as opened:
            return opened.read(1_000_000)
    except OSError:
        return b""


def may_be_key(name: str, value: str) -> bool:
    """Is the value of a header what lets somebody in? By its name, or because it is long and nothing else is known."""
    lowered = name.lower()
    if lowered in _HARMLESS_HEADERS:
        return False
    return bool(_NAME_OF_KEY.search(lowered)) or (len(value) >= _LENGTH_OF_KEY and not re.search(r"\s", value))


def is_readable_by_all(file: Path) -> bool:
    """May every account of the machine read or write it? Where the system knows such rights."""
    try:
        return os.name == "posix" and file.is_file() and bool(file.stat().st_mode & 0o006)
    except OSError:
        return False
