"""Checked maps become a `Transformer`, with the validator of a contract where there is one."""

from __future__ import annotations

from fhirmap.compilation.program import CheckedMaps
from fhirmap.compiler.build import compile_checked
from fhirmap.compiler.plan import ModuleSection
from fhirmap.compiler.validator.build import lower_contract
from fhirmap.compiler.validator.contract import Contract
from fhirmap.errors import MapError
from fhirmap.runtime.transformer import Transformer

__all__ = ["transformer_of", "validator_of"]


def transformer_of(maps: CheckedMaps, *, contract: Contract | None = None, trace: bool = False) -> Transformer:
    """The `Transformer` of checked maps. ``trace``: one for `fhirmap.runtime.trace.Tracer`, slower and longer.

    Raises: MapError with every diagnostic, where one of them is an error.
    """
    validator = validator_of(maps, contract)
    compiled = compile_checked(maps.checked, validator=validator, trace=trace)
    return Transformer(
        compiled.text,
        compiled.digest,
        name=compiled.name,
        store=compiled.store,
        code=compiled.code,
        files=compiled.files,
        texts=compiled.texts,
    )


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
