"""The fast path: one pass over a list whose slices are known by one name, each item compared with its usual form.

An item that has exactly its name and one well-formed value is done with; any other goes to its shape for the full
check. No path is written unless something is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fhirmap.compiler.names import snake_case
from fhirmap.compiler.plan import PythonFunction
from fhirmap.compiler.python import (
    Assign,
    Call,
    Comparison,
    Conditional,
    Do,
    Expr,
    For,
    Formatted,
    Get,
    If,
    Increment,
    Item,
    Literal,
    Name,
    Not,
    Return,
    Statement,
    Try,
    TupleOf,
    all_of,
    any_of,
    builtin,
    compared,
    method,
)
from fhirmap.compiler.runtime_functions import call
from fhirmap.compiler.validator.merged import MergedElement
from fhirmap.compiler.validator.section import ENTRY, FAULTS, RESOURCE, SectionBuilder, base_shape, visit
from fhirmap.compiler.validator.shapes import ShapePlan, ShapeWriter
from fhirmap.fhir_types import MOST_CHARACTERS

PREDICATES: Mapping[str, str] = {
    "base64Binary": "is_base64_binary",
    "boolean": "is_boolean",
    "canonical": "is_uri",
    "code": "is_code",
    "date": "is_date",
    "dateTime": "is_date_time",
    "decimal": "is_decimal",
    "id": "is_id",
    "instant": "is_instant",
    "integer": "is_integer",
    "integer64": "is_integer64",
    "markdown": "is_string",
    "oid": "is_oid",
    "positiveInt": "is_positive_int",
    "string": "is_string",
    "time": "is_time",
    "unsignedInt": "is_unsigned_int",
    "uri": "is_uri",
    "url": "is_uri",
    "uuid": "is_uuid",
}
"""Primitive type → name of the runtime's predicate."""

_ITEMS, _ITEM, _CALLED, _VALUE, _BEFORE = (Name(text) for text in ("items", "item", "called", "value", "before"))
_NO_ITEM = TupleOf((Name("KeyError"), Name("TypeError")))


@dataclass(frozen=True, slots=True)
class SlicedList:
    """A list whose slices are known by the text of one primitive child. ``slices``: (slice name, text, slice)."""

    name: str
    key: str
    merged: MergedElement
    type: str
    slices: tuple[tuple[str, str, MergedElement], ...]


@dataclass(frozen=True, slots=True)
class LoopSite:
    """Where a loop is in the resource: the parts of its path, texts and names of indexes, and the element path."""

    path: tuple[str | Name, ...]
    element: str

    @property
    def indexes(self) -> tuple[Name, ...]:
        """Names of the indexes so far."""
        return tuple(part for part in self.path if isinstance(part, Name))

    def list_below(self, name: str) -> LoopSite:
        """The list ``name`` below."""
        return LoopSite((*self.path, f".{name}"), f"{self.element}.{name}")

    def item(self, index: Name) -> LoopSite:
        """An item of this list."""
        return LoopSite((*self.path, "[", index, "]"), self.element)

    def slice(self, name: str) -> LoopSite:
        """The same place as a slice."""
        return replace(self, element=f"{self.element}:{name}")

    def visit(self) -> Call:
        """The place as the runtime's `Visit`."""
        return visit(Formatted(self.path) if self.indexes else Literal(self.text("")), Literal(self.element))

    def text(self, gap: str) -> str:
        """The path with ``gap`` for each index."""
        return "".join(gap if isinstance(part, Name) else part for part in self.path)

    def unwritten(self) -> Expr:
        """The path yet to be written: its text with gaps, then the indexes that fill them."""
        return TupleOf((Literal(self.text("{}")), *self.indexes)) if self.indexes else Literal(self.text(""))


@dataclass(frozen=True, slots=True)
class UsualForm:
    """What an item of a slice usually is: its name, and one element more. ``test``: is ``value`` as it should be?

    ``rules``: the function of the value's own invariants; ``parts``: the list that the value is.
    """

    json_name: str
    test: Expr
    rules: Name | None = None
    parts: SlicedList | None = None
    function: Name | None = None


class FastPathWriter:
    """Writes `_validate` and the functions of the sliced lists below it."""

    def __init__(self, section: SectionBuilder, shapes: ShapeWriter, root: ShapePlan) -> None:
        self.section = section
        self.shapes = shapes
        self.root = root

    def write(self) -> None:
        """All functions, `_validate` last."""
        found = _sliced_list(self.root)
        body: tuple[Statement, ...] = (self._full_check(),) if found is None else tuple(self._body(found))
        doc = "Report everything in ``resource`` that breaks the contract."
        self.section.parts.append(PythonFunction(ENTRY, (RESOURCE, FAULTS), doc, body))

    def _full_check(self) -> Do:
        return Do(None, _call(self.root.name, "report", RESOURCE, FAULTS))

    def _body(self, found: SlicedList) -> Iterator[Statement]:
        kind = self.root.type
        is_dict = compared(builtin("type", RESOURCE), Comparison.IS, Name("dict"))
        yield Assign(None, (_ITEMS,), Conditional(Get(RESOURCE, found.name), is_dict, Literal(None)))
        is_usual = any_of(
            compared(builtin("type", _ITEMS), Comparison.IS_NOT, Name("list")),
            Not(_ITEMS),
            compared(Get(RESOURCE, "resourceType"), Comparison.UNEQUAL, Literal(kind)),
        )
        yield If(None, is_usual, (self._full_check(), Return(None)))
        yield Assign(None, (_BEFORE,), builtin("len", FAULTS))
        yield self._other_elements(found)
        yield from self._loop(found, LoopSite((kind,), kind))
        if self.root.rules is not None:
            is_sound = any_of(
                compared(builtin("len", FAULTS), Comparison.EQUAL, _BEFORE), call("is_sound", FAULTS, _BEFORE)
            )
            rules = Call(self.root.rules, (RESOURCE, RESOURCE, FAULTS, Literal(kind), Literal(kind)), raises=False)
            yield If(None, is_sound, (Do(None, rules),))

    def _other_elements(self, found: SlicedList) -> Statement:
        """Check what is beside the list; where nothing is required there, only if there is anything."""
        root = self.root
        here = visit(Literal(root.type), Literal(root.type))
        check = Do(None, _call(root.name, "check_elements", RESOURCE, here, Literal(found.name)))
        others = [merged for name, merged in root.elements.items() if name != found.name]
        if root.constrained - {found.name} or any(merged.minimum for merged in others):
            return check
        size = builtin("len", RESOURCE)
        is_more: Expr = compared(size, Comparison.GREATER, Literal(2))
        if "meta" in root.elements:
            names = call("names_profiles", Get(RESOURCE, "meta"))
            is_more = all_of(is_more, Not(all_of(compared(size, Comparison.EQUAL, Literal(3)), names)))
        return If(None, is_more, (check,))

    def _loop(self, found: SlicedList, site: LoopSite) -> Iterator[Statement]:
        """Walk ``items``, then report how often each slice came."""
        depth = len(site.indexes)
        index = Name("index" if depth == 0 else f"index_{depth + 1}")
        counters = {entry[0]: Name(f"n_{snake_case(entry[0])}") for entry in found.slices}
        the_list = site.list_below(found.name)
        here = the_list.item(index)
        yield Assign(None, tuple(counters.values()), Literal(0))
        body = (_called(found.key), self._branches(found, counters, here))
        yield For(None, (index, _ITEM), builtin("enumerate", _ITEMS), body)
        for name, _, merged in found.slices:
            yield from _count(name, counters[name], (merged.minimum, merged.maximum), the_list.slice(name))
        yield from _total(found, the_list)

    def _branches(self, found: SlicedList, counters: Mapping[str, Name], here: LoopSite) -> Statement:
        """`if called == …` for each slice, those that come several times first: most items are of them."""
        branches: list[tuple[Expr, tuple[Statement, ...]]] = []
        for name, text, merged in sorted(found.slices, key=lambda entry: entry[2].maximum == 1):
            is_it = compared(_CALLED, Comparison.EQUAL, Literal(text))
            branches.append((is_it, (Increment(None, counters[name]), *self._item(found, merged, here.slice(name)))))
        whole: Statement = self._check_item(found.type, here)
        for test, body in reversed(branches):
            whole = If(None, test, body, (whole,))
        return whole

    def _item(self, found: SlicedList, merged: MergedElement, here: LoopSite) -> Iterator[Statement]:
        """One item of a known slice: its usual form, else the full check."""
        full_check = self._check_item(found.type, here)
        shape = self.shapes.at(found.type, here.element)
        usual = self._usual_form(shape, found.key) if shape is not None and shape.rules is None else None
        if merged.fixed is not None or merged.pattern is not None or merged.constraints or usual is None:
            yield full_check
            return
        yield Assign(None, (_VALUE,), Get(_ITEM, usual.json_name))
        is_other = any_of(compared(builtin("len", _ITEM), Comparison.UNEQUAL, Literal(2)), Not(usual.test))
        yield If(None, is_other, (full_check,), tuple(self._further(usual, here)))

    def _further(self, usual: UsualForm, here: LoopSite) -> Iterator[Statement]:
        """What is left to check of an item in its usual form."""
        if usual.parts is not None and usual.function is not None:
            self._write_parts(usual.function, usual.parts, here)
            yield Do(None, Call(usual.function, (_VALUE, *here.indexes, RESOURCE, FAULTS), raises=False))
        if usual.rules is not None:
            path = LoopSite((*here.path, ".value"), f"{here.element}.value[x]")
            arguments = (_VALUE, RESOURCE, FAULTS, path.unwritten(), Literal(path.element))
            yield Do(None, Call(usual.rules, arguments, raises=False))

    def _usual_form(self, shape: ShapePlan, key: str) -> UsualForm | None:
        parts = _sliced_list(shape)
        if parts is not None:
            is_list = all_of(compared(builtin("type", _VALUE), Comparison.IS, Name("list")), _VALUE)
            function = self.section.name(f"check_{snake_case(shape.path.rpartition(':')[2])}")
            return UsualForm(parts.name, is_list, parts=parts, function=function)
        value = shape.elements.get("value")
        if value is None or value.maximum == 0 or len(value.types) != 1 or shape.elements[key].base.is_repeating:
            return None
        if value.fixed is not None or value.pattern is not None or value.slices():
            return None
        kind = value.types[0]
        test = self._value_test(value, kind)
        rules = self.shapes.value_rules.get(f"{shape.path}.value[x]")
        return UsualForm(value.base.json_name(kind), test, rules) if test is not None else None

    def _value_test(self, value: MergedElement, kind: str) -> Expr | None:
        """Is ``value`` as its type and its binding have it? None where that takes the full check."""
        codes = self.shapes.codes.constant(value)
        if kind in PREDICATES and not value.value_sets:
            fits = call(PREDICATES[kind], _VALUE)
            return any_of(plain_string(_VALUE), fits) if PREDICATES[kind] == "is_string" else fits
        if kind == "CodeableConcept" and codes is not None and not value.refs(kind):
            return call("is_coded", _VALUE, codes)
        return None

    def _write_parts(self, name: Name, parts: SlicedList, here: LoopSite) -> None:
        """The function of the items of a list inside an item."""
        parameters = (_ITEMS, *here.indexes, RESOURCE, FAULTS)
        doc = f"Report what is wrong with the parts of one {here.element}."
        body = tuple(self._loop(parts, here))
        self.section.parts.append(PythonFunction(name, parameters, doc, body))

    def _check_item(self, kind: str, here: LoopSite) -> Do:
        """The full check of one item."""
        shape = self.shapes.at(kind, here.element)
        known: Expr = shape.name if shape is not None else base_shape(kind)
        return Do(None, _call(known, "check", _ITEM, here.visit()))


def _sliced_list(shape: ShapePlan) -> SlicedList | None:
    """The one list of a shape that the fast path can walk."""
    for name, merged in shape.elements.items():
        if merged.base.maximum is not None or len(merged.types) != 1 or merged.is_closed or merged.constraints:
            continue
        slices = merged.slices()
        keys = {path for _, values, _ in slices for path, _ in values}
        texts = [values[0][1] for _, values, _ in slices if len(values) == 1]
        if len(keys) != 1 or len(texts) != len(slices) or merged.maximum == 0:
            continue
        key = next(iter(keys))
        if "." in key or key.startswith("$") or not all(isinstance(text, str) for text in texts):
            continue
        known = tuple((entry[0], str(text), entry[2]) for entry, text in zip(slices, texts, strict=True))
        return SlicedList(name, key, merged, merged.types[0], known)
    return None


def _called(key: str) -> Try:
    """The text by which an item's slice is known; None where it has none."""
    named = Assign(None, (_CALLED,), Item(_ITEM, Literal(key)))
    return Try(None, (named,), _NO_ITEM, None, (Assign(None, (_CALLED,), Literal(None)),))


def plain_string(value: Name) -> Expr:
    """Is it plainly a FHIR string? Most values are, and the call of `is_string` is most of what it costs."""
    is_text = compared(builtin("type", value), Comparison.IS, Name("str"))
    starts_well = compared(value, Comparison.GREATER_OR_EQUAL, Literal("!"))
    is_short = compared(builtin("len", value), Comparison.LESS_OR_EQUAL, Literal(MOST_CHARACTERS))
    return all_of(is_text, starts_well, method(value, "isprintable", raises=False), is_short)


def _call(owner: Expr, name: str, *arguments: Expr) -> Call:
    return method(owner, name, *arguments, raises=False)


def _total(found: SlicedList, site: LoopSite) -> Iterator[Statement]:
    """How often the list may come as a whole, where its slices do not say so already."""
    least, most = found.merged.minimum, found.merged.maximum
    if most is not None or least > sum(merged.minimum for _, _, merged in found.slices):
        yield from _count(found.name, builtin("len", _ITEMS), (least, most), site)


def _count(name: str, count: Expr, allowed: tuple[int, int | None], site: LoopSite) -> Iterator[Statement]:
    """Report a count that is less or more than is allowed."""
    least, most = allowed
    if most is not None and least == most:
        tests = [compared(count, Comparison.UNEQUAL, Literal(most))]
    else:
        tests = [compared(count, Comparison.LESS, Literal(least))] if least else []
        tests += [compared(count, Comparison.GREATER, Literal(most))] if most is not None else []
    if tests:
        report = call("report_count", Literal(name), count, Literal(allowed), site.visit())
        yield If(None, any_of(*tests), (Do(None, report),))
