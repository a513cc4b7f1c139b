"""FM173: a null token that changes nothing: written twice, or never equal to a trimmed text."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic


def idle_null(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each null token without effect (FM173)."""
    for use in checked.declared_models():
        for element in use.node.elements:
            for order, token in enumerate(element.nulls):
                variant = "twice" if token in element.nulls[:order] else "blank" if token != token.strip() else ""
                if variant:
                    span = element.null_spans[order] if element.null_spans else element.span
                    args = {"token": token, "element": element.name, "trimmed": token.strip()}
                    yield Diagnostic("FM173", span, args, variant=variant)
