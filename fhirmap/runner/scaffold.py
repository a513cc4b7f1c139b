"""`fhirmap init`: a project folder to start from, or a copy of a shipped establishment."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from fhirmap.compilation.files import shipped_folder
from fhirmap.diagnostics import suggestion
from fhirmap.errors import ConfigError
from fhirmap.inspection.inspection import inspect_source
from fhirmap.runner.atomic_file import write_atomically
from fhirmap.runner.first_map import first_goal, first_map
from fhirmap.runner.project_file import FILE
from fhirmap.runner.target import find_target, shipped
from fhirmap.sources import plugin_schemes
from fhirmap.sources.address import Address, mask, parse_address
from fhirmap.texts import os_reason, text

__all__ = ["copy_example", "init_project"]

_LEFT_OUT = shutil.ignore_patterns("journal.db*", "*.db-wal", "*.db-shm", "reports", "__pycache__", "*.part")
_IGNORED = "journal.db*\nreports/\n"


def copy_example(name: str, folder: Path) -> Path:
    """A copy of a shipped establishment in ``folder``, ready to run.

    Raises: ConfigError FM747 (no such example), FM746 (the folder holds something), FM744.
    """
    known = shipped("examples", FILE)
    if name not in known:
        raise ConfigError("FM747", example=name, **suggestion(name, known))
    _must_be_free(folder)
    try:
        shutil.copytree(shipped_folder("examples") / name, folder, dirs_exist_ok=True, ignore=_LEFT_OUT)
    except (OSError, shutil.Error) as error:
        raise _unwritable(folder, error) from None
    return folder


def init_project(
    folder: Path, source_url: str | None = None, table: str | None = None, target: str | None = None
) -> tuple[Path, ...]:
    """The files of a new project in ``folder``: one that `check` accepts, its map written from ``source_url``'s layout.

    ``target``: a shipped target or a folder; by default the one that `maps/lib/init.toml` names.
    Without a source there is a small sample to look at. A password in the URL is not written: the file refers to a
    variable in its place.
    Raises: ConfigError FM746, FM744, FM740 (no such target), FM70x, FM703, FM750, FM751 (source).
    """
    _must_be_free(folder)
    name = re.sub(r"[^a-z0-9-]+", "-", folder.resolve().name.lower()).strip("-") or "project"
    goal = first_goal()
    target = target or goal.target
    find_target(target, folder)
    if source_url is None:
        copy_example(goal.sample, folder)
        file = folder / FILE
        text = re.sub(r'(?m)^name = ".*"$', f'name = "{name}"', file.read_text(encoding="utf-8"))
        _write({FILE: re.sub(r'(?m)^target = ".*"$', f'target = "{target}"', text), ".gitignore": _IGNORED}, folder)
        return tuple(sorted(entry for entry in folder.rglob("*") if entry.is_file()))
    address = parse_address(source_url, schemes=plugin_schemes())
    sketches = inspect_source(address, table, taken=goal.taken)
    files = {
        FILE: _project_text(name, _written_url(address, source_url, folder), target),
        f"{name}.map": first_map(name, sketches, goal),
        ".gitignore": _IGNORED,
    }
    _write(files, folder)
    return tuple(folder / relative for relative in files)


def _write(files: Mapping[str, str], folder: Path) -> None:
    try:
        for relative, text in files.items():
            write_atomically(folder / relative, text.encode())
    except OSError as error:
        raise _unwritable(folder, error) from None


def _must_be_free(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError("FM746", folder=str(folder))


def _unwritable(folder: Path, error: OSError | shutil.Error) -> ConfigError:
    return ConfigError("FM744", path=str(folder), reason=os_reason(error, "not_writable"))


def _written_url(address: Address, given: str, folder: Path) -> str:
    """The source as the project file names it: files from its folder, a password by reference."""
    scheme = f"{address.kind}://" if address.kind in plugin_schemes() else ""
    # What comes after the scheme of a plug-in need not be a file.
    if address.path is not None and (not scheme or address.path.exists()):
        path = address.path.resolve()
        return scheme + Path(os.path.relpath(path, folder.resolve())).as_posix()
    return mask(given).replace(":***@", ":${SOURCE_PASSWORD}@")


def _project_text(name: str, source: str, target: str) -> str:
    return f"""\
[project]
name = "{name}"

[map]
source = "{name}.map"
# {text("scaffold.target")}
target = "{target}"

[source]
url = {_toml(source)}

[sink]
# {text("scaffold.sink")}
#   url = "https://…"
#   [sink.auth]
#   kind = "client_credentials"
#   token_url = "https://…/connect/token"
#   client_id = "{name}"
#   client_secret = "${{CLIENT_SECRET}}"
url = "simulator"

[journal]
path = "journal.db"
"""


def _toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
