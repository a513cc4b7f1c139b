"""What `check` says of files: columns and paths that are not there, files that are being written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

from fhirmap.data import PathSteps
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.runtime.reading import at
from fhirmap.source_plan import Child, SourceKind, SourcePlan, path_name, path_steps
from fhirmap.sources import names as naming
from fhirmap.sources.attribute_names import unknown_attributes
from fhirmap.sources.files.document_paths import (
    PathRead,
    PathsFound,
    look_ups_with_conditions,
    path_meant,
    paths_in,
    paths_read,
    without_conditions,
)
from fhirmap.sources.files.file_rows import FileReader
from fhirmap.sources.files.flat_columns import columns_needed
from fhirmap.sources.files.plan_files import PlanFiles, open_reader
from fhirmap.sources.files.row_filter import filter_of
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.sources.shown_names import shown_paths

__all__ = ["FileChecks"]

Trees: TypeAlias = Iterator[Mapping[str, Any]]
ReaderOf: TypeAlias = Callable[[SourceFile], FileReader]
_RECORDS_LACKING = ("FM714", "FM781")
_WITH_FILTERS = (SourceKind.JSON, SourceKind.XML)
"""Kinds whose path to the records may have conditions and places in brackets."""
_SAMPLE = 1000
"""Documents in which paths are looked for before all are."""


class FileChecks:
    """The checks of a plan's files. ``lines``: the children that are lines of a record."""

    def __init__(self, files: PlanFiles, lines: Sequence[Child]) -> None:
        self._files = files
        self._plan = files.plan
        self._lines = lines

    def found(self) -> list[Diagnostic]:
        """Columns and paths that are not there (FM704, FM726), attributes that no line has (FM774), what the analyst
        should know of the first file that can be read (FM753), and files that are being written (FM788)."""
        listing = self._files.set.listing()
        found: list[Diagnostic] = []
        found += self._check_first(listing.files)
        if listing.unfinished:
            count, first = len(listing.unfinished), listing.unfinished[0]
            args = {"source": self._files.shown, "count": count, "file": first, "position": self._plan.position}
            found.append(Diagnostic("FM788", args=args))
        if self._files.is_tree:
            # Where the records' path or a namespace is wrong, every path is missing for this one reason.
            if not any(entry.code in _RECORDS_LACKING for entry in found):
                found += self._check_conditions()
                said = {entry.args.get("column") for entry in found}
                found += [entry for entry in self._check_paths() if entry.args.get("column") not in said]
                found += self._check_filters() if not found else []
        elif not any(entry.is_error for entry in found):
            found += self._unknown_attributes()
        return found

    def _check_first(self, files: Sequence[SourceFile]) -> list[Diagnostic]:
        """What the first file says that is as it should be; else what is wrong with the first of them."""
        worst: list[Diagnostic] | None = None
        failure: ConfigError | None = None
        for file in files:
            try:
                found = self._files.reader(file).check(self._files.needed())
            except ConfigError as error:
                failure = failure or error
                continue
            if not any(entry.is_error for entry in found):
                return found
            worst = worst or found
        if worst is not None:
            return worst
        if failure is not None:
            raise failure
        return []

    def _check_paths(self) -> list[Diagnostic]:
        """Paths that no record has: an error for key and revision, and where one that is there, and not read, is spelt
        almost so: it was renamed. A warning for others, which may be optional."""
        plan = self._plan
        needed = [*plan.key, *((plan.latest.column,) if plan.latest else ())]
        paths = PathsFound(paths_read(plan), needed)
        count = 0
        try:
            for tree in self._trees():
                paths.look(tree)
                count += 1
                if paths.is_settled:
                    break
            # A path is there, too, if only what the condition of a look-up leaves out has it.
            leads = (steps for steps, _ in look_ups_with_conditions(plan.shape))
            paths.look_below(leads, self._with_all_looked_up())
            first = list(islice(self._trees(), _SAMPLE)) if paths.lacking else []
            there = paths_in(first)
            known = dict.fromkeys((*self._shown(first), *self._names_of_first())) if first else {}
        except ConfigError as error:
            if error.code != "FM714":
                raise
            entry = error.diagnostic()
            return [replace(entry, args={**entry.args, "position": plan.position})]
        found = [self._lacking(name, "FM704", plan.position, "json_list") for name in paths.listed]
        own = {read.name for read in paths_read(plan)}
        for read in paths.lacking.values() if count else ():
            if read.name not in there:  # else it is there, and null
                meant = path_meant(read.name, (name for name in filter(naming.may_be_shown, known) if name not in own))
                is_wrong = read.name in needed or meant is not None
                code, variant = ("FM704", "json") if is_wrong else ("FM726", "")
                shown = known if meant is None else dict.fromkeys((meant, *known))
                found.append(self._lacking(read.name, code, read.place, variant, shown))
        return found

    def _check_filters(self) -> list[Diagnostic]:
        """Filters and places in the path to the records that leave none of them (FM782), where there are some."""
        steps = path_steps(self._plan.name) if self._plan.kind in _WITH_FILTERS else ()
        names = [step for step in steps if isinstance(step, str)]
        if len(names) == len(steps) or self._has_record(self._plan):
            return []
        if not self._has_record(replace(self._plan, name=".".join(map(path_name, names)))):
            return []  # a day without records
        args = {"source": self._files.shown, "path": self._plan.name, "position": self._plan.position}
        return [Diagnostic("FM782", args=args, variant="filter")]

    def _has_record(self, plan: SourcePlan) -> bool:
        """Is there a record of a plan in some file, or a file of which that cannot be said?"""
        for file in self._files.set.listing().files:
            with suppress(ConfigError):  # reading says so again
                if next(iter(open_reader(file, plan).rows(self._keys())), None) is None:
                    continue
            return True
        return False

    def _check_conditions(self) -> list[Diagnostic]:
        """Paths of the conditions, of the records and of what they look up, that nothing has."""
        plan = self._plan
        asked = self._asked()
        names = [name for name in asked if name not in plan.key]
        found = self._check_condition(names, plan.position, self._unfiltered, self._names_of_first)
        for steps, child in look_ups_with_conditions(plan.shape):
            condition = filter_of(replace(plan, where=child.where, shape=child.shape, position=child.position))
            assert condition is not None
            rows = partial(self._looked_up, steps)
            found += self._check_condition(condition.names, child.position or plan.position, rows)
        return found

    def _check_condition(
        self,
        names: Sequence[str],
        position: str,
        rows: Callable[[], Trees],
        more: Callable[[], Collection[str]] = tuple,
    ) -> list[Diagnostic]:
        """Paths of a condition that none of ``rows`` has, kept or not: it would take each for blank.

        An error where one that is there, or is among ``more``, is spelt almost so; else a warning, since only what is
        to be left out may have it, and today there may be none.
        """
        paths = PathsFound((PathRead(name, position, path_steps(name)) for name in names), ())
        count = 0
        try:
            for row in rows() if names else ():
                paths.look(row)
                count += 1
                if paths.is_settled:
                    break
            if not count or not paths.lacking:
                return []
            first = list(islice(rows(), _SAMPLE))
            there = dict.fromkeys((*paths_in(first), *more()))
            shown = dict.fromkeys((*self._shown(first), *more()))
        except ConfigError:  # reading says so again
            return []
        found = []
        for name in (read.name for read in paths.lacking.values() if read.name not in there):
            meant = path_meant(name, filter(naming.may_be_shown, shown))
            known = shown if meant is None else dict.fromkeys((meant, *shown))
            found.append(self._lacking(name, "FM704" if meant else "FM726", position, "where", known))
        return found

    def _unfiltered(self, reader_of: ReaderOf | None = None, asked: Mapping[str, str] | None = None) -> Trees:
        """The trees of all rows, also of those that the condition leaves out."""
        for file in self._files.set.listing().files:
            try:
                reader = (reader_of or self._files.reader)(file)
                yield from (row.cells for row in reader.rows(asked or self._keys()) if not row.is_lost)
            except ConfigError:
                if not self._files.set.is_several:
                    raise

    def _with_all_looked_up(self) -> Trees:
        """The trees of all rows, with all that they look up, whatever the conditions."""
        plan = replace(self._plan, shape=without_conditions(self._plan.shape))
        return self._unfiltered(lambda file: open_reader(file, plan), columns_needed(plan))

    def _looked_up(self, steps: PathSteps) -> Trees:
        """What all rows have looked up, to which ``steps`` lead."""
        for row in self._with_all_looked_up():
            held = at(row, steps)
            yield from (item for item in (held if isinstance(held, list) else ()) if isinstance(item, Mapping))

    def _names_of_first(self) -> Collection[str]:
        """The paths of the first file that can be read. Of XML, rows have only what is read of them."""
        for file in self._files.set.listing().files if self._plan.kind is SourceKind.XML else ():
            with suppress(ConfigError):
                return self._files.reader(file).names()
        return ()

    def _shown(self, rows: Sequence[Mapping[str, Any]]) -> Collection[str]:
        """The paths in rows that a message may name: the members of JSON may be called as patients are."""
        return shown_paths(rows) if self._plan.kind is SourceKind.JSON else paths_in(rows)

    def _lacking(
        self, name: str, code: str, position: str, variant: str, there: Collection[str] | None = None
    ) -> Diagnostic:
        args = {"table": self._files.shown, "column": name, "source": self._files.shown, "position": position}
        if there is None:
            return Diagnostic(code, args=args, variant=variant)
        return Diagnostic(code, args=args, variant=variant, **naming.like(name, there))

    def _asked(self) -> tuple[str, ...]:
        """The names of the condition."""
        condition = self._files.condition()
        return condition.names if condition is not None else ()

    def _keys(self) -> dict[str, str]:
        """Those of the paths that say which rows are read and whose they are."""
        latest = (self._plan.latest.column,) if self._plan.latest else ()
        names = {*self._plan.key, *latest, *self._asked()}
        return {name: place for name, place in self._files.needed().items() if name in names}

    def _trees(self) -> Iterator[Mapping[str, Any]]:
        return (row.cells for _, row in self._files.all_rows() if not row.is_lost)

    def _unknown_attributes(self) -> list[Diagnostic]:
        """Attributes that no line has (FM774)."""
        found: list[Diagnostic] = []
        for child in self._lines:
            if child.attributes is not None:
                name = child.attributes.name
                rows = self._files.all_rows()
                cells = (row.cells.get(name) for _, row in rows if not row.is_lost)
                found += unknown_attributes(self._files.shown, child.attributes, cells)
        return found
