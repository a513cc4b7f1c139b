"""FM305: a concept map's prefix that no code uses."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.undeclared_prefix import used_prefixes
from fhirmap.diagnostics import Diagnostic, Subject, SubjectKind


def unused_prefix(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each declared prefix without use (FM305). A code table in a file uses the first two.

    Spec: FML, concept maps: `prefix`.
    """
    for table in (table for unit in checked.program.units for table in unit.tree.concept_maps):
        used = {name for name, _ in used_prefixes(table)}
        for prefix in table.prefixes[2:] if table.table else table.prefixes:
            if prefix.name not in used:
                yield Diagnostic(
                    "FM305",
                    prefix.span,
                    {"prefix": prefix.name, "conceptmap": table.id},
                    about=Subject(SubjectKind.PREFIX, prefix.name, frozenset((table.id,))),
                )
