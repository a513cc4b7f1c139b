"""FM230: a rule's cardinality that its source element can never meet."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic


def cardinality_contradiction(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each source whose own cardinality excludes the element's (FM230).

    Spec: FML, rules, source: `min..max` of a source element.
    """
    for _, rule in checked.rules():
        for source in rule.sources:
            element = source.steps[-1].element if source.steps else None
            least, most = source.node.minimum, source.node.maximum
            if element is None or least is None or most is None:
                continue
            too_many = element.maximum is not None and least > element.maximum
            too_few = -1 < most < element.minimum
            if too_many or too_few:
                args = {
                    "element": element.name,
                    "rule": _shown(least, None if most == -1 else most),
                    "model": _shown(element.minimum, element.maximum),
                }
                yield Diagnostic("FM230", source.node.span, args)


def _shown(minimum: int, maximum: int | None) -> str:
    return f"{minimum}..{'*' if maximum is None else maximum}"
