"""Text → (tree, diagnostics). Never raises, whatever the text."""

from __future__ import annotations

from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from fhirmap.diagnostics import Diagnostic, MapText
from fhirmap.language import nodes as n
from fhirmap.language.expressions import ExpressionBuilder
from fhirmap.language.faults import Faults
from fhirmap.language.grammar import expression_parser


def parse_expression(text: str, name: str = "<expression>") -> tuple[n.FPExpr | None, tuple[Diagnostic, ...]]:
    """The tree of one FHIRPath expression, ``None`` where it has none, and what is wrong with the text.

    Spec: FHIRPath, grammar.

    Example:
        >>> expression, diagnostics = parse_expression("name.given.first()")
        >>> expression.name, len(diagnostics)
        ('first', 0)
    """
    faults = Faults(MapText(name, text))
    try:
        tree: Tree[Token] = expression_parser().parse(text)
    except UnexpectedInput as error:
        start = error.pos_in_stream or 0
        faults.add("FM001", faults.span(start, start + 1), found=text[start : start + 20])
        return None, faults.sorted()
    return ExpressionBuilder(faults).expression(tree.children[0]), faults.sorted()
