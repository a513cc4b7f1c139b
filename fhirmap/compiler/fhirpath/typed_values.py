"""What a part of an expression is in Python while code is written, `TypedValue`, and for what it is evaluated,
`EvaluationSite`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from fhirmap.analysis.expression_types import families
from fhirmap.analysis.static import StaticType
from fhirmap.compiler import python as py
from fhirmap.fhir_types import INTEGERS
from fhirmap.model.definition import SYSTEM_URL, Element, TypeRef

BOOLEAN = StaticType(frozenset((TypeRef("System.Boolean", SYSTEM_URL + "Boolean"),)), "one", True)
_INTEGERS = INTEGERS | {"System.Integer", "System.Long"}


class ValueKind(StrEnum):
    """What the code of a `TypedValue` is."""

    SCALAR = "scalar"
    """A bare value, None when absent unless its static view says that there is one."""
    STREAM = "stream"
    """The element of a comprehension, one bare value after another."""
    ITEMS = "items"
    """A list of items (`fhirmap.runtime.fhirpath.item`)."""
    ITEM = "item"
    """One item."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice element whose key is not known yet: the next step, or its use, says which types can be meant.

    ``owner``: the dict that holds the element.
    """

    owner: py.Expr
    owner_type: TypeRef
    element: Element
    types: tuple[TypeRef, ...]


@dataclass(frozen=True, slots=True)
class Sibling:
    """Dict and key of a FHIR JSON primitive, whose `_key` may be there alone."""

    owner: py.Expr
    key: str


@dataclass(frozen=True, slots=True)
class RawRead:
    """An element of an object of FHIR JSON as the record has it.

    ``owner``: the object; ``name``: its key there; ``element``: the constant that knows it (`fp.RawRead`).
    """

    owner: py.Expr
    name: str
    element: py.Name


@dataclass(frozen=True, slots=True)
class TypedValue:
    """Python code of a value of known type.

    ``clauses``: those of a stream, around the element ``code``. ``source``: the list that a stream goes through
    unfiltered. ``sibling``: where the value is a primitive of FHIR JSON. ``choice``: ``code`` has no meaning yet.
    ``raw``: where it is an element of an object of the record.
    ``is_bare``: it comes from a FHIR JSON primitive and has lost the way to the sibling: not to be wrapped again.
    """

    code: py.Expr
    static: StaticType
    kind: ValueKind = ValueKind.SCALAR
    clauses: tuple[py.Clause, ...] = ()
    source: py.Expr | None = None
    sibling: Sibling | None = None
    choice: Choice | None = None
    is_bare: bool = False
    raw: RawRead | None = None

    @property
    def is_one(self) -> bool:
        """A scalar that is never absent?"""
        return self.kind is ValueKind.SCALAR and self.static.cardinality == "one"

    @property
    def is_scalar(self) -> bool:
        """A bare value, absent perhaps?"""
        return self.kind is ValueKind.SCALAR and self.choice is None

    @property
    def is_stream(self) -> bool:
        """Several bare values?"""
        return self.kind is ValueKind.STREAM and self.choice is None

    @property
    def is_typed(self) -> bool:
        """Bare values, one or several, of a choice perhaps; not items."""
        return self.kind in (ValueKind.SCALAR, ValueKind.STREAM)

    @property
    def may_repeat(self) -> bool:
        """May its code be written twice in a condition?"""
        return self.is_one or py.is_cheap(self.code)

    @property
    def keeps_type(self) -> bool:
        """Can it be wrapped as items again without loss?

        `iif(x, code, 'text')` may be of two types, and the extensions of a repeating primitive (`_given` of `given`)
        are a list of their own.
        """
        if self.is_bare or (self.kind is ValueKind.STREAM and self.sibling is not None):
            return False
        return self.choice is not None or not self.is_typed or len(self.static.types) < 2

    def with_static(self, static: StaticType) -> TypedValue:
        """The same code, known otherwise."""
        return replace(self, static=static)


@dataclass(frozen=True, slots=True)
class EvaluationSite:
    """For what a part is evaluated: `$this`, `$index` and `$total` there.

    ``is_root``: `$this` is still the focus of the whole expression.
    """

    focus: TypedValue | None
    index: py.Expr | None = None
    total: py.Name | None = None
    is_root: bool = True

    def inside(self, focus: TypedValue, index: py.Name | None = None, total: py.Name | None = None) -> EvaluationSite:
        """The site of an argument that is evaluated for ``focus``."""
        return EvaluationSite(focus, index or self.index, total or self.total, False)

    def each(self, stream: TypedValue) -> EvaluationSite:
        """The site where `$this` is the element of a stream."""
        return self.inside(TypedValue(stream.code, stream.static.as_one()))


def is_integer(static: StaticType) -> bool:
    """Is a value a whole number, whatever type it has?"""
    return bool(static.types) and all(ref.name in _INTEGERS for ref in static.types)


def is_texts(value: TypedValue) -> bool:
    """Is it texts, one or several, in the bare? Those of a record's own FHIR JSON have to be looked at."""
    if value.choice is not None or value.raw is not None or not value.is_typed:
        return False
    return not value.is_bare and families(value.static) == {"text"}
