"""FM241: a column that is read for every record and used for none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.stores import joined_name, models_joined_by_their_store
from fhirmap.analysis.typed import ModelUse
from fhirmap.diagnostics import Diagnostic, Subject, SubjectKind
from fhirmap.language.nodes import FPMember, ModelElement, Rule
from fhirmap.language.visit import walk


def unused_column(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each element of a stored model that no rule, and whose name no expression, reads (FM241).

    The columns of the key are read in any case and may be without use. A rule that hands on a whole record may use
    every element of its model. What lies below an unused element needs no word of its own.
    """
    if not any(use.node.store for use in checked.declared_models()):
        return
    used = _read_names(checked)
    whole = _handed_on(checked)

    def is_read(use: ModelUse, element: ModelElement) -> bool:
        read = element.name in used or f"{use.node.name}.{element.name}" in used
        return read or use.ref.structure in whole

    for use, table in _stored(checked, is_read):
        key = use.node.store.key if use.node.store else ()
        # Groups of a line that others follow: without them it is not known where these begin.
        followed = {element.groups.after for element in use.node.elements if element.groups}
        for element in use.node.elements:
            column = element.column or element.name
            if is_read(use, element) or column in key or element.name in followed:
                continue
            is_own = table and not column.startswith("../")
            args = {"column": f"{table}.{column}" if is_own else column, "element": element.name}
            variant = "element" if element.join or element.lines or element.position else ""
            about = Subject(SubjectKind.ELEMENT, element.name, frozenset((use.ref.structure,)))
            yield Diagnostic("FM241", element.name_span, args, variant=variant, about=about)


def _read_names(checked: Checked) -> set[str]:
    """Names that expressions and batches read, of whatever model, and `Model.name` for what sources of rules read."""
    names: set[str] = set()
    for _, rule in checked.rules():
        for source in rule.sources:
            names.update(step.element.path if step.element else step.name for step in source.steps)
    for unit in checked.program.units:
        for group in unit.tree.groups:
            for node in walk(group):
                if isinstance(node, FPMember):
                    names.add(node.name)
                elif isinstance(node, Rule):
                    names.update(node.batch)
    return names


def _handed_on(checked: Checked) -> set[str]:
    """Structures of which some rule copies a whole item into its target."""
    found: set[str] = set()
    for _, rule in checked.rules():
        for target in rule.targets:
            arguments = target.transform.arguments if target.transform else ()
            found |= {ref.structure for entry in arguments if entry.variable for ref in entry.static.types}
    return found


def _stored(checked: Checked, is_read: Callable[[ModelUse, ModelElement], bool]) -> Iterator[tuple[ModelUse, str]]:
    """Each model that reads rows and that a read element leads to, once, with the table it reads where it has one."""
    by_name = {use.node.name: use for use in checked.declared_models()}
    stage_names = {unit.name for unit in checked.program.stages}
    joined = models_joined_by_their_store(use.node for use in by_name.values())
    waiting = [
        (use, use.node.store.name if use.node.store.kind == "table" else "")
        for use in by_name.values()
        if use.node.store is not None and use.unit.name in stage_names and use.node.name not in joined
    ]
    seen: set[str] = set()
    for use, table in waiting:
        if use.node.name in seen:
            continue
        seen.add(use.node.name)
        yield use, table
        for element in use.node.elements:
            if element.type in by_name and is_read(use, element):
                child = by_name[element.type]
                waiting.append((child, joined_name(element.join, child.node) if element.join else table))
