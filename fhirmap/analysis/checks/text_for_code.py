"""FM308: a bare text or code for an element that takes a code with its system."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.code_outside_value_set import binding_of, element_of
from fhirmap.diagnostics import Diagnostic
from fhirmap.fhir_types import TEXTS
from fhirmap.model.terminology import expand_partly
from fhirmap.texts import Text


def text_for_code(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each text written to a CodeableConcept whose value set is required (FM308).

    Elsewhere a text becomes the concept's `text`; a required value set can never hold that.

    Spec: FHIR R4, terminologies.html#strength; FML, transforms, cc.
    """
    for stage in checked.stages:
        for node, leaf in checked.produced(stage).pairs():
            binding, element = binding_of(node, leaf, checked), element_of(node, leaf, checked)
            target = leaf.target
            if binding is None or element is None or target is None or target.transform is None:
                continue
            given = {ref.name for ref in target.value.types}
            # `cc(text)` is a concept without a code.
            text_alone = target.transform.name == "cc" and len(target.transform.arguments) == 1
            is_text = text_alone or (bool(given) and given <= TEXTS)
            if [ref.name for ref in element.types] != ["CodeableConcept"] or not is_text:
                continue
            systems = {system for system, _ in expand_partly(checked.definitions, binding.value_set)}
            args = {
                "value": target.transform.span.snippet,
                "type": Text("words.text") if text_alone else target.value.text(),
                "value_set": binding.value_set.rpartition("/")[2],
                "system": next(iter(systems)) if len(systems) == 1 else "…",
            }
            code = target.transform.arguments[0].span.snippet if text_alone else ""
            hint = Text("hints.system_and_code", {"system": args["system"], "code": code}) if text_alone else None
            yield Diagnostic("FM308", target.transform.span, args, hint)
