"""What the validator's template sees: constants, functions and shapes, every line already written."""

from __future__ import annotations

from dataclasses import dataclass

from fhirmap.compiler.names import Code, Name

NOTHING = Code("")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a function."""

    depth: int
    code: Code


@dataclass(frozen=True, slots=True)
class Table:
    """A constant; its rows stand one a line."""

    name: Name
    opening: Code
    rows: tuple[Code, ...] = ()
    closing: Code = NOTHING
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """A function."""

    name: Name
    parameters: tuple[Name, ...]
    doc: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ValidationPlan:
    """The validator: ``constants`` first, then ``parts`` (functions and shapes) in the order in which they need each
    other.
    """

    title: str
    imports: tuple[Code, ...]
    constants: tuple[Table, ...]
    parts: tuple[Function | Table, ...]
