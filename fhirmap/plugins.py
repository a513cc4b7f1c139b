"""Plug-ins: entry points of installed distributions, looked up on demand into an explicit mapping. Nothing is loaded on
import.

Groups: ``fhirmap.functions`` (modules of functions that maps call), ``fhirmap.sources`` (what reads an address's
scheme), ``fhirmap.sinks`` (what opens a sink). Built-ins come through the same door; where fhirmap runs from a checkout
that is not installed, or was installed before an entry was added, the built-ins are known all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from fhirmap.errors import ConfigError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["BUILT_IN", "Plugin", "find_plugins", "load", "names"]

Loaded: TypeAlias = Any
"""What an entry point names: a module of functions, or what opens a source or a sink."""

BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "fhirmap.functions": {
        "identity": "fhirmap.functions.identity",
        "udi": "fhirmap.functions.udi",
        "bundle": "fhirmap.functions.bundle",
        "dates": "fhirmap.functions.dates",
        "text_parts": "fhirmap.functions.text_parts",
    },
    "fhirmap.sources": {
        "sql": "fhirmap.sources.sql_table:SqlTable",
        "file": "fhirmap.sources.files.file_source:FileSource",
    },
    "fhirmap.sinks": {
        "fhir-operation": "fhirmap.sinks.fhir_operation:open_sink",
        "fhir-transaction": "fhirmap.sinks.fhir_transaction:open_sink",
        "ndjson": "fhirmap.sinks.ndjson_file:open_sink",
        "parquet": "fhirmap.sinks.parquet_folder:open_sink",
        "stdout": "fhirmap.sinks.standard_output:open_sink",
    },
}


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry: its name, what it names (``module`` or ``module:attribute``), and who brings it."""

    name: str
    target: str
    distribution: str


def find_plugins(group: str) -> dict[str, Plugin]:
    """The entries of ``group`` by name, none loaded.

    Raises: ConfigError FM748 where two distributions offer different things under one name.
    """
    found = {name: Plugin(name, target, "fhirmap") for name, target in BUILT_IN.get(group, {}).items()}
    for entry in _installed():
        if entry.group != group:
            continue
        plugin = Plugin(entry.name, entry.value, _distribution(entry))
        other = found.setdefault(entry.name, plugin)
        if other.target != plugin.target:
            raise ConfigError(
                "FM748", name=entry.name, group=group, first=other.distribution, second=plugin.distribution
            )
    return found


@cache
def _installed() -> tuple[EntryPoint, ...]:
    """Entry points of every distribution that can be imported, looked up once: each look reads all their files."""
    if not _others_have_plugins():
        return ()
    from importlib.metadata import entry_points

    return tuple(entry for group in BUILT_IN for entry in entry_points(group=group))


def _others_have_plugins() -> bool:
    """Does a distribution other than fhirmap name one of our groups?

    Loading `importlib.metadata` is a twentieth of `check` and `preview`, and most hospitals have no plug-in. What
    cannot be looked into here (a zip on the path) counts as having one.
    """
    for place in map(Path, dict.fromkeys(sys.path)):
        if place.is_file():
            return True
        for file in (*place.glob("*.dist-info/entry_points.txt"), *place.glob("*.egg-info/entry_points.txt")):
            if not file.parent.name.startswith("fhirmap-") and b"[fhirmap." in file.read_bytes():
                return True
    return False


def names(group: str) -> tuple[str, ...]:
    """Names of the entries of ``group``, in order."""
    return tuple(sorted(find_plugins(group)))


def load(plugin: Plugin) -> Loaded:
    """What the entry names, imported.

    Raises: ConfigError FM749 where it cannot be.
    """
    module, _, attribute = plugin.target.partition(":")
    try:
        loaded = import_module(module)
        return getattr(loaded, attribute) if attribute else loaded
    except (ImportError, AttributeError) as error:
        reason = type(error).__name__
        raise ConfigError(
            "FM749", name=plugin.name, target=plugin.target, distribution=plugin.distribution, reason=reason
        ) from None


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "an unknown distribution"
