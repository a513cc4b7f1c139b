"""Rules as they are written: their names, batches, and which are default rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fhirmap.language import nodes


class RuleNames:
    """Names of rules, unique in their group."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}
        self._count = 0

    def name_of(self, node: nodes.Rule) -> str:
        """The written name, else one from the source's element and type, else `rule-N`."""
        self._count += 1
        source = node.sources[0] if node.sources else None
        name = node.name
        if name is None and source is not None and source.elements:
            kind = (source.type or "").rpartition(".")[2]
            name = source.elements[-1] + kind[:1].upper() + kind[1:]
        name = name or f"rule-{self._count}"
        times = self._used.get(name, 0)
        self._used[name] = times + 1
        return name if not times else f"{name}-{times + 1}"


def is_default(node: nodes.Rule) -> bool:
    """Is it `src.a -> tgt.b;`, without a transform, a variable or inner rules?"""
    if len(node.sources) != 1 or len(node.targets) != 1 or node.dependent is not None:
        return False
    source, target = node.sources[0], node.targets[0]
    return bool(
        source.elements and source.variable is None and target.context and target.elements
        and target.transform is None and target.variable is None
    )  # fmt: skip


def batch_items(node: nodes.Rule) -> Iterator[nodes.Rule]:
    """The rules of a batch, one for each of its elements."""
    source, target = node.sources[0], node.targets[0]
    for index, name in enumerate(node.batch):
        span = node.batch_spans[index] if index < len(node.batch_spans) else node.span
        yield replace(
            node,
            sources=(replace(source, elements=(*source.elements, name), element_spans=(*source.element_spans, span)),),
            targets=(
                replace(
                    target, elements=(*target.elements, name), element_spans=(*target.element_spans, span), span=span
                ),
            ),
            name=f"{node.name or 'unnamed'}{name}",
            batch=(),
            span=node.span,
        )
