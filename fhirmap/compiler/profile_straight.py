"""The straight path: one pass over a list whose slices are told by one name, each item compared with its plain form.

An item that has exactly its name and one well-formed value is done with; any other goes to its shape for a close look.
No path is written unless something is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhirmap.compiler.names import Code, Name, code, join, snake_case
from fhirmap.compiler.profile_plan import Function, Line
from fhirmap.compiler.profile_views import Merged

if TYPE_CHECKING:
    from fhirmap.compiler.profile import ShapePlan, _Lowering

_TESTS = {
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


@dataclass(frozen=True, slots=True)
class _SlicedList:
    """A list whose slices are told apart by the text of one primitive child."""

    name: str
    key: str
    merged: Merged
    type: str
    slices: tuple[tuple[str, str, Merged], ...]
    """(slice name, text, slice)"""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a loop stands: Python of its path, the element path, and the names of the indexes so far."""

    path: str
    element: str
    indexes: tuple[Name, ...]

    def path_code(self) -> Code:
        """Python that writes the path: an f-string where it holds indexes."""
        quoted = str(code("{}", self.path))
        return Code(f"f{quoted}" if self.indexes else quoted)

    def path_parts(self) -> Code:
        """Python of the path yet to be written: its text with gaps, then the indexes that fill them."""
        gaps = self.path
        for index in self.indexes:
            gaps = gaps.replace(f"{{{index}}}", "{}")
        return Code(f"({join((code('{}', gaps), *self.indexes))})" if self.indexes else code("{}", self.path))

    def below(self, name: str, index: Name | None = None) -> _Place:
        """The list ``name`` below, or one item of it."""
        if index is None:
            return _Place(f"{self.path}.{name}", f"{self.element}.{name}", self.indexes)
        item = f"{self.path}.{name}[{{{index}}}]"
        return _Place(item, f"{self.element}.{name}", (*self.indexes, index))


class StraightWriter:
    """Writes `validate` and the functions of the sliced lists below it."""

    def __init__(self, lowering: _Lowering, shape: ShapePlan) -> None:
        self.lowering = lowering
        self.root = shape
        self.functions: list[Function] = []

    def write(self) -> list[Function]:
        """All functions, `validate` last."""
        found = self._sliced_list(self.root)
        lines = [Line(1, code("{}.report(resource, faults)", self.root.name))] if found is None else self._body(found)
        doc = "Report everything in ``resource`` that breaks the contract."
        self.functions.append(Function(Name("validate"), (Name("resource"), Name("faults")), doc, tuple(lines)))
        return self.functions

    def _body(self, found: _SlicedList) -> list[Line]:
        root, kind = self.root, self.root.type
        lines = [
            Line(1, code("items = resource.get({}) if type(resource) is dict else None", found.name)),
            Line(1, code("if type(items) is not list or not items or resource.get('resourceType') != {}:", kind)),
            Line(2, code("{}.report(resource, faults)", root.name)),
            Line(2, Code("return")),
            Line(1, Code("before = len(faults)")),
        ]
        visit = code("Visit(faults, {}, {}, resource)", kind, kind)
        close = code("{}.check_elements(resource, {}, {})", root.name, visit, found.name)
        others = [merged for name, merged in root.elements.items() if name != found.name]
        if root.limited - {found.name} or any(merged.minimum for merged in others):
            lines.append(Line(1, close))
        else:
            said = "len(resource) == 3 and names_profiles(resource.get('meta'))"
            test = f"len(resource) > 2 and not ({said})" if "meta" in root.elements else "len(resource) > 2"
            lines += [Line(1, Code(f"if {test}:")), Line(2, close)]
        lines += self._loop(found, _Place(kind, kind, ()))
        if root.rules:
            lines.append(Line(1, Code("if len(faults) == before or is_sound(faults[before:]):")))
            lines.append(Line(2, code("{}(resource, resource, faults, {}, {})", root.rules, kind, kind)))
        return lines

    def _sliced_list(self, shape: ShapePlan) -> _SlicedList | None:
        """The one list of a shape that the straight path can walk."""
        for name, merged in shape.elements.items():
            if merged.base.maximum is not None or len(merged.types) != 1 or merged.is_closed:
                continue
            slices = merged.slices()
            keys = {path for _, values, _ in slices for path, _ in values}
            texts = [values[0][1] for _, values, _ in slices if len(values) == 1]
            if not slices or len(keys) != 1 or len(texts) != len(slices) or merged.constraints or merged.maximum == 0:
                continue
            key = next(iter(keys))
            if "." in key or key.startswith("$") or not all(isinstance(text, str) for text in texts):
                continue
            told = tuple((entry[0], str(text), entry[2]) for entry, text in zip(slices, texts, strict=True))
            return _SlicedList(name, key, merged, merged.types[0], told)
        return None

    def _loop(self, found: _SlicedList, place: _Place) -> list[Line]:
        """The lines that walk ``items`` and then judge how often each slice came."""
        depth = len(place.indexes)
        index = Name("index" if depth == 0 else f"index_{depth + 1}")
        item = Name("item")
        names = {entry[0]: Name(f"n_{snake_case(entry[0])}") for entry in found.slices}
        here = place.below(found.name, index)
        lines = [Line(1, Code(f"{' = '.join(names.values())} = 0"))]
        lines.append(Line(1, Code(f"for {index}, {item} in enumerate(items):")))
        lines += [
            Line(2, Code("try:")),
            Line(3, code("called = item[{}]", found.key)),
            Line(2, Code("except (KeyError, TypeError):")),
            Line(3, Code("called = None")),
        ]
        # What may stand several times is asked for first: most items are of it.
        for rank, (name, text, merged) in enumerate(sorted(found.slices, key=lambda entry: entry[2].maximum == 1)):
            lines.append(Line(2, code("{} called == {}:", Code("elif" if rank else "if"), text)))
            lines.append(Line(3, Code(f"{names[name]} += 1")))
            element = f"{here.element}:{name}"
            lines += self._item(found, merged, _Place(here.path, element, here.indexes))
        lines.append(Line(2, Code("else:")))
        lines.append(Line(3, self._close_look(found.type, here)))
        for name, _, merged in found.slices:
            lines += self._count(name, names[name], merged, place.below(found.name))
        lines += self._total(found, place.below(found.name))
        return lines

    def _item(self, found: _SlicedList, merged: Merged, here: _Place) -> Iterator[Line]:
        """One item of a known slice: its plain form, else a close look."""
        shape = self.lowering.shape_of(found.type, here.element)
        close = self._close_look(found.type, here)
        plain = self._plain_form(shape, found.key) if shape is not None and shape.rules is None else None
        if merged.fixed is not None or merged.pattern is not None or merged.constraints or plain is None:
            yield Line(3, close)
            return
        json_name, test, then = plain
        yield Line(3, code("value = item.get({})", json_name))
        yield Line(3, Code(f"if len(item) != 2 or not {test}:"))
        yield Line(4, close)
        if then is not None:
            yield Line(3, Code("else:"))
            yield Line(4, then(here))

    def _plain_form(self, shape: ShapePlan, key: str) -> tuple[str, Code, Any] | None:
        """(JSON name, test of `value`, what to do then) of an item that holds its name and one thing more."""
        elements = shape.elements
        parts = self._sliced_list(shape)
        if parts is not None:
            function = self._part_function(shape, parts)
            return parts.name, Code("(type(value) is list and value)"), function
        value = elements.get("value")
        if value is None or value.maximum == 0 or len(value.types) != 1 or elements[key].base.is_repeating:
            return None
        kind = value.types[0]
        if value.fixed is not None or value.pattern is not None or value.slices():
            return None
        json_name = value.base.json_name(kind)
        codes = self.lowering.codes_of(value)
        rules = self.lowering.value_rules.get(f"{shape.path}.value[x]")
        if kind in _TESTS and not value.value_sets:
            test = Code(f"{_TESTS[kind]}(value)")
        elif kind == "CodeableConcept" and codes is not None and not value.refs(kind):
            test = Code(f"is_coded(value, {codes})")
        else:
            return None
        if rules is None:
            return json_name, test, None

        def run_rules(here: _Place) -> Code:
            path = _Place(f"{here.path}.value", here.element, here.indexes).path_parts()
            return code("{}(value, resource, faults, {}, {})", rules, path, f"{here.element}.value[x]")

        return json_name, test, run_rules

    def _part_function(self, shape: ShapePlan, parts: _SlicedList) -> Any:
        """A function for the items of a list inside an item, and the call of it."""
        name = self.lowering.names.take(f"check_{snake_case(shape.path.rpartition(':')[2])}")

        def call(here: _Place) -> Code:
            parameters = (Name("items"), *here.indexes, Name("resource"), Name("faults"))
            lines = self._loop(parts, here)
            doc = f"Report what is wrong with the parts of one {here.element}."
            self.functions.append(Function(name, parameters, doc, tuple(lines)))
            return Code(f"{name}({join((Name('value'), *here.indexes, Name('resource'), Name('faults')))})")

        return call

    def _close_look(self, kind: str, here: _Place) -> Code:
        """The call that finds every fault of one item."""
        shape = self.lowering.shape_of(kind, here.element)
        known = shape.name if shape is not None else code("TYPES.shape({})", kind)
        return Code(f"{known}.check(item, {self._visit(here, here.element)})")

    def _visit(self, place: _Place, element: str) -> Code:
        return Code(f"Visit(faults, {place.path_code()}, {code('{}', element)}, resource)")

    def _count(self, name: str, counter: Name, merged: Merged, place: _Place) -> Iterator[Line]:
        least, most = merged.minimum, merged.maximum
        if most is None and least == 0:
            return
        yield Line(1, Code(f"if {_outside(counter, least, most)}:"))
        yield Line(2, self._report(name, counter, least, most, place, f"{place.element}:{name}"))

    def _total(self, found: _SlicedList, place: _Place) -> Iterator[Line]:
        """How often the list may stand as a whole, where its slices do not say so already."""
        least, most = found.merged.minimum, found.merged.maximum
        if most is None and least <= sum(merged.minimum for _, _, merged in found.slices):
            return
        count = Code("len(items)")
        yield Line(1, Code(f"if {_outside(count, least, most)}:"))
        yield Line(2, self._report(found.name, count, least, most, place, place.element))

    def _report(self, name: str, count: Code, least: int, most: int | None, place: _Place, element: str) -> Code:
        return code("report_count({}, {}, {}, {})", name, count, (least, most), self._visit(place, element))


def _outside(count: Code, least: int, most: int | None) -> str:
    """Test of a count that is less than ``least`` or more than ``most``."""
    if most is not None and least == most:
        return f"{count} != {most}"
    tests = [f"{count} < {least}"] if least else []
    tests += [f"{count} > {most}"] if most is not None else []
    return " or ".join(tests)
