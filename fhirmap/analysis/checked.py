"""A checked program: what checks read and what the compiler lowers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fhirmap.analysis.single_writes import SingleWrites
from fhirmap.analysis.typed import ModelUse, Program, Stage, TypedGroup, TypedRule
from fhirmap.model.definition import Definitions, TypeRef
from fhirmap.signatures import FunctionSignature


@dataclass(frozen=True, eq=False, slots=True)
class Checked:
    """A program with all that is known of it.

    ``groups``: every group that its maps surely reach, typed, in the order of first use; ``later``: those that only
    the type of an item may call for (`DefaultTable`), and what they reach themselves.
    """

    program: Program
    definitions: Definitions
    stages: tuple[Stage, ...]
    groups: tuple[TypedGroup, ...]
    later: tuple[TypedGroup, ...]
    models: Mapping[str, ModelUse]
    """Models by their structure's URL."""
    functions: Mapping[str, FunctionSignature] = field(default_factory=dict)
    single: SingleWrites = field(default_factory=SingleWrites)
    """What is known of the writes of groups."""

    def model(self, ref: TypeRef | None) -> ModelUse | None:
        """The model that ``ref`` is the type of."""
        return self.models.get(ref.structure) if ref else None

    def rules(self) -> Iterator[tuple[TypedGroup, TypedRule]]:
        """Every rule of every group that is surely reached."""
        for group in self.groups:
            for rule in group.walk():
                yield group, rule
