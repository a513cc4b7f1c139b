"""Nodes of texts that do not overlap, found by a place inside of one of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from fhirmap.diagnostics import Span

__all__ = ["Disjoint", "holds"]


class _Placed(Protocol):
    @property
    def span(self) -> Span: ...


_Node = TypeVar("_Node", bound=_Placed)


class Disjoint(Generic[_Node]):
    """Nodes of any texts, none of them inside another: groups, the outermost rules."""

    def __init__(self, nodes: Iterable[_Node]) -> None:
        self._nodes: dict[int, list[_Node]] = {}
        for node in nodes:
            self._nodes.setdefault(id(node.span.text), []).append(node)
        for held in self._nodes.values():
            held.sort(key=lambda node: node.span.start)
        self._starts = {text: [node.span.start for node in held] for text, held in self._nodes.items()}

    def __iter__(self) -> Iterator[_Node]:
        return (node for held in self._nodes.values() for node in held)

    def around(self, span: Span) -> _Node | None:
        """The node that ``span`` is in, if there is one."""
        held = self._nodes.get(id(span.text))
        if held is None:
            return None
        order = bisect_right(self._starts[id(span.text)], span.start) - 1
        return held[order] if order >= 0 and holds(held[order].span, span) else None


def holds(outer: Span, inner: Span) -> bool:
    """Is ``inner`` a part of ``outer``?"""
    return outer.text is inner.text and outer.start <= inner.start and inner.end <= outer.end
