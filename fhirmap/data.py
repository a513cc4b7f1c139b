"""Names of data whose type is known when it is seen, not before. Each says in a signature which data it is.

They are `Any` to a type checker: whoever takes such a value asks its class. Standard library only.
"""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["FhirpathItem", "JsonValue", "MapValue", "PathSteps", "RawValue"]

JsonValue: TypeAlias = Any
"""Any value of JSON: a dict, a list, a text, an int, a Decimal, a bool or None."""

RawValue: TypeAlias = Any
"""What a source gave for a column: a cell as its driver or file has it, or rows, or a JSON value; None for absent."""

MapValue: TypeAlias = Any
"""What a variable or an expression of a map holds: a plain value, an object of the result, a `FhirpathItem`, a list of
them, or None."""

FhirpathItem: TypeAlias = Any
"""An item of a FHIRPath collection: a value of the System types, a `FhirNode`, or a plain dict."""

PathSteps: TypeAlias = "tuple[str | int | tuple[PathSteps, str], ...]"
"""What a path into a document goes through: names, places in lists (from 0), and filters, each the steps of its inner
path and the text that must be there. The name `..` leads to the parent row; the first step `/` to the root.
"""
