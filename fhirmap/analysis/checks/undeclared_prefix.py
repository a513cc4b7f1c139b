"""FM303: a concept map's code with a prefix that the concept map does not declare."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, Span, Subject, SubjectKind, suggestion
from fhirmap.language.nodes import ConceptMapDeclaration


def undeclared_prefix(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each use of a prefix that is not declared (FM303).

    Spec: FML, concept maps: `prefix`.
    """
    for table in (table for unit in checked.program.units for table in unit.tree.concept_maps):
        declared = [prefix.name for prefix in table.prefixes]
        for name, span in used_prefixes(table):
            if name not in declared:
                about = Subject(SubjectKind.PREFIX, name, frozenset((table.id,)))
                args = {"prefix": name, "conceptmap": table.id}
                yield Diagnostic("FM303", span, args, about=about, **suggestion(name, declared))


def used_prefixes(table: ConceptMapDeclaration) -> Iterator[tuple[str, Span]]:
    """Each use of a prefix in a concept map, and where."""
    for code in table.codes:
        yield code.source_prefix, code.source_span
        yield code.target_prefix, code.target_span
    for unmapped in table.unmapped:
        if unmapped.prefix is not None:
            yield unmapped.prefix, unmapped.span
        if unmapped.code is not None:
            yield unmapped.code[0], unmapped.code_span or unmapped.span
