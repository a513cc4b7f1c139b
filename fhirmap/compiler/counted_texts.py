"""Texts that are put together of what a map has made itself are counted: groups that hand them on may double them.

A text of the record is as long as the record at most, and so is one of it and constants. Two that were made before,
or came as a parameter, may each be the sum of two others, and so on through rules and groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from fhirmap.compiler import python as py
from fhirmap.compiler.counted_expressions import with_counted_loops
from fhirmap.compiler.python.rewriting import bound_by, rewritten, statements_in
from fhirmap.compiler.runtime_functions import RUN

__all__ = ["read_names", "with_counted_texts", "with_counted_work"]

_Node = TypeVar("_Node", bound="py.Expr | py.Statement")


def read_names(body: Iterable[py.Statement]) -> frozenset[str]:
    """Names of what the statements of a function read of its input, and do not make."""
    read, made = set[str](), set[str]()
    for statement in statements_in(body):
        is_read = isinstance(statement, py.For) or (isinstance(statement, py.Assign) and _is_read(statement.value))
        (read if is_read else made).update(name.text for name in bound_by(statement))
    return frozenset(read - made)


def with_counted_texts(node: _Node, read: frozenset[str]) -> _Node:
    """An expression or statement, its sums of texts counted (`RecordRun.counted_text`). ``read``: see `read_names`."""
    return rewritten(node, lambda part: _counted(part, read))


def with_counted_work(node: _Node, read: Iterable[py.Expr]) -> _Node:
    """An expression or statement outside of rules, its loops and its sums of texts counted. ``read``: what is given."""
    names = frozenset(str(name) for name in read)
    return with_counted_texts(with_counted_loops(node, None), names)


def _counted(node: py.Expr, read: frozenset[str]) -> py.Expr | None:
    if isinstance(node, py.Call) and node.function == py.Attribute(RUN, "counted_text"):
        return node
    if not _is_sum(node):
        return None
    made = [part for part in _parts(node) if not isinstance(part, py.Literal)]
    if len(made) < 2 or all(isinstance(part, py.Name) and part.text in read for part in made):
        return None
    return py.method(RUN, "counted_text", node)


def _is_sum(node: py.Expr) -> bool:
    return isinstance(node, py.Arithmetic) and node.operator is py.Operator.PLUS and not node.raises


def _parts(node: py.Expr) -> Iterator[py.Expr]:
    if isinstance(node, py.Arithmetic) and _is_sum(node):
        yield from _parts(node.left)
        yield from _parts(node.right)
    else:
        yield node


def _is_read(value: py.Expr) -> bool:
    while isinstance(value, py.Get | py.Item):
        value = value.owner
    return isinstance(value, py.Name)
