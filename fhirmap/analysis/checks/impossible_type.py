"""FM239: a source filtered by a type that its element never has."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic


def impossible_type(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each `src.value : Type` that can never fire (FM239).

    Spec: FML, rules, source: type of a source; FHIRPath N1, 6.3, is.
    """
    is_subtype = checked.definitions.is_subtype
    for _, rule in checked.rules():
        for source in rule.sources:
            known = source.steps[-1].static.types if source.steps else frozenset()
            wanted = source.filter_types
            if not known or not wanted:
                continue
            pairs = [(left.name, right.name) for left in known for right in wanted]
            if not any(is_subtype(left, right) or is_subtype(right, left) for left, right in pairs):
                args = {
                    "element": source.steps[-1].name,
                    "type": source.node.type,
                    "types": ", ".join(sorted(f"`{ref.name}`" for ref in known)),
                }
                yield Diagnostic("FM239", source.node.type_span or source.node.span, args)
