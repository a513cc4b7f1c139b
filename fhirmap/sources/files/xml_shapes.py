"""Which elements and attributes an XML document has, each path once: what a model's paths are compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from fhirmap.data import PathSteps
from fhirmap.errors import ConfigError
from fhirmap.source_plan import path_name
from fhirmap.sources.files.xml_trees import TEXT, XmlNames

__all__ = ["Foreign", "Shape", "ShapeTarget", "foreign_step", "paths_below"]

_MOST = 50_000
"""Paths of a document. One with more is no list of records."""


class Shape:
    """All elements at one path. ``count``: how many there are; ``repeats``: do all that are there have others of their
    name beside them?"""

    __slots__ = ("below", "count", "has_text", "repeats")

    def __init__(self) -> None:
        self.below: dict[str, Shape] = {}
        """Children by the document's name, attributes by `@` and theirs."""
        self.count = 0
        self.repeats = True
        self.has_text = False


class ShapeTarget:
    """What lxml calls as it reads. ``top``: the shape above the root's; ``prefixes``: the document's own, by namespace.

    Raises: ConfigError FM780 (too many paths).
    """

    def __init__(self, shown: str) -> None:
        self.top = Shape()
        self.prefixes: dict[str, str] = {}
        self._shown = shown
        self._shapes = [self.top]
        self._children: list[dict[str, int]] = [{}]
        self._left = _MOST

    def start(self, name: str, attributes: Mapping[str, str], prefixes: Mapping[str | None, str]) -> None:
        """An element begins. ``prefixes``: those that it declares."""
        for prefix, namespace in prefixes.items():
            self.prefixes.setdefault(namespace, prefix or "")
        shape = self._at(self._shapes[-1], name)
        shape.count += 1
        for attribute in attributes:
            self._at(shape, f"@{attribute}").count += 1
        counts = self._children[-1]
        counts[name] = counts.get(name, 0) + 1
        self._shapes.append(shape)
        self._children.append({})

    def _at(self, parent: Shape, name: str) -> Shape:
        found = parent.below.get(name)
        if found is None:
            if not self._left:
                raise ConfigError("FM780", variant="paths", source=self._shown, count=_MOST)
            self._left -= 1
            found = parent.below[name] = Shape()
        return found

    def data(self, text: str) -> None:
        """A text, or a part of it."""
        shape = self._shapes[-1]
        shape.has_text = shape.has_text or not text.isspace()

    def end(self, name: str) -> None:  # noqa: ARG002
        """An element ends."""
        shape = self._shapes.pop()
        for child, count in self._children.pop().items():
            if count == 1:
                shape.below[child].repeats = False

    def close(self) -> Shape:
        """The document ends."""
        return self.top


class Foreign(NamedTuple):
    """A step of a path that is there in a namespace only for which the model has no prefix, or another one."""

    step: str
    name: str
    """The document's."""


def paths_below(shape: Shape, names: XmlNames, without: str = "") -> Iterator[tuple[str, bool]]:
    """Every dotted path below a shape that a model can write, and whether all that have it have a list on the way.

    ``without``: the document's name of a child to leave out.
    """
    waiting = [("", shape, False)]
    while waiting:
        prefix, found, is_listed = waiting.pop()
        if prefix:
            yield prefix, is_listed
        if found.has_text and (found.below or not prefix):
            yield f"{prefix}.{TEXT}" if prefix else TEXT, is_listed
        inner = []
        for name, child in found.below.items():
            mark = "@" if name.startswith("@") else ""
            known = names[name.removeprefix("@")]
            if known and not (name == without and found is shape):
                written = path_name(f"{mark}{known}")
                path = f"{prefix}.{written}" if prefix else written
                inner.append((path, child, is_listed or (child.repeats and not mark)))
        waiting += reversed(inner)


def foreign_step(shape: Shape, steps: PathSteps, names: XmlNames) -> Foreign | None:
    """The first of ``steps`` that the shape has in another namespace only; None where the path is there, or is not
    there in any.
    """
    for step in steps:
        if not isinstance(step, str) or step == TEXT:
            continue
        mark, plain = ("@", step[1:]) if step.startswith("@") else ("", step)
        found = shape.below.get(f"{mark}{names.document_name(plain)}")
        if found is None:
            local = plain.rpartition(":")[2]
            for name in shape.below:
                if name.startswith(mark) and name.rpartition("}")[2].removeprefix("@") == local:
                    return Foreign(step, name.removeprefix("@"))
            return None
        shape = found
    return None
