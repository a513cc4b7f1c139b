"""FM248: an element that the profile forbids."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic


def prohibited_element(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each target whose element is not allowed at all (FM248).

    Spec: FHIR R4, conformance-rules.html#cardinality: max = 0.
    """
    for _, rule in checked.rules():
        for target in rule.targets:
            for step in target.steps:
                if step.element is not None and step.element.maximum == 0:
                    yield Diagnostic("FM248", step.span, {"element": step.element.path})
