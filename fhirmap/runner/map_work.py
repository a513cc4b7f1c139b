"""How commands get what they need of a project's maps: they are analysed and compiled here.

`project_maps` imports this only where nothing is kept, so that a command which needs no compiler loads none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fhirmap.analysis.calculations import calculations
from fhirmap.analysis.checked import Checked
from fhirmap.analysis.lineage import lineage
from fhirmap.analysis.note_words import note_words
from fhirmap.compilation.program import CheckedMaps
from fhirmap.compilation.transformers import compiled_maps
from fhirmap.compiler.model_plan import source_plan
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import MapError, ProjectError
from fhirmap.runner.column_expressions import answer_types, check_columns, compile_columns, expression_types
from fhirmap.runner.columns import ColumnCode, limit_columns, receipt_columns
from fhirmap.runner.contract import project_contract, unknown_rules
from fhirmap.runner.map_facts import CompiledProject, ElementOrigin, MapFacts, ModelStore, NoteWords, TracedProject
from fhirmap.runner.named_sources import unknown_sources
from fhirmap.runner.project import ColumnSetting, Project

__all__ = ["answer_codes", "compiled_project", "facts_of", "project_facts", "result_codes", "traced_project"]


def facts_of(maps: CheckedMaps) -> MapFacts:
    """What the analysis says of maps that are no project's."""
    return MapFacts(maps.files, maps.diagnostics, _stores(maps.checked), source_plan(maps.checked))


def project_facts(project: Project, maps: CheckedMaps) -> MapFacts:
    """What the analysis says of a project's maps, with the rules (FM742) and columns (FM743) that they do not have."""
    checked = maps.checked
    wrong = () if maps.has_errors or not checked.stages else tuple(_wrong(project, maps))
    return MapFacts(maps.files, maps.diagnostics, _stores(checked), source_plan(checked), wrong)


def _wrong(project: Project, maps: CheckedMaps) -> list[Diagnostic]:
    contract, target = project_contract(project, maps), project.map.target
    types = expression_types(maps)
    return [
        *(unknown_rules(project, contract) if contract is not None else ()),
        *check_columns((*limit_columns(target), *project.records), types),
        *check_columns(receipt_columns(target), answer_types(types)),
    ]


def compiled_project(project: Project, maps: CheckedMaps) -> CompiledProject:
    """A project's maps compiled, its contract's rules set to the project's severities.

    Raises: MapError with every diagnostic of the maps; ProjectError FM742 for rules that the contract does not
    have, FM769 for sources that the project does not have.
    """
    if maps.has_errors:
        raise MapError(maps.diagnostics)
    checked, contract = maps.checked, project_contract(project, maps)
    stores = _stores(checked)
    wrong = [*unknown_sources(project, stores), *(unknown_rules(project, contract) if contract is not None else ())]
    if wrong:
        raise ProjectError(wrong)
    modules = {function.module for function in checked.functions.values()}
    return CompiledProject(
        compiled_maps(maps, contract=contract),
        maps.diagnostics,
        stores,
        _rules(checked),
        {position: NoteWords(*found) for position, found in note_words(checked).items()},
        calculations(checked),
        frozenset(module for module in modules if not module.startswith("fhirmap.")),
    )


def _stores(checked: Checked) -> tuple[ModelStore, ...]:
    return tuple(
        ModelStore(use.node.name, store.source or "", store.spans.get("source", store.span))
        for use in checked.declared_models()
        if (store := use.node.store) is not None
    )


def _rules(checked: Checked) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for _, rule in checked.rules():
        for line in range(rule.span.line, rule.span.end_line + 1):
            found[f"{rule.span.name}:{line}"] = rule.name
    return found


def traced_project(project: Project, maps: CheckedMaps) -> TracedProject:
    """As `compiled_project`, for tracing, of maps without errors."""
    elements = {
        path: tuple(ElementOrigin(origin.rule, origin.span.position, origin.columns) for origin in origins)
        for path, origins in lineage(maps.checked).elements.items()
    }
    return TracedProject(compiled_maps(maps, contract=project_contract(project, maps), trace=True), elements)


def result_codes(columns: Sequence[ColumnSetting], maps: CheckedMaps) -> tuple[ColumnCode, ...]:
    """Columns over results and `%source`, compiled.

    Raises: ProjectError FM743.
    """
    return compile_columns(columns, expression_types(maps))


def answer_codes(columns: Sequence[ColumnSetting], maps: CheckedMaps) -> tuple[ColumnCode, ...]:
    """Columns over answers of the receiver, compiled.

    Raises: ProjectError FM743.
    """
    return compile_columns(columns, answer_types(expression_types(maps)))
