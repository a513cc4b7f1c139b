"""Rows as local names: each element of a row in the making is a name, and a row that is held is a tuple of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fhirmap.compiler.names import Names
from fhirmap.compiler.one_pass.kinds import Kind, Kinds, is_drop
from fhirmap.compiler.python import (
    Assign,
    Attribute,
    Call,
    Compare,
    Comparison,
    Conditional,
    Connective,
    Do,
    Expr,
    For,
    Get,
    If,
    Item,
    ListOf,
    Literal,
    Logic,
    Name,
    Not,
    Return,
    SetItem,
    Statement,
    Try,
    TupleOf,
    Unpack,
    all_of,
    any_of,
    is_none,
    is_not_none,
)
from fhirmap.compiler.python.rewriting import every_expression, rewritten
from fhirmap.compiler.runtime_functions import run_call
from fhirmap.diagnostics import Span


class LateWrite(Exception):
    """A row is written to when it is held already. ``name``: of the row; ``span``: where that is."""

    def __init__(self, name: str, span: Span | None) -> None:
        super().__init__(name)
        self.name = name
        self.span = span


class RowsAsNames:
    """Rewrites the statements of one function, whose names have the kinds that were found."""

    def __init__(self, kinds: Kinds, names: Names) -> None:
        self.kinds = kinds
        self.names = names
        self.locals: dict[tuple[str, str], Name] = {}
        """Name of a row, key -> the name that the element has."""
        self.unpacked: set[str] = set()
        """Names of rows whose elements have names where code is now."""
        self.held: set[str] = set()
        """Names of rows in the making that are held already."""
        self.at: Span | None = None
        """The place of the statement that is rewritten."""
        self.ended = 0
        """How many rows were put into their lists later than the functions do it."""

    def block(self, statements: Sequence[Statement]) -> tuple[Statement, ...]:
        """Statements with names in the place of the elements of rows."""
        found: list[Statement] = []
        ends: dict[str, Statement] = {}
        for number, statement in enumerate(statements):
            made = self._made(statement)
            if made is not None:
                found += self._begin(statement, made)
                added = statements[number + 1] if number + 1 < len(statements) else None
                if added is not None and self._adds(added) == made:
                    ends[made] = added
                continue
            added_name = self._adds(statement)
            if added_name is not None and ends.get(added_name) is statement:
                continue
            if isinstance(statement, If) and (ended := self._removes(statement)) in ends:
                found.append(self._end(statement, ends.pop(ended)))
                continue
            found += self._statement(statement)
        for name, added in ends.items():
            raise LateWrite(name, added.span)
        return tuple(found)

    # --- rows in the making -------------------------------------------------------------------------------------------

    def _made(self, statement: Statement) -> str | None:
        """The name of the row that a statement begins."""
        if isinstance(statement, Assign) and len(statement.targets) == 1:
            name = statement.targets[0].text
            if name in self.kinds.made and self.kinds.is_own(name):
                return name
        return None

    def _begin(self, statement: Statement, name: str) -> list[Statement]:
        """Nothing is known of a row that begins: lists of it are empty, anything else is absent."""
        kind = self.kinds.name(name)
        self.held.discard(name)
        absent = tuple(self._local(name, key) for key in kind.elements if key not in kind.lists)
        begun: list[Statement] = [Assign(statement.span, absent, Literal(None))] if absent else []
        return begun + [Assign(statement.span, (self._local(name, key),), ListOf()) for key in sorted(kind.lists)]

    def _adds(self, statement: Statement) -> str | None:
        """The name of the row in the making that a statement puts into a list."""
        value = statement.value if isinstance(statement, Do) else None
        if isinstance(value, Call) and isinstance(value.function, Attribute) and value.function.name == "append":
            (item,) = value.arguments
            if isinstance(item, Name) and item.text in self.kinds.made and self.kinds.is_own(item.text):
                return item.text
        return None

    def _removes(self, statement: If) -> str:
        """The name of the row that a statement takes out of its list where nothing was written to it."""
        if isinstance(statement.test, Not) and isinstance(statement.test.operand, Name) and len(statement.body) == 1:
            (inner,) = statement.body
            if isinstance(inner, Do) and is_drop(inner.value):
                return statement.test.operand.text
        return ""

    def _end(self, statement: If, added: Statement) -> Statement:
        """A row is put into its list when all was written to it, if anything was."""
        self.ended += 1
        assert isinstance(statement.test, Not)
        assert isinstance(statement.test.operand, Name)
        test = self._holds(statement.test.operand.text, positive=True)
        (put,) = self._statement(added)
        return If(added.span, test, (put,))

    def _holds(self, name: str, *, positive: bool) -> Expr:
        """Has a row in the making an element? ``positive``: else whether it has none."""
        kind = self.kinds.name(name)
        tests: list[Expr] = []
        for key in kind.elements:
            held = self._local(name, key)
            if key in kind.lists:
                tests.append(held if positive else Not(held))
            else:
                tests.append(is_not_none(held) if positive else is_none(held))
        return any_of(*tests) if positive else all_of(*tests)

    def _written(self, owner: Name, key: str) -> Name:
        """The name of an element that is written to."""
        if owner.text in self.held:
            raise LateWrite(owner.text, self.at)
        return self._local(owner.text, key)

    def _local(self, name: str, key: str) -> Name:
        """The name of an element."""
        known = self.locals.get((name, key))
        if known is None:
            known = self.locals[name, key] = self.names.take(f"{name}_{key}")
        return known

    # --- statements ---------------------------------------------------------------------------------------------------

    def _statement(self, statement: Statement) -> list[Statement]:
        self.at = statement.span
        if isinstance(statement, SetItem):
            owner = statement.node
            if isinstance(owner, Name) and self._is_made(owner):
                value = self._value(statement.value)
                return [Assign(statement.span, (self._written(owner, statement.key),), value)]
        if isinstance(statement, For):
            items = self._value(statement.items)
            opening, body = self._opened(statement.targets, statement.body, statement)
            return [replace(statement, items=items, body=(*opening, *body))]
        if isinstance(statement, If):
            name = _tested(statement.test)
            test = self._test(statement.test)
            if name is not None and self._is_bound(name):
                opening, body = self._opened((name,), statement.body, statement)
            else:
                opening, body = [], self.block(statement.body)
            return [replace(statement, test=test, body=(*opening, *body), otherwise=self.block(statement.otherwise))]
        if isinstance(statement, Try):
            before = self.ended
            body = self.block(statement.body)
            if self.ended == before:
                return [replace(statement, body=body)]
            # A failure that no rule expects: what was begun would be in the list.
            assert statement.error is not None
            return [replace(statement, body=body, handler=(Return(None, run_call("leave", statement.error)),))]
        return [rewritten(statement, self._change)]

    def _opened(
        self, names: Iterable[Name], body: Sequence[Statement], at: Statement
    ) -> tuple[list[Statement], tuple[Statement, ...]]:
        """The statements that take a row apart for a block, and the block."""
        opening: list[Statement] = []
        new = [name for name in names if self._is_bound(name) and name.text not in self.unpacked]
        for name in new:
            asked = {
                node.key
                for node in every_expression(body)
                if isinstance(node, Get) and isinstance(node.owner, Name) and node.owner.text == name.text
            }
            if not asked:
                continue
            self.unpacked.add(name.text)
            keys = self.kinds.name(name.text).elements
            targets = tuple(self._local(name.text, key) if key in asked else Name("_") for key in keys)
            opening.append(Unpack(at.span, targets, name))
        changed = self.block(body)
        self.unpacked -= {name.text for name in new}
        return opening, changed

    # --- expressions --------------------------------------------------------------------------------------------------

    def _is_made(self, name: Name) -> bool:
        return name.text in self.kinds.made and self.kinds.is_own(name.text)

    def _is_bound(self, name: Name) -> bool:
        return name.text not in self.kinds.made and self.kinds.is_own(name.text)

    def _value(self, node: Expr) -> Expr:
        return rewritten(node, self._change)

    def _test(self, test: Expr) -> Expr:
        """An expression of which nothing but its truth is asked."""
        if isinstance(test, Name) and self._is_made(test):
            return self._holds(test.text, positive=True)
        if isinstance(test, Not) and isinstance(test.operand, Name) and self._is_made(test.operand):
            return self._holds(test.operand.text, positive=False)
        if isinstance(test, Logic):
            return replace(test, operands=tuple(map(self._test, test.operands)))
        return self._value(test)

    def _change(self, node: Expr) -> Expr | None:
        if isinstance(node, Name) and self._is_made(node):
            self.held.add(node.text)
            return TupleOf(tuple(self._local(node.text, key) for key in self.kinds.name(node.text).elements))
        if isinstance(node, Get):
            return self._element(node)
        if isinstance(node, Compare) and isinstance(node.first, Literal) and len(node.rest) == 1:
            (operator, owner), key = node.rest[0], node.first.value
            if operator in (Comparison.IN, Comparison.NOT_IN) and isinstance(owner, Name) and self._is_made(owner):
                held = self._local(owner.text, str(key))
                return is_none(held) if operator is Comparison.NOT_IN else is_not_none(held)
        if isinstance(node, Call) and isinstance(node.function, Attribute) and node.function.name == "setdefault":
            owner, added = node.function.owner, node.arguments[0]
            if isinstance(owner, Name) and self._is_made(owner) and isinstance(added, Literal):
                return self._written(owner, str(added.value))
        return None

    def _element(self, node: Get) -> Expr | None:
        """What takes the place of a look into a row; None where it is a dict."""
        kind = self.kinds.row(node.owner)
        if kind is None:
            return None
        held = self._read(node.owner, kind, node.key)
        if node.default is None:
            # An element that rules add to is absent as long as it is empty.
            return Logic(Connective.OR, (held, Literal(None))) if node.key in kind.lists else held
        if node.default in (ListOf(), TupleOf(), Literal(())) and node.key in kind.lists:
            return held
        return Logic(Connective.OR, (held, node.default))

    def _read(self, owner: Expr, kind: Kind, key: str) -> Expr:
        """An element of a row, where it is now."""
        place = Literal(list(kind.elements).index(key))
        if isinstance(owner, Name):
            is_near = self._is_made(owner) or owner.text in self.unpacked
            return self._local(owner.text, key) if is_near else Item(owner, place)
        assert isinstance(owner, Get)
        held = self._element(replace(owner, default=None))
        assert held is not None
        return Conditional(Item(held, place), is_not_none(held), Literal(None))


def _tested(test: Expr) -> Name | None:
    """The name that must hold something for a block to run."""
    if isinstance(test, Compare) and test == is_not_none(test.first) and isinstance(test.first, Name):
        return test.first
    return None
