"""FM156: a concept map that no rule translates with."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.unused_group import is_closed
from fhirmap.diagnostics import Diagnostic, Subject, SubjectKind
from fhirmap.language.nodes import FPLiteral
from fhirmap.language.visit import walk


def unused_concept_map(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each concept map whose id is in no text of the program (FM156).

    Spec: FML, concept maps.
    """
    declaring = [unit for unit in filter(is_closed, checked.program.stages) if unit.tree.concept_maps]
    if not declaring:
        return
    texts = {
        node.value.rpartition("#")[2]
        for unit in checked.program.units
        for group in unit.tree.groups
        for node in walk(group)
        if isinstance(node, FPLiteral) and isinstance(node.value, str)
    }
    for unit in declaring:
        for table in unit.tree.concept_maps:
            if table.id not in texts:
                yield Diagnostic(
                    "FM156", table.id_span, {"conceptmap": table.id}, about=Subject(SubjectKind.CONCEPT_MAP, table.id)
                )
