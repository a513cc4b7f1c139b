"""Value sets, code systems and concept maps: read from resources, asked for membership, expansion and translation.

Three answers, not two: what a value set filters by a hierarchy that is not at hand (`is-a` in SNOMED CT) is unknown,
and unknown is never taken for false.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from fhirmap.model.definition import (
    CodeSystem,
    Concept,
    ConceptMap,
    ConceptMapGroup,
    ConceptMapTarget,
    Definitions,
    Filter,
    ValueSet,
    ValueSetRule,
)

Json = Mapping[str, Any]


class Membership(Enum):
    """Is a code in a value set? Unknown where that cannot be decided offline."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


# --- reading ----------------------------------------------------------------------------------------------------------


def read_code_system(resource: Json) -> CodeSystem:
    """A CodeSystem resource's codes, nested ones with their parents."""
    concepts: dict[str, Concept] = {}
    _read_concepts(resource.get("concept", ()), "", resource.get("url", ""), concepts)
    return CodeSystem(
        url=resource["url"],
        name=resource.get("name", ""),
        concepts=concepts,
        complete=resource.get("content", "complete") == "complete",
        case_sensitive=resource.get("caseSensitive", True),
        version=str(resource.get("version", "")),
    )


def read_value_set(resource: Json) -> ValueSet:
    """A ValueSet resource's definition and, where it has one, its expansion."""
    compose = resource.get("compose", {})
    expansion = resource.get("expansion")
    return ValueSet(
        url=resource["url"],
        name=resource.get("name", ""),
        includes=tuple(_read_rule(entry) for entry in compose.get("include", ())),
        excludes=tuple(_read_rule(entry) for entry in compose.get("exclude", ())),
        expansion=tuple(_read_expansion(expansion.get("contains", ()))) if expansion else None,
        version=str(resource.get("version", "")),
    )


def read_concept_map(resource: Json) -> ConceptMap:
    """A ConceptMap resource (R4 `equivalence` or R5 `relationship`)."""
    url = resource.get("url") or f"#{resource.get('id', '')}"
    return ConceptMap(
        url=url,
        name=resource.get("name") or resource.get("id") or url.rpartition("/")[2],
        groups=tuple(_read_map_group(group) for group in resource.get("group", ())),
        version=str(resource.get("version", "")),
    )


def _read_concepts(entries: Iterable[Json], parent: str, system: str, found: dict[str, Concept]) -> None:
    for entry in entries:
        parents = [parent] if parent else []
        for held in entry.get("property", ()):
            if held.get("code") in ("parent", "subsumedBy") and "valueCode" in held:
                parents.append(held["valueCode"])
        code = entry["code"]
        found[code] = Concept(code, entry.get("display", ""), system, tuple(parents))
        _read_concepts(entry.get("concept", ()), code, system, found)


def _read_rule(entry: Json) -> ValueSetRule:
    return ValueSetRule(
        system=entry.get("system", ""),
        concepts=tuple(
            Concept(concept["code"], concept.get("display", ""), entry.get("system", ""))
            for concept in entry.get("concept", ())
        ),
        filters=tuple(Filter(held["property"], held["op"], held["value"]) for held in entry.get("filter", ())),
        value_sets=tuple(entry.get("valueSet", ())),
    )


def _read_expansion(entries: Iterable[Json]) -> Iterator[Concept]:
    for entry in entries:
        if "code" in entry and not entry.get("abstract"):
            yield Concept(entry["code"], entry.get("display", ""), entry.get("system", ""))
        yield from _read_expansion(entry.get("contains", ()))


_RELATIONS = {
    "relatedto": "related-to",
    "equal": "equivalent",
    "wider": "source-is-narrower-than-target",
    "subsumes": "source-is-narrower-than-target",
    "narrower": "source-is-broader-than-target",
    "specializes": "source-is-broader-than-target",
    "disjoint": "not-related-to",
    "unmatched": "not-related-to",
    "inexact": "related-to",
}
"""R4's `equivalence` in the words of R5's `relationship`."""


def _read_map_group(group: Json) -> ConceptMapGroup:
    elements: dict[str, tuple[ConceptMapTarget, ...]] = {}
    for element in group.get("element", ()):
        targets = tuple(
            ConceptMapTarget(
                target.get("code", ""),
                target.get("display", ""),
                target.get("relationship")
                or _RELATIONS.get(target.get("equivalence", ""), target.get("equivalence", "")),
            )
            for target in element.get("target", ())
        )
        elements[element.get("code", "")] = (*elements.get(element.get("code", ""), ()), *targets)
    unmapped = group.get("unmapped")
    return ConceptMapGroup(
        # Both may be canonicals with a version in R5; a Coding's system has none.
        source=group.get("source", "").partition("|")[0],
        target=group.get("target", "").partition("|")[0],
        elements=elements,
        unmapped=_read_unmapped(unmapped) if unmapped else None,
    )


def _read_unmapped(unmapped: Json) -> tuple[str, str]:
    mode = str(unmapped.get("mode", ""))
    value = unmapped.get("code") or unmapped.get("otherMap") or unmapped.get("url") or ""
    return "provided" if mode == "use-source-code" else mode, str(value)


# --- asking -----------------------------------------------------------------------------------------------------------


def membership(definitions: Definitions, value_set: str, system: str, code: str) -> Membership:
    """Is ``code`` of ``system`` in the value set of that canonical?"""
    return _in_value_set(definitions, value_set, system, code, {})


def expand(definitions: Definitions, value_set: str) -> frozenset[tuple[str, str]] | None:
    """All (system, code) pairs of a value set, or None where it cannot be enumerated offline."""
    return _expand_value_set(definitions, value_set, {})


def expand_partly(definitions: Definitions, value_set: str) -> frozenset[tuple[str, str]]:
    """The (system, code) pairs that are known to be in a value set, even where there may be more."""
    found = definitions.value_set(value_set)
    if found is None:
        return frozenset()
    pairs: set[tuple[str, str]] = set()
    known: _Expanded = {found.url: None}
    for rule in found.includes:
        pairs |= _expand_rule(definitions, rule, known) or {(concept.system, concept.code) for concept in rule.concepts}
    return frozenset(pairs)


def system_of(definitions: Definitions, value_set: str, code: str) -> str | None:
    """The one system in which a value set holds ``code``; None where there is none or more than one."""
    systems = {system for system, known in expand_partly(definitions, value_set) if known == code}
    return next(iter(systems)) if len(systems) == 1 else None


def display(definitions: Definitions, system: str, code: str) -> str | None:
    """What a code is called in its code system, or in a value set that lists it."""
    known = definitions.code_system(system)
    if known is not None and code in known.concepts:
        return known.concepts[code].display or None
    for value_set in definitions.value_sets():
        for rule in value_set.includes:
            for concept in rule.concepts:
                if (concept.system, concept.code) == (system, code) and concept.display:
                    return concept.display
    return None


def translate(
    concept_map: ConceptMap, code: str, system: str | None = None
) -> tuple[tuple[str, ConceptMapTarget], ...]:
    """(target system, target) for each correspondence of ``code``; ``system`` None matches on the code alone."""
    return tuple(
        (group.target, target)
        for group in concept_map.groups
        if system is None or not group.source or group.source == system
        for target in group.elements.get(code, ())
    )


_Answers = dict[str, Membership]
"""By the canonicals of the value sets that were asked; unknown of one that is still being asked."""
_Expanded = dict[str, frozenset[tuple[str, str]] | None]
"""By the canonicals of value sets; None of one that is still being expanded, or cannot be."""


def _in_value_set(definitions: Definitions, url: str, system: str, code: str, known: _Answers) -> Membership:
    if url not in known:
        known[url] = Membership.UNKNOWN
        found = definitions.value_set(url)
        known[url] = Membership.UNKNOWN if found is None else _answer(definitions, found, system, code, known)
    return known[url]


def _answer(definitions: Definitions, found: ValueSet, system: str, code: str, known: _Answers) -> Membership:
    if found.expansion is not None and not found.includes:
        listed = any((entry.system, entry.code) == (system, code) for entry in found.expansion)
        return Membership.YES if listed else Membership.NO
    included = _any(_in_rule(definitions, rule, system, code, known) for rule in found.includes)
    excluded = _any(_in_rule(definitions, rule, system, code, known) for rule in found.excludes)
    if included is Membership.NO or excluded is Membership.YES:
        return Membership.NO
    return Membership.UNKNOWN if Membership.UNKNOWN in (included, excluded) else Membership.YES


def _in_rule(definitions: Definitions, rule: ValueSetRule, system: str, code: str, known: _Answers) -> Membership:
    answers = [_in_value_set(definitions, url, system, code, known) for url in rule.value_sets]
    if rule.system:
        answers.append(_in_system_part(definitions, rule, code) if rule.system == system else Membership.NO)
    return _all(answers)


def _in_system_part(definitions: Definitions, rule: ValueSetRule, code: str) -> Membership:
    if rule.concepts:
        return Membership.YES if any(concept.code == code for concept in rule.concepts) else Membership.NO
    known = definitions.code_system(rule.system)
    if rule.filters:
        return _all(_passes(known, held, code) for held in rule.filters)
    if known is None:
        return Membership.UNKNOWN
    if code in known.concepts:
        return Membership.YES
    return Membership.NO if known.complete else Membership.UNKNOWN


def _passes(known: CodeSystem | None, held: Filter, code: str) -> Membership:
    if held.property in ("concept", "code") and held.op in ("is-a", "=") and code == held.value:
        return Membership.YES
    if known is None or held.property not in ("concept", "code") or held.op not in ("is-a", "descendent-of", "in"):
        return Membership.UNKNOWN
    if held.op == "in":
        return Membership.YES if code in held.value.split(",") else Membership.NO
    if code in known.concepts and held.value in _ancestors(known, code):
        return Membership.YES
    return Membership.NO if known.complete else Membership.UNKNOWN


def _ancestors(known: CodeSystem, code: str) -> set[str]:
    found: set[str] = set()
    waiting = [code]
    while waiting:
        concept = known.concepts.get(waiting.pop())
        fresh = [parent for parent in concept.parents if parent not in found] if concept else []
        found.update(fresh)
        waiting += fresh
    return found


def _expand_value_set(definitions: Definitions, url: str, known: _Expanded) -> frozenset[tuple[str, str]] | None:
    if url not in known:
        known[url] = None
        found = definitions.value_set(url)
        known[url] = None if found is None else _expand_found(definitions, found, known)
    return known[url]


def _expand_found(definitions: Definitions, found: ValueSet, known: _Expanded) -> frozenset[tuple[str, str]] | None:
    if found.expansion is not None and not found.includes:
        return frozenset((entry.system, entry.code) for entry in found.expansion)
    pairs: set[tuple[str, str]] = set()
    for rules, keep in ((found.includes, True), (found.excludes, False)):
        for rule in rules:
            part = _expand_rule(definitions, rule, known)
            if part is None:
                return None
            pairs = pairs | part if keep else pairs - part
    return frozenset(pairs)


def _expand_rule(definitions: Definitions, rule: ValueSetRule, known: _Expanded) -> frozenset[tuple[str, str]] | None:
    parts: list[frozenset[tuple[str, str]] | None] = [
        _expand_value_set(definitions, url, known) for url in rule.value_sets
    ]
    if rule.system:
        parts.append(_expand_system(definitions, rule))
    whole = [part for part in parts if part is not None]
    return frozenset.intersection(*whole) if whole and len(whole) == len(parts) else None


def _expand_system(definitions: Definitions, rule: ValueSetRule) -> frozenset[tuple[str, str]] | None:
    if rule.concepts:
        return frozenset((rule.system, concept.code) for concept in rule.concepts)
    known = definitions.code_system(rule.system)
    if known is None or not known.complete:
        return None
    answers = [_all(_passes(known, held, code) for held in rule.filters) for code in known.concepts]
    if Membership.UNKNOWN in answers:
        return None
    chosen = [code for code, answer in zip(known.concepts, answers, strict=True) if answer is Membership.YES]
    return frozenset((rule.system, code) for code in chosen)


def _any(answers: Iterable[Membership]) -> Membership:
    found = set(answers)
    if Membership.YES in found:
        return Membership.YES
    return Membership.UNKNOWN if Membership.UNKNOWN in found else Membership.NO


def _all(answers: Iterable[Membership]) -> Membership:
    found = set(answers)
    if Membership.NO in found:
        return Membership.NO
    return Membership.UNKNOWN if Membership.UNKNOWN in found else Membership.YES
