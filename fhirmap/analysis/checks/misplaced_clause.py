"""FM162: a clause of a model, or of its element, that the type or the store gives no meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.format_misfit import TEMPORAL
from fhirmap.analysis.stores import models_joined_by_their_store, store_kinds
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.fhir_types import INTEGERS, PRIMITIVES, TEXTS
from fhirmap.language.nodes import Model, ModelElement, SourceClause
from fhirmap.source_plan import SourceKind

_SQL = ("table", "query")
_FLAT = ("csv", "sheet", "fixed", "parquet")
_STORES_OF_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "delimiter": ("csv",),
    "header": ("csv", "sheet"),
    "names": ("csv", "sheet"),
    "fill": ("csv", "sheet"),
    "until": ("csv", "sheet"),
    "prefix": ("xml",),
}
"""The kinds of store that an option says something of, where that is not every kind."""
_WORKBOOK = re.compile(r"\.(?:xls[xmb]?|ods)\Z", re.IGNORECASE)
_WITH_ENCODING = ("csv", "fixed", "json", "hl7")
_DIGITS = INTEGERS | TEXTS | {"decimal"}
Found = Iterator[tuple[str, Span]]
"""The page's variant for each misplaced clause, and its place."""


def misplaced_clause(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each clause without meaning in its place (FM162)."""
    models = {use.node.name: use.node for use in checked.declared_models()}
    kinds, joined = store_kinds(models), models_joined_by_their_store(models.values())
    for use in checked.declared_models():
        names = use.unit.model_names()
        store = use.node.store
        for variant, span in _of_store(store, use.node.name in joined) if store else ():
            args = {"element": use.node.name, "kind": store.kind if store else ""}
            yield Diagnostic("FM162", span, args, variant=variant)
        for element in use.node.elements:
            if element.type not in names and element.type not in PRIMITIVES:
                continue
            child = models.get(element.type)
            found = dict.fromkeys(_of_element(element, child))
            if element.lines and use.node.name in joined:
                found["joined_lines", element.span] = None
            for kind in sorted(kinds[use.node.name]):
                found |= dict.fromkeys(_of_row(element, child is not None, kind))
            args = {"element": element.name, "type": element.type}
            args |= {"table": element.join.table} if element.join is not None else {}
            for variant, span in found:
                yield Diagnostic("FM162", span, args, variant=variant)


def _of_store(store: SourceClause, is_joined: bool) -> Found:
    """Options that say nothing of this kind of source."""
    if store.encoding is not None and store.kind not in _WITH_ENCODING:
        span = store.spans.get("encoding", store.span)
        yield "encoding" if store.kind in _SQL else "encoding_known", span
    for option, kinds in _STORES_OF_OPTIONS.items():
        if option in store.spans and store.kind not in kinds:
            yield option, store.spans[option]
    if store.kind == "xml" and not store.name:
        yield "xml", store.name_span
    if not store.header and store.names_line is not None:
        yield "no_names", store.spans.get("names", store.span)
    elif store.names_line == 0:
        yield "line", store.spans.get("names", store.span)
    if store.number == 0:
        yield "sheet", store.name_span
    if store.kind == "sheet" and _WORKBOOK.search(store.name):
        yield "workbook", store.name_span
    if is_joined and store.latest is not None:
        yield "latest", store.spans.get("latest", store.span)


def _of_element(element: ModelElement, child: Model | None) -> Found:
    """Clauses that do not fit the type of the element, nor each other, whatever the source."""
    join = element.join
    if join is not None and child is None:
        yield "join", join.span
    elif join is not None and join.is_own and child is not None and child.store is None:
        yield "own", join.span
    if element.zone is not None and element.format is None and element.type not in TEMPORAL:
        yield "zone", element.zone_span or element.span
    if element.position and (element.type not in INTEGERS or element.type == "integer64"):
        yield "position", element.type_span
    is_row = join is not None or element.lines
    if element.attributes and not (child is not None and is_row and element.maximum == 1):
        yield "attributes", element.attributes_span or element.span
    if element.repeat is not None and element.maximum == 1:
        yield "repeat", element.repeat_span or element.span
    if element.split is not None and (
        not element.split or element.maximum == 1 or is_row or element.position or element.groups is not None
    ):
        yield "split", element.split_span or element.span
    if element.decimals is not None and (element.type not in _DIGITS or element.position):
        yield "decimals", element.decimals_span or element.span


def _of_row(element: ModelElement, is_model: bool, kind: str) -> Found:
    """Clauses that do not fit rows of this kind of store."""
    join = element.join
    if join is not None and not join.is_own and kind in _FLAT:
        yield "join_file", join.span
    if join is not None and not join.is_own and SourceKind(kind).is_tree and not join.table.startswith(("/", "../")):
        yield "join_document", join.span
    elif join is not None and not join.is_own and kind == "hl7":
        yield "look_up", join.span
    is_flat = kind in (*_SQL, *_FLAT)
    has_rows = join is not None or element.lines or element.split is not None or element.column is not None
    if is_model and is_flat and not has_rows and element.groups is None:
        yield "nowhere", element.type_span
    several = element.maximum is None or element.maximum > 1
    # A database's or a Parquet file's column may hold an array; whether it does is seen where the source is.
    may_hold_list = any(sign in (element.column or "") for sign in ".[") or kind not in ("csv", "sheet", "fixed")
    if not is_model and several and element.split is None and element.groups is None and not may_hold_list:
        yield "several", element.span
