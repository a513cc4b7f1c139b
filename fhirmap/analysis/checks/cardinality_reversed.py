"""FM165: a cardinality whose least is more than its most."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.typed import Checked
from fhirmap.diagnostics import Diagnostic


def cardinality_reversed(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each `3..1` of a model's element or a rule's source (FM165)."""
    for use in checked.models.values():
        for element in use.node.elements:
            if element.maximum is not None and element.minimum > element.maximum:
                yield Diagnostic("FM165", element.span, {"minimum": element.minimum, "maximum": element.maximum})
    for _, rule in checked.rules():
        for source in rule.node.sources:
            if source.minimum is not None and source.maximum is not None and -1 < source.maximum < source.minimum:
                yield Diagnostic("FM165", source.span, {"minimum": source.minimum, "maximum": source.maximum})
