"""What of a program is no FHIR Mapping Language: each use of an extension, for `fhirmap check --strict-fml`.

The four extensions are models, code tables with their policies, functions of plug-ins, and messages of checks.
Everything else that is accepted is the language itself, in its current or one of its older spellings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.expression_functions import FUNCTIONS
from fhirmap.analysis.transforms import TRANSFORMS
from fhirmap.diagnostics import Diagnostic
from fhirmap.diagnostics.render import ordered
from fhirmap.language import nodes
from fhirmap.language.visit import walk
from fhirmap.signatures import FunctionSignature


def extensions(checked: Checked) -> tuple[Diagnostic, ...]:
    """Each use of an extension in the maps of a program, those that they import included, in text order."""
    return ordered(entry for unit in checked.program.units for entry in extensions_of(unit.tree, checked.functions))


def extensions_of(tree: nodes.Map, functions: Mapping[str, FunctionSignature]) -> Iterator[Diagnostic]:
    """Each use of an extension in one map. ``functions``: those of plug-ins, by name."""
    for model in tree.models:
        yield from _model(model)
    for concept_map in tree.concept_maps:
        yield from _concept_map(concept_map)
    for part in (*tree.lets, *tree.groups):
        yield from _calls(part, functions)
    for group in tree.groups:
        yield from _messages(group)


def _model(model: nodes.Model) -> Iterator[Diagnostic]:
    yield Diagnostic("FM190", model.name_span, {"name": model.name})
    for entry in model.elements:
        clauses = list(_clauses(entry))
        if clauses:
            args = {"name": model.name, "element": entry.name, "clauses": ", ".join(f"`{name}`" for name in clauses)}
            yield Diagnostic("FM190", entry.name_span, args, variant="element")


def _clauses(entry: nodes.ModelElement) -> Iterator[str]:
    """What an element says beyond name, type and cardinality: how its value is had from the store."""
    if entry.position:
        yield "from position"
    elif entry.column is not None:
        yield "from"
    for name, value in (
        ("format", entry.format),
        ("zone", entry.zone),
        ("null", entry.nulls),
        ("join", entry.join),
        ("lines", entry.lines),
        ("repeat", entry.repeat),
        ("attributes", entry.attributes),
        ("split", entry.split),
    ):
        if value:
            yield name


def _concept_map(declaration: nodes.ConceptMapDeclaration) -> Iterator[Diagnostic]:
    if declaration.table is not None:
        yield Diagnostic("FM191", declaration.table.span, {"name": declaration.id, "file": declaration.table.file})
    for entry in declaration.unmapped:
        if entry.mode != "provided":
            yield Diagnostic("FM192", entry.span, {"name": declaration.id, "mode": entry.mode})


def _messages(group: nodes.Group) -> Iterator[Diagnostic]:
    for node in walk(group):
        if isinstance(node, nodes.RuleSource) and node.message is not None:
            yield Diagnostic("FM194", node.message_span)


def _calls(part: object, functions: Mapping[str, FunctionSignature]) -> Iterator[Diagnostic]:
    for node in walk(part):
        if isinstance(node, nodes.FPCall):
            is_own = node.name in functions and node.name not in FUNCTIONS
        elif isinstance(node, nodes.TransformCall):
            is_own = node.name in functions and node.name not in TRANSFORMS
        else:
            continue
        if is_own:
            yield Diagnostic("FM193", node.name_span, {"name": node.name})
