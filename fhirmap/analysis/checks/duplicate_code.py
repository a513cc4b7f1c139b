"""FM304: a source code that occurs twice in a concept map."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, Related, Span
from fhirmap.texts import Text

_NO_MATCH = ("!=", "--")


def duplicate_code(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each further row of a source code into the same target system (FM304).

    Spec: FHIR R4, conceptmap.html: one source code, one mapping for each target system.
    """
    for table in (table for unit in checked.program.units for table in unit.tree.concept_maps):
        first: dict[tuple[str, str, str], tuple[str, Span]] = {}
        for code in table.codes:
            if code.relation in _NO_MATCH:
                continue
            key = (code.source_prefix, code.source_code, code.target_prefix)
            if key not in first:
                first[key] = (code.target_code, code.source_span)
                continue
            before, span = first[key]
            yield Diagnostic(
                "FM304",
                code.source_span,
                {"code": f"{code.source_prefix}:{code.source_code}", "conceptmap": table.id},
                variant="same" if before == code.target_code else "",
                related=(Related(span, Text("labels.first_here")),),
            )
