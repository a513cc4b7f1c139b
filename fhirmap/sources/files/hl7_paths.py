"""What a map reads of a message, and what there is wrong with it: damaged text, unknown escape sequences, components
that are left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhirmap.data import PathSteps
from fhirmap.records import Fault, TreeText
from fhirmap.runtime.reading import at
from fhirmap.source_plan import SourceColumn, SourcePlan, path_steps
from fhirmap.sources.files.hl7_messages import Hl7Message
from fhirmap.sources.files.hl7_tree import Segment, are_escapes_known
from fhirmap.sources.files.text_lines import is_damaged

__all__ = ["FieldRead", "FieldReads"]

_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")


@dataclass(frozen=True, slots=True)
class FieldRead:
    """A path that a map reads, from the record's tree, and the field that it leads to or into.

    ``field``: 0 for a whole segment. ``depth``: names in the path from the segment on, 2 for a field, 3 for a
    component. ``is_value``: one text is read there. ``place``: the place in the map that names it.
    """

    name: str
    steps: PathSteps
    segment: str
    field: int
    depth: int
    is_value: bool
    place: str = ""


class FieldReads:
    """What is read of ``needed``, each path once: by elements of the plan, at any depth, or by the plan itself."""

    def __init__(self, plan: SourcePlan, needed: Iterable[str]) -> None:
        root, found = plan.name, dict[PathSteps, FieldRead]()
        names = dict.fromkeys(needed)
        columns = [column for layout in plan.shape.walk() for column in layout.columns if column.name in names]
        others = [name for name in names if all(name != column.name for column in columns)]
        for read in (*_of_columns(columns, (), "", root), *(_read(name, path_steps(name), root) for name in others)):
            known = found.get(read.steps)
            if known is None or (read.is_value and not known.is_value):
                found[read.steps] = read
        self.all = tuple(found.values())
        self._values: dict[tuple[bool, str], list[FieldRead]] = {}
        """The values of fields and components, by where their segment is: whether above, and its name."""
        for read in self.all:
            if read.is_value and read.field and read.depth in (2, 3):
                self._values.setdefault((read.steps[0] in ("..", "/"), read.segment), []).append(read)
        self._names: dict[tuple[str, int], tuple[str, ...]] = {}
        """By segment and field, 0 for all of them: the paths that are read there."""
        for read in self.all:
            place = (read.segment, read.field)
            self._names[place] = (*self._names.get(place, ()), read.name)

    def field_faults(self, message: Hl7Message) -> Iterator[Fault]:
        """Fields that are read and cannot be: they count as empty from now on. FM723 (damaged text), FM785 (an escape
        sequence that has no meaning)."""
        marks = message.marks
        for line, segment in message.segments:
            text = segment.text
            # The escape character is in the header, too: among those that it names.
            if message.is_damaged or not are_escapes_known(text if text[:3] != "MSH" else text[9:], marks):
                yield from self._segment_faults(message, line, segment)

    def _segment_faults(self, message: Hl7Message, line: int, segment: Segment) -> Iterator[Fault]:
        name, encoding = segment.name, message.marks.encoding
        for number, raw in enumerate(segment.fields):
            columns = (*self._names.get((name, number), ()), *self._names.get((name, 0), ()))
            if not number or not raw or not columns:
                continue
            args: dict[str, object] = {"column": f"{name}.{number}", "line": line}
            if message.is_damaged and ("\0" in raw or is_damaged(raw, encoding)):
                variant = "" if "\0" in raw else "bytes"
                yield Fault("FM723", rule="text", args=args | {"encoding": encoding}, variant=variant, columns=columns)
            elif not are_escapes_known(raw, message.marks):
                yield Fault("FM785", rule="text", args=args, columns=columns)
            else:
                continue
            segment.clear(number)

    def left_out(self, cells: Mapping[str, Any]) -> Iterator[Fault]:
        """FM786 for each value that is read of a field or component of which others are filled, and not read by it."""
        found: dict[str, Fault] = {}
        for (is_above, name), reads in self._values.items():
            for segment in _segments(cells.get("..", cells) if is_above else cells, name):
                fields, marks = segment.fields, segment.marks
                for read in reads:
                    raw = fields[read.field] if read.field < len(fields) else ""
                    is_divided = marks.subcomponent in raw or (read.depth == 2 and marks.component in raw)
                    if raw and is_divided and read.name not in found and _has_more(at(cells, read.steps)):
                        args, columns = {"column": read.name}, (read.name,)
                        fault = Fault(
                            "FM786", "warning", rule="component", args=args, position=read.place, columns=columns
                        )
                        found[read.name] = fault
        return iter(found.values())


def _segments(tree: Mapping[str, Any], name: str) -> Sequence[Segment]:
    """The segments of a name in a message or group, the group's own too."""
    found = tree.get(name)
    return found if isinstance(found, list) else (found,) if found is not None else ()


def _has_more(found: Any) -> bool:  # noqa: ANN401 - a text, a list of them, or none
    if isinstance(found, list):
        return any(map(_has_more, found))
    if not isinstance(found, TreeText):
        return False
    members = found.members
    return any(name != "1" and members[name] for name in members) or _has_more(members.get("1"))


def _of_columns(columns: Iterable[SourceColumn], above: PathSteps, prefix: str, root: str) -> Iterator[FieldRead]:
    for column in columns:
        inner = path_steps(column.name)
        # A path of a child row that leads up ends in the record, or in the message.
        ups = sum(step == ".." for step in inner)
        steps = inner if inner[:1] == ("/",) else inner[1:] if above and ups else (*above, *inner)
        name = f"{prefix}.{column.name}" if prefix and not ups else column.name
        if column.nested and column.below is not None:
            yield from _of_columns(column.below.columns, steps, name, root)
        elif column.name != "#text":
            yield _read(name, steps, root, is_value=bool(column.type) and not column.nested, place=column.position)


def _read(name: str, steps: PathSteps, root: str, *, is_value: bool = False, place: str = "") -> FieldRead:
    names = [step for step in steps if isinstance(step, str) and step not in ("..", "/")]
    if root and not (names and _SEGMENT.fullmatch(names[0])):
        names = [root, *names]
    number = int(names[1]) if len(names) > 1 and names[1].isdecimal() else 0
    return FieldRead(name, steps, names[0] if names else "", number, len(names), is_value, place)
