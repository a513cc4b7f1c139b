"""Messages of HL7 v2 as trees: segments, fields, components, subcomponents, each taken apart when it is asked for.

Fields, components and subcomponents are called by their number, from 1. A field or component is its first component's
text, and has members (HL7 v2.9, 2.6: a receiver that expects a simple value takes the first component). A field that is
repeated is a list. What is empty is absent; HL7's null (`""`) is an empty text: as a value it is absent too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from fhirmap.records import TreeText

__all__ = ["HeaderSegment", "Marks", "Segment", "SegmentGroup", "are_escapes_known", "marks_of"]

_MOST = 1000
_PLACES = {str(number): number for number in range(1, _MOST)}
_NULL = '""'
_LONGEST_HEAD = len("MSH|^~\\&#|")
_BREAKS = re.compile(r"\.(?:br|ce|sp(\d*))", re.IGNORECASE)


class Marks(NamedTuple):
    """The separators of a message, from its MSH, and its encoding. One that it does not name is empty."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    truncation: str
    encoding: str

    @property
    def all(self) -> str:
        """Every separator between parts of a field."""
        return self.component + self.repetition + self.subcomponent


def marks_of(header: str, encoding: str) -> Marks | None:
    """The separators that a segment MSH names; None where they cannot be separators.

    Spec: HL7 v2.9, 2.5.4; the fifth encoding character is of v2.7 and later.
    """
    return _marks(header[:_LONGEST_HEAD], encoding)


@lru_cache(maxsize=64)
def _marks(header: str, encoding: str) -> Marks | None:
    field = header[3:4]
    named = header[4:].partition(field)[0] if field else ""
    marks = field + named
    is_odd = len(set(marks)) < len(marks) or any(mark.isalnum() or mark.isspace() or mark == '"' for mark in marks)
    if not 1 <= len(named) <= 5 or is_odd:
        return None
    component, repetition, escape, subcomponent, truncation = (*named, *[""] * (5 - len(named)))
    return Marks(field, component, repetition, escape, subcomponent, truncation, encoding)


@lru_cache(maxsize=64)
def _sequences(escape: str) -> re.Pattern[str]:
    """Escape sequences that have a meaning without agreement between sender and receiver.

    Spec: HL7 v2.9, 2.7: separators, highlighting, hexadecimal data, formatted text.
    """
    mark = re.escape(escape)
    formats = r"\.(?i:br|ce|fi|nf|sp\d*|sk\d{1,3}|in[+-]?\d*|ti[+-]?\d*)"
    return re.compile(rf"{mark}([FSTREPHN]|[Xx](?:[0-9A-Fa-f]{{2}})+|{formats}){mark}")


def _meaning(name: str, marks: Marks) -> str | None:
    """The text that an escape sequence is for; None for bytes that are no text in the message's encoding."""
    separators = {
        "F": marks.field,
        "S": marks.component,
        "T": marks.subcomponent or "&",
        "R": marks.repetition or "~",
        "E": marks.escape,
        "P": marks.truncation or "#",
    }
    if name in separators:
        return separators[name]
    if name[0] in "Xx":
        try:
            return bytes.fromhex(name[1:]).decode(marks.encoding)
        except UnicodeDecodeError:
            return None
    if _BREAKS.fullmatch(name):
        return "\n"
    # Blanks to skip; what is left is how a text looks: highlighting, indents, wrapping.
    return " " * int(name[3:]) if name[:3].lower() == ".sk" else ""


def _decoded(text: str, marks: Marks) -> str:
    """``text`` with its escape sequences resolved, each once; those without a known meaning as they are."""

    def meant(found: re.Match[str]) -> str:
        meaning = _meaning(found[1], marks)
        return found[0] if meaning is None else meaning

    return _sequences(marks.escape).sub(meant, text)


def are_escapes_known(text: str, marks: Marks) -> bool:
    """Does each escape character of a field belong to a sequence whose meaning is known?"""
    if not marks.escape or marks.escape not in text:
        return True
    rest = _sequences(marks.escape).sub(lambda found: found[0] if _meaning(found[1], marks) is None else "", text)
    return marks.escape not in rest


class _Members(Mapping[str, Any]):
    """The parts of a field or component by number."""

    __slots__ = ("_marks", "_parts", "_separator")

    def __init__(self, parts: Sequence[str], separator: str, marks: Marks) -> None:
        self._parts = parts
        self._separator = separator
        self._marks = marks

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as Mapping has it
        place = _PLACES.get(name, 0)
        if not 0 < place <= len(self._parts):
            return default
        found = _part(self._parts[place - 1], self._separator, self._marks)
        return default if found is None else found

    def __getitem__(self, name: str) -> str:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return str(found) if not isinstance(found, TreeText) else found

    def __iter__(self) -> Iterator[str]:
        return (str(number) for number, _ in enumerate(self._parts, 1) if self.get(str(number)) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _part(raw: str, separator: str, marks: Marks) -> str | None:
    """A field or component whose parts have ``separator`` between them; None for one that is empty.

    Without a separator, a subcomponent: a text without members.
    """
    if not raw:
        return None
    if raw == _NULL:
        return ""
    escape = marks.escape
    if not separator:
        return _decoded(raw, marks) if escape and escape in raw else raw
    parts = raw.split(separator) if separator in raw else [raw]
    inner = marks.subcomponent if separator == marks.component else ""
    first = parts[0]
    if inner and inner in first:
        first = first.partition(inner)[0]
    if not first and not raw.strip(marks.all):
        return None
    if escape and escape in first:
        first = _decoded(first, marks)
    elif first == _NULL:
        first = ""
    # As `TreeText` makes it, without a call: most of a message's fields are made here.
    made = str.__new__(TreeText, first)
    made.members = _Members(parts, inner, marks)
    return made


class Segment(Mapping[str, Any]):
    """The fields of a segment by number. As text it is what the message has."""

    __slots__ = ("_fields", "marks", "text")

    def __init__(self, text: str, marks: Marks) -> None:
        self.text = text
        self.marks = marks
        self._fields: list[str] | None = None

    def __str__(self) -> str:
        return self.text

    @property
    def name(self) -> str:
        """Its name, of three letters."""
        return self.text[:3]

    @property
    def fields(self) -> list[str]:
        """Its name, then the text of each field as the message has it."""
        if self._fields is None:
            self._fields = self._split()
        return self._fields

    def _split(self) -> list[str]:
        return self.text.split(self.marks.field)

    def clear(self, number: int) -> None:
        """Take a field for empty: what it has cannot be read."""
        self.fields[number] = ""

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as Mapping has it
        """A field: a text with members, a list of them where it is repeated, or ``default``."""
        fields, number = self._fields, _PLACES.get(name, _MOST)
        if fields is None:
            fields = self.fields
        if number >= len(fields):
            return default
        raw, marks = fields[number], self.marks
        if not raw:
            return default
        if marks.repetition and marks.repetition in raw:
            found = [_part(part, marks.component, marks) for part in raw.split(marks.repetition)]
            return default if all(part is None for part in found) else found
        only = _part(raw, marks.component, marks)
        return default if only is None else only

    def __getitem__(self, name: str) -> str | list[str | None]:
        found: str | list[str | None] | None = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return (name for name in map(str, range(1, len(self.fields))) if self.get(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class HeaderSegment(Segment):
    """An MSH: its first field is the separator itself, its second one the others, both as they are."""

    __slots__ = ()

    def _split(self) -> list[str]:
        name, _, *rest = self.text.split(self.marks.field)
        return [name, "", "", *rest]

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as Mapping has it
        """As of any segment."""
        if name == "1":
            return self.marks.field
        if name == "2":
            return self.text[4:].partition(self.marks.field)[0]
        return super().get(name, default)


class SegmentGroup(Mapping[str, Any]):
    """A segment with those that follow it: its fields by number, it and the others by name, the message before it as
    `..`."""

    __slots__ = ("_members", "own")

    def __init__(self, own: Segment, members: Mapping[str, Any]) -> None:
        self.own = own
        self._members = members

    def __str__(self) -> str:
        held = [self.own, *(found for found in self._members.values())]
        return "\r".join(map(_text_of, held))

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as Mapping has it
        """A field of the segment, a segment after it, or the message."""
        if name == self.own.name:
            return self.own
        found = self._members.get(name)
        return self.own.get(name, default) if found is None else found

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a segment, a list of them, or a field
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        yield self.own.name
        yield from self._members

    def __len__(self) -> int:
        return len(self.own) + 1 + len(self._members)


def _text_of(held: object) -> str:
    if isinstance(held, list):
        return "\r".join(map(_text_of, held))
    if isinstance(held, dict):
        return "\r".join(map(_text_of, held.values()))
    return str(held)
