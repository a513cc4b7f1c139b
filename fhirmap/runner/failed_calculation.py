"""A fault of an unforeseen exception (FM400), with the calculation of the map that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fhirmap.records import Fault

__all__ = ["with_calculation"]


def with_calculation(fault: Fault, known: Mapping[str, str]) -> Fault:
    """An FM400 with the calculation at its place among ``known``; any other fault as it is.

    No value is in it: it is the map's own text.
    """
    if fault.code != "FM400" or fault.position not in known:
        return fault
    return replace(fault, variant="calculation", args={**fault.args, "calculation": known[fault.position]})
