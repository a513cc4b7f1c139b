"""Text → (tree, diagnostics). Never raises, whatever the text."""

from __future__ import annotations

import re
from dataclasses import replace

from fhirmap.collector import collecting_later
from fhirmap.diagnostics import Diagnostic, MapText
from fhirmap.language import nodes as n
from fhirmap.language.builder import MapBuilder
from fhirmap.language.driver import Driver
from fhirmap.language.expressions import ExpressionBuilder
from fhirmap.language.faults import Faults
from fhirmap.language.grammar import map_parser
from fhirmap.language.metadata import looks_like_metadata

_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character: an editor's buffer may hold one, UTF-8 cannot."""


@collecting_later
def parse(text: str, name: str = "<string>") -> tuple[n.Map, tuple[Diagnostic, ...]]:
    """The tree of a map, as far as the text has one, and everything that is wrong with the text.

    ``name``: what diagnostics call the map, a path as the user gave it. A byte order mark is dropped.
    Spec: FML, mapping language; grammar/fml.lark.

    Example:
        >>> tree, diagnostics = parse("group G(source s, target t) { s.a -> t.b; }")
        >>> tree.groups[0].name, diagnostics
        ('G', ())
    """
    map_text = MapText(name, text.removeprefix("\ufeff"))
    result, found, spans_lines = _parse_whole(map_text)
    if found and spans_lines:
        # A quote that is not closed turns all texts after it inside out: read again, each text closed on its line.
        again, fewer, _ = _parse_whole(map_text, closes_lines=True)
        if len(fewer) <= len(found):
            return again, fewer
    return result, found


def _parse_whole(text: MapText, *, closes_lines: bool = False) -> tuple[n.Map, tuple[Diagnostic, ...], bool]:
    """Tree, diagnostics, and whether a text in quotes goes over several lines."""
    faults = Faults(text)
    driver = Driver(map_parser(), "structure_map", faults, closes_lines=closes_lines)
    driver.run()
    assert driver.tree is not None, "a whole map always ends in a tree"
    result = MapBuilder(faults, driver.code_rows).map(driver.tree, driver.comments)
    _check_whole(result, faults)
    if len(faults):
        result = replace(result, declared=driver.declared())
    return result, faults.sorted(), driver.spans_lines


def parse_expression(text: str, name: str = "<expression>") -> tuple[n.FPExpr | None, tuple[Diagnostic, ...]]:
    """The tree of one FHIRPath expression, ``None`` where it has none, and what is wrong with the text.

    Spec: FHIRPath, grammar.

    Example:
        >>> expression, diagnostics = parse_expression("name.given.first()")
        >>> expression.name, len(diagnostics)
        ('first', 0)
    """
    faults = Faults(MapText(name, text))
    driver = Driver(map_parser(), "entire_expression", faults)
    driver.run()
    if driver.tree is None:
        return None, faults.sorted()
    return ExpressionBuilder(faults).expression(driver.tree.children[0]), faults.sorted()


def _check_whole(tree: n.Map, faults: Faults) -> None:
    """What only the whole file shows: metadata that comes too late, halves of characters."""
    end = tree.groups[0].span.start if tree.groups else len(faults.text.text)
    for comment in tree.comments:
        if comment.span.start < end and looks_like_metadata(comment.text):
            faults.add("FM025", comment.span)
    for half in _SURROGATE.finditer(faults.text.text):  # also in quotes and comments: it has no bytes
        faults.add("FM012", faults.span(*half.span()), variant="control", found=f"U+{ord(half[0]):04X}")
