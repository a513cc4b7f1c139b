"""fhirmap: FHIR Mapping Language compiled to Python, for hospitals.

Shape: `compile_map(path)` gives a `Transformer`; called with a record (a dict) it gives a `Result` with the resource (a
dict), notes and faults. Names are resolved on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from fhirmap.version import __version__ as __version__

# Not imported from `typing`: that alone would be a third of what importing fhirmap may cost.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from fhirmap.embedding import check, compile_map, compile_stages, parse
    from fhirmap.errors import FhirmapError, MapError
    from fhirmap.model.library_model import as_model
    from fhirmap.records import Fault, Note, Record, Result
    from fhirmap.runner.engine import compile_project
    from fhirmap.runner.project import load_project
    from fhirmap.runtime.transformer import Transformer

_HOMES = {
    "Fault": "fhirmap.records",
    "FhirmapError": "fhirmap.errors",
    "MapError": "fhirmap.errors",
    "Note": "fhirmap.records",
    "Record": "fhirmap.records",
    "Result": "fhirmap.records",
    "Transformer": "fhirmap.runtime.transformer",
    "as_model": "fhirmap.model.library_model",
    "check": "fhirmap.embedding",
    "compile_map": "fhirmap.embedding",
    "compile_project": "fhirmap.runner.engine",
    "compile_stages": "fhirmap.embedding",
    "load_project": "fhirmap.runner.project",
    "parse": "fhirmap.embedding",
}

__all__ = [
    "Fault",
    "FhirmapError",
    "MapError",
    "Note",
    "Record",
    "Result",
    "Transformer",
    "as_model",
    "check",
    "compile_map",
    "compile_project",
    "compile_stages",
    "load_project",
    "parse",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'fhirmap' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
