"""One reading of an XML document: its records one after the other, what their ancestors have, and nothing else kept.

Of the document, only what is not complete is held: what was read is taken out of the tree after each piece of the
file. What an ancestor has may come after a record, in the document; so where a map asks for it, the document is read
once before (`late_values`), and what comes late is remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias, cast

from fhirmap.errors import ConfigError
from fhirmap.sources.files.xml_text import XmlElement, XmlText, events_of
from fhirmap.sources.files.xml_trees import XmlNames, add, attributes_of, value_of

__all__ = ["LateValues", "XmlPass", "XmlPath", "XmlRecord"]

_LARGEST = 64 << 20
"""Bytes of one record, or of one child of an ancestor that a map reads."""
_LAST_LINE = 65535
"""libxml2 counts the lines of elements no further."""

LateValues: TypeAlias = dict[tuple[int, int], dict[str, Any]]
"""What an ancestor has in all, where some of it comes after a record of it: by its level and its number there."""


@dataclass(frozen=True, slots=True)
class XmlPath:
    """Where the records are. ``steps``: the document's names of the elements from its root to a record; ``above``: by
    level, from the root's, 0, the model's names of what is read of the ancestors."""

    steps: Sequence[str]
    above: Mapping[int, frozenset[str]] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """How many ancestors a record has."""
        return len(self.steps) - 1


class XmlRecord(NamedTuple):
    """A record's element, only until the next one is taken. ``parent``: what its ancestors have; None at the root."""

    element: XmlElement
    line: int
    parent: dict[str, Any] | None


@dataclass(slots=True)
class _Ancestor:
    """An ancestor of records that is being read. ``number``: among those of its level that have records, -1 without
    one yet; ``seen``: its last child that was looked at; ``is_whole``: all that it has is known."""

    element: XmlElement
    values: dict[str, Any]
    number: int = -1
    seen: XmlElement | None = None
    is_late: bool = False
    is_whole: bool = False


class XmlPass:
    """The records of a document, in its order.

    Raises: ConfigError FM701, FM702, FM705, FM780.
    """

    def __init__(
        self, text: XmlText, shown: str, path: XmlPath, names: XmlNames, late: LateValues | None = None
    ) -> None:
        self._text = text
        self._shown = shown
        self._path = path
        self._names = names
        self._known = late or {}
        self._ancestors: list[_Ancestor] = []
        self._numbers = [0] * path.depth
        self._held_bytes = 0
        self.late: LateValues = {}
        """What comes after a record; complete after the last one."""

    def records(self) -> Iterator[XmlRecord]:
        """Each record; none where the root has another name."""
        root_name = self._path.steps[0]
        if self._text.head.root != root_name:
            return
        record_name = self._path.steps[-1]
        parser = self._text.parser(("start", "end"), [root_name, record_name])
        root: XmlElement | None = None
        for size in self._text.fed(parser):
            self._held_bytes += size
            for event, element in events_of(parser):
                if event == "start":
                    root = element if root is None else root
                elif element.tag == record_name and self._is_record(element):
                    self._held_bytes = size
                    yield XmlRecord(element, _line_of(element), self._parent())
            if root is not None:
                self._let_go(root)
        if self._ancestors:
            self._finish(0)

    # --- the way to a record ------------------------------------------------------------------------------------------

    def _is_record(self, element: XmlElement) -> bool:
        """Is an element with a record's name in a record's place? Its ancestors are up to date then."""
        depth = self._path.depth
        parent = element.getparent()
        if not depth:
            return parent is None
        if len(self._ancestors) != depth or self._ancestors[-1].element is not parent:
            chain = [*element.iterancestors()][::-1]
            if [entry.tag for entry in chain] != list(self._path.steps[:-1]):
                return False
            for level, entry in enumerate(chain):
                self._enter(level, entry)
        for level, ancestor in enumerate(self._ancestors):
            below = self._ancestors[level + 1].element if level + 1 < depth else element
            self._look_at(level, until=below)
            if ancestor.number < 0:
                self._number(level, ancestor)
        return True

    def _parent(self) -> dict[str, Any] | None:
        return self._ancestors[-1].values if self._ancestors else None

    def _enter(self, level: int, element: XmlElement) -> None:
        """Make an element the ancestor of its level; one that was is complete."""
        if level < len(self._ancestors):
            if self._ancestors[level].element is element:
                return
            self._finish(level)
        values = attributes_of(element, self._names)
        if level:
            values[".."] = self._ancestors[level - 1].values
        self._ancestors.append(_Ancestor(element, values))

    def _number(self, level: int, ancestor: _Ancestor) -> None:
        """Count an ancestor that has a record; what comes after the record is had from the reading before."""
        ancestor.number = self._numbers[level]
        self._numbers[level] += 1
        known = self._known.get((level, ancestor.number))
        if known is not None:
            ancestor.values.update(known)
            ancestor.is_whole = True

    def _look_at(self, level: int, until: XmlElement | None = None) -> None:
        """Take what is read of an ancestor's children, from the last one that was looked at to another."""
        wanted = self._path.above.get(level, frozenset())
        if not self._path.above:
            return
        ancestor = self._ancestors[level]
        child = next(iter(ancestor.element), None) if ancestor.seen is None else ancestor.seen.getnext()
        while child is not None and child is not until:
            ancestor.seen = child
            if child.tag == self._path.steps[level + 1]:
                if level + 1 < len(self._ancestors) and self._ancestors[level + 1].element is child:
                    self._finish(level + 1)
            elif not ancestor.is_whole and (name := self._names[child.tag]) in wanted:
                add(ancestor.values, name, value_of(child, self._names))
                ancestor.is_late = ancestor.is_late or ancestor.number >= 0
            child = child.getnext()

    def _finish(self, level: int) -> None:
        """Leave an ancestor, and those below it: all that they have was read."""
        if level + 1 < len(self._ancestors):
            self._finish(level + 1)
        self._look_at(level)
        ancestor = self._ancestors.pop()
        if ancestor.is_late:
            names = self._path.above[level]
            self.late[level, ancestor.number] = {name: ancestor.values[name] for name in names & ancestor.values.keys()}

    # --- what is not needed any more ----------------------------------------------------------------------------------

    def _let_go(self, root: XmlElement) -> None:
        """Take out of the tree what is complete and was looked at. The last child of each element may be incomplete.

        Raises: ConfigError FM780.
        """
        element, level = root, 0
        while level < self._path.depth:
            if not len(element):
                self._held_bytes = 0
                return
            last = element[-1]
            self._enter(level, element)
            self._look_at(level, until=last)
            if last.getprevious() is not None:
                del element[:-1]
                self._ancestors[level].seen = None
            is_on_way = last.tag == self._path.steps[level + 1]
            if not is_on_way and self._names[last.tag] not in self._path.above.get(level, frozenset()):
                _empty(last)
                self._held_bytes = 0
                return
            element, level = last, level + 1
            if not is_on_way:
                break
        if self._held_bytes > _LARGEST:
            line = _line_of(element)
            raise ConfigError("FM780", variant="large", source=self._shown, line=line, size=_LARGEST >> 20)


def _empty(element: XmlElement) -> None:
    """Take everything out of an element that no map reads, but for what may be incomplete."""
    while len(element):
        del element[:-1]
        element = element[-1]


def _line_of(element: XmlElement) -> int:
    """The line at which an element begins.

    Of lines that libxml2 counts no further, lxml gives that on which the first text in the element ends.
    """
    line = cast(int, element.sourceline)
    if line < _LAST_LINE:
        return line
    first = element
    while first.text is None and len(first):
        first = first[0]
    return line - (first.text or "").count("\n")
