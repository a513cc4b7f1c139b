"""Which store the rows of each model come from, and what it is called in messages and in front of columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fhirmap.language.nodes import Join, Model
from fhirmap.source_plan import SourceKind

__all__ = ["joined_name", "models_joined_by_their_store", "own_name", "store_kinds"]


def own_name(model: Model) -> str:
    """What rows are called that are joined by their own `from`: a table by its name, else the project's source, the
    sheet or the path where the model names one, else the model."""
    store = model.store
    if store is None:
        return model.name
    if store.kind == "table":
        return store.name
    return store.source or store.name or model.name


def joined_name(join: Join, child: Model) -> str:
    """What the rows of a join are called: the table or query that it names, or those of the child's own `from`."""
    return own_name(child) if join.is_own else join.table


def models_joined_by_their_store(models: Iterable[Model]) -> frozenset[str]:
    """Names of the models that `join on …` reads where their own `from` says."""
    return frozenset(
        element.type
        for model in models
        for element in model.elements
        if element.join is not None and element.join.is_own
    )


def store_kinds(models: Mapping[str, Model]) -> Mapping[str, frozenset[str]]:
    """The kinds of store that the rows of each model, by its name, come from.

    A model without a `from` has those of the models that lead to it; objects in a cell of a flat store are documents.
    """
    found: dict[str, set[str]] = {name: set() for name in models}
    waiting = [(model, str(model.store.kind)) for model in models.values() if model.store is not None]
    while waiting:
        model, kind = waiting.pop()
        if kind in found[model.name]:
            continue
        found[model.name].add(kind)
        for element in model.elements:
            child = models.get(element.type)
            if child is None or element.split is not None or (element.join is not None and element.join.is_own):
                continue
            is_row = element.join is not None or element.lines or element.groups is not None
            waiting.append((child, kind if is_row or SourceKind(kind).is_tree else "json"))
    return {name: frozenset(kinds) for name, kinds in found.items()}
