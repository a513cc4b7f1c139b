"""What a map reads of a record, as fingerprints: the same for the same values, whoever gives them.

Only columns that elements of the model read count: not those that a key, a join or a revision needs, nor what a JSON
document holds besides. The order of child rows counts where the map declares one (`order by`) and in JSON lists; rows
of a table or lines of an export without a declared order are taken as a set, since databases and exports give them in
any order; the one row that another may be joined to has that one's place. Moments are compared as instants, decimals by
their digits: `1.50` is not `1.5`, as in FHIR.

A column is known by its name and by the way the map has to its rows (table, query, `on`, `where`, order …): a map that
asks for other rows reads other columns.

A record that was read before costs one encoding of the whole. The fingerprint of each column is computed for new ones
and where the whole differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import msgspec

from fhirmap.data import RawValue
from fhirmap.journal import ReadValues
from fhirmap.records import Record, TreeText
from fhirmap.runner.read_parts import ReadParts, bytes_of, has_place, is_unordered, nested_columns, plain_columns
from fhirmap.source_plan import Child, RowLayout, SourceKind, SourcePlan

__all__ = ["reader_of_values"]

_DIGEST_BYTES = 16
_WAY_BYTES = 6


def reader_of_values(plan: SourcePlan) -> Callable[[Record], ReadValues]:
    """A function that gives what was read of a record of this plan."""
    parts = ReadParts(plan.shape)
    columns = tuple(_names(plan.shape, f"{_digest_of_way(plan)}.", is_set=False))
    has_members = _has_members(plan)
    layout = hashlib.blake2b("\x1f".join(columns).encode(), digest_size=_DIGEST_BYTES).hexdigest()

    def read(record: Record) -> ReadValues:
        values = record.values
        written = _with_members(values) if has_members else values
        digest = hashlib.sha256(bytes_of(written, _WHOLE)).hexdigest()[: 2 * _DIGEST_BYTES]
        return ReadValues(digest, layout, columns, lambda: parts(values))

    return read


def _has_members(plan: SourcePlan) -> bool:
    """May a text of a record have members beside it: `TreeText`?"""
    stores = [child.store for layout in plan.shape.walk() for child in layout.children if child.store is not None]
    return any(place.kind in (SourceKind.XML, SourceKind.HL7) for place in (plan, *stores))


def _with_members(value: RawValue) -> RawValue:
    """``value`` with each text that has members as the list of the text and its members; a segment of HL7 v2, which is
    no dict, is written as its text."""
    if isinstance(value, dict):
        return {name: _with_members(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_members(inner) for inner in value]
    return [str(value), _with_members(value.members)] if isinstance(value, TreeText) else value


# It asks for what is no type of Python's own, the classes derived from these among them.
_WHOLE = msgspec.msgpack.Encoder(enc_hook=str)


def _digest_of_way(place: SourcePlan | Child) -> str:
    """Of all by which a map chooses rows, and how it decodes them."""
    if isinstance(place, Child):
        way: tuple[object, ...] = (place.kind, place.table, place.query, place.on, place.where, place.order)
        way += (has_place(place),)
        way += (place.attributes and (place.attributes.name, place.attributes.value),)
        way += (_digest_of_way(place.store), place.store.where) if place.store is not None else ()
    else:
        way = (place.kind, place.name, place.query, place.latest, place.latest and place.where)
        way += (place.encoding, place.delimiter, place.nulls)
        # What a plan does not say leaves the digest as it was before plans could say it.
        said = (place.source, place.number, place.names, place.names_line, place.fill, place.until, place.prefixes)
        way += said if any(entry not in ("", None, ()) for entry in said) else ()
    return hashlib.blake2b(repr(way).encode(), digest_size=_WAY_BYTES).hexdigest()


def _names(shape: RowLayout, prefix: str, *, is_set: bool) -> Iterator[str]:
    """The names of `ReadParts`, in its order. That of whole rows has the columns in it: it is comparable only
    where they are the same."""
    yield from (f"{prefix}{column.name}" for column in plain_columns(shape))
    for column, below in nested_columns(shape):
        yield from _names(below, f"{prefix}{column.name}.", is_set=is_set)
    for child in shape.children:
        yield from _child_names(child, f"{prefix}{_digest_of_way(child)}", is_set=is_set)


def _child_names(child: Child, place: str, *, is_set: bool) -> Iterator[str]:
    unordered = not is_set and is_unordered(child)

    def inner(prefix: str, *, is_set: bool) -> Iterator[str]:
        if child.attributes is not None:
            return iter([f"{prefix}{name}" for name in child.attributes.read])
        return _names(child.shape, prefix, is_set=is_set)

    if unordered:
        yield f"{place}({', '.join(inner('', is_set=True))})"
    yield from inner(f"{place}.", is_set=is_set or unordered)
