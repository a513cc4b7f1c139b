"""What sources, sinks and functions of others are written against: protocols, the values that cross them, and errors.

A plug-in is an entry point of an installed distribution, in the group `fhirmap.sources`, `fhirmap.sinks` or
`fhirmap.functions`; the built-in ones are found in the same way. `fhirmap.testing` checks that one keeps its contract.
"""

from __future__ import annotations

from fhirmap.diagnostics.diagnostic import Diagnostic, Severity
from fhirmap.errors import ConfigError, DeliveryError, FhirmapError, RecordError, TransformFailed
from fhirmap.records import Envelope, Fault, Issue, Receipt, ReceiptState, Record
from fhirmap.runtime.functions import FhirBase64, FhirDate, FhirUri, function
from fhirmap.signatures import FunctionParameter, FunctionSignature, ValueType
from fhirmap.sinks.settings import AnswerWords, ClientCredentials, IdentifiersOf, Tls, TransportSettings
from fhirmap.sinks.sink import Sink, SinkFactory, SinkSettings
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
from fhirmap.sources import Source, SourceFactory
from fhirmap.sources.address import Address

__all__ = [
    "Address",
    "AnswerWords",
    "AttributeRows",
    "Child",
    "ChildKind",
    "ClientCredentials",
    "ConfigError",
    "DeliveryError",
    "Diagnostic",
    "Envelope",
    "Fault",
    "FhirBase64",
    "FhirDate",
    "FhirUri",
    "FhirmapError",
    "FunctionParameter",
    "FunctionSignature",
    "IdentifiersOf",
    "Issue",
    "Order",
    "Receipt",
    "ReceiptState",
    "Record",
    "RecordError",
    "Repetition",
    "RowLayout",
    "Severity",
    "Sink",
    "SinkFactory",
    "SinkSettings",
    "Source",
    "SourceColumn",
    "SourceFactory",
    "SourceKind",
    "SourcePlan",
    "Tls",
    "TransformFailed",
    "TransportSettings",
    "ValueType",
    "function",
]
