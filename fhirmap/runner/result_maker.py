"""What makes the result of a record for a project: a value without its files, so that other processes can have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fhirmap.records import Fault, Record, Result
from fhirmap.runner.cells import on_blank_columns
from fhirmap.runner.failed_calculation import with_calculation
from fhirmap.runner.rule_words import RuleWords, worded
from fhirmap.runner.verdict import mapped
from fhirmap.runtime.transformer import Transformer

__all__ = ["ResultMaker"]


@dataclass(frozen=True, slots=True)
class ResultMaker:
    """A project's transformer with what is said of its faults.

    ``blamed``: rule key -> the element that a rule of the target is about; ``calculations``: the map's own, by
    ``file:line:col``; ``words``: what the target's rules say in the language of the run.
    """

    transformer: Transformer
    blamed: Mapping[str, str]
    calculations: Mapping[str, str]
    words: RuleWords

    def __call__(self, record: Record) -> Result:
        """The record's result, with the source's own faults and the places of the target's rules."""
        result = mapped(record, self.transformer)
        if not result.faults:
            return result
        store = self.transformer.store
        named = (with_calculation(fault, self.calculations) for fault in result.faults)
        faults = (worded(self._placed(fault), self.words) for fault in named)
        if store is not None:
            faults = (on_blank_columns(fault, store, record.values) for fault in faults)
        return replace(result, faults=tuple(faults))

    def _placed(self, fault: Fault) -> Fault:
        element = self.blamed.get(fault.rule, "")
        position, columns = self.transformer.places.get(element, (fault.position, fault.columns))
        return replace(fault, element=element, position=position, columns=columns) if element else fault
