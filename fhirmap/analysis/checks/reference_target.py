"""FM271: a reference to a type that its element does not take."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.code_outside_value_set import element_of
from fhirmap.analysis.production import Produced
from fhirmap.analysis.typed import Expression
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.fhir_types import ABSTRACT_RESOURCES, LITERAL_REFERENCE, REFERENCE_BEGINNING
from fhirmap.language import nodes as n
from fhirmap.language.visit import operands
from fhirmap.model.definition import Element
from fhirmap.texts import Listing

_LITERAL = re.compile(LITERAL_REFERENCE)
_BEGINNING = re.compile(REFERENCE_BEGINNING)


def reference_target(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each reference whose type the map says, and which its element does not take (FM271).

    Spec: FHIR R4, references.html: each element that holds a Reference lists the types it may point to.
    """
    seen: set[tuple[Span, str]] = set()
    for stage in checked.stages:
        for node, leaf in checked.produced(stage).pairs():
            owner = _holder(node, leaf, checked)
            allowed = _targets(owner, checked) if owner is not None else frozenset()
            given = _named_type(leaf, checked) if allowed else ""
            if owner is None or not given or given in allowed or (leaf.span, owner.path) in seen:
                continue
            seen.add((leaf.span, owner.path))
            args = {
                "element": owner.path,
                "given": given,
                "expected": Listing(tuple(sorted(allowed)), joint="lists.or"),
            }
            span = leaf.target.transform.span if leaf.target and leaf.target.transform else leaf.span
            yield Diagnostic("FM271", span, args)


def _holder(node: Produced, leaf: Produced, checked: Checked) -> Element | None:
    """The element that holds the Reference of which ``leaf`` says the type: itself, or what its `reference` is in."""
    if leaf.type is not None and leaf.type.name == "Reference":
        return element_of(node, leaf, checked)
    is_part = leaf.element is not None and leaf.element.name in ("reference", "type")
    is_inside = node.type is not None and node.type.name == "Reference"
    return node.element if is_part and is_inside else None


def _targets(element: Element, checked: Checked) -> frozenset[str]:
    """Names of the types that an element's references may point to; none where it does not say."""
    found: set[str] = set()
    for ref in element.types:
        if ref.name != "Reference":
            continue
        for target in ref.targets:
            structure = checked.definitions.structure(target) if "/" in target else None
            found.add(structure.type if structure is not None else target)
    is_open = any(name in ABSTRACT_RESOURCES or "/" in name for name in found)
    return frozenset() if is_open else frozenset(found)


def _named_type(leaf: Produced, checked: Checked) -> str:
    """The resource type that the written value names; empty where it names none."""
    transform = leaf.target.transform if leaf.target is not None else None
    found = ""
    if leaf.literal is not None:
        text = str(leaf.literal.value)
        literal = _LITERAL.fullmatch(text)
        found = literal["type"] if literal else text if leaf.element is not None and leaf.element.name == "type" else ""
    elif transform is not None and transform.name in ("reference", "pointer"):
        found = transform.arguments[0].static.type_name
    elif transform is not None and transform.name in ("append", "evaluate") and transform.arguments:
        beginning = _BEGINNING.match(_leading_text(transform.arguments[-1 if transform.name == "evaluate" else 0]))
        found = beginning["type"] if beginning else ""
    structure = checked.definitions.structure(found) if found else None
    is_concrete = structure is not None and structure.kind == "resource" and found not in ABSTRACT_RESOURCES
    return found if is_concrete else ""


def _leading_text(expression: Expression) -> str:
    """The text that a value begins with, where the map says it: of `'Patient/' & %id`."""
    node = expression.node.expression
    if isinstance(node, n.FPBinary) and node.operator in ("&", "+"):
        node = operands(node)[0]
    return node.value if isinstance(node, n.FPLiteral) and isinstance(node.value, str) else ""
