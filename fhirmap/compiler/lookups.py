"""Items that several rules look for by one text of theirs: `page.item as q where linkId = 'a'`, and again for `'b'`.

A list is then gone through once a record, not once for each of these rules.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fhirmap.analysis.typed import NameScope, TypedGroup, TypedSource
from fhirmap.fhir_types import TEXTS
from fhirmap.language import nodes as n
from fhirmap.model.definition import Definitions, TypeRef


@dataclass(frozen=True, slots=True)
class LookupKey:
    """The list ``name`` of the objects of a type ``owner``, and the element ``key`` of its items, of type ``item``."""

    owner: TypeRef
    name: str
    item: TypeRef
    key: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """A source that is such a look-up. ``text``: what it looks for."""

    key: LookupKey
    text: str


def lookup_of(source: TypedSource, definitions: Definitions) -> Lookup | None:
    """The look-up that a source is; None where it is none."""
    step = source.steps[-1] if source.steps else None
    owner = source.steps[-2].static if len(source.steps) > 1 else source.context.static
    if step is None or source.where is None or not (step.static.is_raw and step.repeats and owner.is_raw):
        return None
    expression = source.where.node.expression
    if not isinstance(expression, n.FPBinary) or expression.operator != "=":
        return None
    sides = (expression.left, expression.right), (expression.right, expression.left)
    for member, literal in sides:
        if isinstance(member, n.FPMember) and isinstance(literal, n.FPLiteral) and isinstance(literal.value, str):
            is_key = literal.kind == "string" and _is_child(member, source, source.where.environment)
            item = step.static.type
            if is_key and owner.type is not None and item is not None and _is_text(item, member.name, definitions):
                return Lookup(LookupKey(owner.type, step.name, item, member.name), literal.value)
    return None


def _is_child(member: n.FPMember, source: TypedSource, environment: NameScope) -> bool:
    """Is it an element of the item itself, by its name alone or after the item's?"""
    if member.focus is None:
        return environment.lookup(member.name) is None
    if isinstance(member.focus, n.FPVariable) and member.focus.name == "$this":
        return True
    is_name = isinstance(member.focus, n.FPVariable) or (
        isinstance(member.focus, n.FPMember) and member.focus.focus is None
    )
    return is_name and environment.lookup(member.focus.name) is source.variable  # type: ignore[union-attr]


def _is_text(item: TypeRef, name: str, definitions: Definitions) -> bool:
    found = definitions.element(item, name)
    if found is None or found[1] is not None or found[0].is_choice or found[0].is_repeating:
        return False
    return [ref.name in TEXTS for ref in found[0].types] == [True]


def lookups(groups: Iterable[TypedGroup], definitions: Definitions) -> Mapping[LookupKey, frozenset[str]]:
    """What several rules look for in one list, by the list and the element."""
    counts: Counter[LookupKey] = Counter()
    texts: defaultdict[LookupKey, set[str]] = defaultdict(set)
    for source in (source for group in groups for rule in group.walk() for source in rule.sources):
        found = lookup_of(source, definitions)
        if found is not None:
            counts[found.key] += 1
            texts[found.key].add(found.text)
    return {key: frozenset(texts[key]) for key, count in counts.items() if count > 1}
