"""Definitions that lead back to themselves: profiles by their bases, value sets by what they include.

Nothing can be made of such definitions, nor of those that lead on and on. They are said, and taken out. Concept maps
may leave codes to one another, each to the next: the last one asks no further. They may not lead on and on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from fhirmap.diagnostics import Diagnostic, MapText, Span
from fhirmap.model.definition import ConceptMap, DefinitionKind, Definitions, Structure, ValueSet

__all__ = ["MOST_LEVELS", "take_out_circular"]

MOST_LEVELS = 100
"""How many definitions of a kind may be one above the other; those of guides are some five."""

_LeadsTo = Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True)
class _Links:
    """Definitions of one kind. ``listed``: the canonical of each. ``leads_to``: those of the ones that it needs.
    ``may_return``: may it lead back to itself?"""

    name: DefinitionKind
    listed: Iterable[str]
    leads_to: _LeadsTo
    may_return: bool = False


def take_out_circular(definitions: Definitions) -> list[Diagnostic]:
    """What is wrong with definitions that lead back to themselves, or over more than `MOST_LEVELS`. They are taken out
    of ``definitions``."""
    found: list[Diagnostic] = []
    for kind in _kinds(definitions):
        ways, deep = _walked(kind.listed, kind.leads_to)
        if kind.may_return:
            ways = []
        found += [_diagnostic(definitions, kind.name, way, "circular") for way in ways]
        found += [_diagnostic(definitions, kind.name, (name,), "deep") for name in deep[:1]]
        for name in {*deep, *(name for way in ways for name in way)}:
            definitions.remove(kind.name, name)
    return found


def _kinds(definitions: Definitions) -> Iterator[_Links]:
    structures = {entry.url: entry for entry in definitions.structures()}
    yield _Links("StructureDefinition", tuple(structures), lambda url: _base(definitions, structures, url))
    value_sets = {_canonical(entry): entry for entry in definitions.value_sets()}
    yield _Links("ValueSet", tuple(value_sets), lambda name: _included(definitions, value_sets[name]))
    maps = {_canonical(entry): entry for entry in definitions.concept_maps()}
    yield _Links("ConceptMap", tuple(maps), lambda name: _others(definitions, maps[name]), may_return=True)


def _base(definitions: Definitions, structures: Mapping[str, Structure], url: str) -> Iterator[str]:
    written = structures[url].base
    base = definitions.structure(written) if written else None
    if base is not None and base.url in structures:
        yield base.url


def _included(definitions: Definitions, value_set: ValueSet) -> Iterator[str]:
    for rule in (*value_set.includes, *value_set.excludes):
        for url in rule.value_sets:
            other = definitions.value_set(url)
            if other is not None:
                yield _canonical(other)


def _others(definitions: Definitions, concept_map: ConceptMap) -> Iterator[str]:
    for group in concept_map.groups:
        mode, url = group.unmapped or ("", "")
        other = definitions.concept_map(url) if mode == "other-map" else None
        if other is not None:
            yield _canonical(other)


def _canonical(entry: ValueSet | ConceptMap) -> str:
    return f"{entry.url}|{entry.version}".rstrip("|")


def _walked(listed: Iterable[str], leads_to: _LeadsTo) -> tuple[list[tuple[str, ...]], list[str]]:
    """The ways that lead back to where they begin, and the definitions that are too far from what ends theirs."""
    levels: dict[str, int] = {}
    ways: list[tuple[str, ...]] = []
    for start in listed:
        waiting = [] if start in levels else [(start, iter(leads_to(start)))]
        rank = {start: 0}
        while waiting:
            name, further = waiting[-1]
            other = next(further, None)
            if other is None:
                waiting.pop()
                del rank[name]
                levels[name] = 1 + max((levels.get(entry, 0) for entry in leads_to(name)), default=0)
            elif other in rank:
                ways.append(tuple(rank)[rank[other] :])
            elif other not in levels:
                rank[other] = len(waiting)
                waiting.append((other, iter(leads_to(other))))
    return ways, [name for name, level in levels.items() if level > MOST_LEVELS]


def _diagnostic(definitions: Definitions, kind: DefinitionKind, way: tuple[str, ...], variant: str) -> Diagnostic:
    files = [definitions.place(kind, name) for name in way]
    shown = [f"`{name}` ({file})" for name, file in zip(way, files, strict=True)]
    args = {
        "file": files[0],
        "kind": kind,
        "url": way[0],
        "way": " → ".join((*shown, f"`{way[0]}`")),
        "limit": MOST_LEVELS,
    }
    return Diagnostic("FM352", Span(MapText(files[0], ""), 0, 0), args, variant=variant)
