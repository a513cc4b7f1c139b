"""FM783: a prefix in a path into XML that the model does not declare, or declares twice."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.data import PathSteps
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.language.nodes import Model, SourceClause
from fhirmap.source_plan import MalformedPath, SourceKind, path_steps

_ALWAYS = "xml"
"""What XML itself declares: `xml:lang`."""


def undeclared_namespace(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each prefix that a model of XML uses without declaring it, at its first place, and for each
    that it declares twice (FM783)."""
    models = {use.node.name: use.node for use in checked.declared_models()}
    for use in checked.declared_models():
        store = use.node.store
        if store is None or SourceKind(store.kind) is not SourceKind.XML:
            continue
        known = {_ALWAYS}
        for place, (prefix, _) in enumerate(store.prefixes):
            if prefix in known:
                yield Diagnostic("FM783", store.prefix_spans[place], {"prefix": prefix}, variant="twice")
            known.add(prefix)
        for path, span in [*_store_paths(store), *_element_paths(use.node, models, set())]:
            for prefix in _prefixes(path):
                if prefix not in known:
                    known.add(prefix)
                    yield Diagnostic("FM783", span, {"prefix": prefix})


def _store_paths(store: SourceClause) -> Iterator[tuple[str, Span]]:
    yield store.name, store.name_span
    for order, path in enumerate(store.key):
        yield path, store.key_spans[order] if store.key_spans else store.span
    for entry in (*store.order, *([store.latest] if store.latest else [])):
        yield entry.column, entry.span


def _element_paths(model: Model, models: dict[str, Model], seen: set[str]) -> Iterator[tuple[str, Span]]:
    """The paths of a model's elements, and of the models that its rows hold."""
    if model.name in seen:
        return
    seen.add(model.name)
    for entry in model.elements:
        if not (entry.position or entry.join or entry.lines):
            yield entry.column or entry.name, entry.column_span or entry.name_span
        below = models.get(entry.type)
        if below is not None and below.store is None and entry.join is None:
            yield from _element_paths(below, models, seen)


def _prefixes(path: str) -> list[str]:
    try:
        steps = path_steps(path)
    except MalformedPath:
        return []
    return list(_prefixes_of(steps))


def _prefixes_of(steps: PathSteps) -> Iterator[str]:
    for step in steps:
        if isinstance(step, tuple):
            yield from _prefixes_of(step[0])
        elif isinstance(step, str) and ":" in step:
            yield step.removeprefix("@").partition(":")[0]
