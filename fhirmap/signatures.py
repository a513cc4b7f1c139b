"""Signatures of the functions that maps may call: what checking reads and what the runtime finds out from Python.

Standard library only: the runtime is shipped without the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ValueType:
    """What a function takes or gives. ``name``: a FHIR primitive type, or `structure` with its ``elements``.

    ``repeats``: a list. ``optional``: may be empty (``None``, or a key that a structure need not have).
    """

    name: str
    repeats: bool = False
    optional: bool = False
    elements: Mapping[str, ValueType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunctionParameter:
    """One parameter: its Python name, its type, whether it may be left out, and what it is then."""

    name: str
    type: ValueType
    required: bool
    default: str | int | Decimal | None = None


@dataclass(frozen=True, slots=True)
class FunctionSignature:
    """A function as a map sees it. ``module`` and ``python_name``: where the generated code imports it from.

    ``summary``: the first line of its docstring; ``doc``: all of it.
    """

    name: str
    module: str
    python_name: str
    parameters: tuple[FunctionParameter, ...]
    result: ValueType
    summary: str
    doc: str

    @property
    def needed(self) -> int:
        """How many of the first arguments must be there, or the function is not called: the first, and each that is
        required.
        """
        return max(1, sum(parameter.required for parameter in self.parameters))

    @property
    def display(self) -> str:
        """`wardName(code : string) : string`, as help and hints show it."""
        shown = []
        for entry in self.parameters:
            text = f"{entry.name} : {entry.type.name}{'[]' if entry.type.repeats else ''}"
            shown.append(text if entry.required else f"[{text}]")
        return f"{self.name}({', '.join(shown)}) : {self.result.name}{'[]' if self.result.repeats else ''}"
