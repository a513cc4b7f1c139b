"""A fault of a record as plain data, for outputs that programs read."""

from __future__ import annotations

from typing import Any

from fhirmap.diagnostics import Diagnostic
from fhirmap.records import Fault

__all__ = ["fault_to_data"]


def fault_to_data(fault: Fault) -> dict[str, Any]:
    """The fault with its message in the current language."""
    shown_fault = Diagnostic(fault.code, args=fault.args, variant=fault.variant)
    return {
        "code": fault.code,
        "severity": fault.severity,
        "rule": fault.rule,
        "path": fault.path,
        "element": fault.element,
        "message": shown_fault.message,
        "position": fault.position,
        "columns": list(fault.columns),
    }
