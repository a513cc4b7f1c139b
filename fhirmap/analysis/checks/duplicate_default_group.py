"""FM263: two groups of one map that are marked for the same types."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, Related
from fhirmap.language.nodes import Group
from fhirmap.model.definition import FHIR_URL
from fhirmap.texts import Text


def duplicate_default_group(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each group that is marked for the two types of another one of its map (FM263).

    Spec: FML, groups, default mapping groups: two groups for the same types are an error.
    """
    for unit in checked.program.units:
        first: dict[tuple[str, str], Group] = {}
        aliases = {entry.alias: entry.url for entry in unit.tree.uses if entry.alias}
        for group in unit.tree.groups:
            pair = _types(group, aliases)
            if pair is None:
                continue
            known = first.setdefault(pair, group)
            if known is not group:
                args = {"source": _shown(group, 0), "target": _shown(group, 1), "other": known.name}
                related = (Related(known.name_span, Text("labels.first_here")),)
                yield Diagnostic("FM263", group.name_span, args, related=related)


def _types(group: Group, aliases: dict[str, str]) -> tuple[str, str] | None:
    if not group.type_mode or len(group.parameters) != 2:
        return None
    source, target = (entry.type for entry in group.parameters)
    if source is None or target is None:
        return None
    return aliases.get(source, source).removeprefix(FHIR_URL), aliases.get(target, target).removeprefix(FHIR_URL)


def _shown(group: Group, index: int) -> str:
    return group.parameters[index].type or ""
