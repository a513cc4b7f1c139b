"""What a model's texts turn out to be: dates that rules read, words for yes and no that they know.

An element may be a text because its column holds anything. Where a rule reads a date of it, a date there is no doubt;
where a rule looks it up in a table, or compares it with `VRAI`, such a word is a value like others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.dataflow import Read, reads_of, transform_reads
from fhirmap.analysis.typed import Expression, Transform, TypedRule
from fhirmap.fhir_types import DATES
from fhirmap.language import nodes
from fhirmap.language.visit import walk

FLAGS = frozenset(("VRAI", "FAUX", "TRUE", "FALSE"))
"""What spreadsheets write for yes and no, in capitals."""

_DATE_FUNCTIONS = frozenset(
    f"{prefix}{name}" for prefix in ("to", "convertsTo", "unixTo") for name in ("Date", "DateTime", "Time")
)


@dataclass(frozen=True, slots=True)
class TextUses:
    """The elements of models, by where they are declared (`file:line:col`), of which some rule reads a date, and those
    that some rule looks up or compares with a word for yes or no.
    """

    dates: frozenset[str]
    flags: frozenset[str]


def text_uses(checked: Checked) -> TextUses:
    """What the rules of every group that may run make of texts."""
    dates: set[str] = set()
    flags: set[str] = set()
    for group in (*checked.groups, *checked.later):
        for rule in group.walk():
            dates.update(_positions(_dates(rule, checked), checked))
            flags.update(_positions(_flags(rule, checked), checked))
    return TextUses(frozenset(dates), frozenset(flags))


def _expressions(rule: TypedRule) -> Iterator[Expression]:
    for source in rule.sources:
        yield from (entry for entry in (source.where, source.check, source.log, source.default) if entry is not None)
    for transform in _transforms(rule):
        yield from transform.arguments
    for call in rule.calls:
        yield from call.arguments


def _transforms(rule: TypedRule) -> Iterator[Transform]:
    return (target.transform for target in rule.targets if target.transform is not None)


def _dates(rule: TypedRule, checked: Checked) -> Iterator[Read]:
    for expression in _expressions(rule):
        if any(isinstance(node, nodes.FPCall) and _gives_date(node.name, checked) for node in walk(expression.node)):
            yield from _all_reads(expression, checked)
    for target in rule.targets:
        transform = target.transform
        if transform is None:
            continue
        is_date = bool(target.steps) and target.steps[-1].static.type_name in DATES
        if is_date or transform.result.type_name in DATES or _gives_date(transform.name, checked):
            yield from transform_reads(transform, checked).values


def _gives_date(name: str, checked: Checked) -> bool:
    function = checked.functions.get(name)
    return name in _DATE_FUNCTIONS or (function is not None and function.result.name in DATES)


def _flags(rule: TypedRule, checked: Checked) -> Iterator[Read]:
    for expression in _expressions(rule):
        literals = (node.value for node in walk(expression.node) if isinstance(node, nodes.FPLiteral))
        if any(isinstance(value, str) and value.upper() in FLAGS for value in literals):
            yield from _all_reads(expression, checked)
    for transform in _transforms(rule):
        if transform.concept_map is not None or transform.name == "translate":
            yield from transform_reads(transform, checked).values


def _all_reads(expression: Expression, checked: Checked) -> Iterable[Read]:
    found = reads_of(expression, checked)
    return (*found.values, *found.conditions)


def _positions(reads: Iterable[Read], checked: Checked) -> Iterator[str]:
    """Where the elements that are read are declared."""
    for read in reads:
        element = read.variable.element if not read.steps else _element(read, checked)
        if element is not None:
            yield element.span.position


def _element(read: Read, checked: Checked) -> nodes.ModelElement | None:
    """The model's element at the end of a path; None where the path leaves the models."""
    ref = read.variable.static.type
    for name in read.steps[:-1]:
        child = checked.definitions.children(ref).get(name) if ref is not None else None
        ref = child.types[0] if child is not None and len(child.types) == 1 else None
    use = checked.model(ref)
    return next((entry for entry in use.node.elements if entry.name == read.steps[-1]), None) if use else None
