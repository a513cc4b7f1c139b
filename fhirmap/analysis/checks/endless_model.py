"""FM161: a model whose rows hold themselves through joins, so that reading one row would never end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic
from fhirmap.language.nodes import Model


def endless_model(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each join that leads back to a model it came from (FM161), if only through rows that are
    nested below. Without a join, rows may hold rows of their own kind: there are only so many in a document."""
    models = {use.node.name: use.node for use in checked.declared_models()}
    reported: set[frozenset[str]] = set()
    for model in models.values():
        for element in model.elements:
            way = _way(element.type, model.name, models) if element.join or element.lines else None
            if way is not None and frozenset((model.name, *way)) not in reported:
                reported.add(frozenset((model.name, *way)))
                shown = " -> ".join((model.name, *way, model.name)) if way[:1] != (model.name,) else model.name
                yield Diagnostic("FM161", element.type_span, {"model": model.name, "way": shown})


def _way(start: str, goal: str, models: Mapping[str, Model]) -> tuple[str, ...] | None:
    """Models on the shortest way from ``start`` to ``goal``, without it; None where there is no way."""
    ways: dict[str, tuple[str, ...]] = {start: ()}
    waiting = [start]
    while waiting:
        name = waiting.pop(0)
        if name == goal:
            return ways[name]
        for element in models[name].elements if name in models else ():
            if element.type not in ways:
                ways[element.type] = (*ways[name], name)
                waiting.append(element.type)
    return None
