"""Diagnostics: positions, the diagnostic value, its catalogue of codes, and how it is shown.

A diagnostic is data. Whoever finds a fault builds a `Diagnostic`; only `render` turns one into text for people.
Standard library only, so that generated code can use it. No cell value of a source row is ever an argument of a
diagnostic.
"""

from fhirmap.diagnostics.diagnostic import Diagnostic, Related, Severity
from fhirmap.diagnostics.nearest import Suggestion, is_slip, listed, nearest, suggestion
from fhirmap.diagnostics.span import NO_SPAN, MapText, Span
from fhirmap.diagnostics.subject import Cause, Subject, SubjectKind

__all__ = [
    "NO_SPAN",
    "Cause",
    "Diagnostic",
    "MapText",
    "Related",
    "Severity",
    "Span",
    "Subject",
    "SubjectKind",
    "Suggestion",
    "is_slip",
    "listed",
    "nearest",
    "suggestion",
]
