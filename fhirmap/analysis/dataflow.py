"""What an expression's value is made of: variables, the paths it goes down from them, and what only decides.

Data flow, not names: `(lot | label.lot).first()` is made of two paths of one variable, `iif(%s.state = 'A', …)` is
decided by a third. Lineage reads it off the typed tree, and a module compiled for a trace follows the same paths in the
values of one record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.expression import infer_expression, map_scope
from fhirmap.analysis.typed import Expression, Transform, TypedSource, Variable
from fhirmap.language import nodes

_KEEPING = frozenset(
    ("where", "first", "last", "tail", "skip", "take", "single", "ofType", "as", "distinct", "trace", "sort", "repeat")
)
"""Functions that hand on some of the items they get."""
_JOINING = frozenset(("union", "combine", "coalesce"))
"""Functions that hand on items of several."""
_DECIDING = frozenset(("where", "sort", "skip", "take", "trace"))
"""Functions whose arguments choose items and are no part of them."""
_PER_ITEM = frozenset(("where", "select", "repeat", "all", "exists", "aggregate", "sort", "trace", "defineVariable"))
"""Functions whose arguments are evaluated for each item: bare names are its children."""
_TYPE_NAMES = frozenset(("ofType", "as", "is"))


@dataclass(frozen=True, slots=True)
class Read:
    """A variable, and the names that an expression goes down from it: `%p.article.gtin`."""

    variable: Variable
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reads:
    """``values``: what a value is made of. ``conditions``: what only decides whether it is there, or which it is."""

    values: tuple[Read, ...] = ()
    conditions: tuple[Read, ...] = ()

    def __add__(self, other: Reads) -> Reads:
        return Reads(
            tuple(dict.fromkeys((*self.values, *other.values))),
            tuple(dict.fromkeys((*self.conditions, *other.conditions))),
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part of an expression reads. ``is_path``: it is what is read, so that a name after it goes further."""

    reads: tuple[Read, ...] = ()
    is_path: bool = True

    def child(self, name: str) -> _Part:
        if not self.is_path:
            return self
        return _Part(tuple(Read(entry.variable, (*entry.steps, name)) for entry in self.reads))


@dataclass
class _ExpressionFlow:
    expression: Expression
    checked: Checked
    conditions: list[Read] = field(default_factory=list)
    _variables: frozenset[int] | None = None

    def part(self, node: object, focus: _Part | None) -> _Part:
        if isinstance(node, nodes.FPVariable):
            return self._variable(node.name, focus)
        if isinstance(node, nodes.FPMember):
            return self._member(node, focus)
        if isinstance(node, nodes.FPCall):
            return self._call(node, focus)
        if isinstance(node, nodes.FPIndex):
            self._decide(node.index, focus)
            return self.part(node.focus, focus)
        if isinstance(node, nodes.FPType):
            held = self.part(node.operand, focus)
            return held if node.operator == "as" else _Part(held.reads, is_path=False)
        if isinstance(node, nodes.FPBinary):
            return _joined((self.part(node.left, focus), self.part(node.right, focus)), is_path=node.operator == "|")
        if isinstance(node, nodes.FPUnary):
            return _Part(self.part(node.operand, focus).reads, is_path=False)
        if isinstance(node, nodes.SortKey):
            return self.part(node.expression, focus)
        return _Part(is_path=False)

    def _variable(self, name: str, focus: _Part | None) -> _Part:
        if name == "$this":
            return focus or _Part()
        variable = self.expression.environment.lookup(name)
        return _Part((Read(variable),)) if variable is not None and variable.mode != "constant" else _Part()

    def _member(self, node: nodes.FPMember, focus: _Part | None) -> _Part:
        if node.focus is not None:
            return self.part(node.focus, focus).child(node.name)
        variable = self.expression.environment.lookup(node.name)
        if variable is not None and (focus is None or id(node) in self._bare_variables()):
            return self._variable(node.name, focus)
        if focus is None:
            return _Part()
        # `Patient.name`: the name of the focus's own type is the focus.
        return focus if self._is_type(node.name) else focus.child(node.name)

    def _is_type(self, name: str) -> bool:
        return name[:1].isupper() and self.checked.definitions.type_ref(name) is not None

    def _bare_variables(self) -> frozenset[int]:
        """Bare names that are variables, not children of what is in focus: as the expression's types have it."""
        if self._variables is None:
            body, environment = self.expression.node.expression, self.expression.environment
            scope = map_scope(environment, self.expression.focus, self.checked.definitions, self.checked.functions)
            self._variables = frozenset(infer_expression(body, scope).variables)
        return self._variables

    def _call(self, node: nodes.FPCall, focus: _Part | None) -> _Part:
        base = self.part(node.focus, focus) if node.focus is not None else None
        given = base or focus or _Part()
        inner = given if node.name in _PER_ITEM else focus
        if node.name == "iif":
            self._decide(node.arguments[0], given)
            branches = [self.part(argument, given) for argument in node.arguments[1:]]
            return _joined(branches, is_path=all(branch.is_path for branch in branches))
        if node.name in _TYPE_NAMES:
            return given if node.name != "is" else _Part(given.reads, is_path=False)
        if node.name in _DECIDING:
            for argument in node.arguments:
                self._decide(argument, inner)
            return given
        parts = [self.part(argument, inner) for argument in node.arguments]
        if node.name == "select" and parts:
            return parts[0]
        if node.name in _KEEPING or node.name in _JOINING:
            return _joined((given, *parts), is_path=True)
        return _joined((*((base,) if base is not None else ()), *parts), is_path=False)

    def _decide(self, node: object, focus: _Part | None) -> None:
        self.conditions += self.part(node, focus).reads


def _joined(parts: Iterable[_Part], *, is_path: bool) -> _Part:
    held = list(parts)
    reads = dict.fromkeys(read for part in held for read in part.reads)
    return _Part(tuple(reads), is_path and all(part.is_path for part in held))


def reads_of(expression: Expression | None, checked: Checked) -> Reads:
    """What an expression reads; nothing where there is none."""
    return flow_of(expression, checked)[0]


def flow_of(expression: Expression | None, checked: Checked) -> tuple[Reads, bool]:
    """What an expression reads, and whether its value is what is read there, unchanged."""
    if expression is None:
        return Reads(), False
    if expression.variable is not None:
        variable = expression.variable
        return Reads((Read(variable),) if variable.mode != "constant" else ()), True
    reading = _ExpressionFlow(expression, checked)
    focus = _Part((Read(expression.focus),)) if expression.focus is not None else None
    found = reading.part(expression.node.expression, focus)
    return Reads(found.reads, tuple(dict.fromkeys(reading.conditions))), found.is_path


def transform_reads(transform: Transform | None, checked: Checked) -> Reads:
    """What the arguments of a transform read."""
    if transform is None or not transform.arguments:
        return Reads()
    first, *others = (reads_of(argument, checked) for argument in transform.arguments)
    return sum(others, first)


def source_conditions(sources: Iterable[TypedSource], checked: Checked) -> tuple[Read, ...]:
    """What decides in a rule whether it fires: the `where` of its sources."""
    return tuple(dict.fromkeys(_conditions(sources, checked)))


def _conditions(sources: Iterable[TypedSource], checked: Checked) -> Iterator[Read]:
    for source in sources:
        found = reads_of(source.where, checked)
        yield from found.values
        yield from found.conditions


__all__ = ["Read", "Reads", "flow_of", "reads_of", "source_conditions", "transform_reads"]
