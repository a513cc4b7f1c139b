"""Which names and elements hold the same rows: found by what statements move from one to another."""

from __future__ import annotations

from collections.abc import Iterable

from fhirmap.compiler.explanation import CodeCause, CodeReason
from fhirmap.compiler.python import (
    Arithmetic,
    Assign,
    Attribute,
    Call,
    Compare,
    Comparison,
    Comprehension,
    Conditional,
    DictOf,
    Do,
    Expr,
    For,
    ForClause,
    Get,
    If,
    Imported,
    Lambda,
    ListOf,
    ListSlice,
    Literal,
    Logic,
    Name,
    Not,
    SetDisplay,
    SetItem,
    Statement,
    Try,
    TupleOf,
)
from fhirmap.compiler.python.statements import Raise, Return, SetAttribute
from fhirmap.compiler.runtime_functions import RUN, fp_call, imported
from fhirmap.diagnostics import Span

_ALIKE = fp_call("alike_items").function
_COUNTED = Attribute(RUN, "counted")
_WHOLE = CodeCause(CodeReason.IN_EXPRESSION)
_MEETING = frozenset((imported("put_once"), imported("assign_once")))
"""Functions that write an element which another rule may have written."""


class Kind:
    """What some names and elements hold: a row, a list of one kind, or any other value.

    ``is_row``: is it made as an empty dict? ``is_held``: is it an element of another, or an item of a list?
    """

    def __init__(self) -> None:
        self.parent: Kind | None = None
        self.elements: dict[str, Kind] = {}
        self.item: Kind | None = None
        self.is_row = self.is_held = False
        self.seen: tuple[CodeCause, Span | None] | None = None
        """Why something holds it, or makes it, that takes rows for dicts, and where that is; None where nothing does.
        """
        self.lists: set[str] = set()
        """Elements to which items are added one by one."""

    @property
    def is_foreign(self) -> bool:
        """Does something hold it, or make it, that takes rows for dicts?"""
        return self.seen is not None

    @property
    def is_own(self) -> bool:
        """Is it a row of which everything is known?"""
        return self.is_row and not self.is_foreign

    @property
    def root(self) -> Kind:
        """The kind that all have that were found to be the same."""
        kind = self
        while kind.parent is not None:
            kind = kind.parent
        return kind

    def element(self, key: str) -> Kind:
        """The kind of an element."""
        root = self.root
        found = root.elements.get(key)
        if found is None:
            found = root.elements[key] = Kind()
            found.is_held = True
        return found.root

    def each(self) -> Kind:
        """The kind of a list's items."""
        root = self.root
        if root.item is None:
            root.item = Kind()
            root.item.is_held = True
        return root.item.root


def same(one: Kind, other: Kind) -> Kind:
    """Both are of one kind, and so are their parts."""
    waiting = [(one, other)]
    while waiting:
        left, right = (kind.root for kind in waiting.pop())
        if left is right:
            continue
        right.parent = left
        left.is_row |= right.is_row
        left.seen = left.seen or right.seen
        left.is_held |= right.is_held
        left.lists |= right.lists
        for key, kind in right.elements.items():
            waiting.append((left.elements.setdefault(key, kind), kind))
        if right.item is not None:
            left.item = left.item or right.item
            waiting.append((left.item, right.item))
    return one.root


class Kinds:
    """The kinds of the names of a function, found from its statements."""

    def __init__(self) -> None:
        self.names: dict[str, Kind] = {}
        self.made: dict[str, Span | None] = {}
        """Names that are bound to empty dicts, rows in the making, and where."""
        self.bound: dict[str, Span | None] = {}
        """Names that are bound to rows that are made elsewhere, and where."""
        self.tested: set[str] = set()
        """Names of which code asks whether they are empty."""
        self._at: Span | None = None
        """The place of the statement that is looked at."""
        self._elsewhere: list[Kind] = []
        """What goes elsewhere: a list that an expression makes on the way has no name, and its items go along."""
        self._drops: list[tuple[Kind, Kind]] = []
        """Rows from whose lists items are taken that stay empty, and these items."""

    def name(self, text: str) -> Kind:
        """The kind of what a name holds."""
        return self.names.setdefault(text, Kind()).root

    def settle(self) -> None:
        """What is held by something foreign is foreign, too; so is what is made and bound under one name."""
        for text in [*self.made, *self.bound]:
            is_made, kind = text in self.made, self.name(text)
            if kind.is_row and (text in self.bound if is_made else text in self.tested):
                self._at = self.made.get(text) or self.bound.get(text)
                self._foreign(kind, CodeCause(CodeReason.NAMED_AGAIN, text) if is_made else _WHOLE)
        while self._spread():
            pass

    def _spread(self) -> bool:
        """Mark what foreign kinds hold; was there a row whose list loses items that are dicts?"""
        waiting = [kind.root for kind in (*self.names.values(), *self._elsewhere)]
        seen: set[Kind] = set()
        while waiting:
            kind = waiting.pop()
            if kind in seen:
                continue
            seen.add(kind)
            waiting += [inner.root for inner in self._parts(kind)]
        waiting = [kind for kind in seen if kind.is_foreign]
        while waiting:
            kind = waiting.pop()
            for inner in self._parts(kind):
                if not inner.root.is_foreign:
                    inner.root.seen = kind.seen
                    waiting.append(inner.root)
        owners = [(owner.root, item.root) for owner, item in self._drops if owner.root.is_own and not item.root.is_own]
        for owner, item in owners:
            owner.seen = item.seen or (CodeCause(CodeReason.OTHER_VALUE), None)
        return bool(owners)

    def _parts(self, kind: Kind) -> list[Kind]:
        return [*kind.elements.values(), *((kind.item,) if kind.item is not None else ())]

    def is_own(self, name: str) -> bool:
        """Does a name hold a row of which everything is known?"""
        kind = self.names.get(name)
        return kind is not None and kind.root.is_own

    def row(self, node: Expr) -> Kind | None:
        """The kind of the row that a name, or an element of a row, holds; None where everything is not known of it."""
        kind = None
        if isinstance(node, Name) and node.text in self.names:
            kind = self.name(node.text)
        elif isinstance(node, Get):
            owner = self.row(node.owner)
            kind = owner.element(node.key) if owner is not None else None
        return kind if kind is not None and kind.is_own else None

    # --- statements ---------------------------------------------------------------------------------------------------

    def block(self, statements: Iterable[Statement]) -> None:
        """Look at statements and their blocks."""
        for statement in statements:
            self._statement(statement)
            for inner in statement.blocks:
                self.block(inner)

    def _statement(self, statement: Statement) -> None:
        self._at = statement.span
        if isinstance(statement, Assign):
            self._assign(statement)
        elif isinstance(statement, SetItem):
            same(self._of(statement.node).element(statement.key), self._of(statement.value))
        elif isinstance(statement, Do):
            self._do(statement.value)
        elif isinstance(statement, For):
            self._loop(statement.targets, statement.items)
        elif isinstance(statement, If):
            self._test(statement.test)
        elif isinstance(statement, Return | Raise):
            if statement.value is not None:
                self._foreign(self._of(statement.value), _WHOLE)
        elif isinstance(statement, SetAttribute):
            self._foreign(self._of(statement.value), _WHOLE)
        elif not isinstance(statement, Try):
            for entry in statement.expressions:
                self._foreign(self._of(entry), _WHOLE)

    def _assign(self, statement: Assign) -> None:
        value = statement.value
        if value == DictOf() and len(statement.targets) == 1:
            name = statement.targets[0].text
            self.made[name] = self._at
            self.name(name).is_row = True
            return
        found = self._of(value)
        for target in statement.targets:
            self.bound[target.text] = self._at
            same(self.name(target.text), found)

    def _do(self, value: Expr) -> None:
        function = value.function if isinstance(value, Call) else None
        if isinstance(value, Call) and isinstance(function, Attribute) and function.name in ("append", "extend"):
            items, added = self._of(function.owner), self._of(value.arguments[0])
            same(items.each(), added if function.name == "append" else added.each())
            return
        if is_drop(value):
            assert isinstance(value, Call)
            owner, key, item = value.arguments
            assert isinstance(key, Literal)
            held = self._of(owner)
            same(held.element(str(key.value)).each(), self._of(item))
            self._drops.append((held, self._of(item)))
            return
        self._of(value)

    def _loop(self, targets: tuple[Name, ...], items: Expr) -> None:
        held = items
        if isinstance(items, Call) and items.function == Name("enumerate"):
            held = items.arguments[0]
        found = self._of(held)
        for target in targets:
            self.bound[target.text] = self._at
        if len(targets) == (1 if held is items else 2):
            same(self.name(targets[-1].text), found.each())
        else:
            self._foreign(found, _WHOLE)

    # --- expressions --------------------------------------------------------------------------------------------------

    def _foreign(self, kind: Kind, cause: CodeCause) -> None:
        kind.root.seen = kind.root.seen or (cause, self._at)
        self._elsewhere.append(kind)

    def _unknown(self) -> Kind:
        """The kind of what comes from elsewhere."""
        kind = Kind()
        self._foreign(kind, CodeCause(CodeReason.OTHER_VALUE))
        return kind

    def _test(self, test: Expr) -> None:
        """An expression of which nothing but its truth is asked."""
        if isinstance(test, Name):
            self.tested.add(test.text)
        elif isinstance(test, Not):
            self._test(test.operand)
        elif isinstance(test, Logic):
            for operand in test.operands:
                self._test(operand)
        elif isinstance(test, Compare):
            self._compare(test)
        else:
            self._of(test)

    def _compare(self, node: Compare) -> None:
        operators = {operator for operator, _ in node.rest}
        operands = (node.first, *(operand for _, operand in node.rest))
        kinds = [self._of(operand) for operand in operands]
        if operators <= {Comparison.IS, Comparison.IS_NOT} and any(entry == Literal(None) for entry in operands):
            return
        first, last = operands[0], operands[-1]
        if isinstance(first, Literal) and isinstance(last, Name) and operators <= {Comparison.IN, Comparison.NOT_IN}:
            kinds[-1].element(str(first.value))
            return
        for kind in kinds:
            self._foreign(kind, _WHOLE)

    def _of(self, node: Expr) -> Kind:
        """The kind of an expression's value, after a look at its parts."""
        if isinstance(node, Name):
            return self.name(node.text)
        if isinstance(node, Literal):
            return Kind()
        if isinstance(node, Get):
            owner = self._of(node.owner)
            if not isinstance(node.owner, Name | Get):
                self._foreign(owner, _WHOLE)
            found = owner.element(node.key)
            if node.default is not None and node.default not in (DictOf(), ListOf(), TupleOf(), Literal(())):
                self._foreign(self._of(node.default), _WHOLE)
            return found
        if isinstance(node, Logic):
            return self._joined(node.operands)
        if isinstance(node, Conditional):
            self._test(node.test)
            return self._joined((node.value, node.otherwise))
        if isinstance(node, ListSlice):
            return self._of(node.owner)
        if isinstance(node, ListOf | TupleOf):
            kind = Kind()
            for entry in node.entries:
                same(kind.each(), self._of(entry))
            return kind
        if isinstance(node, Not | Compare):
            self._test(node)
            return Kind()
        if isinstance(node, Arithmetic) and isinstance(node.left, ListOf):
            self._foreign(self._of(node.right), _WHOLE)
            return self._of(node.left)
        if isinstance(node, Comprehension):
            return self._comprehension(node)
        return self._call(node) if isinstance(node, Call) else self._other(node)

    def _joined(self, nodes: Iterable[Expr]) -> Kind:
        kind = Kind()
        for node in nodes:
            if node not in (DictOf(), ListOf(), TupleOf(), Literal(())):
                same(kind, self._of(node))
        return kind.root

    def _comprehension(self, node: Comprehension) -> Kind:
        for clause in node.clauses:
            if isinstance(clause, ForClause):
                self._loop(clause.targets, clause.items)
            else:
                self._test(clause.test)
        kind = Kind()
        same(kind.each(), self._of(node.element))
        return kind

    def _call(self, node: Call) -> Kind:
        function = node.function
        if function == _ALIKE:
            return self._alike(node)
        if function == _COUNTED:
            # It gives the list itself, and asks no more than how long that is.
            return self._of(node.arguments[0])
        if isinstance(function, Name) and function.text in ("any", "all", "len", "bool", "type"):
            for argument in node.arguments:
                self._of(argument)
            return self._unknown()
        if isinstance(function, Attribute) and function.name == "setdefault" and node.arguments[1:] == (ListOf(),):
            key = node.arguments[0]
            assert isinstance(key, Literal)
            owner = self._of(function.owner)
            owner.lists.add(str(key.value))
            return owner.element(str(key.value))
        return self._other(node)

    def _alike(self, node: Call) -> Kind:
        """Those of a list that a search may find: the runtime asks no more of them than the key that it is given."""
        _, items, key, wanted = node.arguments
        found = self._of(items)
        assert isinstance(key, Lambda)
        same(self.name(key.parameters[0].text), found.each())
        self.bound[key.parameters[0].text] = self._at
        self._of(key.body)
        self._of(wanted)
        return found

    def _other(self, node: Expr) -> Kind:
        """What takes its parts for what they are elsewhere."""
        cause = _cause(node)
        for child in node.children:
            if not isinstance(child, Imported | SetDisplay):
                self._foreign(self._of(child), cause)
        return self._unknown()


def is_drop(value: Expr) -> bool:
    """Is it a call that takes an item out of a row's list?"""
    function = value.function if isinstance(value, Call) else None
    return isinstance(function, Imported) and function.imported.name == "drop"


def _cause(node: Expr) -> CodeCause:
    """Why an expression takes its parts for dicts."""
    function = node.function if isinstance(node, Call) else None
    if function in _MEETING and isinstance(node, Call):
        key = node.arguments[2]
        return CodeCause(CodeReason.WRITTEN_AGAIN, str(key.value) if isinstance(key, Literal) else "")
    return CodeCause(CodeReason.GIVEN_TO_GROUP, function.text) if isinstance(function, Name) else _WHOLE
