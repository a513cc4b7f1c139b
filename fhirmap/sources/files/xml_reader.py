"""The records of an XML document: elements at one path, each as a tree."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from fhirmap.data import PathSteps
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.runtime.reading import at
from fhirmap.source_plan import ChildKind, RowLayout, SourcePlan, path_steps
from fhirmap.sources import names as naming
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.look_ups import HeldLists, LookUps
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.sources.files.xml_pass import LateValues, XmlPass, XmlPath
from fhirmap.sources.files.xml_shapes import Foreign, Shape, ShapeTarget, foreign_step, paths_below
from fhirmap.sources.files.xml_text import XmlText
from fhirmap.sources.files.xml_trees import XmlNames, record_of

__all__ = ["XmlReader"]

_UP = "../"
_SAMPLE = 1000
"""Records after which a look at what there is ends."""
_PREFIX = "n"
"""What a hint calls a namespace for which the document has no prefix."""


class XmlReader:
    """The elements at the model's path, one after the other, as rows; the file may be of any size.

    Shape: a row has the attributes of its element, and those of its children that are read, with all that is in them.
    An element is None where it is empty, its text, a `TreeText` where it has attributes (`@name`) or text
    between its children, else a dict of its children by name, as the model writes it; a list where there are several of
    one name. Under `..` a row has what its parent element has, of what is read: attributes and children, its own
    parent under `..`, not the elements on the way to the records; whether they come before or after the record.
    Elements in a namespace for which the model has no prefix are not there.
    Raises (all but ``__init__``): ConfigError FM701, FM702, FM705, FM714, FM780, FM781.
    """

    def __init__(self, file: SourceFile, plan: SourcePlan) -> None:
        self._file = file
        self._plan = plan
        self._text = XmlText(file, plan.encoding)
        self._names = XmlNames(dict(plan.prefixes), _with_members(plan.shape))
        self._look_ups = LookUps(plan)
        steps = path_steps(plan.name)
        self._path = [step for step in steps if isinstance(step, str)]
        self._filters = [(_level(steps, place), step) for place, step in enumerate(steps) if isinstance(step, tuple)]

    def names(self) -> Collection[str]:
        """Every dotted path at which some record has something; with `../` those of its ancestors."""
        steps = self._steps()
        found: list[str] = []
        way = _way(self._shapes().top, steps)
        for level, shape in enumerate(way if len(way) == len(steps) else ()):
            up = _UP * (len(steps) - 1 - level)
            below = "" if level == len(steps) - 1 else steps[level + 1]
            found[:0] = [f"{up}{path}" for path, _ in paths_below(shape, self._names, below)]
        return found

    def check(self, needed: Mapping[str, str]) -> list[Diagnostic]:
        """No element at the records' path (FM714, FM782), and elements that are there in another namespace only
        (FM781)."""
        steps, shapes = self._steps(), self._shapes(_SAMPLE)
        lacking = self._lacking_record(shapes)
        if lacking is not None:
            return [lacking]
        way = _way(shapes.top, steps)
        found: dict[Foreign, Diagnostic] = {}
        for name, position in needed.items():
            ups, rest = _ups(path_steps(name), len(steps) - 1)
            if ups < len(way):
                foreign = foreign_step(way[-1 - ups], rest, self._names)
                if foreign is not None and foreign not in found:
                    found[foreign] = self._in_namespace(foreign, shapes, position, name)
        return list(found.values())

    def rows(self, needed: Collection[str]) -> Iterator[FileRow]:
        """Every record element, at its line."""
        steps, read = self._steps(), self._names_read(needed)
        wanted = [self._names.document_name(name) for name in read.pop(len(steps) - 1, ())]
        path = XmlPath(steps, read)
        found, number = False, 0
        # Where keys alone are asked for, nothing is looked up.
        looks_up = self._look_ups.are_any and set(self._plan.shape.column_names) <= set(needed)
        last_root: Mapping[str, Any] = {}
        lists = HeldLists({})
        for record in XmlPass(self._text, self._file.shown, path, self._names, self._late(path)).records():
            found = True
            cells = record_of(record.element, self._names, wanted)
            if record.parent is not None:
                cells[".."] = record.parent
            if self._is_wanted(cells):
                number += 1
                row = FileRow(cells, f":{record.line}", number)
                if looks_up:
                    above = _above(record.parent)
                    root = above[0] if above else cells
                    if root is not last_root:
                        last_root, lists = root, HeldLists(root)
                    self._look_ups.attach(cells, above, lists, row.faults)
                yield row
        if not found:
            lacking = self._lacking_record(self._shapes())
            if lacking is not None and lacking.is_error:
                raise ConfigError.of(lacking)

    # --- the way to the records ---------------------------------------------------------------------------------------

    def _steps(self) -> list[str]:
        """The document's names of the elements from its root to a record: of the root alone where the model has no
        path."""
        return [self._names.document_name(step) for step in self._path] or [self._text.head.root]

    def _is_wanted(self, cells: Mapping[str, Any]) -> bool:
        """Has a record, and has each of its ancestors, what the filters of the records' path ask for?"""
        for level, step in self._filters:
            inside = cells
            for _ in range(len(self._path) - 1 - level):
                inside = inside[".."]
            if at(inside, (step,)) is None:
                return False
        return True

    def _names_read(self, needed: Collection[str]) -> dict[int, frozenset[str]]:
        """The names of children that are read, by the level of their parent: of ancestors, and of the record."""
        found: dict[int, set[str]] = {}
        depth = max(len(self._path) - 1, 0)
        read = [_ups(path_steps(name), depth) for name in needed]
        read += _ups_in(self._plan.shape, depth)
        read += [(depth - level, inner) for level, (inner, _) in self._filters]
        for ups, rest in read:
            first = rest[0] if rest else None
            if 0 <= ups <= depth and isinstance(first, str) and not first.startswith("@"):
                found.setdefault(depth - ups, set()).add(first)
        return {level: frozenset(names) for level, names in found.items()}

    def _late(self, path: XmlPath) -> LateValues:
        """What ancestors have after their records, of what is read of them."""
        if not path.above:
            return {}
        reading = XmlPass(self._text, self._file.shown, path, self._names)
        for _ in reading.records():
            pass
        return reading.late

    # --- what is there ------------------------------------------------------------------------------------------------

    def _shapes(self, enough: int | None = None) -> ShapeTarget:
        """What the document has: all of it, or until there are ``enough`` records."""
        self._text.head  # noqa: B018 - refuses what must not be read
        target, steps = ShapeTarget(self._file.shown), self._steps()
        for _ in self._text.fed(self._text.target_parser(target)):
            way = _way(target.top, steps)
            if enough is not None and len(way) == len(steps) and way[-1].count >= enough:
                break
        return target

    def _lacking_record(self, shapes: ShapeTarget) -> Diagnostic | None:
        """What is wrong with the records' path, if no record is there."""
        steps = self._steps()
        way = _way(shapes.top, steps)
        if len(way) == len(steps):
            return None
        outer = way[-1] if way else shapes.top
        step, position = self._path[len(way)], self._plan.position
        foreign = foreign_step(outer, (step,), self._names)
        if foreign is not None:
            return self._in_namespace(foreign, shapes, position, self._plan.name)
        there = [self._names[name] or _local(name) for name in outer.below if not name.startswith("@")]
        like = naming.like(step, there)
        may_be_empty = bool(way) and (len(way) == len(steps) - 1 or not there)
        args = {"source": self._file.shown, "path": ".".join(self._path[: len(way) + 1]), "position": position}
        if may_be_empty and like["meant"] is None:
            return Diagnostic("FM782", args=args, **like)
        return Diagnostic("FM714", args=args, variant="xml", **like)

    def _in_namespace(self, foreign: Foreign, shapes: ShapeTarget, position: str, path: str) -> Diagnostic:
        """FM781: how a step is written so that it means the element that is there."""
        namespace, local = foreign.name[1:].rpartition("}")[0], _local(foreign.name)
        mark = "@" if foreign.step.startswith("@") else ""
        args: dict[str, object] = {"source": self._file.shown, "column": path, "position": position}
        args |= {"step": foreign.step, "namespace": namespace}
        if not foreign.name.startswith("{"):
            return Diagnostic("FM781", args={**args, "written": f"{mark}{local}"}, variant="none")
        known = self._names[foreign.name]
        if known:
            return Diagnostic("FM781", args={**args, "written": f"{mark}{known}"}, variant="known")
        taken = {prefix for prefix, _ in self._plan.prefixes}
        own = shapes.prefixes.get(namespace) or _PREFIX
        prefix = next(name for name in (own, *(f"{own}{number}" for number in range(2, 99))) if name not in taken)
        return Diagnostic("FM781", args={**args, "prefix": prefix, "written": f"{mark}{prefix}:{local}"})


def _way(top: Shape, steps: Sequence[str]) -> list[Shape]:
    """The shapes on the way to the records, as far as it is there."""
    found: list[Shape] = []
    shape: Shape | None = top
    for step in steps:
        shape = shape.below.get(step) if shape is not None else None
        if shape is None:
            break
        found.append(shape)
    return found


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _with_members(shape: RowLayout) -> Iterator[str]:
    """The names of elements of which attributes or child rows are read."""
    for column in shape.columns:
        last = ""
        for step in path_steps(column.name):
            if isinstance(step, str):
                if step.startswith("@"):
                    yield last
                last = step
        if column.below is not None:
            yield last
            yield from _with_members(column.below)
    for child in shape.children:
        yield from _with_members(child.shape)


def _level(steps: PathSteps, place: int) -> int:
    """The level of the element that a filter is of."""
    return sum(isinstance(step, str) for step in steps[:place]) - 1


def _ups(steps: PathSteps, depth: int) -> tuple[int, PathSteps]:
    """How many levels up a path leads from a record with ``depth`` ancestors, and the rest of it."""
    if steps[:1] == ("/",):
        return depth, steps[1:]
    ups = 0
    while ups < len(steps) and steps[ups] == "..":
        ups += 1
    return ups, steps[ups:]


def _ups_in(shape: RowLayout, depth: int, below: int = 0) -> Iterator[tuple[int, PathSteps]]:
    """The same of each path of rows that are nested in a record, ``below`` levels, which may lead out of them."""
    for column in shape.columns:
        if below:
            ups, rest = _ups(path_steps(column.name), depth + below)
            yield ups - below, rest
        if column.below is not None:
            yield from _ups_in(column.below, depth, below + 1)
    for child in shape.children:
        is_look_up = child.kind == ChildKind.JOIN and child.store is None
        for name in (child.table, *(name for _, name in child.on)) if is_look_up else ():
            ups, rest = _ups(path_steps(name), depth + below)
            yield ups - below, rest
        yield from _ups_in(child.shape, depth, below + is_look_up)


def _above(parent: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], ...]:
    """What the ancestors of a record have, the root first."""
    found: list[Mapping[str, Any]] = []
    while parent is not None:
        found.append(parent)
        parent = parent.get("..")
    return tuple(reversed(found))
