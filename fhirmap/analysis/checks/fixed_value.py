"""FM246: another value for an element that the structure fixes."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic


def fixed_value(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each literal that is not the value its element is fixed to (FM246).

    Spec: FHIR R4, elementdefinition.html: `fixed[x]` and `pattern[x]`.
    """
    for _, rule in checked.rules():
        for target in rule.targets:
            transform = target.transform
            element = target.steps[-1].element if target.steps else None
            if transform is None or element is None or transform.name != "copy":
                continue
            literal = transform.arguments[0].literal
            fixed = element.fixed if element.fixed is not None else element.pattern
            if literal is None or isinstance(fixed, (dict, list)) or fixed is None or literal.value == fixed:
                continue
            yield Diagnostic("FM246", literal.span, {"element": element.path, "fixed": fixed})
