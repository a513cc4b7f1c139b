"""What the notes of a map say in its own words: the part of a `log` that is the same for every record.

A note's text may be made of a record's values, so that lists over many records cannot show it. The map's own words can:
`'lot ' & %v & ' is short'` is `lot … is short` for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from fhirmap.analysis.checked import Checked
from fhirmap.language import nodes

_VALUE = "…"


def note_words(checked: Checked) -> Mapping[str, tuple[str, str, str]]:
    """`file:line:col` of each `log` -> the map's file, the name of its rule, and its words, `…` where a value of the
    record would be."""
    found: dict[str, tuple[str, str, str]] = {}
    for _, rule in checked.rules():
        for source in rule.sources:
            if source.log is not None:
                span, expression = source.log.span, source.log.node.expression
                own = " ".join(words_of(expression).split())
                found[span.position] = (span.name, rule.name, own)
    return found


def words_of(node: object) -> str:
    """The words of an expression: its texts, and `…` for what only a record says."""
    if isinstance(node, nodes.FPLiteral):
        return "" if node.value is None else str(node.value)
    if isinstance(node, nodes.FPBinary) and node.operator in ("&", "+"):
        joined = words_of(node.left) + words_of(node.right)
        return joined.replace(_VALUE * 2, _VALUE)
    if isinstance(node, nodes.FPCall) and node.name == "iif":
        branches = dict.fromkeys(words_of(branch) for branch in node.arguments[1:])
        return "/".join(branch for branch in branches if branch) if _VALUE not in branches else _VALUE
    return _VALUE
