"""Models of JSON documents that cells hold: paths to their values, and a child model for each list of objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fhirmap.inspection.guess import TEXT, codes_of
from fhirmap.inspection.json_models import object_models, singular, value_type
from fhirmap.inspection.names import UniqueNames, camel_case, pascal_case
from fhirmap.inspection.sketch import ElementSketch, ModelSketch, child_element, column_element
from fhirmap.source_plan import path_name
from fhirmap.sources.documents import decoded
from fhirmap.sources.files.json_entries import UnreadEntry
from fhirmap.sources.keys import cell_text
from fhirmap.sources.shown_names import member_names
from fhirmap.sources.sql_types import ColumnKind
from fhirmap.texts import Text

__all__ = ["DocumentSketch", "documents_of"]

_MOST_MEMBERS = 100
"""An object with more different keys has data as keys."""


def documents_of(cells: Iterable[Any], kind: ColumnKind, items: ColumnKind = ColumnKind.UNKNOWN) -> list[Any]:
    """The documents in a column's cells: of one that the database knows to hold them, or of texts that all are JSON.

    Empty where the column is no such one, or has no values. Empty objects and lists say nothing and are left out.
    """
    held = [cell for cell in cells if cell is not None and not (isinstance(cell, str) and not cell.strip())]
    is_declared = kind == ColumnKind.DOCUMENT or (kind == ColumnKind.LIST and items == ColumnKind.DOCUMENT)
    if not is_declared and not all(isinstance(cell, str) and cell.lstrip()[0] in "{[" for cell in held):
        return []
    found = [decoded(cell) for cell in held]
    if not is_declared and any(isinstance(entry, UnreadEntry) for entry in found):
        return []
    return [entry for entry in found if not isinstance(entry, UnreadEntry) and entry not in (None, {}, [])]


class DocumentSketch:
    """What is read of the documents of one column: elements of the table's own model, and models below it.

    ``kind``: of the column, as the database has it.
    """

    def __init__(self, zone: str, element_names: UniqueNames, model_names: UniqueNames, kind: ColumnKind) -> None:
        self._zone = zone
        self._element_names = element_names
        self._model_names = model_names
        self._kind = kind
        self.elements: list[ElementSketch] = []
        self.models: list[ModelSketch] = []

    def add(self, path: str, words: str, values: Sequence[Any]) -> None:
        """The values at ``path``. ``words``: what the element is called after."""
        objects = [value for value in values if isinstance(value, Mapping)]
        if values and len(objects) == len(values):
            self._members(path, words, objects)
            return
        items = [item for value in values for item in (value if isinstance(value, list) else [value])]
        items = [item for item in items if item is not None]
        many = any(isinstance(value, list) for value in values)
        if items and all(isinstance(item, Mapping) for item in items):
            below = self._below(path, words)
            self.models += object_models(below, items, "", self._model_names, self._zone)
        elif many and path == words and self._kind not in (ColumnKind.DOCUMENT, ColumnKind.LIST):
            # The list in a text is the text, unless rows are read of it.
            below = self._below(path, words)
            values_below = DocumentSketch(self._zone, UniqueNames(), self._model_names, self._kind)
            values_below._value("value", "value", items, many=False)
            below.elements += values_below.elements
            self.models.append(below)
        else:
            self._value(path, words, items, many)

    def _below(self, path: str, words: str) -> ModelSketch:
        """The model of what is at ``path``, with the element that reads it."""
        below = ModelSketch(self._model_names.take(pascal_case(singular(words.rpartition(" ")[2]))))
        element = child_element(self._element_names.take(camel_case(words)), below.name, repeats=True)
        self.elements.append(ElementSketch(replace(element, column=path)))
        return below

    def _members(self, path: str, words: str, objects: Sequence[Mapping[str, Any]]) -> None:
        names, hidden = member_names(objects)
        if hidden:
            self._unread(path, words, Text("inspection.values_as_names", {"count": hidden}))
        if len(names) > _MOST_MEMBERS:
            self._unread(path, words, Text("inspection.members", {"count": len(names)}))
            return
        for name in names:
            held = [entry[name] for entry in objects if entry.get(name) is not None]
            self.add(f"{path}.{path_name(name)}", f"{words} {name}", held)

    def _value(self, path: str, words: str, items: Sequence[Any], many: bool) -> None:
        if any(isinstance(item, Mapping | list) for item in items):
            self._unread(path, words, Text("inspection.mixed"))
            return
        element = column_element(self._element_names.take(camel_case(words)), value_type(items), path, self._zone)
        codes = codes_of(cell_text(item) for item in items)
        self.elements.append(ElementSketch(replace(element, maximum=None if many else 1), codes=codes))

    def _unread(self, path: str, words: str, remark: Text) -> None:
        element = column_element(self._element_names.take(camel_case(words)), TEXT, path, self._zone)
        self.elements.append(ElementSketch(element, remark, is_proposal=True))
