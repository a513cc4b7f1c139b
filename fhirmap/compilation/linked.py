"""Maps that share their groups: what one of them needed first is compiled for all of them.

A map of a set, compiled as a module of its own (`transformers`), takes as long as the set is large, since an item may
be of any type. Here a group is compiled when a record first needs it, and once for all maps that may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from threading import RLock
from typing import Any

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.lineage import lineage
from fhirmap.compilation.contract import target_contract
from fhirmap.compilation.program import CheckedMaps
from fhirmap.compilation.transformers import transformer_of, validator_of
from fhirmap.compiler.build import CompiledMap
from fhirmap.compiler.lower import PlaceTables, place_tables
from fhirmap.compiler.positions import file_name
from fhirmap.compiler.shared_groups import NamespacePart, SharedGroups
from fhirmap.runtime.source_lines import keep_lines
from fhirmap.runtime.transformer import Transformer

__all__ = ["LinkedMaps", "LinkedTransformer"]


class LinkedMaps:
    """Transformers of maps that see one another."""

    def __init__(self) -> None:
        self._groups: list[LinkedGroups] = []

    def transformer(self, maps: CheckedMaps) -> Transformer:
        """The transformer of a map, with the validator of what its target names.

        Raises: MapError with every diagnostic, where one of them is an error.
        """
        if maps.checked.model(maps.checked.stages[0].source) is not None:
            # What reads the rows of a model is the map's own, and so are the groups that it leads to.
            return transformer_of(maps, contract=target_contract(maps.checked))
        groups = next((entry for entry in self._groups if entry.holds(maps.checked)), None)
        if groups is None:
            groups = LinkedGroups(maps.checked)
            self._groups.append(groups)
        return groups.transformer(maps)


class LinkedGroups:
    """The namespace of groups that call one another. One that no call has reached yet is a `LinkedGroup` there."""

    def __init__(self, checked: Checked) -> None:
        self._groups = SharedGroups(checked)
        self._lock = RLock()  # several threads may be the first to call a group
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
        with self._lock:
            part, compiled = self._groups.entry(maps.checked, validator_of(maps, target_contract(maps.checked)))
            self._run(part)
            return LinkedTransformer(maps, compiled, self._namespace)

    def function(self, name: str) -> Callable[..., None]:
        """The function of a group, compiled when it is first asked for."""
        with self._lock:
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

    def __init__(self, maps: CheckedMaps, compiled: CompiledMap, namespace: Mapping[str, Any]) -> None:
        tables = _Tables(maps.checked)
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

    @property
    def source(self) -> str:
        """The text of the module that the map becomes where it shares nothing."""
        return transformer_of(self._maps, contract=target_contract(self._maps.checked)).source


class _Tables:
    """The tables of places of a map: only a fault asks for them."""

    def __init__(self, checked: Checked) -> None:
        self._checked = checked

    @cached_property
    def found(self) -> PlaceTables:
        return place_tables(lineage(self._checked))


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
