"""A model as inspection proposes it: nodes of the language's tree, and remarks that a reader of the map should see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from fhirmap.diagnostics import NO_SPAN
from fhirmap.inspection.guess import Guess
from fhirmap.language.nodes import Join, Model, ModelElement, OrderKey, SourceClause, StoreKind
from fhirmap.texts import Text

__all__ = ["ElementSketch", "ModelSketch", "child_element", "column_element", "joined_element", "store_clause"]


@dataclass(frozen=True, slots=True)
class ElementSketch:
    """One element. ``remark``: for the end of its line. ``is_proposal``: it is not part of the model, only shown as a
    comment: what is not read, or could be joined. ``codes``: what the sample holds, where that is a few codes."""

    element: ModelElement
    remark: Text | None = None
    is_proposal: bool = False
    codes: tuple[str, ...] = ()


@dataclass(slots=True)
class ModelSketch:
    """One model while it is put together, and when it is whole. ``remark``: for the line above it. ``hidden``: how many
    names that look like values the source has there; they are left out.
    """

    name: str
    store: SourceClause | None = None
    elements: list[ElementSketch] = field(default_factory=list)
    remark: Text | None = None
    hidden: int = 0

    def add(self, element: ModelElement, codes: tuple[str, ...] = ()) -> None:
        """One more element, without remark."""
        self.elements.append(ElementSketch(element, codes=codes))

    def model(self) -> Model:
        """The model without what is only proposed."""
        elements = tuple(entry.element for entry in self.elements if not entry.is_proposal)
        return Model(self.name, self.store, elements, NO_SPAN, NO_SPAN)


def column_element(name: str, guess: Guess, column: str, zone: str, *, required: bool = False) -> ModelElement:
    """The element that reads ``column`` as what its values were found to be."""
    element = child_element(name, guess.type, required=required)
    return replace(
        element,
        column=column,
        format=guess.format or None,
        zone=zone if guess.is_local else None,
        nulls=guess.nulls,
    )


def child_element(name: str, kind: str, *, required: bool = False, repeats: bool = False) -> ModelElement:
    """`name : kind 0..1`, without a clause."""
    return ModelElement(name, kind, int(required), None if repeats else 1, NO_SPAN, NO_SPAN, NO_SPAN)


def joined_element(  # noqa: PLR0913 - the clauses of the language's own statement
    name: str, kind: str, table: str, on: Iterable[tuple[str, str]], *, required: bool = False, repeats: bool = False
) -> ModelElement:
    """`name : kind 0..1 join 'table' on …`; ``on``: the joined table's column and the own one."""
    join = Join(table, tuple(on), None, (), NO_SPAN, NO_SPAN)
    return replace(child_element(name, kind, required=required, repeats=repeats), join=join)


def store_clause(  # noqa: PLR0913 - the clauses of the language's own statement
    kind: StoreKind,
    name: str = "",
    *,
    key: tuple[str, ...],
    latest: OrderKey | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> SourceClause:
    """Where a model's records are: `from table 'T' key 'id'` and the like."""
    return SourceClause(kind, name, key, None, (), latest, encoding, delimiter, NO_SPAN, NO_SPAN)
