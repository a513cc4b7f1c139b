"""Cells that hold a JSON document or a list, and the paths that a map names into them: `doc.implants[0].lot`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fhirmap.data import JsonValue, PathSteps, RawValue
from fhirmap.runtime.reading import UnreadDocument, at
from fhirmap.source_plan import MalformedPath, RowLayout, path_steps
from fhirmap.sources import names as naming
from fhirmap.sources.files.json_entries import UnreadEntry, decode_entry

__all__ = ["DocumentColumn", "ReadPath", "column_and_path", "decoded", "paths_of", "resolved", "value_of"]


@dataclass(frozen=True, slots=True)
class DocumentColumn:
    """Where a value is: a column of the store, and the steps into what its cell holds."""

    column: str
    steps: PathSteps = ()


@dataclass(frozen=True, slots=True)
class ReadPath:
    """How the cell under ``name`` becomes the value that the map reads.

    ``is_rows``: objects are wanted, which child rows are read from. ``repeats``: a list may be.
    """

    name: str
    steps: PathSteps
    is_rows: bool
    repeats: bool


def column_and_path(name: str, there: Iterable[str]) -> DocumentColumn | None:
    """The column of ``there`` that ``name`` means, or the one that it leads into; None where there is neither.

    A column whose own name has the signs of a path is found before a path is looked for.

    Example:
        >>> column_and_path("doc.implants[0].lot", ["id", "doc"])
        DocumentColumn(column='doc', steps=('implants', 0, 'lot'))
    """
    columns = list(there)
    real = naming.match(name, columns)
    if real is not None:
        return DocumentColumn(real)
    for at_sign in range(len(name) - 1, 0, -1):
        if name[at_sign] in ".[":
            real = naming.match(_unquoted(name[:at_sign]), columns)
            if real is not None:
                try:
                    return DocumentColumn(real, path_steps(name[at_sign:].removeprefix(".")))
                except MalformedPath:
                    return None
    real = naming.match(_unquoted(name), columns)
    return None if real is None else DocumentColumn(real)


def _unquoted(name: str) -> str:
    """A name that may be in backticks, without them."""
    try:
        steps = path_steps(name) if name.startswith("`") else ()
    except MalformedPath:
        return name
    return steps[0] if len(steps) == 1 and isinstance(steps[0], str) else name


def paths_of(shape: RowLayout, there: Iterable[str], documents: Iterable[str] = ()) -> tuple[ReadPath, ...]:
    """What is to be read of the cells of a kind of row, each name once, for all elements that read it.

    ``documents``: columns that the store declares to be JSON.
    """
    columns, declared = list(there), frozenset(documents)
    paths: dict[str, ReadPath] = {}
    for entry in shape.columns:
        found = column_and_path(entry.name, columns)
        if found is None or not entry.element:
            continue
        if found.steps or entry.nested or found.column in declared:
            same = paths.get(entry.name)
            is_rows, repeats = entry.nested or bool(same and same.is_rows), entry.repeats or bool(same and same.repeats)
            paths[entry.name] = ReadPath(entry.name, found.steps, is_rows, repeats)
    return tuple(paths.values())


def value_of(cell: RawValue, path: ReadPath) -> RawValue:
    """What the map reads of ``cell``: the value at the path, or the whole; an `UnreadDocument` where it is none.

    A whole document is its text, unless it is one plain value, or a list where one may be.
    """
    if cell is None:
        return None
    held = decoded(cell)
    if not path.steps and not path.is_rows:
        is_plain = not isinstance(held, UnreadEntry | dict | list) or (isinstance(held, list) and path.repeats)
        return held if is_plain else cell
    if isinstance(held, UnreadEntry):
        return UnreadDocument(cell if isinstance(cell, bytes) else str(cell).encode("utf-8", "surrogatepass"))
    return at(held, path.steps)


def resolved(row: Mapping[str, Any], paths: tuple[ReadPath, ...]) -> dict[str, Any]:
    """The row with what paths lead to in place of the cells that they lead into."""
    return {**row, **{path.name: value_of(row.get(path.name), path) for path in paths}}


def decoded(cell: RawValue) -> JsonValue:
    """The document that a cell holds, or the list; an `UnreadEntry` where it holds neither."""
    if isinstance(cell, list | tuple):
        # An array of documents comes as their texts.
        return [_object(item) if isinstance(item, str) and item.lstrip().startswith("{") else item for item in cell]
    if isinstance(cell, dict):
        return cell
    if isinstance(cell, str):
        cell = cell.encode("utf-8", "surrogatepass")
    if not isinstance(cell, bytes):
        return UnreadEntry()
    return decode_entry(cell) if cell.strip() else None


def _object(item: str) -> JsonValue:
    found = decode_entry(item.encode("utf-8", "surrogatepass"))
    return item if isinstance(found, UnreadEntry) else found
