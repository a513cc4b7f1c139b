"""FM302: `translate` asked for something that it does not give."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, suggestion
from fhirmap.language.dialects import TRANSLATE_OUTPUTS


def unknown_output(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each third parameter of `translate` that names no output (FM302).

    Spec: FML, transforms, translate: the third parameter.
    """
    for _, rule in checked.rules():
        for target in rule.targets:
            transform = target.transform
            if transform is None or transform.name != "translate" or len(transform.arguments) < 3:
                continue
            literal = transform.arguments[2].literal
            table = transform.concept_map.name if transform.concept_map is not None else ""
            allowed = (*TRANSLATE_OUTPUTS, "uri") if table == "special-oid2uri" else TRANSLATE_OUTPUTS
            if literal is not None and literal.value not in allowed:
                found = suggestion(str(literal.value), allowed)
                yield Diagnostic("FM302", literal.span, {"output": literal.value}, **found)
