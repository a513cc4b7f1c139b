"""FM306: a code that its own code system does not have."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.written_codes import concept_map_targets
from fhirmap.diagnostics import Diagnostic, Span, suggestion
from fhirmap.model.definition import Definitions


def unknown_code(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each code of a concept map or a rule that a complete code system lacks (FM306).

    Spec: FHIR R4, codesystem.html: `content` complete.
    """
    for system, code, span in _codes(checked):
        known = _complete(checked.definitions, system)
        if known and code not in known:
            yield Diagnostic("FM306", span, {"code": code, "system": system}, **suggestion(code, known))


def _codes(checked: Checked) -> Iterator[tuple[str, str, Span]]:
    for unit in checked.program.units:
        for table in unit.tree.concept_maps:
            systems = {prefix.name: prefix.url for prefix in table.prefixes}
            for code in table.codes:
                yield systems.get(code.source_prefix, ""), code.source_code, code.source_span
            for written in concept_map_targets(unit, table):
                yield written.system or "", written.code, written.span
    for _, rule in checked.rules():
        for target in rule.targets:
            transform = target.transform
            if transform is not None and transform.name in ("cc", "c") and len(transform.arguments) > 1:
                system, literal = transform.arguments[0].literal, transform.arguments[1].literal
                if system is not None and literal is not None:
                    yield str(system.value), str(literal.value), literal.span


def _complete(definitions: Definitions, system: str) -> list[str]:
    """Codes of a code system that is known in full; empty for any other."""
    found = definitions.code_system(system) if system else None
    return list(found.concepts) if found is not None and found.complete else []
