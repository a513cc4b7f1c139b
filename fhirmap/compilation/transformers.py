"""Checked maps become a `Transformer`, with the validator of a contract where there is one."""

from __future__ import annotations

from fhirmap.compilation.executed import transformer_from
from fhirmap.compilation.program import CheckedMaps
from fhirmap.compiler.build import compile_checked
from fhirmap.compiler.compiled_map import CompiledMap
from fhirmap.compiler.plan import ModuleSection
from fhirmap.compiler.validator.build import lower_contract
from fhirmap.compiler.validator.contract import Contract
from fhirmap.errors import MapError
from fhirmap.runtime.transformer import Transformer

__all__ = ["compiled_maps", "transformer_of", "validator_of"]


def transformer_of(maps: CheckedMaps, *, contract: Contract | None = None, trace: bool = False) -> Transformer:
    """The `Transformer` of checked maps. ``trace``: one for `fhirmap.runtime.trace.Tracer`, slower and longer.

    Raises: MapError with every diagnostic, where one of them is an error.
    """
    return transformer_from(compiled_maps(maps, contract=contract, trace=trace))


def compiled_maps(maps: CheckedMaps, *, contract: Contract | None = None, trace: bool = False) -> CompiledMap:
    """The Python that `transformer_of` runs.

    Raises: MapError with every diagnostic, where one of them is an error.
    """
    return compile_checked(maps.checked, validator=validator_of(maps, contract), trace=trace)


def validator_of(maps: CheckedMaps, contract: Contract | None) -> ModuleSection | None:
    """The validator of a contract, for checked maps that may run.

    Raises: MapError with every diagnostic, where one of them is an error.
    """
    if maps.has_errors:
        raise MapError(maps.diagnostics)
    if contract is None:
        return None
    section, diagnostics = lower_contract(contract, maps.checked.functions)
    if any(entry.is_error for entry in diagnostics):
        raise MapError(diagnostics)
    return section
