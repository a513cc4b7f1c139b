"""Attributes that a map reads and no row has: a misspelt name would be an empty element in every record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from fhirmap.data import RawValue
from fhirmap.diagnostics import Diagnostic, nearest
from fhirmap.source_plan import AttributeRows
from fhirmap.sources.names import may_be_shown
from fhirmap.sources.samples import attribute_name

__all__ = ["unknown_attributes"]

_MOST_COMPARED = 1000


def unknown_attributes(table: str, attributes: AttributeRows, names: Iterable[RawValue]) -> Iterator[Diagnostic]:
    """FM774 for each attribute that is none of ``names``, the cells of the name's column; nothing where there are none.

    Of the names that are there, only one that is nearly the map's is named.
    """
    wanted = dict.fromkeys(attributes.read)
    seen: dict[str, None] = {}
    has_names = False
    for name in filter(None, map(attribute_name, names)):
        has_names = True
        wanted.pop(name, None)
        if not wanted:
            return
        if len(seen) < _MOST_COMPARED and may_be_shown(name):
            seen[name] = None
    for name in wanted if has_names else ():
        meant = nearest(name, islice(seen, _MOST_COMPARED))
        position = next(column.position for column in attributes.columns if column.name == name)
        args = {"table": table, "column": attributes.name, "attribute": name, "position": position}
        yield Diagnostic("FM774", args=args | ({"meant": meant} if meant else {}), variant="near" if meant else "")
