"""FM165: a path into a document that is none, or that leads above the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.language.nodes import Join, Model, ModelElement, SourceClause
from fhirmap.source_plan import MalformedPath, SourceKind, path_steps

_DEEPEST = 16
"""Models may hold themselves: so many levels are looked at."""


def malformed_path(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each text in the place of a path that is none, and for each path above the record (FM165).

    The columns of tables and flat files may have any name: their source says whether there is such a column.
    """
    models = {use.node.name: use.node for use in checked.declared_models()}
    joined = frozenset(entry.type for model in models.values() for entry in model.elements if entry.join)
    walk = _PathWalk(models, joined)
    for use in checked.declared_models():
        if use.node.store is not None:
            yield from walk.stored(use.node, use.node.store)


@dataclass(slots=True)
class _PathWalk:
    models: dict[str, Model]
    joined: frozenset[str]
    """Models whose rows are joined to those of others, which are above them."""
    seen: set[tuple[str, bool, int]] = field(default_factory=set)
    reported: set[Span] = field(default_factory=set)

    def stored(self, model: Model, store: SourceClause) -> Iterator[Diagnostic]:
        """``model`` itself, and all models that its rows hold."""
        above = 0
        if SourceKind(store.kind).is_tree:
            yield from self.path(store.name, store.name_span, _DEEPEST, is_record=True)
            above = _names(store.name)
            for order, path in enumerate(store.key):
                yield from self.path(path, store.key_spans[order] if store.key_spans else store.span, above)
            for entry in (*store.order, *([store.latest] if store.latest else [])):
                yield from self.path(entry.column, entry.span, above)
        if model.name not in self.joined:
            yield from self.elements(model, SourceKind(store.kind).is_tree, above)

    def elements(self, model: Model, is_tree: bool, above: int) -> Iterator[Diagnostic]:
        """``is_tree``: are the rows documents? ``above``: how many rows or objects are above one."""
        if (model.name, is_tree, above) in self.seen:
            return
        self.seen.add((model.name, is_tree, above))
        for entry in model.elements:
            below = self.models.get(entry.type)
            if entry.join is not None:
                yield from self.join(entry.join, below, is_tree, above)
            if not (entry.position or entry.join or entry.lines):
                path, span = entry.column or entry.name, entry.column_span or entry.name_span
                yield from self.path(path, span, above, is_column=not is_tree)
            if below is not None and (below.store is None or entry.join):
                is_below = is_tree or _is_nested(entry)
                if below.store is not None and entry.join and entry.join.is_own:
                    is_below = SourceKind(below.store.kind).is_tree
                yield from self.elements(below, is_below, min(above + 1, _DEEPEST))

    def join(self, join: Join, below: Model | None, is_tree: bool, above: int) -> Iterator[Diagnostic]:
        """Where rows are looked up, and by what: of theirs, and of the row that they are joined to."""
        is_own_tree = is_tree
        if join.is_own:
            is_own_tree = below is not None and below.store is not None and SourceKind(below.store.kind).is_tree
        elif is_tree:
            yield from self.path(join.table, join.table_span, above)
        own_above = _names(below.store.name) if join.is_own and below is not None and below.store is not None else 0
        for order, (own, parent) in enumerate(join.on):
            spans = join.on_spans[order] if join.on_spans else (join.span, join.span)
            yield from self.path(own, spans[0], own_above, is_column=not is_own_tree)
            yield from self.path(parent, spans[1], above, is_column=not is_tree)

    def path(
        self, path: str, span: Span, above: int, *, is_record: bool = False, is_column: bool = False
    ) -> Iterator[Diagnostic]:
        """``is_record``: does it lead to the records? ``is_column``: or is it a name that may have any signs?"""
        variant = ""
        if is_record and path.startswith(("/", "../")):
            variant = "record"
        elif path.startswith("../") and _levels(path) > above:
            variant = "above"
        elif not is_column:
            try:
                path_steps(path)
            except MalformedPath as error:
                variant = error.reason
        if variant and span not in self.reported:
            self.reported.add(span)
            yield Diagnostic("FM165", span, {"path": path}, variant=variant)


def _is_nested(entry: ModelElement) -> bool:
    return entry.join is None and not entry.lines and entry.split is None


def _levels(path: str) -> int:
    count = 0
    while path.startswith("../"):
        path, count = path[3:], count + 1
    return count


def _names(path: str) -> int:
    """How many objects are above what is at ``path``: one for each name."""
    try:
        return sum(isinstance(step, str) for step in path_steps(path))
    except MalformedPath:
        return _DEEPEST
