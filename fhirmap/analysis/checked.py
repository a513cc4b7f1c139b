"""A checked program: what checks read and what the compiler lowers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fhirmap.analysis.meetings import Meetings
from fhirmap.analysis.production import Produced, production
from fhirmap.analysis.typed import ModelUse, Program, Stage, TypedGroup, TypedRule, model_url
from fhirmap.model.definition import Definitions, TypeRef
from fhirmap.signatures import FunctionSignature


@dataclass(frozen=True, eq=False, slots=True)
class Checked:
    """A program, or a part of one, with all that is known of it.

    ``groups``: every group that its maps surely reach, typed, in the order of first use; ``later``: those that only
    the type of an item may call for (`DefaultTable`), and what they reach themselves.
    """

    program: Program
    definitions: Definitions
    stages: tuple[Stage, ...]
    groups: tuple[TypedGroup, ...]
    later: tuple[TypedGroup, ...]
    models: Mapping[str, ModelUse]
    """Models by their structure's URL, those of other programs too."""
    functions: Mapping[str, FunctionSignature] = field(default_factory=dict)
    meetings: Meetings = field(default_factory=Meetings)
    """What is known of the writes of groups."""
    _produced: dict[Stage, Produced] = field(default_factory=dict)

    def model(self, ref: TypeRef | None) -> ModelUse | None:
        """The model that ``ref`` is the type of."""
        return self.models.get(ref.structure) if ref else None

    def produced(self, stage: Stage) -> Produced:
        """What a stage may make of its target."""
        if stage not in self._produced:
            self._produced[stage] = production(stage)
        return self._produced[stage]

    def declared_models(self) -> Iterator[ModelUse]:
        """The models that the program's maps declare."""
        urls = (model_url(unit, model.name) for unit in self.program.units for model in unit.tree.models)
        return (self.models[url] for url in dict.fromkeys(urls))

    def rules(self) -> Iterator[tuple[TypedGroup, TypedRule]]:
        """Every rule of every group that is surely reached."""
        for group in self.groups:
            for rule in group.walk():
                yield group, rule
