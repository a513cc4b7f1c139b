"""Tests in generated readers: most texts of cells need no `mended`, which is seen without a call of ours.

Every cell of text is asked, and a call of a Python function costs as much as the rest of its reading. What these tests
leave, `fhirmap.runtime.cell_text` decides: they never pass a text that it would look at.
"""

from __future__ import annotations

from fhirmap.compiler.python import (
    Comparison,
    Conditional,
    Expr,
    ListSlice,
    Literal,
    Name,
    Not,
    all_of,
    any_of,
    compared,
    method,
)
from fhirmap.compiler.runtime_functions import call, imported

_STARTS = imported("ODD_STARTS")
_STARTS_LENGTH = 3


def odd_text(text: Name) -> Expr:
    """May a trimmed text of a cell be a word of absence, or what a spreadsheet made of a number?"""
    starts_odd = compared(ListSlice(text, None, _STARTS_LENGTH), Comparison.IN, _STARTS)
    begins_high = compared(text, Comparison.GREATER_OR_EQUAL, Literal("A"))
    has_no_exponent = (compared(Literal(sign), Comparison.NOT_IN, text) for sign in "eE")
    is_number = all_of(_method(text, "isalnum"), *has_no_exponent)
    is_plain = Conditional(_method(text, "isprintable"), begins_high, is_number)
    return all_of(text, any_of(starts_odd, Not(is_plain)), call("is_odd", text))


def odd_day(text: Name) -> Expr:
    """The same of a text of which a rule reads a date: digits between dashes or slashes are one."""
    begins_low = compared(text, Comparison.LESS, Literal("0"))
    has_others = method(text, "strip", Literal("0123456789-/"), raises=False)
    return all_of(text, any_of(begins_low, has_others, _method(text, "isdecimal")), call("is_odd_day", text))


def _method(text: Name, name: str) -> Expr:
    return method(text, name, raises=False)
