"""Paths of a record's FHIR JSON that mostly lead to one bare value: `answer.value` where there is one answer.

It is that where everything on the way is there once, has the JSON type that its own type says, and has no extensions.
All else needs a closer look.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from fhirmap.analysis.expression_types import is_object
from fhirmap.analysis.static import StaticType
from fhirmap.compiler import python as py
from fhirmap.compiler.fhirpath.scope import Constants, ExprScope
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.fhir_types import DATES, INTEGERS, TEXTS
from fhirmap.language import nodes as n
from fhirmap.model.definition import Definitions, Element, TypeRef

_TEXT = (py.Name("str"),)
_KINDS: Mapping[str, tuple[py.Expr, ...]] = {
    **dict.fromkeys((*TEXTS, *DATES), _TEXT),
    **dict.fromkeys(INTEGERS - {"integer64"}, (py.Name("int"),)),
    "boolean": (py.Name("bool"),),
    "decimal": (py.Imported(py.DECIMAL), py.Name("int")),
}
"""Primitive type -> the Python types that its JSON has. A whole number of 64 bits is a text."""


@dataclass(frozen=True, slots=True)
class CleanPath:
    """The value under ``key`` of ``owner``, an object or None. ``static``: what it is where it is as it should be.

    ``kinds``: the Python types that it then has; ``others``: what else the object holds of it, or of the choice.
    ``repeats``: there are several, texts in a list. ``only``: the list whose only object ``owner`` is.
    """

    owner: py.Expr
    key: str
    static: StaticType
    kinds: tuple[py.Expr, ...]
    others: py.Name | None = None
    repeats: bool = False
    only: py.Get | None = None

    @property
    def is_text(self) -> bool:
        """Is it a text, which may be empty?"""
        return self.kinds == _TEXT

    def tests(self, owner: py.Expr, value: py.Expr) -> tuple[py.Expr, ...]:
        """What holds where ``value``, read from ``owner``, is as it should be."""
        kind = py.builtin("type", value)
        is_kind = py.any_of(*(py.compared(kind, py.Comparison.IS, held) for held in self.kinds))
        is_filled = (value,) if self.is_text else ()
        if self.others is not None:
            return (is_kind, *is_filled, py.method(self.others, "isdisjoint", owner, raises=False))
        return (is_kind, *is_filled, py.compared(py.Literal(f"_{self.key}"), py.Comparison.NOT_IN, owner))


def only_object(items: py.Name) -> py.Expr:
    """The object of ``items``, where it is that one alone; an empty one for all that needs a closer look."""
    first = py.Item(items, py.Literal(0))
    is_list, is_object = (
        py.compared(py.builtin("type", value), py.Comparison.IS, py.Name(kind))
        for value, kind in ((items, "list"), (first, "dict"))
    )
    is_one = py.compared(py.builtin("len", items), py.Comparison.EQUAL, py.Literal(1))
    return py.Conditional(first, py.all_of(is_list, is_one, is_object), py.DictOf())


@dataclass(frozen=True, slots=True)
class _Object:
    """``code``: an object of FHIR JSON as the record has it, None perhaps.

    ``only``: the list whose only object it is, where that is an element of an object under a name.
    """

    code: py.Expr
    type: TypeRef
    only: py.Get | None = None


@dataclass(frozen=True, slots=True)
class CleanPaths:
    """Writes such paths."""

    definitions: Definitions
    constants: Constants

    def path(self, expression: n.FPExpr, scope: ExprScope) -> CleanPath | None:
        """The bare value at the end of a path of names; None where the expression is no such path."""
        if not isinstance(expression, n.FPMember) or expression.focus is None:
            return None
        owner = self._object(expression.focus, scope)
        found = self.child(owner.code, owner.type, expression.name) if owner is not None else None
        if owner is None or found is None or found.repeats:
            return None
        return replace(found, only=owner.only)

    def child(
        self, owner: py.Expr, owner_type: TypeRef, name: str, types: Collection[TypeRef] | None = None
    ) -> CleanPath | None:
        """A primitive of an object; None where it is anything else, or repeats and is no text.

        ``types``: those that are asked for of a choice; of one whose values may be of any of its types it is the text.
        """
        found = self.definitions.element(owner_type, name)
        if found is None:
            return None
        element, chosen = found
        if chosen is None and element.is_choice:
            return self._of_choice(owner, element, types)
        ref = chosen or (element.types[0] if len(element.types) == 1 else None)
        path = _primitive(owner, name, ref) if ref is not None and types in (None, {ref}) else None
        if path is None or not element.is_repeating:
            return path
        return replace(path, repeats=True) if path.is_text else None

    def _of_choice(self, owner: py.Expr, element: Element, types: Collection[TypeRef] | None) -> CleanPath | None:
        """A value of one type; where there is one of another, too, a closer look is needed."""
        is_text = (entry for entry in element.types if types == {entry} or (types is None and entry.name == "string"))
        ref = next(is_text, None)
        if ref is None:
            return None
        key, keys = element.json_name(ref.name), [element.json_name(entry.name) for entry in element.types]
        others = [py.Literal(way) for entry in keys for way in (entry, f"_{entry}") if way != key]
        return _primitive(owner, key, ref, self.constants.add("OTHERS", py.SetOf(tuple(others))))

    def _object(self, node: n.FPExpr, scope: ExprScope) -> _Object | None:
        """An object on the way, where the types say that it is one."""
        if isinstance(node, n.FPVariable) or (isinstance(node, n.FPMember) and node.focus is None):
            return _variable(node.name, scope)
        if not isinstance(node, n.FPMember) or node.focus is None:
            return None
        owner = self._object(node.focus, scope)
        found = self.definitions.element(owner.type, node.name) if owner is not None else None
        if owner is None or found is None:
            return None
        element, chosen = found
        ref = chosen or (element.types[0] if len(element.types) == 1 and not element.is_choice else None)
        if ref is None or not is_object(ref, self.definitions):
            return None
        if not element.is_repeating:
            return _Object(fp_call("one_object", owner.code, py.Literal(node.name)), ref)
        only = py.Get(owner.code, node.name) if isinstance(owner.code, py.Name) else None
        return _Object(fp_call("only_object", owner.code, py.Literal(node.name)), ref, only)


def _primitive(owner: py.Expr, key: str, ref: TypeRef, others: py.Name | None = None) -> CleanPath | None:
    kinds = _KINDS.get(ref.name)
    return CleanPath(owner, key, StaticType(frozenset((ref,)), "one", True), kinds, others) if kinds else None


def _variable(name: str, scope: ExprScope) -> _Object | None:
    found = scope.variables.get(name)
    if name == "$this" and scope.focus is not None:
        found = scope.focus_name, scope.focus
    if found is None or not found[1].is_raw or found[1].type is None:
        return None
    return _Object(found[0], found[1].type)
