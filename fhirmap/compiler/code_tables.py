"""Concept maps as constants of a module: a plain dict where each code has one target, else a `CodeTable`.

A large one is a text with a line for each correspondence, which the module reads when it is loaded: as a display of
Python it would take ten times the memory to compile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import chain, islice

from fhirmap.compiler.python import DictOf, Expr, Literal, Name, literal_dict
from fhirmap.compiler.runtime_functions import call
from fhirmap.model.definition import ConceptMap, Definitions

Target = tuple[str, str, str, str]
"""Source system, target system, target code, display."""
_LARGE = 1000
"""Codes of a concept map from which on it is written as a text."""
_MANY = 4000
"""Lines of it that are put together at a time."""
_MARKS = frozenset("\t\n")
"""What separates columns and lines of such a text."""


class CodeTables:
    """The tables of one module, each written once. ``add`` makes a constant of it: hint, value, comment."""

    def __init__(self, definitions: Definitions, add: Callable[[str, Expr, str], Name]) -> None:
        self._definitions = definitions
        self._add = add
        self._tables: dict[int, Name] = {}
        self._simple: dict[int, Name] = {}
        self._open: set[int] = set()

    def table(self, concept_map: ConceptMap) -> Name:
        """The table of a concept map, for `translate`."""
        known = self._tables.get(id(concept_map))
        if known is None:
            self._open.add(id(concept_map))
            others: dict[str, Name] = {}
            unmapped = tuple(dict.fromkeys(self._policies(concept_map, others)))
            self._open.discard(id(concept_map))
            parts: list[Expr] = [Literal(concept_map.name), _entries(concept_map), Literal(unmapped)]
            if others:
                parts.append(DictOf(tuple((Literal(url), name) for url, name in others.items())))
            comment = f"Concept map {concept_map.name}."
            known = self._add(f"codes_{concept_map.name}", call("CodeTable", *parts), comment)
            self._tables[id(concept_map)] = known
        return known

    def _policies(self, concept_map: ConceptMap, others: dict[str, Name]) -> Iterator[tuple[str, str, str, str]]:
        """What becomes of codes that a concept map does not hold; maps that are asked then are added to ``others``."""
        for group in concept_map.groups:
            if group.unmapped is None:
                continue
            mode, value = group.unmapped
            if mode != "other-map":
                system, _, target = value.rpartition("|")
                yield group.source, mode, system or (group.target if mode == "fixed" else ""), target
                continue
            other = self._definitions.concept_map(value)
            # Two maps may send each other what they do not know: the second asks no further.
            if other is not None and id(other) not in self._open:
                others[value] = self.table(other)
                yield group.source, mode, "", value

    def simple(self, concept_map: ConceptMap) -> Name | None:
        """A plain dict code -> code, where each code has one target and nothing is said of the others; else None."""
        known = self._simple.get(id(concept_map))
        if known is None:
            codes = _single_codes(concept_map)
            if codes is None:
                return None
            known = self._add(concept_map.name, _pairs(codes), f"Concept map {concept_map.name}.")
            self._simple[id(concept_map)] = known
        return known


def _single_codes(concept_map: ConceptMap) -> dict[str, str] | None:
    codes: dict[str, str] = {}
    for group in concept_map.groups:
        if group.unmapped is not None:
            return None
        for source, targets in group.elements.items():
            held = {entry.code for entry in targets if entry.relation not in ("not-related-to", "unmatched")}
            if len(held) != 1 or codes.get(source, next(iter(held))) not in held or not next(iter(held)):
                return None
            codes[source] = next(iter(held))
    return codes


def _pairs(codes: dict[str, str]) -> Expr:
    """Source code -> target code."""
    if _is_large(codes) and all(map(_MARKS.isdisjoint, chain(codes, codes.values()))):
        return call("listed_codes", Literal(_listed(f"{source}\t{target}" for source, target in codes.items())))
    return literal_dict(codes, is_tall=True)


def _entries(concept_map: ConceptMap) -> Expr:
    """Source code -> its targets."""
    codes = _targets(concept_map)
    texts = (text for source, targets in codes.items() for text in (source, *chain.from_iterable(targets)))
    if not _is_large(codes) or not all(map(_MARKS.isdisjoint, texts)):
        return literal_dict(codes, is_tall=True)
    systems = tuple(dict.fromkeys(target[:2] for targets in codes.values() for target in targets))
    numbers = {pair: str(number) for number, pair in enumerate(systems)}
    lines = []
    for source, targets in codes.items():
        lines += ["\t".join((source, numbers[target[:2]], *target[2:])) for target in targets] or [source]
    return call("listed_targets", Literal(systems), Literal("\n".join(lines)))


def _listed(lines: Iterator[str]) -> str:
    """``lines`` as one text: a few thousand at a time, since all of them at once are several times as large."""
    return "\n".join(iter(lambda: "\n".join(islice(lines, _MANY)), ""))


def _is_large(codes: Collection[str]) -> bool:
    return len(codes) > _LARGE


def _targets(concept_map: ConceptMap) -> dict[str, tuple[Target, ...]]:
    """The targets of each source code."""
    codes: dict[str, tuple[Target, ...]] = {}
    for group in concept_map.groups:
        for source, targets in group.elements.items():
            held = tuple(
                (group.source, group.target, target.code, target.display)
                for target in targets
                if target.relation not in ("not-related-to", "unmatched", "disjoint")
            )
            codes[source] = (*codes.get(source, ()), *held)
    return codes
