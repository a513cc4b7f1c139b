"""Which calculation of a map failed, as the map has it: for a fault of an unforeseen exception (FM400)."""

from __future__ import annotations

from collections.abc import Mapping

from fhirmap.analysis.checked import Checked
from fhirmap.language.nodes import FHIRPath, GroupCall, RuleTarget, TransformCall
from fhirmap.language.visit import walk

__all__ = ["calculations"]

_LONGEST = 80


def calculations(checked: Checked) -> Mapping[str, str]:
    """The text of each expression, transform and call of groups, by the ``file:line:column`` that its faults have."""
    found: dict[str, str] = {}
    for unit in checked.program.units:
        for node in walk(unit.tree):
            if isinstance(node, FHIRPath | TransformCall | GroupCall):
                found.setdefault(node.span.position, _shortened(node.span.snippet))
            elif isinstance(node, RuleTarget) and node.transform is not None:
                found.setdefault(node.span.position, _shortened(node.transform.span.snippet))
    return found


def _shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
