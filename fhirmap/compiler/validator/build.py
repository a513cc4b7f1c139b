"""The validator of a contract, as a section of a generated module."""

from __future__ import annotations

from collections.abc import Mapping

from fhirmap.compiler.plan import ModuleSection
from fhirmap.compiler.validator.contract import Contract, base_type
from fhirmap.compiler.validator.fast_path import FastPathWriter
from fhirmap.compiler.validator.invariants import InvariantWriter
from fhirmap.compiler.validator.section import SectionBuilder
from fhirmap.compiler.validator.shapes import ShapeWriter
from fhirmap.diagnostics import Diagnostic, suggestion
from fhirmap.signatures import FunctionSignature


def lower_contract(
    contract: Contract, functions: Mapping[str, FunctionSignature] | None = None
) -> tuple[ModuleSection, tuple[Diagnostic, ...]]:
    """The validator of a contract, `_validate(resource, faults)`, and what of the contract cannot be checked."""
    section = SectionBuilder(contract.definitions, contract.release)
    for url in contract.structures:
        if contract.definitions.structure(url) is None:
            found = suggestion(url, [entry.url for entry in contract.definitions.structures()])
            section.diagnostics.append(Diagnostic("FM356", None, {"url": url}, **found))
    root = base_type(contract)
    if root is None:
        names = {"url": contract.roots[0].url, "type": contract.type, "release": contract.release}
        unknown = Diagnostic("FM356", None, names, variant="type")
        return ModuleSection(), (*section.diagnostics, unknown)
    shapes = ShapeWriter(contract, section, InvariantWriter(section, functions or {}, contract.severities, root))
    shape = shapes.root(root, [entry.root for entry in contract.roots])
    FastPathWriter(section, shapes, shape).write()
    for element, rules in shapes.unplaced.items():
        for rule in rules:
            section.report("FM355", rule=rule.key, element=element)
    return section.finished(", ".join(entry.url for entry in contract.roots)), tuple(section.diagnostics)
