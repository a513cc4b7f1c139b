"""FM304: a source code that occurs twice in a concept map."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, Related
from fhirmap.language.nodes import ConceptMapCode
from fhirmap.texts import Text

_NO_MATCH = ("!=", "--")


def duplicate_code(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each further row of a source code into the same target system (FM304).

    Spec: FHIR R4, conceptmap.html: one source code, one mapping for each target system.
    """
    for table in (table for unit in checked.program.units for table in unit.tree.concept_maps):
        # Of hundreds of thousands of rows only numbers are kept, and the rows of the few that are doubled.
        rows: dict[tuple[str, str], dict[str, int]] = {}
        doubles: list[tuple[int, ConceptMapCode]] = []
        for number, code in enumerate(table.codes):
            if code.relation not in _NO_MATCH:
                known = rows.setdefault((code.source_prefix, code.target_prefix), {})
                first = known.setdefault(code.source_code, number)
                if first != number:
                    doubles.append((first, code))
        wanted = {first for first, _ in doubles}
        firsts = {number: code for number, code in enumerate(table.codes) if number in wanted} if wanted else {}
        for first, code in doubles:
            yield Diagnostic(
                "FM304",
                code.source_span,
                {"code": f"{code.source_prefix}:{code.source_code}", "conceptmap": table.id},
                variant="same" if firsts[first].target_code == code.target_code else "",
                related=(Related(firsts[first].source_span, Text("labels.first_here")),),
            )
