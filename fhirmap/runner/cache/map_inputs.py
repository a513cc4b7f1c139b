"""Everything that a project's compiled maps depend on, as one digest: two that are the same mean the same work.

Contents count, not times: of maps, definitions and the target's file. fhirmap itself and the modules of plug-ins'
functions count by their files' sizes and times, as Python does for the code that it keeps of them. What is not here is
what maps name themselves, code tables and queries: only their analysis knows (`CheckedMaps.named`).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from hashlib import file_digest, sha256
from itertools import chain
from pathlib import Path

from fhirmap.bounded_files import open_regular
from fhirmap.compilation.files import files_of, own_library
from fhirmap.interchange.definition_files import definition_files
from fhirmap.plugins import BUILT_IN, find_plugins
from fhirmap.runner.project import Project
from fhirmap.version import __version__

__all__ = ["map_inputs", "product_state"]

_PACKAGE = Path(__file__).resolve().parent.parent.parent
_UNREAD = frozenset(("__pycache__", "codes", "texts"))
"""Folders of the package that no analysis reads: its texts are looked up when something is shown."""


def map_inputs(project: Project, fhir_version: str | None) -> bytes:
    """The digest of what a project's maps are compiled of. ``fhir_version``: as of `check_project`.

    Raises: OSError where a file or folder cannot be looked at; ConfigError as of `find_plugins`.
    """
    settings = (fhir_version, project.map, sorted(project.severities.items()), project.records)
    seen = sha256(repr((product_state(), _plugins(), settings)).encode())
    for path in _files(project):
        name = str(path).encode("utf-8", "surrogateescape")
        with open_regular(path) as file:
            held = file_digest(file, sha256).digest()
        seen.update(b"%d:%b%b" % (len(name), name, held))
    return seen.digest()


def _files(project: Project) -> Iterator[Path]:
    settings, target = project.map, project.map.target
    yield settings.source
    yield from files_of(settings.imports)
    yield from own_library()
    definitions = settings.definitions
    if target is not None:
        yield from (target.folder / "target.toml", target.map)
        yield from (path for path in (target.operation, target.profile) if path is not None)
        definitions = (*target.definitions, *definitions)
    yield from chain.from_iterable(map(definition_files, definitions))


@cache
def product_state() -> str:
    """fhirmap itself and the Python that runs it. Of a checkout the version alone says too little."""
    return f"{__version__} {_stamp(_PACKAGE)} {sys.version} {sys.implementation.cache_tag} {sys.flags.optimize}"


def _plugins() -> str:
    """Who brings functions, and the modules that hold those which are not fhirmap's own."""
    own = BUILT_IN["fhirmap.functions"]
    found = find_plugins("fhirmap.functions")
    others = {re.split("[.:]", plugin.target)[0] for name, plugin in found.items() if own.get(name) != plugin.target}
    return repr((sorted(map(repr, found.values())), [_module(name) for name in sorted(others)]))


def _module(name: str) -> str:
    from importlib.util import find_spec

    spec = find_spec(name)
    if spec is None:
        return name
    places = [Path(place) for place in spec.submodule_search_locations or ()]
    if places or not spec.origin:
        return repr([_stamp(place) for place in places])
    found = Path(spec.origin).stat()
    return f"{spec.origin} {found.st_size} {found.st_mtime_ns}"


def _stamp(folder: Path) -> str:
    """Sizes and times of the files below a folder."""
    return sha256(repr(sorted(_states(str(folder)))).encode()).hexdigest()


def _states(folder: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_dir():
                found = entry.stat()
                yield entry.path, found.st_size, found.st_mtime_ns
            elif entry.name not in _UNREAD:
                yield from _states(entry.path)
