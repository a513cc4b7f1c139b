"""FM159: an encoding that does not exist."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, suggestion
from fhirmap.language.nodes import ConceptMapTable, SourceClause

_USUAL = ("utf-8", "cp1252", "latin-1", "iso-8859-15", "mac-roman", "utf-16", "cp850")


def unknown_encoding(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each `encoding` of a model or a code table that Python does not know (FM159)."""
    stores = [use.node.store for use in checked.declared_models() if use.node.store is not None]
    tables = [entry.table for unit in checked.program.units for entry in unit.tree.concept_maps if entry.table]
    nodes: tuple[SourceClause | ConceptMapTable, ...] = (*stores, *tables)
    for node in nodes:
        if node.encoding and not _exists(node.encoding):
            found = suggestion(node.encoding, _USUAL)
            span = node.encoding_span if isinstance(node, ConceptMapTable) else None
            yield Diagnostic("FM159", span or node.span, {"encoding": node.encoding}, **found)


def _exists(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except (LookupError, ValueError):
        return False
    return True
