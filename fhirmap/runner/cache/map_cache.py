"""What was found of a project's maps, kept for the next command: in a folder of the user's own (`private_folder`), a
file for each part. It can be deleted at any time; what is not there, or does not fit, is found again."""

from __future__ import annotations

import io
import marshal
import pickle
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from types import CodeType
from typing import Any, TypeVar

from fhirmap.compilation.files import content_digest, read_beside
from fhirmap.errors import ConfigError
from fhirmap.runner.cache.map_inputs import map_inputs
from fhirmap.runner.cache.private_folder import PrivateFolder, user_folder
from fhirmap.runner.project import Project

__all__ = ["MapCache"]

_Value = TypeVar("_Value")
_Named = Mapping[tuple[str, str], bytes]
"""Digests of files that maps name, by name of the map and of the file; empty for one that cannot be read."""


class MapCache:
    """The parts of a project's work, by name. ``fhir_version``: as of `check_project`."""

    def __init__(self, project: Project, fhir_version: str | None) -> None:
        self._project = project
        self._fhir_version = fhir_version
        folder = user_folder()
        self._files = PrivateFolder(folder) if folder is not None else None

    def get(self, part: str, kind: type[_Value]) -> _Value | None:
        """A part that was kept of the same maps, definitions, functions and version; None where there is none."""
        content = self._files.read(self._file(part)) if self._files is not None and self._inputs else None
        if content is None or not content.startswith(self._inputs):
            return None
        # What a pickle holds is run: `PrivateFolder` says whose it is.
        named, value = pickle.loads(content[len(self._inputs) :])  # noqa: S301
        return value if isinstance(value, kind) and all(self._is_same(*entry) for entry in named.items()) else None

    def put(self, part: str, value: object, named: _Named) -> None:
        """Keep a part. ``named``: the files that the maps name, as they were read.

        What changed while it was worked on is not kept.
        """
        if self._files is None or not self._inputs or self._inputs != self._current_inputs():
            return
        content = io.BytesIO()
        _Pickler(content, pickle.HIGHEST_PROTOCOL).dump((dict(named), value))
        self._files.write(self._file(part), self._inputs + content.getvalue())

    @cached_property
    def _inputs(self) -> bytes:
        """The digest of what the maps are made of, before anything is read of them; empty where they cannot be."""
        return self._current_inputs()

    def _current_inputs(self) -> bytes:
        try:
            return map_inputs(self._project, self._fhir_version)
        except (OSError, ConfigError):
            return b""  # whoever reads it next says what is wrong

    def _is_same(self, place: tuple[str, str], digest: bytes) -> bool:
        try:
            return content_digest(read_beside(*place, self._project.map_folders)) == digest
        except OSError:
            return digest == b""

    def _file(self, part: str) -> str:
        """One file a part, however often the maps change. Where the project is named in another way, its files are,
        too, in everything that is said of them."""
        name = (str(self._project.file.absolute()), str(self._project.file), self._fhir_version)
        return f"{sha256(repr(name).encode()).hexdigest()[:32]}.{part}"


class _Pickler(pickle.Pickler):
    """Writes code, too."""

    def reducer_override(self, value: object) -> Any:  # noqa: ANN401 - as pickle has it
        if isinstance(value, CodeType):
            return marshal.loads, (marshal.dumps(value),)
        return NotImplemented
