"""FM153: an import of which nothing is used."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, Subject, SubjectKind
from fhirmap.language.nodes import FPLiteral, GroupCall, Map, RuleSource
from fhirmap.language.visit import walk


def unused_import(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each import whose maps lend no group, model or concept map (FM153).

    Spec: FML, imports.
    """
    for unit in checked.program.stages:
        used = _used(unit.tree)
        for entry, imported in zip(unit.tree.imports, unit.imported, strict=True):
            maps = [other for other in imported.units if other is not unit]
            if maps and not any(used & _offered(other.tree) for other in maps):
                yield Diagnostic("FM153", entry.span, {"url": entry.url}, about=Subject(SubjectKind.IMPORT, entry.url))


def _offered(tree: Map) -> set[str]:
    """What a map lends: groups, models, concept maps. A `<<types>>` group is found by type, under the empty name."""
    names = {group.name for group in tree.groups} | {model.name for model in tree.models}
    names |= {table.id for table in tree.concept_maps}
    return names | {"" for group in tree.groups if group.type_mode}


def _used(tree: Map) -> set[str]:
    names: set[str] = {""}
    for group in tree.groups:
        names |= {parameter.type for parameter in group.parameters if parameter.type}
        names |= {group.extends or ""}
        for node in walk(group):
            if isinstance(node, GroupCall):
                names.add(node.name)
            elif isinstance(node, RuleSource) and node.type:
                names.add(node.type)
            elif isinstance(node, FPLiteral) and isinstance(node.value, str):
                names.add(node.value.rpartition("#")[2])
    names |= {element.type for model in tree.models for element in model.elements}
    return names | {entry.url.rpartition("/")[2] for entry in tree.uses}
