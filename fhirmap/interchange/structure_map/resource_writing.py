"""What the writers of one resource share: the shape that is written, the names, and what was to be reported."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.interchange.structure_map.documentation import Documentation
from fhirmap.interchange.structure_map.resource_names import FreshVariables
from fhirmap.interchange.structure_map.shapes import FhirVersion
from fhirmap.language import nodes as n
from fhirmap.language.visit import walk

__all__ = ["ResourceWriting", "declared_names"]


@dataclass(slots=True)
class ResourceWriting:
    """One resource while it is written. ``functions``: names that plug-ins give a meaning. ``declared``: variables,
    parameters and constants of the map."""

    version: FhirVersion
    functions: Collection[str]
    documentation: Documentation
    fresh: FreshVariables
    declared: frozenset[str]
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def report(self, code: str, span: Span, variant: str = "", **args: object) -> None:
        """Notes what the resource cannot say as the text does."""
        self.diagnostics.append(Diagnostic(code, span, args, variant=variant))


def declared_names(tree: n.Map) -> frozenset[str]:
    """Variables, parameters and constants of a map."""
    found: set[str] = set()
    for node in walk(tree):
        if isinstance(node, n.Let | n.Parameter):
            found.add(node.name)
        elif isinstance(node, n.RuleSource | n.RuleTarget) and node.variable is not None:
            found.add(node.variable)
    return frozenset(found)
