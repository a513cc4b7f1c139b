"""FM158: a delimiter that is not one character."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic
from fhirmap.language.nodes import ConceptMapTable, SourceClause


def wrong_delimiter(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each `delimiter` of a model or a code table that is empty or too long (FM158)."""
    stores = [use.node.store for use in checked.declared_models() if use.node.store is not None]
    tables = [entry.table for unit in checked.program.units for entry in unit.tree.concept_maps if entry.table]
    nodes: tuple[SourceClause | ConceptMapTable, ...] = (*stores, *tables)
    for node in nodes:
        if node.delimiter is not None and len(node.delimiter) != 1:
            span = node.delimiter_span if isinstance(node, ConceptMapTable) else None
            yield Diagnostic("FM158", span or node.span, {"delimiter": node.delimiter})
