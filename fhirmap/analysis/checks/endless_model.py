"""FM161: a model whose rows hold themselves through joins, so that reading one row would never end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic
from fhirmap.language.nodes import Model


def endless_model(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each join that leads back to a model it came from (FM161). Nested JSON may be recursive."""
    models = {use.node.name: use.node for use in checked.declared_models()}
    reported: set[frozenset[str]] = set()
    for model in models.values():
        for element in model.elements:
            way = _way(element.type, model.name, models, ()) if element.join or element.lines else None
            if way is not None and frozenset((model.name, *way)) not in reported:
                reported.add(frozenset((model.name, *way)))
                shown = " -> ".join((model.name, *way, model.name)) if way[:1] != (model.name,) else model.name
                yield Diagnostic("FM161", element.type_span, {"model": model.name, "way": shown})


def _way(name: str, goal: str, models: Mapping[str, Model], passed: tuple[str, ...]) -> tuple[str, ...] | None:
    """Models on the way of joins from ``name`` to ``goal``, or None where there is no such way."""
    if name == goal:
        return passed
    if name not in models or name in passed:
        return None
    for element in models[name].elements:
        if element.join or element.lines:
            found = _way(element.type, goal, models, (*passed, name))
            if found is not None:
                return found
    return None
