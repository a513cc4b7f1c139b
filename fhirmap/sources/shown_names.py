"""Names that people gave: of sheets, and of the members of JSON objects. They may be those of patients.

What looks like a value has signs of one (`data_signs`). That a text is somebody's name cannot be known: a name is
shown where a word, or the way in which it is used, speaks for a thing; else it is not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fhirmap.data import JsonValue
from fhirmap.source_plan import path_name
from fhirmap.sources import names as naming
from fhirmap.sources.column_words import SHEET_WORDS, is_of_words, words_of

__all__ = ["NO_NAMES", "MemberNames", "is_sheet_shown", "member_names", "shown_paths"]

_SHORTEST_NAME = 4
"""Letters of a word that may be somebody's name; shorter ones are signs for things: `DMI`, `T1`, `UF 12`."""
_PARTICLES = frozenset(("de", "du", "des", "la", "d", "l", "da", "di", "van", "von", "der", "den"))
_WORD = re.compile(r"[^\W\d_]+")
_BETWEEN = re.compile(r"[\s.,'’\-]*")
_FEWEST_SMALL = 4
"""Members written small that are taken for keys: programs write the names of members so as well."""
_END = object()


def is_sheet_shown(name: str) -> bool:
    """Does the name of a sheet say what is on it, so that it is no patient's for all that can be seen?

    Example:
        >>> [is_sheet_shown(name) for name in ("Feuil1", "Poses DMI", "T3 2025", "DUPONT Marie", "DUPONT")]
        [True, True, True, False, False]
    """
    if not naming.may_be_shown(name):
        return False
    words = words_of(name)
    are_short = all(len(word) < _SHORTEST_NAME for word in words)
    return are_short or not SHEET_WORDS.isdisjoint(words) or is_of_words(name)


class MemberNames(NamedTuple):
    """The names of the members of objects, each once, in the order in which they come first: those that may be
    ``shown``, and how many others there are."""

    shown: tuple[str, ...]
    hidden: int


NO_NAMES = MemberNames((), 0)
"""Of what is no object."""


def member_names(objects: Iterable[Mapping[str, Any]]) -> MemberNames:
    """The names of the members of objects that are at one place.

    Not shown: what looks like a value (a patient's number, a day) or a person (`DUPONT Marie`), and all those of
    members that are kept by key: objects, or lists of objects, with a member that most of them have, under names that
    mostly have no word for a thing.

    Example:
        >>> member_names([{"stays": [], "DUPONT Marie": {}, "149113897061758": {}}])
        MemberNames(shown=('stays',), hidden=2)
        >>> member_names([{"DUPONT": {"lot": 1}, "MARTIN": {"lot": 2}}, {"PETIT": {"lot": 3}}])
        MemberNames(shown=(), hidden=3)
    """
    held: dict[str, list[Any]] = {}
    count = 0
    for entry in objects:
        count += 1
        for name, value in entry.items():
            held.setdefault(name, []).append(value)
    names = [name for name in held if naming.may_be_shown(name) and not _is_person(name)]
    keys = _keys({name: held[name] for name in names}, count)
    shown = tuple(name for name in names if name not in keys)
    return MemberNames(shown, len(held) - len(shown))


def _is_person(name: str) -> bool:
    """Is a text two words or more as those of a person are written, none of them a word for a thing?"""
    words = _WORD.findall(name)
    if len(name.split()) < 2 or len(words) < 2 or _BETWEEN.fullmatch(_WORD.sub("", name)) is None:
        return False
    return all(word[0].isupper() or word in _PARTICLES for word in words) and not is_of_words(name)


def _keys(members: Mapping[str, Sequence[Any]], count: int) -> frozenset[str]:
    """Those of the names under which things of one kind are kept, in ``count`` objects."""
    nested = {name: kind for name, values in members.items() if (kind := _nested(values)) is not None}
    found: set[str] = set()
    for is_list in (False, True):
        alike = {name: kind.names for name, kind in nested.items() if kind.is_list is is_list}
        shared = Counter(name for names in alike.values() for name in names)
        fewest = _FEWEST_SMALL if all(name[:1].islower() for name in alike) else 2
        if len(alike) >= fewest and 2 * max(shared.values(), default=len(alike)) > len(alike):
            found |= _without_words(alike, members, count)
    # Plain values are kept by key only where all names are written as those of people are, and none has a word.
    plain = [name for name, values in members.items() if name[:1].isupper() and not any(map(_is_nested, values))]
    long = sum(any(len(word) >= _SHORTEST_NAME for word in words_of(name)) for name in plain)
    if long > 1 and len(plain) == len(members) and not any(map(is_of_words, plain)):
        found |= _without_words(plain, members, count)
    return frozenset(found)


def _without_words(names: Collection[str], members: Mapping[str, Sequence[Any]], count: int) -> set[str]:
    """The names, if most have no word for a thing, and most objects do not have them: else they are those of members of
    one kind of object."""
    occurrences = sum(len(members[name]) for name in names)
    are_of_words = 2 * sum(map(is_of_words, names)) >= len(names)
    return set() if are_of_words or (count > 1 and 2 * occurrences > count * len(names)) else set(names)


def _is_nested(value: JsonValue) -> bool:
    return isinstance(value, Mapping | list)


class _Nested(NamedTuple):
    """What members hold that are objects, or lists of them: the names of their own members."""

    is_list: bool
    names: frozenset[str]


def _nested(values: Sequence[Any]) -> _Nested | None:
    """The kind of what a member holds; None where some of it is no object, nor list of objects."""
    there = [value for value in values if value is not None]
    are_lists = [isinstance(value, list) for value in there]
    if not there or any(are_lists) != all(are_lists):
        return None
    items = [item for value in there for item in (value if isinstance(value, list) else [value])]
    if not all(isinstance(item, Mapping) for item in items):
        return None
    return _Nested(are_lists[0], frozenset(name for item in items for name in item))


def shown_paths(entries: Iterable[JsonValue]) -> list[str]:
    """The dotted paths at which some of the entries holds something, but for those that lead over names that are not
    shown. `../x`: what the objects hold that an entry is in."""
    found: list[str] = []
    up, objects = "", _objects(entries)
    while objects:
        waiting = [(up, objects)]  # no recursion: as deep as Python goes
        while waiting:
            prefix, held = waiting.pop()
            names = [name for name in member_names(held).shown if name != ".."]
            paths = {name: f"{prefix}{path_name(name)}" for name in names}
            found += paths.values()
            below = [(f"{path}.", _objects(entry.get(name) for entry in held)) for name, path in paths.items()]
            waiting.extend(entry for entry in reversed(below) if entry[1])
        up, objects = f"{up}../", _objects(entry.get("..") for entry in objects)
    return found


def _objects(values: Iterable[JsonValue]) -> list[Mapping[str, Any]]:
    """The objects among the values, and in the lists among them."""
    found: list[Mapping[str, Any]] = []
    waiting = [iter(values)]
    while waiting:
        value = next(waiting[-1], _END)
        if value is _END:
            waiting.pop()
        elif isinstance(value, Mapping):
            found.append(value)
        elif isinstance(value, list):
            waiting.append(iter(value))
    return found
