"""FM170: a map that names a file by its place on one machine."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.language.nodes import Map

_ABSOLUTE = re.compile(r"[/\\~]|[A-Za-z]:[/\\]|file:")


def absolute_path(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each query or code table named by an absolute path (FM170)."""
    for file, span in (found for unit in checked.program.units for found in _files(unit.tree)):
        if _ABSOLUTE.match(file):
            yield Diagnostic("FM170", span, {"file": re.split(r"[/\\]", file)[-1]})


def _files(tree: Map) -> Iterator[tuple[str, Span]]:
    for model in tree.models:
        if model.store is not None and model.store.kind == "query" and not model.store.query:
            yield model.store.name, model.store.name_span
        for element in model.elements:
            if element.join is not None and element.join.is_query and not element.join.query:
                yield element.join.table, element.join.table_span
    for table in tree.concept_maps:
        if table.table is not None:
            yield table.table.file, table.table.span
