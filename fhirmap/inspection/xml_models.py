"""Models of the records of XML documents: their path, the namespaces, and one model for each kind of element that
repeats below a record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from fhirmap.diagnostics import NO_SPAN
from fhirmap.errors import ConfigError
from fhirmap.inspection.guess import TEXT, Guess, codes_of, guess_most, identifies_person, others
from fhirmap.inspection.json_models import singular
from fhirmap.inspection.names import UniqueNames, camel_case, is_identifier_name, is_revision_name, pascal_case
from fhirmap.inspection.sketch import ElementSketch, ModelSketch, child_element, column_element, store_clause
from fhirmap.language.nodes import OrderKey
from fhirmap.records import TreeText
from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan, path_name
from fhirmap.sources.address import SUFFIXES, Address
from fhirmap.sources.files.source_files import FileSet, SourceFile
from fhirmap.sources.files.xml_reader import XmlReader
from fhirmap.sources.files.xml_shapes import Shape, ShapeTarget
from fhirmap.sources.files.xml_text import XML, XmlText
from fhirmap.sources.files.xml_trees import TEXT as OWN_TEXT
from fhirmap.sources.files.xml_trees import XmlNames
from fhirmap.sources.names import may_be_shown
from fhirmap.texts import Text

__all__ = ["xml_models"]

_SAMPLE = 2000
_FILES = 50
_NAMED_SEGMENTS = 3
"""How many of the last names of a path an element is called by."""
_UP = "../"
_DEFAULT = "n"
"""What a namespace is called that the document has without a prefix."""
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
"""Types and schemas of elements: no data."""
_WORDS = re.compile(r"[A-Z]?[a-z]+|[^a-z]+")
_NUMBER = "@extension"
"""How HL7 writes the number of an identifier: `<id root="…" extension="…"/>`."""
_TEXTS = (_NUMBER, "@root", "@code")
"""Attributes of HL7 that are texts, whatever they look like."""
_HL7_TIME = re.compile(r"\d{12}(?:\d\d)?(?:\.\d+)?[+-]\d{4}")
_HL7 = Guess("dateTime", "hl7")


class _Leaf(NamedTuple):
    """A value of the records that does not repeat: its path, its element's name, and its text in each of them."""

    path: str
    name: str
    texts: list[str]


def xml_models(  # noqa: PLR0913 - the settings of `inspect_source`
    address: Address, path: str | None, name: str | None, encoding: str, zone: str, names: UniqueNames
) -> list[ModelSketch]:
    """The record's model, then those of the elements that repeat below it. ``path``: of the records, by default the
    element that most of the document consists of.

    Raises: ConfigError FM70x, FM714, FM78x (cannot be read), FM750 (no record).
    """
    there = FileSet(address).listing().files
    files = ([file for file in there if SUFFIXES.get(file.inner_suffix) is SourceKind.XML] or there)[:_FILES]
    shapes = [_shapes(file, encoding) for file in files]
    prefixes = _prefixes(shapes)
    known = XmlNames(prefixes)
    way = path if path is not None else ".".join(path_name(known[step]) for step in _records(shapes))
    plan = SourcePlan(SourceKind.XML, way, (), RowLayout("", ()), encoding=encoding, prefixes=tuple(prefixes.items()))
    rows = list(islice(_rows(files, plan), _SAMPLE))
    if not rows:
        raise ConfigError("FM750", source=address.shown, reason=Text("reasons.no_record"))
    found = ModelSketch(names.take(name or pascal_case(singular(_local(way.rpartition(".")[2])))))
    sketch = _Sketch(names, zone)
    below = sketch.fill(found, rows)
    key, latest = _key_of(sketch.leaves)
    store = store_clause(
        "xml", way, key=(key,) if key else (), latest=OrderKey(latest, False, NO_SPAN) if latest else None
    )
    found.store = replace(store, prefixes=tuple(prefixes.items()), encoding=encoding or None)
    found.elements = [_with_key(entry, key) for entry in found.elements]
    if not key:
        found.remark = Text("inspection.no_key")
    return [found, *below]


# --- the document -----------------------------------------------------------------------------------------------------


def _shapes(file: SourceFile, encoding: str) -> ShapeTarget:
    text = XmlText(file, encoding)
    text.head  # noqa: B018 - refuses what must not be read
    target = ShapeTarget(file.shown)
    for _ in text.fed(text.target_parser(target)):
        pass
    return target


def _prefixes(shapes: Sequence[ShapeTarget]) -> dict[str, str]:
    """A prefix for each namespace that elements or attributes are in: the document's own where it has one."""
    used = dict.fromkeys(
        name.removeprefix("@")[1:].partition("}")[0]
        for target in shapes
        for name in _names_in(target.top)
        if "}" in name and may_be_shown(name.rpartition("}")[2])
    )
    own = {namespace: prefix for target in reversed(shapes) for namespace, prefix in target.prefixes.items()}
    taken = UniqueNames()
    return {taken.take(own.get(namespace) or _DEFAULT): namespace for namespace in used if namespace not in (XML, _XSI)}


def _names_in(shape: Shape) -> Iterator[str]:
    for name, below in shape.below.items():
        yield name
        yield from _names_in(below)


def _records(shapes: Sequence[ShapeTarget]) -> list[str]:
    """The document's names of the elements from the root to a record.

    That is the first element that repeats and that most of the document consists of, or that is called as one of what
    the element around it is called; else the root.
    """
    root_name = next(iter(shapes[0].top.below))
    roots = [target.top.below[root_name] for target in shapes if root_name in target.top.below]
    total = sum(map(_size, roots))
    ways = [[root_name, name] for root in roots for name in root.below]
    ways += [
        [*way, name] for way in ways for root in roots if way[1] in root.below for name in root.below[way[1]].below
    ]
    for way in dict.fromkeys(map(tuple, ways)):
        found = [shape for root in roots if (shape := _at(root, way[1:])) is not None]
        if not way[-1].startswith("@") and any(name for shape in found for name in shape.below):
            repeats = any(shape.repeats for shape in found) or any(shape.count > 1 for shape in found)
            is_one_of = _is_one_of(_local(way[-1]), _local(way[-2]))
            if is_one_of or (repeats and 2 * sum(map(_size, found)) >= total):
                return list(way)
    return [root_name]


def _at(shape: Shape, way: Sequence[str]) -> Shape | None:
    found: Shape | None = shape
    for name in way:
        found = found.below.get(name) if found is not None else None
    return found


def _is_one_of(name: str, outer: str) -> bool:
    """Is an element called in the singular what the one around it is in the plural? `implant` in `implants`."""
    return name != outer and name in (singular(outer), "".join(singular(word) for word in _WORDS.findall(outer)))


def _size(shape: Shape) -> int:
    """How many elements there are, and below."""
    return shape.count + sum(_size(below) for name, below in shape.below.items() if not name.startswith("@"))


def _local(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2].strip("`")


def _rows(files: Sequence[SourceFile], plan: SourcePlan) -> Iterator[Mapping[str, Any]]:
    """The records' trees, and all that their ancestors have."""
    for file in files:
        reader = XmlReader(file, plan)
        for row in reader.rows(reader.names()):
            yield row.cells


# --- its models -------------------------------------------------------------------------------------------------------


class _Sketch:
    """Models of trees. ``leaves``: the values of the record's own that do not repeat."""

    def __init__(self, names: UniqueNames, zone: str) -> None:
        self._names = names
        self._zone = zone
        self.leaves: list[_Leaf] = []

    def fill(
        self, model: ModelSketch, rows: Sequence[Mapping[str, Any]], *, is_record: bool = True
    ) -> list[ModelSketch]:
        """Give ``model`` an element for each value and for each element that repeats; the models of the latter."""
        taken, found = UniqueNames(), []
        for path, segments, held in _flattened(rows, "", ()):
            name = taken.take(camel_case(" ".join(segments[-_NAMED_SEGMENTS:])))
            items = [item for value in held for item in (value if isinstance(value, list) else [value])]
            repeats = any(isinstance(value, list) for value in held)
            inner = [_members(item) for item in items if item is not None]
            if any(set(entry) - {OWN_TEXT} for entry in inner):
                below = ModelSketch(self._names.take(pascal_case(singular(segments[-1]))))
                model.add(replace(child_element(name, below.name, repeats=True), column=path))
                found += [below, *self.fill(below, inner, is_record=False)]
                continue
            texts = [_text(item) for item in items]
            kind = TEXT if path.endswith(_TEXTS) else _type_of(texts)
            element = column_element(name, kind, path, self._zone)
            remark = others(kind, texts, self._zone)
            element = replace(element, maximum=None if repeats else 1)
            model.elements.append(ElementSketch(element, remark, codes=codes_of(texts)))
            if is_record and not repeats:
                self.leaves.append(_Leaf(path, name, texts))
        model.hidden = _hidden(rows)
        return found


def _flattened(
    rows: Sequence[Mapping[str, Any]], prefix: str, segments: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...], list[Any]]]:
    """Each path below the rows at which there is a text, or something that repeats, with what each row has there."""
    for name in dict.fromkeys(name for row in rows for name in row if may_be_shown(name)):
        held = [row.get(name) for row in rows]
        if name == "..":
            yield from _flattened([value or {} for value in held], f"{prefix}{_UP}", ())
            continue
        inner = [{} if value is None else _members(value) for value in held if not isinstance(value, list)]
        is_own = name == OWN_TEXT and bool(segments)
        path = prefix if is_own else f"{prefix}{'.' if segments else ''}{path_name(name)}"
        way = segments if is_own else (*segments, name.removeprefix("@").removeprefix("#").rpartition(":")[2])
        if len(inner) < len(held) or not any(set(entry) - {OWN_TEXT} for entry in inner):
            yield path, way, held
        else:
            yield from _flattened(inner, path, way)


def _members(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - a part of a tree
    """What is in an element, its own text as `#text`."""
    if isinstance(value, TreeText):
        return value.members
    return value if isinstance(value, Mapping) else {OWN_TEXT: value}


def _text(value: Any) -> str:  # noqa: ANN401 - a part of a tree
    return str(value).strip() if isinstance(value, str) else ""


def _type_of(texts: Sequence[str]) -> Guess:
    held = [text for text in texts if text]
    return _HL7 if held and all(map(_HL7_TIME.fullmatch, held)) else guess_most(held)


def _hidden(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(not may_be_shown(name) for name in dict.fromkeys(name for row in rows for name in row))


def _key_of(leaves: Sequence[_Leaf]) -> tuple[str, str]:
    """The path that is filled and different in each record, or but for revisions of it, and that of the revision."""
    filled = [leaf for leaf in leaves if all(leaf.texts) and not identifies_person(leaf.name, leaf.texts)]
    own = [leaf for leaf in filled if not leaf.path.startswith(_UP)]
    named = [leaf for leaf in own if is_identifier_name(leaf.name) or leaf.path.endswith(_NUMBER)]
    revision = next((leaf for leaf in filled if is_revision_name(leaf.name)), None)
    for leaf in named:
        if revision is not None and len(leaf.texts) > len(set(leaf.texts)) > len(leaf.texts) // 2:
            return leaf.path, revision.path
    for leaf in [*named, *own]:
        if len(set(leaf.texts)) == len(leaf.texts) and leaf is not revision:
            return leaf.path, ""
    return "", ""


def _with_key(entry: ElementSketch, key: str) -> ElementSketch:
    """A key is text, and is there."""
    if not key or entry.element.column != key:
        return entry
    return ElementSketch(replace(entry.element, type=TEXT.type, minimum=1, format=None, zone=None))
