"""The two short forms of a rule, `src.a -> tgt.b;` and `src -> tgt : a, b;`, recognised in a resource.

The reference engine writes both as rules whose source and target carry the same variable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fhirmap.interchange.structure_map.resource_part import ResourcePart
from fhirmap.interchange.structure_map.shapes import AUTO_VARIABLE, BATCH_PREFIX
from fhirmap.language import nodes as n

__all__ = ["Batch", "batch_at", "is_default_rule", "with_variable"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rules that one batch rule says. ``prefix``: what their names begin with, before the element."""

    prefix: str
    source: str
    target: str
    elements: tuple[str, ...]


def is_default_rule(rule: Mapping[str, Any]) -> bool:
    """Is this the shape of `src.a -> tgt.b;`?"""
    sources, targets = rule.get("source"), rule.get("target")
    if not (isinstance(sources, list) and isinstance(targets, list) and len(sources) == len(targets) == 1):
        return False
    source, target = sources[0], targets[0]
    if not (isinstance(source, Mapping) and isinstance(target, Mapping)) or rule.get("rule") or rule.get("dependent"):
        return False
    both = source.get("variable") == target.get("variable") == AUTO_VARIABLE
    named = isinstance(source.get("element"), str) and isinstance(target.get("element"), str)
    plain = target.get("transform") == "create" and not target.get("parameter")
    return bool(both and named and plain and source.get("element") and target.get("element") and target.get("context"))


def with_variable(source: n.RuleSource, target: n.RuleTarget) -> n.RuleSource:
    """``source`` with a variable where the rule's text would else be that of a default rule."""
    alike = source.elements and source.variable is None and target.context and target.elements
    if alike and target.transform is None and target.variable is None:
        return replace(source, variable=AUTO_VARIABLE)
    return source


def batch_at(rules: Sequence[ResourcePart], at: int) -> Batch | None:
    """The batch that begins at a rule: two rules at least, unless they are named as an unnamed batch's are."""
    found: tuple[str, str, str] | None = None
    elements: list[str] = []
    for part in rules[at:]:
        item = _batch_item(part.value)
        if item is None or (elements and "documentation" in part.value):
            break
        if found is not None and found != item[:3]:
            break
        found = item[:3]
        elements.append(item[3])
    if found is None or (len(elements) < 2 and found[0] != BATCH_PREFIX):
        return None
    return Batch(*found, tuple(elements))


def _batch_item(rule: Mapping[str, Any]) -> tuple[str, str, str, str] | None:
    """Prefix of the name, both contexts and the element of a rule that may be one of a batch."""
    if not is_default_rule(rule) or rule.keys() - {"name", "source", "target", "documentation"}:
        return None
    source, target, name = rule["source"][0], rule["target"][0], rule.get("name")
    element = source["element"]
    if source.keys() != {"context", "element", "variable"} or target["element"] != element or "." in element:
        return None
    if target.keys() - {"context", "contextType", "element", "variable", "transform"}:
        return None
    if not isinstance(name, str) or not name.endswith(element) or len(name) == len(element):
        return None
    if target.get("contextType", "variable") != "variable":
        return None
    return name.removesuffix(element), source["context"], target["context"], element
