"""Every node of a tree, top down and in text order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache

from fhirmap.diagnostics import Span


def walk(node: object) -> Iterator[object]:
    """``node`` and every node below it; spans, names and numbers are not nodes.

    Example:
        >>> from fhirmap.language.parser import parse_expression
        >>> expression, _ = parse_expression("a.b = 5")
        >>> [type(entry).__name__ for entry in walk(expression)]
        ['FPBinary', 'FPMember', 'FPMember', 'FPLiteral']
    """
    if isinstance(node, tuple):
        for entry in node:
            yield from walk(entry)
    elif is_dataclass(node) and not isinstance(node, Span):
        yield node
        for name in _names(type(node)):
            yield from walk(getattr(node, name))


@cache
def _names(kind: type) -> tuple[str, ...]:
    """Fields that may hold nodes: the others hold spans."""
    return tuple(field.name for field in fields(kind) if not field.name.endswith(("span", "spans")))
