"""FM301: a code that the value set bound to its element does not hold."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.production import Produced
from fhirmap.analysis.written_codes import Written, written_codes
from fhirmap.diagnostics import Diagnostic, Span, suggestion
from fhirmap.model.definition import Binding, Definitions, Element
from fhirmap.model.terminology import Membership, expand_partly, membership


def code_outside_value_set(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each code or system that a required binding excludes (FM301), reported where it is written.

    Spec: FHIR R4, terminologies.html#strength: required bindings.
    """
    for node, leaf, written in written_codes(checked):
        binding = binding_of(node, leaf, checked)
        if binding is not None:
            yield from _outside(written, binding, checked.definitions)
    for stage in checked.stages:
        for node, leaf in checked.produced(stage).pairs():
            binding = binding_of(node, leaf, checked)
            if binding is not None:
                yield from _outside_system(leaf, binding, checked.definitions)


def binding_of(node: Produced, leaf: Produced, checked: Checked) -> Binding | None:
    """The required binding of ``leaf`` below ``node``, where it has one."""
    element = element_of(node, leaf, checked)
    binding = element.binding if element is not None else None
    return binding if binding is not None and binding.strength == "required" else None


def element_of(node: Produced, leaf: Produced, checked: Checked) -> Element | None:
    """The element that ``leaf`` is: that of the slice which ``node``'s literals choose, else the one typing found."""
    found = node.slice()
    if found is None or leaf.element is None or len(found.element.types) != 1:
        return leaf.element
    return checked.definitions.children(found.element.types[0]).get(leaf.element.name, leaf.element)


def _outside_system(leaf: Produced, binding: Binding, definitions: Definitions) -> Iterator[Diagnostic]:
    """`cc('system', v)`: whatever the code, its system has to be one of the value set's."""
    transform = leaf.target.transform if leaf.target else None
    if transform is None or transform.name not in ("cc", "c") or len(transform.arguments) < 2:
        return
    literal = transform.arguments[0].literal
    if literal is not None and transform.arguments[1].literal is None:
        yield from _unknown_system(str(literal.value), literal.span, binding, definitions)


def _unknown_system(system: str, span: Span, binding: Binding, definitions: Definitions) -> Iterator[Diagnostic]:
    systems = sorted({entry for entry, _ in expand_partly(definitions, binding.value_set)})
    if not systems or system in systems:
        return
    if membership(definitions, binding.value_set, system, "") is Membership.NO:
        args = {"system": system, "value_set": binding.value_set.rpartition("/")[2]}
        yield Diagnostic("FM301", span, args, variant="system", **suggestion(system, systems))


def _outside(written: Written, binding: Binding, definitions: Definitions) -> Iterator[Diagnostic]:
    name = binding.value_set.rpartition("/")[2]
    args: dict[str, object] = {"code": written.code, "value_set": name}
    system = written.sent or written.system
    if system is None or binding.codes is not None:
        allowed = _plain_codes(binding, definitions)
        if allowed and written.code not in allowed:
            variant, found = "" if name else "list", suggestion(written.code, allowed)
            yield Diagnostic("FM301", written.span, args, variant=variant, related=written.related, **found)
        return
    if membership(definitions, binding.value_set, system, written.code) is not Membership.NO:
        return
    span = written.related[0].span if written.sent else written.system_span
    unknown = tuple(_unknown_system(system, span, binding, definitions))
    if unknown:
        yield from unknown
        return
    known = sorted(expand_partly(definitions, binding.value_set))
    found = suggestion(written.code, (code for entry, code in known if entry == system))
    yield Diagnostic("FM301", written.span, args, related=written.related, **found)


def _plain_codes(binding: Binding, definitions: Definitions) -> list[str]:
    """Codes of a binding without their systems; empty where they are not all known."""
    if binding.codes is not None:
        return sorted(binding.codes)
    if membership(definitions, binding.value_set, "", "") is not Membership.NO:
        return []
    return sorted({code for _, code in expand_partly(definitions, binding.value_set)})
