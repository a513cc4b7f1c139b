"""FM162: positions in a line of fixed width that are none, that another kind of source has not, or that are missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.stores import store_kinds
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.language.nodes import Model, ModelElement

_QUOTED = re.compile(r"\s*(\d+)\s*(?:\.\.|-|:)\s*(\d+)\s*")
_ONE = re.compile(r"\s*(\d+)\s*")
Found = Iterator[tuple[str, Span, dict[str, object]]]
"""The page's variant for each fault, its place, and what the message names."""


def misplaced_positions(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each wrong, misplaced or missing position (FM162)."""
    models = {use.node.name: use.node for use in checked.declared_models()}
    kinds = store_kinds(models)
    as_attributes = {entry.type for model in models.values() for entry in model.elements if entry.attributes}
    widths = {entry.type: entry.groups.width for model in models.values() for entry in model.elements if entry.groups}
    for model in models.values():
        of_model = kinds[model.name] if model.name not in as_attributes else frozenset()
        for variant, span, args in _of_store(model):
            yield Diagnostic("FM162", span, {"element": model.name, **args}, variant=variant)
        for element in model.elements:
            found = [*_of_element(element, model, widths.get(model.name)), *_of_kinds(element, of_model)]
            found += _of_join(element, of_model, models)
            for variant, span, args in found:
                yield Diagnostic("FM162", span, {"element": element.name, **args}, variant=variant)


def _of_store(model: Model) -> Found:
    """Columns that the model names as text, which must be those of positions."""
    store = model.store
    if store is None or store.kind != "fixed":
        return
    keys = zip(store.key, store.key_spans, strict=True) if store.key_spans else ()
    order = (*store.order, *([store.latest] if store.latest else []))
    for column, span in (*keys, *((key.column, key.span) for key in order)):
        yield from _of_name(column, span)


def _of_join(element: ModelElement, kinds: frozenset[str], models: Mapping[str, Model]) -> Found:
    """The same of the columns of both sides of a join."""
    join = element.join
    child = models.get(element.type)
    if join is None or not join.on_spans:
        return
    is_own = join.is_own and child is not None and child.store is not None and child.store.kind == "fixed"
    for (own, above), (own_span, above_span) in zip(join.on, join.on_spans, strict=True):
        if is_own:
            yield from _of_name(own, own_span)
        if kinds == {"fixed"} and not (is_own and own_span == above_span):
            yield from _of_name(above.removeprefix("../"), above_span)
    for key in join.order if is_own else ():
        yield from _of_name(key.column, key.span)


def _of_name(column: str, span: Span) -> Found:
    """The name of a column as a text: `33-52`, as `from 33..52` calls it, and `28-28` for one character."""
    found = _QUOTED.fullmatch(column) or _ONE.fullmatch(column)
    first, last = (int(found[1]), int(found[found.re.groups])) if found else (0, 0)
    if column == f"{first}-{last}" and 1 <= first <= last:
        return
    is_meant = 1 <= first <= last
    meant = {"first": first, "last": last} if is_meant else {}
    yield "written_positions" if is_meant else "named_positions", span, {"column": column, **meant}


def _of_element(element: ModelElement, model: Model, width: int | None) -> Found:
    """Positions that are none, or that are outside the group of ``width`` characters that the model is read of."""
    groups, span = element.groups, element.column_span or element.span
    ranges = [element.positions] if element.positions is not None else []
    if groups is not None:
        start = groups.start if groups.start is not None else 1
        ranges += [groups.count, (start, start + groups.width - 1)]
    if any(not 1 <= first <= last for first, last in ranges):
        yield "positions", span, {}
    elif width is not None and element.positions is not None and element.positions[1] > width:
        yield "width", span, {"width": width, "last": element.positions[1]}
    if groups is not None and groups.start is None:
        before = model.elements[: model.elements.index(element)]
        if not any(entry.name == groups.after and entry.groups is not None for entry in before):
            yield "after", span, {"after": groups.after}


def _of_kinds(element: ModelElement, kinds: frozenset[str]) -> Found:
    has_positions = element.positions is not None or element.groups is not None
    if has_positions and kinds and kinds != {"fixed"}:
        yield "no_positions", element.column_span or element.span, {"kind": min(kinds - {"fixed"})}
    is_elsewhere = element.join is not None or element.lines or element.position
    if "fixed" in kinds and not (has_positions or is_elsewhere or (element.column or "").startswith("../")):
        quoted = _QUOTED.fullmatch(element.column or "")
        wanted = {"first": quoted[1], "last": quoted[2]} if quoted else {}
        yield "quoted" if quoted else "text_column", element.column_span or element.name_span, wanted
