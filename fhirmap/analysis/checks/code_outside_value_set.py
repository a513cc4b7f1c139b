"""FM301: a code that the value set bound to its element does not hold."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.production import Produced
from fhirmap.analysis.typed import Checked
from fhirmap.analysis.written_codes import Written, written_codes
from fhirmap.diagnostics import Diagnostic, did_you_mean
from fhirmap.model.definition import Binding, Definitions
from fhirmap.model.terminology import Membership, expand_partly, membership


def code_outside_value_set(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each code that a required binding excludes (FM301), told where it is written."""
    for node, leaf, written in written_codes(checked):
        binding = _binding(node, leaf, checked)
        if binding is not None and binding.strength == "required":
            yield from _outside(written, binding, checked.definitions)


def _binding(node: Produced, leaf: Produced, checked: Checked) -> Binding | None:
    """The binding of ``leaf``: that of the slice which ``node``'s literals choose, else of its element."""
    found = node.slice()
    if found is not None and leaf.element is not None and len(found.element.types) == 1:
        element = checked.definitions.children(found.element.types[0]).get(leaf.element.name)
        if element is not None:
            return element.binding
    return leaf.element.binding if leaf.element else None


def _outside(written: Written, binding: Binding, definitions: Definitions) -> Iterator[Diagnostic]:
    name = binding.value_set.rpartition("/")[2]
    args: dict[str, object] = {"code": written.code, "value_set": name}
    system = written.sent or written.system
    if system is None or binding.codes is not None:
        allowed = _plain_codes(binding, definitions)
        if allowed and written.code not in allowed:
            hint = did_you_mean(written.code, allowed, most=16)
            yield Diagnostic("FM301", written.span, args, hint, "" if name else "list", related=written.related)
        return
    if membership(definitions, binding.value_set, system, written.code) is not Membership.NO:
        return
    known = sorted(expand_partly(definitions, binding.value_set))
    systems = sorted({entry for entry, _ in known})
    if systems and system not in systems:
        span = written.related[0].span if written.sent else written.system_span
        hint = did_you_mean(system, systems)
        yield Diagnostic("FM301", span, {"system": system, "value_set": name}, hint, "system")
        return
    hint = did_you_mean(written.code, (code for entry, code in known if entry == system), most=16)
    yield Diagnostic("FM301", written.span, args, hint, related=written.related)


def _plain_codes(binding: Binding, definitions: Definitions) -> list[str]:
    """Codes of a binding without their systems; empty where they are not all known."""
    if binding.codes is not None:
        return sorted(binding.codes)
    if membership(definitions, binding.value_set, "", "") is not Membership.NO:
        return []
    return sorted({code for _, code in expand_partly(definitions, binding.value_set)})
