"""The table of a release's base types, as text: parsed type by type, when one is first needed."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from fhirmap.fhir_types import PRIMITIVES

Row = tuple[str, int, int, list[str], list[str] | None, list[str]]
"""One element of a type: name (`value[x]`), minimum, maximum (0 is no limit), types, codes of a required binding,
targets of references."""


class BaseTypeTable:
    """The elements of every type of one FHIR release."""

    def __init__(self, version: str) -> None:
        self._text = files("fhirmap").joinpath("tables", f"{version.lower()}.ndjson").read_text(encoding="utf-8")
        self._levels: dict[str, list[Row]] = {}
        self._kinds: dict[str, str] = {}

    def rows(self, name: str) -> list[Row] | None:
        """The elements of a type or of a backbone (`Patient.contact`); None for a name that FHIR does not know."""
        if name in PRIMITIVES:
            return _primitive(name)
        if name not in self._levels:
            found = self._line(name.partition(".")[0])
            if found is None:
                return None
            root, kind, _, _, levels = json.loads(found)
            self._kinds[root] = kind
            self._levels.update(levels)
        return self._levels.get(name)

    def is_resource(self, name: str) -> bool:
        """Is it the name of a resource type?"""
        return self.rows(name) is not None and self._kinds.get(name) == "resource"

    def _line(self, root: str) -> str | None:
        opening = f'["{root}",'
        start = 0 if self._text.startswith(opening) else self._text.find("\n" + opening) + 1
        if start == 0 and not self._text.startswith(opening):
            return None
        return self._text[start : self._text.index("\n", start)]


def _primitive(name: str) -> list[Row]:
    """A primitive as an object of its own, which the result of a map may be: its value, and what is beside it."""
    # Spec: FHIR R4, narrative.html: markup has no extensions.
    extensions: list[Row] = [] if name == "xhtml" else [("extension", 0, 0, ["Extension"], None, [])]
    return [("id", 0, 1, ["string"], None, []), *extensions, ("value", 0, 1, [name], None, [])]


@cache
def table_of(version: str) -> BaseTypeTable:
    """The table of a release, once for a process."""
    return BaseTypeTable(version)
