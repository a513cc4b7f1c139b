"""FM162: a clause of a model, or of its element, that the type or the store gives no meaning."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.format_misfit import TEMPORAL
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.fhir_types import INTEGERS, PRIMITIVES
from fhirmap.language.nodes import ModelElement, SourceClause

_FLAT = ("table", "query", "csv")


def misplaced_clause(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each clause without meaning in its place (FM162)."""
    for use in checked.declared_models():
        names = use.unit.model_names()
        store = use.node.store
        kind = store.kind if store else ""
        for variant, span in _of_store(store) if store else ():
            yield Diagnostic("FM162", span, {"element": use.node.name, "kind": kind.upper()}, variant=variant)
        for element in use.node.elements:
            if element.type not in names and element.type not in PRIMITIVES:
                continue
            for variant, span in _misplaced(element, element.type in names, kind):
                yield Diagnostic("FM162", span, {"element": element.name, "type": element.type}, variant=variant)


def _of_store(store: SourceClause) -> Iterator[tuple[str, Span]]:
    """The page's variant for each clause that says nothing of this kind of source, and its place."""
    is_file = store.kind in ("csv", "json")
    if store.order and is_file:
        yield "order", store.order[0].span
    if store.encoding is not None and not is_file:
        yield "encoding", store.span
    if store.delimiter is not None and store.kind != "csv":
        yield "delimiter", store.span


def _misplaced(element: ModelElement, is_model: bool, kind: str) -> Iterator[tuple[str, Span]]:
    """The page's variant for each misplaced clause, and its place."""
    if element.join is not None and not is_model:
        yield "join", element.join.span
    if element.join is not None and kind in ("csv", "json"):
        yield f"join_{kind}", element.join.span
    if element.lines and kind == "json":
        yield "lines", element.span
    has_rows = element.join is not None or element.lines or element.split is not None or element.column is not None
    if is_model and kind in _FLAT and not has_rows:
        yield "nowhere", element.type_span
    if element.zone is not None and element.format is None and element.type not in TEMPORAL:
        yield "zone", element.zone_span or element.span
    if element.position and (element.type not in INTEGERS or element.type == "integer64"):
        yield "position", element.type_span
    if element.attributes and not (is_model and (element.join is not None or element.lines) and element.maximum == 1):
        yield "attributes", element.attributes_span or element.span
    if element.repeat is not None and element.maximum == 1:
        yield "repeat", element.repeat_span or element.span
    if element.split is not None and (
        not element.split or element.maximum == 1 or element.join is not None or element.lines or element.position
    ):
        yield "split", element.split_span or element.span
    several = element.maximum is None or element.maximum > 1
    # A database's column may hold an array; whether it does is seen where the source is.
    may_hold_list = any(sign in (element.column or "") for sign in ".[")
    if not is_model and several and element.split is None and kind == "csv" and not may_hold_list:
        yield "several", element.span
