"""fhirmap: FHIR Mapping Language compiled to Python, for hospitals.

Shape: `compile_map(path)` gives a `Transformer`; called with a record (a dict) it gives a `Result` with the resource (a
dict), notes and faults. All that these functions take, return or raise is exported here; what plug-ins implement is in
`fhirmap.extending`, what tests them in `fhirmap.testing`. Names are resolved on first use, so that importing the
package costs nothing.
"""

from __future__ import annotations

from fhirmap.version import __version__ as __version__

# Not imported from `typing`: that alone would be a third of what importing fhirmap may cost.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from fhirmap.compilation.maps import check, compile_map, parse
    from fhirmap.compilation.mapset import MapSet, Runnable
    from fhirmap.compilation.program import CheckedMaps
    from fhirmap.compiler.validator.contract import Contract, contract_of
    from fhirmap.diagnostics.diagnostic import Diagnostic, Related, Severity
    from fhirmap.diagnostics.span import MapText, Span
    from fhirmap.diagnostics.subject import Cause, Subject, SubjectKind
    from fhirmap.errors import (
        ConfigError,
        DeliveryError,
        DiagnosedError,
        FhirmapError,
        InternalError,
        JournalError,
        MapError,
        ProjectError,
        RecordError,
        TransformFailed,
        ValidationFailed,
    )
    from fhirmap.interchange.packages import load_definitions
    from fhirmap.language.nodes import Map
    from fhirmap.model.definition import Constraint, Definitions, Operation, Structure
    from fhirmap.model.library_model import as_model
    from fhirmap.records import (
        Envelope,
        Fault,
        Issue,
        Note,
        ReadRecord,
        Receipt,
        ReceiptState,
        Record,
        Result,
        Unmapped,
    )
    from fhirmap.runner.engine import compile_project
    from fhirmap.runner.project import Project
    from fhirmap.runner.project_file import load_project
    from fhirmap.runtime.functions import function
    from fhirmap.runtime.transformer import Transformer
    from fhirmap.signatures import FunctionParameter, FunctionSignature, ValueType
    from fhirmap.source_plan import (
        AttributeRows,
        Child,
        ChildKind,
        Order,
        Repetition,
        RowLayout,
        SourceColumn,
        SourceKind,
        SourcePlan,
    )
    from fhirmap.texts import Listing, Text

_MODULES = {
    "fhirmap.compilation.maps": ("check", "compile_map", "parse"),
    "fhirmap.compilation.mapset": ("MapSet", "Runnable"),
    "fhirmap.compilation.program": ("CheckedMaps",),
    "fhirmap.compiler.validator.contract": ("Contract", "contract_of"),
    "fhirmap.diagnostics.diagnostic": ("Diagnostic", "Related", "Severity"),
    "fhirmap.diagnostics.span": ("MapText", "Span"),
    "fhirmap.diagnostics.subject": ("Cause", "Subject", "SubjectKind"),
    "fhirmap.errors": (
        "ConfigError",
        "DeliveryError",
        "DiagnosedError",
        "FhirmapError",
        "InternalError",
        "JournalError",
        "MapError",
        "ProjectError",
        "RecordError",
        "TransformFailed",
        "ValidationFailed",
    ),
    "fhirmap.language.nodes": ("Map",),
    "fhirmap.model.definition": ("Constraint", "Definitions", "Operation", "Structure"),
    "fhirmap.model.library_model": ("as_model",),
    "fhirmap.interchange.packages": ("load_definitions",),
    "fhirmap.records": (
        "Envelope",
        "Fault",
        "Issue",
        "Note",
        "ReadRecord",
        "Receipt",
        "ReceiptState",
        "Record",
        "Result",
        "Unmapped",
    ),
    "fhirmap.runner.engine": ("compile_project",),
    "fhirmap.runner.project": ("Project",),
    "fhirmap.runner.project_file": ("load_project",),
    "fhirmap.runtime.functions": ("function",),
    "fhirmap.signatures": ("FunctionParameter", "FunctionSignature", "ValueType"),
    "fhirmap.runtime.transformer": ("Transformer",),
    "fhirmap.texts": ("Listing", "Text"),
    "fhirmap.source_plan": (
        "AttributeRows",
        "Child",
        "ChildKind",
        "Order",
        "Repetition",
        "RowLayout",
        "SourceColumn",
        "SourceKind",
        "SourcePlan",
    ),
}
"""Where each public name is defined."""

_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AttributeRows",
    "Cause",
    "CheckedMaps",
    "Child",
    "ChildKind",
    "ConfigError",
    "Constraint",
    "Contract",
    "Definitions",
    "DeliveryError",
    "DiagnosedError",
    "Diagnostic",
    "Envelope",
    "Fault",
    "FhirmapError",
    "FunctionParameter",
    "FunctionSignature",
    "InternalError",
    "Issue",
    "JournalError",
    "Listing",
    "Map",
    "MapError",
    "MapSet",
    "MapText",
    "Note",
    "Operation",
    "Order",
    "Project",
    "ProjectError",
    "ReadRecord",
    "Receipt",
    "ReceiptState",
    "Record",
    "RecordError",
    "Related",
    "Repetition",
    "Result",
    "RowLayout",
    "Runnable",
    "Severity",
    "SourceColumn",
    "SourceKind",
    "SourcePlan",
    "Span",
    "Structure",
    "Subject",
    "SubjectKind",
    "Text",
    "TransformFailed",
    "Transformer",
    "Unmapped",
    "ValidationFailed",
    "ValueType",
    "as_model",
    "check",
    "compile_map",
    "compile_project",
    "contract_of",
    "function",
    "load_definitions",
    "load_project",
    "parse",
]


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'fhirmap' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
