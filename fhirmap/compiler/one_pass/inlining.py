"""Functions in the place of their calls: those that are called from one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fhirmap.compiler.explanation import CodeReason
from fhirmap.compiler.names import Names
from fhirmap.compiler.plan import PythonFunction
from fhirmap.compiler.python import Assign, Attribute, Call, Do, Expr, For, If, Literal, Name, Return, Statement, Try
from fhirmap.compiler.python.rewriting import bound_in, every_expression, rewritten_block, statements_in
from fhirmap.compiler.runtime_functions import imported

WATCHED = imported("watched")
_DEEPEST = 16
"""Loops and `try` in one another: Python takes 20."""


class Inlining:
    """The functions of a module, each to be put in the place of its only call."""

    def __init__(self, functions: Iterable[PythonFunction], names: Names) -> None:
        self.functions: Mapping[str, PythonFunction] = {entry.name.text: entry for entry in functions}
        self.names = names
        self.calls = Counter[str]()
        self.named = Counter[str]()
        self._named_by: dict[str, set[str]] = {}
        for function in self.functions.values():
            named = self._named_by[function.name.text] = set[str]()
            for node in every_expression(function.body):
                if isinstance(node, Call) and isinstance(node.function, Name):
                    self.calls[node.function.text] += 1
                elif isinstance(node, Name) and node.text in self.functions:
                    self.named[node.text] += 1
                    named.add(node.text)
        self.bases: dict[str, str] = {}
        """Name in the place of a call -> the name that it has in its function."""
        self.placed: dict[str, None] = {}
        """Functions that are in the place of their call."""
        self.left: dict[str, CodeReason] = {}
        """Functions that stay what they are, and why."""
        self._open: list[str] = []

    def block(self, statements: Iterable[Statement], depth: int = 0) -> tuple[Statement, ...]:
        """Statements, with the functions that they call in the place of the calls."""
        found: list[Statement] = []
        for statement in statements:
            found += self._statement(statement, depth)
        return tuple(found)

    def _statement(self, statement: Statement, depth: int) -> Sequence[Statement]:
        call = statement.value if isinstance(statement, Assign | Do) else None
        if isinstance(call, Call) and call.function == WATCHED:
            return ()  # who asks for what could not be read is found out where rows are dicts
        if isinstance(call, Call) and isinstance(call.function, Name) and not call.keywords:
            function = self.functions.get(call.function.text)
            left = self._why_left(function, depth) if function is not None else None
            if function is not None and left is not None:
                self.left[function.name.text] = left
            elif function is not None:
                self.placed[function.name.text] = None
                result = statement.targets[0] if isinstance(statement, Assign) else None
                return self._body(function, call.arguments, result, depth)
        if isinstance(statement, If):
            body, otherwise = self.block(statement.body, depth), self.block(statement.otherwise, depth)
            return (replace(statement, body=body, otherwise=otherwise),)
        if isinstance(statement, For | Try):
            return (replace(statement, body=self.block(statement.body, depth + 1)),)
        return (statement,)

    def _why_left(self, function: PythonFunction, depth: int) -> CodeReason | None:
        """Why a function stays what it is; None where it can be put in the place of its call."""
        name = function.name.text
        if self.calls[name] != 1 or self.named[name] != 1:
            return CodeReason.CALLS_ITSELF if self._calls_itself(name) else CodeReason.CALLED_AGAIN
        if name in self._open:
            return CodeReason.CALLS_ITSELF
        returns = [entry for entry in statements_in(function.body) if isinstance(entry, Return)]
        if returns and (returns != [function.body[-1]] or not isinstance(returns[0].value, Name)):
            return CodeReason.RETURNS_EARLY
        return CodeReason.TOO_DEEP if depth + _depth(function.body) > _DEEPEST else None

    def _calls_itself(self, name: str) -> bool:
        """Does a function call itself, or another that does in the end?"""
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            for called in self._named_by[waiting.pop()] - seen:
                if called == name:
                    return True
                seen.add(called)
                waiting.append(called)
        return False

    def _body(
        self, function: PythonFunction, arguments: tuple[Expr, ...], result: Name | None, depth: int
    ) -> list[Statement]:
        """The statements of a function, its names made those of the place where it is called."""
        body, last = function.body, function.body[-1] if function.body else None
        bound = bound_in(body)
        found: dict[str, Expr] = {}
        opening: list[Statement] = []
        for parameter, argument in zip(function.parameters, arguments, strict=True):
            if parameter.text not in bound and isinstance(argument, Name | Literal | Attribute):
                found[parameter.text] = argument
            else:
                found[parameter.text] = name = self._take(parameter.text)
                opening.append(Assign(function.span, (name,), argument))
        if isinstance(last, Return):
            assert isinstance(last.value, Name)
            body = body[:-1]
            if result is not None:
                found[last.value.text] = result
        for text in bound:
            if text not in found:
                found[text] = self._take(text)
        renamed = rewritten_block(body, lambda node: found.get(node.text) if isinstance(node, Name) else None)
        self._open.append(function.name.text)
        inner = self.block(renamed, depth)
        self._open.pop()
        return [*opening, *inner]

    def _take(self, text: str) -> Name:
        base = self.bases.get(text, text)
        name = self.names.take(base)
        self.bases[name.text] = base
        return name


def _depth(block: Iterable[Statement]) -> int:
    """How deep loops and `try` are in one another."""
    return max(
        (
            max((_depth(inner) for inner in statement.blocks), default=0) + isinstance(statement, For | Try)
            for statement in block
        ),
        default=0,
    )
