"""FM155: a model that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.unused_group import is_closed
from fhirmap.diagnostics import Diagnostic, Subject, SubjectKind


def unused_model(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each model that no group, model or alias names (FM155)."""
    for unit in filter(is_closed, checked.program.stages):
        used = {parameter.type for group in unit.tree.groups for parameter in group.parameters}
        used |= {source.type for _, rule in checked.rules() for source in rule.node.sources}
        used |= {element.type for model in unit.tree.models for element in model.elements if element.type != model.name}
        used |= {entry.url.rpartition("/")[2] for entry in unit.tree.uses}
        for model in unit.tree.models:
            if model.name not in used:
                yield Diagnostic(
                    "FM155", model.name_span, {"model": model.name}, about=Subject(SubjectKind.MODEL, model.name)
                )
