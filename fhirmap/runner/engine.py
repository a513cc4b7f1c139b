"""A project ready to work: its maps compiled into one transformer with its contract's validator, its source checked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from fhirmap.analysis.checks.unknown_column import unknown_columns
from fhirmap.analysis.lineage import lineage
from fhirmap.compiler.profile import Contract
from fhirmap.compiler.storeplan import store_plan
from fhirmap.diagnostics import Diagnostic, MapText, Span
from fhirmap.diagnostics.nearest import did_you_mean
from fhirmap.embedding import map_path, read_map, target_contract, transformer_of
from fhirmap.errors import ConfigError, MapError, ProjectError
from fhirmap.model.definition import Constraint, Definitions, Operation, Structure
from fhirmap.plugins import BUILT_IN, find_plugins, load
from fhirmap.records import Fault, Record, Result
from fhirmap.runner.columns import Column, Setting, compile_columns
from fhirmap.runner.ingest import mapped
from fhirmap.runner.program import CheckedMaps, check_project
from fhirmap.runner.project import Project, RecordColumn, load_project
from fhirmap.runner.target import Target
from fhirmap.runtime.transformer import Transformer
from fhirmap.sources import Source, open_source
from fhirmap.stores import StorePlan

__all__ = [
    "Engine",
    "build_engine",
    "compile_project",
    "open_project_source",
    "paths_up",
    "project_contract",
    "settings_diagnostics",
    "source_diagnostics",
]


@dataclass(frozen=True)
class Engine:
    """What `run` and `preview` need of a project."""

    project: Project
    maps: CheckedMaps
    transformer: Transformer
    setting: Setting
    blamed: Mapping[str, str]
    """Rule key -> the element that a rule of the target is about."""

    @property
    def plan(self) -> StorePlan:
        """Where the records live.

        Raises: ConfigError FM752 where the map's first model has no store.
        """
        if self.transformer.store is None:
            raise ConfigError("FM752", map=str(self.project.map.source))
        return self.transformer.store

    @cached_property
    def rules(self) -> Mapping[str, str]:
        """Names of rules by the `file:line` they stand on, for reasons."""
        found: dict[str, str] = {}
        for _, rule in self.maps.checked.rules():
            for line in range(rule.span.line, rule.span.end_line + 1):
                found[f"{rule.span.name}:{line}"] = rule.name
        return found

    @property
    def digest(self) -> str:
        """Digest of maps and compiler, for the journal."""
        return self.transformer.digest

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns of ``[records]``.

        Raises: ProjectError FM743.
        """
        return compile_columns(self.project.records, self.setting)

    @cached_property
    def limit_key(self) -> Callable[[Mapping[str, Any]], str]:
        """What the receiver's rate limit counts a result by; empty where the target does not say."""
        target = self.project.map.target
        if target is None or not target.limit_key:
            return lambda _: ""
        (column,) = compile_columns((RecordColumn("limit_key", target.limit_key),), self.setting)
        return lambda resource: column.text(dict(resource), {})

    def result(self, record: Record) -> Result:
        """The record's result, with the source's own faults and the places of the target's rules."""
        result = mapped(record, self.transformer)
        if not any(fault.rule in self.blamed for fault in result.faults):
            return result
        return replace(result, faults=tuple(self._placed(fault) for fault in result.faults))

    def _placed(self, fault: Fault) -> Fault:
        element = self.blamed.get(fault.rule, "")
        position, columns = self.transformer.places.get(element, (fault.position, fault.columns))
        return replace(fault, element=element, position=position, columns=columns) if element else fault

    def read(self, record: Record) -> Mapping[str, Any]:
        """The record as its model reads it: `%source` of the columns. What cannot be read is absent."""
        return self.transformer.read(record.values).values

    def origin_of(self, element: str) -> tuple[str, tuple[str, ...]] | None:
        """The map rule's place and the source columns behind an element, for answers that name one."""
        places = self.transformer.places
        return next((places[path] for path in paths_up(element) if path in places), None)

    @cached_property
    def lineage(self) -> Mapping[str, Any]:
        """Element path -> the rules that write it and their columns."""
        return lineage(self.maps.checked).elements


def paths_up(element: str) -> Iterator[str]:
    """The element and those above it; then the same without slice names, for a target whose profile has no slices."""
    for path in dict.fromkeys((element, re.sub(r":[^.]+", "", element))):
        while path:
            yield path
            path = path.rpartition(".")[0]


def build_engine(project: Project) -> Engine:
    """The project's maps checked and compiled, its contract's rules set to the project's severities.

    Raises: MapError with every diagnostic of the maps; ProjectError FM742 for rules that the contract does not have.
    """
    maps = check_project(project)
    if maps.has_errors:
        raise MapError(maps.diagnostics)
    checked = maps.checked
    contract = project_contract(project, maps)
    if contract is not None and (wrong := _unknown_rules(project, contract)):
        raise ProjectError(wrong)
    transformer = transformer_of(checked, maps.diagnostics, contract=contract)
    setting = _setting(maps)
    target = project.map.target
    blamed = {rule.key: rule.element for rule in (target.rules if target else ()) if rule.element}
    return Engine(project, maps, transformer, setting, blamed)


def _setting(maps: CheckedMaps) -> Setting:
    checked = maps.checked
    last, first = checked.stages[-1], checked.stages[0]
    structure = checked.definitions.structure(last.target.structure or last.target.name) if last.target else None
    return Setting(
        checked.definitions,
        (checked.definitions.type_ref(structure.type) or last.target) if structure else last.target,
        first.source if first.source is not None and first.source.structure in checked.models else None,
        checked.functions,
    )


def settings_diagnostics(project: Project, maps: CheckedMaps) -> list[Diagnostic]:
    """What of the project file only its maps and contract can judge: rule keys (FM742), record columns (FM743)."""
    if maps.has_errors or not maps.checked.stages:
        return []
    contract = project_contract(project, maps)
    found = _unknown_rules(project, contract) if contract is not None else []
    try:
        compile_columns(project.records, _setting(maps))
    except ProjectError as error:
        found += error.diagnostics
    return found


def compile_project(folder: str | Path) -> Transformer:
    """The transformer of a project folder: its map and its target's, with the contract's validator.

    Raises: MapError, ProjectError, ConfigError, each with everything that is wrong.
    """
    return build_engine(load_project(folder)).transformer


def project_contract(project: Project, maps: CheckedMaps) -> Contract | None:
    """What results must satisfy: the target's operation, profile and rules, else the map's own target type."""
    checked, target = maps.checked, project.map.target
    urls = _contract_urls(checked.definitions, target) if target else ()
    contract = Contract(checked.definitions, urls) if urls else target_contract(checked)
    if contract is None:
        return None
    contract = replace(contract, severities={**(target.severities if target else {}), **project.severities})
    if target is None or not target.rules:
        return contract
    constraints = tuple(Constraint(rule.key, rule.severity, rule.expression, rule.human) for rule in target.rules)
    return replace(contract, rules={contract.type: constraints})


def _contract_urls(definitions: Definitions, target: Target) -> tuple[str, ...]:
    profile = definitions.structure(_url_of(target.profile)) if target.profile else None
    operation = definitions.operation(_url_of(target.operation)) if target.operation else None
    return tuple(dict.fromkeys(_urls(definitions, profile, operation)))


def _urls(definitions: Definitions, profile: Structure | None, operation: Operation | None) -> Iterator[str]:
    if profile is not None:
        yield profile.url
    if operation is not None:
        own = definitions.structure(operation.input_profile) if operation.input_profile else None
        if own is not None:
            yield own.url
        yield operation.url


def _url_of(path: Path) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8-sig")).get("url", ""))
    except (OSError, ValueError, AttributeError):
        raise ConfigError("FM741", path=str(path)) from None


def _unknown_rules(project: Project, contract: Contract) -> list[Diagnostic]:
    known = contract.rule_keys()
    target = project.map.target
    wrong = [
        Diagnostic("FM742", project.rule_spans.get(key), {"rule": key}, did_you_mean(key, known))
        for key in project.severities
        if key not in known
    ]
    for key in target.severities if target else ():
        if key not in known:
            wrong.append(Diagnostic("FM742", None, {"rule": key}, did_you_mean(key, known)))
    return wrong


# --- source -----------------------------------------------------------------------------------------------------------


def open_project_source(project: Project, plan: StorePlan) -> Source:
    """The project's source, its layout checked against the plan: nothing of it has been read when this returns.

    Raises: ConfigError FM70x where it cannot be opened; ProjectError with everything that it lacks.
    """
    source = _open(project, plan)
    try:
        found = [located(entry) for entry in source.check()]
        if any(entry.is_error for entry in found):
            raise ProjectError(found)
    except BaseException:
        source.close()
        raise
    return source


def _open(project: Project, plan: StorePlan) -> Source:
    factories = {
        name: load(plugin)
        for name, plugin in find_plugins("fhirmap.sources").items()
        if name not in BUILT_IN["fhirmap.sources"]
    }
    return open_source(project.source_address(), plan, factories)


def source_diagnostics(project: Project, maps: CheckedMaps) -> list[Diagnostic]:
    """What the project's source lacks of what its map names, also where the map has other faults.

    Raises: ConfigError FM70x where the source cannot be opened.
    """
    plan = store_plan(maps.checked)
    if plan is None or any(entry.code == "FM102" for entry in maps.diagnostics):
        return []  # nowhere to look, or a query of the map that is not there
    with _open(project, plan) as source:
        told = source.check()
    absent = {
        (str(entry.args["table"]), str(entry.args.get("column", ""))): entry.hint_text
        for entry in told
        if entry.code in ("FM703", "FM704") and not entry.variant and plan.kind != "json"
    }
    file = next((table for table, _ in absent if plan.kind == "csv"), "")
    named = [
        entry
        for entry in unknown_columns(maps.checked, lambda table, column: absent.get((table or file, column)))
        if not _was_not_read(entry, maps)
    ]
    if maps.has_errors:
        return named
    # The map itself knows where each name stands; the rest (the author's SQL, JSON paths) comes with its line.
    placed = {"FM703", "FM704"} if named else set()
    return [*named, *(located(entry) for entry in told if entry.variant or entry.code not in placed)]


def _was_not_read(entry: Diagnostic, maps: CheckedMaps) -> bool:
    """Does a syntax error stand on the line that names the column? Then it may not have been read as it was meant."""
    broken = [told.span for told in maps.diagnostics if told.code < "FM100" and told.is_error and told.span is not None]
    span = entry.span
    return span is not None and any(place.text is span.text and place.line == span.line for place in broken)


def located(entry: Diagnostic) -> Diagnostic:
    """The diagnostic at the place of the map that it names (``position``), so that it is shown with that line."""
    position = str(entry.args.get("position", ""))
    parts = position.rsplit(":", 2)
    if entry.span is not None or len(parts) != 3 or not (parts[1].isdecimal() and parts[2].isdecimal()):
        return entry
    try:
        text = MapText(parts[0], read_map(map_path(parts[0])))
    except ConfigError:
        return entry
    line, column = int(parts[1]), int(parts[2])
    if line > text.line_count:
        return entry
    start = text.line_start(line) + column - 1
    rest = text.line_text(line)[column - 1 :]
    return replace(entry, span=Span(text, start, start + _token_length(rest)))


def _token_length(rest: str) -> int:
    if rest[:1] in "'\"`":
        end = rest.find(rest[0], 1)
        return end + 1 if end > 0 else 1
    return max(1, next((n for n, letter in enumerate(rest) if not (letter.isalnum() or letter in "_-")), len(rest)))
