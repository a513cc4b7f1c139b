"""What commands ask of a project's maps: what was found before is taken from the cache as long as nothing that it
depends on has changed, and found again (`map_work`) where it has, or was never kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from fhirmap.runner.cache.map_cache import MapCache
from fhirmap.runner.columns import ColumnCode, RecordsColumn, limit_columns, receipt_columns
from fhirmap.runner.map_facts import CompiledProject, MapFacts, TracedProject
from fhirmap.runner.project import ColumnSetting, Project

if TYPE_CHECKING:
    from fhirmap.compilation.program import CheckedMaps

__all__ = ["ProjectMaps"]

_Value = TypeVar("_Value")


class ProjectMaps:
    """What commands ask of a project's maps.

    ``fhir_version``: the release of the base types; by default what the `uses` of the maps name, else R4.
    """

    def __init__(self, project: Project, fhir_version: str | None = None) -> None:
        self._project = project
        self._fhir_version = fhir_version
        self._work = MapCache(project, fhir_version)

    @cached_property
    def maps(self) -> CheckedMaps:
        """The maps, parsed and checked now.

        Raises: ConfigError FM760 where a map cannot be read.
        """
        from fhirmap.runner.program import check_project

        return check_project(self._project, self._fhir_version)

    def facts(self) -> MapFacts:
        """What the analysis says. Kept where nothing is wrong: a map with errors is checked anew each time.

        Raises: ConfigError FM760 where a map cannot be read.
        """
        found = self._work.get("facts", MapFacts)
        if found is None:
            from fhirmap.runner.map_work import project_facts

            found = project_facts(self._project, self.maps)
            if not found.has_errors and not found.wrong:
                self._work.put("facts", found, self.maps.named)
        return found

    def compiled(self) -> CompiledProject:
        """The maps as Python.

        Raises: MapError with every diagnostic of the maps; ProjectError FM742, FM769; ConfigError FM760.
        """

        def made() -> CompiledProject:
            from fhirmap.runner.map_work import compiled_project

            return compiled_project(self._project, self.maps)

        return self._kept("module", CompiledProject, made)

    def traced(self) -> TracedProject:
        """The maps as Python that reports its steps; their lineage. For maps that compile."""

        def made() -> TracedProject:
            from fhirmap.runner.map_work import traced_project

            return traced_project(self._project, self.maps)

        return self._kept("traced", TracedProject, made)

    def records(self) -> tuple[RecordsColumn, ...]:
        """The columns of ``[records]``.

        Raises: ProjectError FM743.
        """
        return self._columns("records", self._project.records)

    def limit(self) -> tuple[RecordsColumn, ...]:
        """What the receiver's rate limit counts a result by.

        Raises: ProjectError FM743.
        """
        return self._columns("limit", limit_columns(self._project.map.target))

    def receipt(self) -> tuple[RecordsColumn, ...]:
        """Where in an answer the receiver's identifier is.

        Raises: ProjectError FM743.
        """
        return self._columns("receipt", receipt_columns(self._project.map.target), of_answers=True)

    def _columns(
        self, part: str, columns: Sequence[ColumnSetting], *, of_answers: bool = False
    ) -> tuple[RecordsColumn, ...]:
        if not columns:
            return ()

        def made() -> tuple[ColumnCode, ...]:
            from fhirmap.runner.map_work import answer_codes, result_codes

            return (answer_codes if of_answers else result_codes)(columns, self.maps)

        return tuple(map(RecordsColumn, self._kept(part, tuple, made)))

    def _kept(self, part: str, kind: type[_Value], make: Callable[[], _Value]) -> _Value:
        found = self._work.get(part, kind)
        if found is None:
            found = make()
            self._work.put(part, found, self.maps.named)
        return found
