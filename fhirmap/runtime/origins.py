"""Values that know their cells: in a map compiled for a trace, each value carries what it was made of.

A cell that a reader converts becomes a value of the same kind, equal to it, that also names its column. It keeps that
through variables, groups, lists, nodes and stages, since all those hand on the value itself. Where a new value is
computed, `derived` says what it was made of: what the expression's data flow reads, in this very record. Nothing is
found by comparing values. Only traced modules call this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, TypeVar, cast

from fhirmap.data import MapValue, RawValue
from fhirmap.decimals import decimal_text
from fhirmap.runtime.fhirpath.item import FhirNode
from fhirmap.runtime.nodes import TargetSlot
from fhirmap.runtime.reading import Cell

_Entry = TypeVar("_Entry")
Read = tuple[MapValue, tuple[str, ...]]
"""A variable's value, and the names that an expression goes down from it."""


@dataclass(frozen=True, slots=True)
class SourceCell:
    """A cell of the record: its column, and its text as the source holds it."""

    column: str
    text: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value comes from.

    ``cells``: what it is made of. ``conditions``: what only decided that it is there, or which value it is. ``rules``:
    name and `file:line:col` of the rules that wrote it, stage after stage.
    """

    cells: tuple[SourceCell, ...] = ()
    conditions: tuple[SourceCell, ...] = ()
    rules: tuple[tuple[str, str], ...] = ()


class _KnowsOrigin(Protocol):
    provenance: Provenance


class KnownText(str):
    """A text with its provenance."""

    provenance: Provenance


class KnownInteger(int):
    """A whole number with its provenance."""

    provenance: Provenance


class KnownDecimal(Decimal):
    """A decimal with its provenance."""

    provenance: Provenance


class KnownBoolean(int):
    """True or false with its provenance. Python lets nothing be a kind of `bool`: it only says that it is one."""

    provenance: Provenance

    __class__ = property(lambda _: bool)  # what `isinstance` asks


_KINDS: Mapping[type, type] = {str: KnownText, int: KnownInteger, Decimal: KnownDecimal, bool: KnownBoolean}
_KNOWN = frozenset(_KINDS.values())


def provenance_of(value: MapValue) -> Provenance | None:
    """Where a value comes from; None where it does not know."""
    return cast("_KnowsOrigin", value).provenance if type(value) in _KNOWN else None


def known(value: MapValue, provenance: Provenance) -> MapValue:
    """A primitive value that knows where it comes from, equal to ``value``; anything else as it is."""
    kind = _KINDS.get(type(bare(value)))
    if kind is None:
        return value
    made = kind(value)
    made.provenance = provenance
    return made


def bare(value: MapValue) -> MapValue:
    """The value alone, as a run without a trace has it."""
    kind = type(value)
    if kind not in _KNOWN:
        return value
    if kind is KnownText:
        return str.__str__(value)
    if kind is KnownDecimal:
        return Decimal(value)
    return bool(value) if kind is KnownBoolean else int(value)


def bared(value: MapValue) -> MapValue:
    """A copy of FHIR JSON of values alone."""
    if isinstance(value, dict):
        return {bare(key): bared(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [bared(entry) for entry in value]
    return bare(value)


def from_cell(value: MapValue, cell: Cell, raw: RawValue) -> MapValue:
    """A value that a reader made of a cell."""
    text = decimal_text(raw) if isinstance(raw, Decimal) and raw.is_finite() else str(raw)
    return known(value, Provenance((SourceCell(cell.column, text),)))


def constant(value: MapValue) -> MapValue:
    """A value that the map itself says: it comes from no cell."""
    return known(value, Provenance())


# --- computed values --------------------------------------------------------------------------------------------------


def derived(
    value: MapValue, made_of: Sequence[Read], decided_by: Sequence[Read] = (), rule: tuple[str, str] | None = None
) -> MapValue:
    """``value`` with what it was made of: what it knows itself, else what was read. ``rule``: writes it."""
    found = [place for read in made_of for place in _read(read)]
    decided = [place for read in decided_by for place in _read(read, with_nodes=False)]
    conditions = [cell for place in decided for cell in (*place.cells, *place.conditions)]
    conditions += [cell for place in found for cell in place.conditions]
    made = Provenance(
        _unique(cell for place in found for cell in place.cells),
        _unique(conditions),
        _unique(entry for place in found for entry in place.rules),
    )
    return _marked(value, made, _unique(conditions), (rule,) if rule is not None else ())


def deciding_values(reads: Sequence[Read]) -> list[MapValue]:
    """One value for each that was read to decide: its cells, and what decided about it, are conditions."""
    found = [place for read in reads for place in _read(read, with_nodes=False)]
    return [known("", Provenance(conditions=_unique((*place.cells, *place.conditions)))) for place in found]


def handed(value: MapValue, decided_by: Sequence[Read] = (), rule: tuple[str, str] | None = None) -> MapValue:
    """A value that a variable of the result hands on; a node is itself, since its parts have rules of their own."""
    if isinstance(value, list):
        return [handed(entry, decided_by, rule) for entry in value]
    return value if isinstance(value, dict | TargetSlot) else derived(value, (), decided_by, rule)


def _marked(
    value: MapValue, made: Provenance, decided: tuple[SourceCell, ...], rules: tuple[tuple[str, str], ...]
) -> MapValue:
    if isinstance(value, list):
        return [_marked(entry, made, decided, rules) for entry in value]
    if isinstance(value, dict):
        return {key: _marked(entry, made, decided, rules) for key, entry in value.items()}
    if isinstance(value, FhirNode):
        if value.value is None:
            return value
        return FhirNode(_marked(value.value, made, decided, rules), value.type, value.table, value.sibling)
    own = provenance_of(value) or made
    conditions = _unique((*own.conditions, *decided))
    return known(value, Provenance(own.cells, conditions, _unique((*own.rules, *rules))))


def contributing(
    function: Callable[..., Any], arguments: Sequence[MapValue], reads: Sequence[Sequence[Read]]
) -> list[Read]:
    """What those arguments read that a function's result is made of.

    A function may get more than it uses: a lot that is asked for only where the label has no separator. It is called
    again without each argument and with another text in its place: one that changes nothing is no part of the result.
    """
    given = [bare(argument) for argument in arguments]
    result = _outcome(function, given)
    found = list(reads[0])
    for rank, argument in enumerate(given[1:], 1):
        others = [None, f"{argument}0"] if isinstance(argument, str) else [None]
        tries = ([*given[:rank], other, *given[rank + 1 :]] for other in others)
        if (argument is not None and len(others) == 1) or any(_outcome(function, entry) != result for entry in tries):
            found += reads[rank]
    return found


def _outcome(function: Callable[..., Any], arguments: Sequence[MapValue]) -> object:
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001 - a plug-in's own; that it refuses is an outcome, too
        return type(error)


def _read(read: Read, *, with_nodes: bool = True) -> Iterator[Provenance]:
    """Where what is read comes from. ``with_nodes``: of a node, where its parts do; else it is only looked at."""
    value, steps = read
    for name in steps:
        value = [found for item in _items(value) for found in _below(item, name)]
    for item in _items(value):
        held = item.value if isinstance(item, FhirNode) else item
        if with_nodes or not isinstance(held, dict):
            yield from provenances(held)


def _items(value: MapValue) -> Iterable[MapValue]:
    return value if isinstance(value, list) else (value,)


def _below(item: MapValue, name: str) -> Iterable[MapValue]:
    """What is under a name of a node; the stem of a choice finds whatever it holds."""
    node = item.value if isinstance(item, FhirNode) else item
    if not isinstance(node, dict):
        return ()
    if name in node:
        return _items(node[name])
    return (node[key] for key in node if key.startswith(name) and key[len(name) : len(name) + 1].isupper())


def provenances(value: MapValue) -> Iterator[Provenance]:
    """Where a value, or each value in a tree, comes from."""
    if isinstance(value, FhirNode):
        value = value.value
    if isinstance(value, TargetSlot):
        value = value.node.get(value.key)
    if isinstance(value, list | dict):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from provenances(entry)
        return
    found = provenance_of(value)
    if found is not None:
        yield found


def _unique(entries: Iterable[_Entry]) -> tuple[_Entry, ...]:
    return tuple(dict.fromkeys(entries))


def leaves(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every primitive of a resource with its indexed path, in document order; the type itself is not one."""

    def below(node: MapValue, path: str) -> Iterator[tuple[str, Any]]:
        if isinstance(node, Mapping):
            for name, value in node.items():
                if name != "resourceType":
                    yield from below(value, f"{path}.{name}")
        elif isinstance(node, list):
            for index, item in enumerate(node):
                yield from below(item, f"{path}[{index}]")
        elif node is not None:
            yield path, node

    yield from below(resource, str(resource.get("resourceType", "")))
