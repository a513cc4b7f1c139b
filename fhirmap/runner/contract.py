"""What results of a project must satisfy, and the rules of `[rules]` that no contract has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fhirmap.bounded_files import MOST_DEFINITION_BYTES, read_bounded
from fhirmap.compilation.contract import target_contract
from fhirmap.compilation.program import CheckedMaps
from fhirmap.compiler.validator.contract import Contract
from fhirmap.diagnostics import Diagnostic, suggestion
from fhirmap.errors import ConfigError
from fhirmap.model.definition import Constraint, Definitions, Operation, Structure
from fhirmap.runner.project import Project
from fhirmap.runner.target import Target

__all__ = ["project_contract", "unknown_rules"]


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
        return str(json.loads(read_bounded(path, MOST_DEFINITION_BYTES).decode("utf-8-sig")).get("url", ""))
    except (OSError, ValueError, AttributeError):
        raise ConfigError("FM741", path=str(path)) from None


def unknown_rules(project: Project, contract: Contract) -> list[Diagnostic]:
    """FM742 for each rule key of the project or its target that the contract does not have."""
    known = contract.rule_keys()
    target = project.map.target
    wrong = [
        Diagnostic("FM742", project.rule_spans.get(key), {"rule": key}, **suggestion(key, known))
        for key in project.severities
        if key not in known
    ]
    for key in target.severities if target else ():
        if key not in known:
            wrong.append(Diagnostic("FM742", None, {"rule": key}, **suggestion(key, known)))
    return wrong
