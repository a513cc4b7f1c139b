"""The door for functions that a map may call: the `@function` decorator and the signature that checking reads.

A function is pure, fast and typed by its annotations. The decorator changes nothing about it: generated code imports
it from its own module by its own name and calls it like any other function. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from inspect import Parameter as PythonParameter
from inspect import getdoc, signature
from types import ModuleType, NoneType, UnionType
from typing import (
    Annotated,
    Any,
    NotRequired,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
    overload,
)

from fhirmap.signatures import FunctionParameter, FunctionSignature, ValueType

F = TypeVar("F", bound=Callable[..., Any])

FhirDate = Annotated[str, "date"]
"""Text of a FHIR date, `2025-03-15`; a plain `str` is a FHIR string."""
FhirBase64 = Annotated[str, "base64Binary"]
"""Text of a FHIR base64Binary."""
FhirUri = Annotated[str, "uri"]
"""Text of a FHIR uri."""

TypedDictClass: TypeAlias = Any
"""A class that `TypedDict` made: it has keys that may be absent, which no type of Python says."""

_MARK = "__fhirmap_function__"
_PRIMITIVES: Mapping[object, str] = {str: "string", int: "integer", Decimal: "decimal", bool: "boolean"}


@overload
def function(named: F) -> F: ...
@overload
def function(named: str) -> Callable[[F], F]: ...
def function(named: F | str) -> F | Callable[[F], F]:
    """Mark a Python function as callable from maps, under its camelCase name or under a name of its own.

    Example:
        >>> @function
        ... def is_even(number: int) -> bool:
        ...     return number % 2 == 0
        >>> signature_of(is_even).display
        'isEven(number : integer) : boolean'
    """
    if isinstance(named, str):

        def mark(target: F) -> F:
            setattr(target, _MARK, named)
            return target

        return mark
    setattr(named, _MARK, _camel_case(named.__name__))
    return named


def signature_of(target: Callable[..., Any]) -> FunctionSignature:
    """The signature of one marked function, read from its annotations.

    Raises: ``TypeError`` where an annotation is absent or names a type that maps do not know.
    """
    name = getattr(target, _MARK)
    hints = get_type_hints(target, include_extras=True)
    parameters = []
    for entry in signature(target).parameters.values():
        if entry.name not in hints or entry.kind is not PythonParameter.POSITIONAL_OR_KEYWORD:
            raise TypeError(f"{target.__module__}.{target.__name__}: parameter {entry.name} needs a type")
        required = entry.default is PythonParameter.empty
        default = entry.default if isinstance(entry.default, str | int | Decimal) else None
        parameters.append(FunctionParameter(entry.name, _value_type(hints[entry.name], target), required, default))
    if not parameters or "return" not in hints:
        raise TypeError(f"{target.__module__}.{target.__name__}: needs a parameter and the type of its result")
    doc = getdoc(target) or ""
    result = _value_type(hints["return"], target)
    summary = doc.partition("\n")[0]
    return FunctionSignature(name, target.__module__, target.__name__, tuple(parameters), result, summary, doc)


def functions_of(module: ModuleType) -> tuple[FunctionSignature, ...]:
    """Signatures of all functions that ``module`` itself defines and marks, in text order."""
    return tuple(
        signature_of(entry)
        for entry in vars(module).values()
        if callable(entry) and hasattr(entry, _MARK) and entry.__module__ == module.__name__
    )


def _camel_case(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _value_type(hint: object, target: Callable[..., Any]) -> ValueType:
    origin = get_origin(hint)
    if origin is Annotated:
        return ValueType(get_args(hint)[1])
    if origin is NotRequired:
        inner = _value_type(get_args(hint)[0], target)
        return ValueType(inner.name, inner.repeats, True, inner.elements)
    if origin in (Union, UnionType):
        members = [member for member in get_args(hint) if member is not NoneType]
        if len(members) == 1 and len(members) < len(get_args(hint)):
            inner = _value_type(members[0], target)
            return ValueType(inner.name, inner.repeats, True, inner.elements)
    if origin is list:
        inner = _value_type(get_args(hint)[0], target)
        return ValueType(inner.name, True, inner.optional, inner.elements)
    if is_typeddict(hint):
        return ValueType("structure", elements=_elements(hint, target))
    if hint in _PRIMITIVES:
        return ValueType(_PRIMITIVES[hint])
    raise TypeError(f"{target.__module__}.{target.__name__}: maps have no type for {hint!r}")


def _elements(structure: TypedDictClass, target: Callable[..., Any]) -> dict[str, ValueType]:
    elements = {}
    for name, hint in get_type_hints(structure, include_extras=True).items():
        inner = _value_type(hint, target)
        optional = inner.optional or name in structure.__optional_keys__
        elements[name] = ValueType(inner.name, inner.repeats, optional, inner.elements)
    return elements
