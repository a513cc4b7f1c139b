"""Maps that share their groups: what one of them needed first is compiled for all of them.

A map of a set, compiled as a module of its own (`transformers`), takes as long as the set is large, since an item may
be of any type. Here a group is compiled when a record first needs it, and once for all maps that may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.lineage import lineage
from fhirmap.compilation.contract import target_contract
from fhirmap.compilation.program import CheckedMaps
from fhirmap.compilation.transformers import transformer_of, validator_of
from fhirmap.compiler.compiled_map import CompiledMap
from fhirmap.compiler.lower import PlaceTables, place_tables
from fhirmap.compiler.positions import file_name
from fhirmap.compiler.shared_groups import NamespacePart, SharedGroups
from fhirmap.runtime.source_lines import keep_lines
from fhirmap.runtime.transformer import Transformer

__all__ = ["LinkedMaps", "LinkedTransformer"]


class LinkedMaps:
    """Transformers of maps that see one another.

    ``lock``: held while a map is checked or compiled. What is found out of a group is kept for all maps, and several
    threads may be the first to ask.
    """

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self.lock = lock
        self._groups: list[LinkedGroups] = []

    def transformer(self, maps: CheckedMaps) -> Transformer:
        """The transformer of a map, with the validator of what its target names.

        Raises: MapError with every diagnostic, where one of them is an error.
        """
        with self.lock:
            if maps.checked.model(maps.checked.stages[0].source) is not None:
                # What reads the rows of a model is the map's own, and so are the groups that it leads to.
                return self.alone(maps)
            groups = next((entry for entry in self._groups if entry.holds(maps.checked)), None)
            if groups is None:
                groups = LinkedGroups(maps.checked, self)
                self._groups.append(groups)
            return groups.transformer(maps)

    def alone(self, maps: CheckedMaps, *, trace: bool = False) -> Transformer:
        """The transformer of a map as a module that shares nothing."""
        with self.lock:
            return transformer_of(maps, contract=target_contract(maps.checked), trace=trace)

    def places(self, checked: Checked) -> PlaceTables:
        """Where what a map makes is made."""
        with self.lock:
            return place_tables(lineage(checked))


class LinkedGroups:
    """The namespace of groups that call one another. One that no call has reached yet is a `LinkedGroup` there."""

    def __init__(self, checked: Checked, maps: LinkedMaps) -> None:
        self._maps = maps
        self._groups = SharedGroups(checked)
        self._rules: dict[str, tuple[str, tuple[str, ...]]] = {}
        units = checked.program.units
        self._namespace: dict[str, Any] = {
            **{name: LinkedGroup(self, name) for name in self._groups.names},
            "__name__": "fhirmap_generated_groups",
            "_files": {file_name(unit.text): unit.name for unit in units},
            "_marks": {},
            "_rules": self._rules,
        }
        keep_lines(self, {file_name(unit.text): unit.text.text for unit in units})

    def holds(self, checked: Checked) -> bool:
        """Are all groups that a map may need in this namespace?"""
        return self._groups.holds(checked)

    def transformer(self, maps: CheckedMaps) -> Transformer:
        """The transformer of a map whose groups are in this namespace."""
        part, compiled = self._groups.entry(maps.checked, validator_of(maps, target_contract(maps.checked)))
        self._run(part)
        return LinkedTransformer(maps, compiled, self._namespace, self._maps)

    def function(self, name: str) -> Callable[..., None]:
        """The function of a group, compiled when it is first asked for."""
        with self._maps.lock:
            if isinstance(self._namespace[name], LinkedGroup):
                self._run(self._groups.group(name))
            found: Callable[..., None] = self._namespace[name]
            return found

    def _run(self, part: NamespacePart) -> None:
        keep_lines(self, {part.name: part.text})
        exec(part.code, self._namespace)  # noqa: S102 - Python that the compiler wrote
        self._rules.update(part.elements)


class LinkedGroup:
    """A group by its name: what calls it need not know whether it has been compiled."""

    __slots__ = ("_call", "_groups", "_name")

    def __init__(self, groups: LinkedGroups, name: str) -> None:
        self._groups = groups
        self._name = name
        self._call: Callable[..., None] | None = None

    def __call__(self, *arguments: object) -> None:
        """What the group does with its sources and targets, and the record's run."""
        if self._call is None:
            self._call = self._groups.function(self._name)
        self._call(*arguments)


class LinkedTransformer(Transformer):
    """A transformer that shares its groups with others. A pickle of it carries a module that does not."""

    def __init__(
        self, maps: CheckedMaps, compiled: CompiledMap, namespace: Mapping[str, Any], neighbours: LinkedMaps
    ) -> None:
        tables = _Tables(maps.checked, neighbours)
        linked = {
            **namespace,
            "_linked": namespace,
            "_places": DeferredTable(lambda: tables.found.places),
            "_rules": DeferredTable(lambda: tables.found.rules),
        }
        super().__init__(
            compiled.text, compiled.digest, name=compiled.name, code=compiled.code, linked=linked, files={}
        )
        self._maps = maps
        self._neighbours = neighbours

    @property
    def source(self) -> str:
        """The text of the module that the map becomes where it shares nothing."""
        return self._neighbours.alone(self._maps).source


class _Tables:
    """The tables of places of a map: only a fault asks for them."""

    def __init__(self, checked: Checked, neighbours: LinkedMaps) -> None:
        self._checked = checked
        self._neighbours = neighbours

    @cached_property
    def found(self) -> PlaceTables:
        return self._neighbours.places(self._checked)


class DeferredTable(Mapping[str, tuple[str, tuple[str, ...]]]):
    """A table that is made when it is first read."""

    def __init__(self, made: Callable[[], Mapping[str, tuple[str, tuple[str, ...]]]]) -> None:
        self._made = made

    def __getitem__(self, key: str) -> tuple[str, tuple[str, ...]]:
        return self._made()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made())

    def __len__(self) -> int:
        return len(self._made())
