"""Steps inside one expression that are counted: those of loops inside a loop that may multiply.

`x.all($this.descendants().all(…))`, `%names.select(%names.where(…))`: together such loops are more than the record has
parts. A loop that goes through a part of what the loop around it found is no step: `name.select(given)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import repeat
from typing import TypeVar

from fhirmap.compiler import python as py
from fhirmap.compiler.python.rewriting import every_expression, rewritten
from fhirmap.compiler.runtime_functions import FHIRPATH, RUN

__all__ = ["is_counted", "with_counted_loops"]

_Node = TypeVar("_Node", bound="py.Expr | py.Statement")
_Names = frozenset[str]
_FURTHER = frozenset(("descendants", "member_below"))
"""Functions that go through all that is below: inside a loop they come to the same nodes again."""
_GROWING = _FURTHER | {"union", "different_texts", "combine", "repeat", "repeat_all", "aggregate", "split", "to_chars"}
"""Functions that may give more than one part of what they are given has."""
_AT_ONCE = frozenset(("is_object",))
"""Functions that are given a record or a part of it, and ask no more than where an item of it is."""
_BY_ITEM = frozenset(("repeat", "repeat_all", "aggregate"))
"""Functions that are given another one, to call for each item."""


def with_counted_loops(node: _Node, found: _Names | None) -> _Node:
    """An expression or statement with its loops counted.

    ``found``: the names of what the loop around it found; None outside of any that matters.
    """
    return rewritten(node, lambda part: _changed(part, found))


def is_counted(node: py.Expr | py.Statement) -> bool:
    """Are there steps in an expression or statement that are counted?"""
    code = (node,) if isinstance(node, py.Statement) else (py.Do(None, node),)
    return any(part == RUN for part in every_expression(code))


def _changed(node: py.Expr, found: _Names | None) -> py.Expr | None:
    if isinstance(node, py.Comprehension):
        return _comprehension(node, found)
    if isinstance(node, py.Arithmetic):
        return _arithmetic(node, found)
    if not isinstance(node, py.Call):
        return None
    name = _function_of(node)
    if name in _BY_ITEM:
        given = tuple(_argument(argument, found, name) for argument in node.arguments)
        return replace(node, arguments=given)
    if name in _FURTHER and (found is not None or _goes_further(node.arguments)):
        below, *member = (with_counted_loops(argument, found) for argument in node.arguments)
        code = _function("descendants", below, py.Attribute(RUN, "counted"))
        return _function("member", code, *member) if member else code
    return _read_again(node, found) if name and name not in _AT_ONCE and found is not None else None


def _read_again(call: py.Call, found: _Names) -> py.Expr | None:
    """A call inside a loop that is given, or reads, what the loop did not find: the same for each item."""
    given = tuple(map(with_counted_loops, call.arguments, repeat(found)))
    outside = [_is_outside(argument, found) for argument in call.arguments]
    if not any(outside):
        return None
    again = (_again(argument) if is_outside else argument for argument, is_outside in zip(given, outside, strict=True))
    code = replace(call, arguments=tuple(again))
    return _again(code) if outside[0] else code


def _is_outside(argument: py.Expr, found: _Names) -> bool:
    if isinstance(argument, py.Name):
        # What the module itself holds is of the map: the types and elements of a record, no part of it.
        return argument.text not in found and not argument.text.startswith("_")
    return _is_constant(argument)


def _again(code: py.Expr) -> py.Expr:
    return py.method(RUN, "counted_again", code, raises=False)


def _comprehension(node: py.Comprehension, found: _Names | None) -> py.Expr:
    inner = found
    clauses: list[py.Clause] = []
    for clause in node.clauses:
        if isinstance(clause, py.IfClause):
            clauses.append(py.IfClause(with_counted_loops(clause.test, inner)))
            continue
        items = with_counted_loops(clause.items, inner)
        names = frozenset(name.text for name in clause.targets)
        if not _is_one(clause.items):
            if inner is not None and not _is_part(clause.items, inner):
                items = _counted(items)
            inner = (inner or frozenset()) | names
        elif inner is not None:
            inner |= names
        clauses.append(py.ForClause(clause.targets, items))
    return replace(node, element=with_counted_loops(node.element, inner), clauses=tuple(clauses))


def _arithmetic(node: py.Arithmetic, found: _Names | None) -> py.Expr | None:
    """Texts that are put together, of constants that may be such texts themselves."""
    parts = every_expression((py.Do(None, node),))
    if node.raises or node.operator is not py.Operator.PLUS or not any(map(_is_constant, parts)):
        return None
    left, right = (with_counted_loops(side, found) for side in (node.left, node.right))
    return py.method(RUN, "counted_text", replace(node, left=left, right=right))


def _is_constant(node: py.Expr) -> bool:
    return isinstance(node, py.Call) and node.function == py.Attribute(RUN, "constant")


def _argument(argument: py.Expr, found: _Names | None, function: str) -> py.Expr:
    """An argument of a function that is given another one."""
    if not isinstance(argument, py.Lambda):
        return with_counted_loops(argument, found)
    inner = (found or frozenset()) | {name.text for name in argument.parameters}
    body = with_counted_loops(argument.body, inner)
    if function == "aggregate":
        # What it has gathered so far may be copied in every round.
        return replace(argument, body=py.method(RUN, "counted_total", body, raises=False))
    return replace(argument, body=body if found is None else _counted(body))


def _is_one(items: py.Expr) -> bool:
    """Is it one item at most, which has a name for a while?"""
    return isinstance(items, py.ListOf | py.TupleOf) and len(items.entries) <= 1


def _is_part(items: py.Expr, found: _Names) -> bool:
    """Is it a part of what a loop found, or counted itself?"""
    if isinstance(items, py.Name):
        return items.text in found
    if isinstance(items, py.Literal | py.Comprehension) or _is_one(items):
        return True
    if isinstance(items, py.Conditional):
        return _is_part(items.value, found) and _is_part(items.otherwise, found)
    if isinstance(items, py.Logic):
        return all(_is_part(operand, found) for operand in items.operands)
    if isinstance(items, py.Get | py.Item | py.ListSlice | py.Attribute):
        return _is_part(items.owner, found)
    return isinstance(items, py.Call) and _is_part_of_call(items, found)


def _is_part_of_call(call: py.Call, found: _Names) -> bool:
    name = _function_of(call)
    if name in _GROWING:
        # What goes all the way down counts its steps itself.
        return name in _FURTHER
    if isinstance(call.function, py.Attribute) and not name:
        return _is_part(call.function.owner, found)
    return bool(call.arguments) and _is_part(call.arguments[0], found)


def _goes_further(arguments: Iterable[py.Expr]) -> bool:
    code = (py.Do(None, argument) for argument in arguments)
    return any(isinstance(node, py.Call) and _function_of(node) in _GROWING for node in every_expression(code))


def _function_of(call: py.Call) -> str:
    """The name of a function of `fhirmap.runtime.fhirpath`; empty for all else."""
    function = call.function
    return function.name if isinstance(function, py.Attribute) and function.owner == py.Imported(FHIRPATH) else ""


def _function(name: str, *arguments: py.Expr) -> py.Call:
    return py.Call(py.Attribute(py.Imported(FHIRPATH), name), arguments)


def _counted(items: py.Expr) -> py.Expr:
    if isinstance(items, py.Call) and items.function == py.Name("enumerate"):
        return replace(items, arguments=(_counted(items.arguments[0]),))
    return py.method(RUN, "counted", items, raises=False)
