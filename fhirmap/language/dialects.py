"""Words of transforms that the reference engine takes in other spellings, as the language spells them."""

from __future__ import annotations

from dataclasses import replace

from fhirmap.language import nodes as n
from fhirmap.language.expression_text import expression_to_text
from fhirmap.language.faults import Faults

TRANSLATE_OUTPUTS = ("code", "system", "display", "Coding", "CodeableConcept")
"""What `translate` may give: its third parameter. Spec: FML, transforms, translate."""


def as_spelt(call: n.TransformCall, faults: Faults) -> n.TransformCall:
    """``call`` with the output of `translate` as the language spells it: `'coding'` is `'Coding'`, with a warning."""
    if call.name != "translate" or len(call.arguments) != 3:
        return call
    output = call.arguments[2]
    literal = output.expression
    if not isinstance(literal, n.FPLiteral) or not isinstance(literal.value, str) or literal.value in TRANSLATE_OUTPUTS:
        return call
    wanted = next((name for name in TRANSLATE_OUTPUTS if name.lower() == literal.value.lower()), None)
    if wanted is None:
        return call
    faults.add("FM163", output.span, found=output.span.snippet, wanted=f"'{wanted}'")
    meant = replace(literal, value=wanted)
    spelt = replace(output, expression=meant, text=expression_to_text(meant))
    return replace(call, arguments=(*call.arguments[:2], spelt))
