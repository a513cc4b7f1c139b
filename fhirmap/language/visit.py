"""Walking over a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

from fhirmap.language import nodes

_NODE_TYPES = tuple(
    entry for entry in vars(nodes).values() if isinstance(entry, type) and entry.__module__ == nodes.__name__
)


def walk(node: Any) -> Iterator[Any]:
    """``node`` and every node below it, each before its children, in the order of the text within each field.

    Example:
        >>> from fhirmap.language.parser import parse_expression
        >>> [type(node).__name__ for node in walk(parse_expression("a.b = 1")[0])]
        ['FPBinary', 'FPMember', 'FPMember', 'FPLiteral']
    """
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))


def children(node: Any) -> list[Any]:
    """The nodes directly below ``node``."""
    found: list[Any] = []
    for name in _field_names(node.__class__):
        value = getattr(node, name)
        if isinstance(value, tuple):
            found.extend(entry for entry in value if isinstance(entry, _NODE_TYPES))
        elif isinstance(value, _NODE_TYPES):
            found.append(value)
    return found


@cache
def _field_names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(entry.name for entry in fields(kind) if not entry.name.endswith(("span", "spans")))
