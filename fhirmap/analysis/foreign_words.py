"""Functions as other languages call them, and what FHIRPath calls them: for hints."""

from __future__ import annotations

_MEANT = {
    "isnull": "empty", "isempty": "empty", "isnotnull": "exists", "notnull": "exists", "isdefined": "exists",
    "len": "length", "char_length": "length", "size": "count", "substr": "substring", "mid": "substring",
    "left": "substring", "ucase": "upper", "uppercase": "upper", "toupper": "upper", "touppercase": "upper",
    "lcase": "lower", "lowercase": "lower", "tolower": "lower", "tolowercase": "lower", "strip": "trim",
    "ltrim": "trim", "rtrim": "trim", "if": "iif", "ifelse": "iif", "case": "iif", "like": "matches",
    "regexp": "matches", "regexp_like": "matches", "match": "matches", "startwith": "startsWith",
    "instr": "indexOf", "locate": "indexOf", "position": "indexOf", "to_char": "toString", "str": "toString",
    "int": "toInteger", "to_number": "toDecimal", "date": "toDate", "now": "now", "getdate": "today",
    "filter": "where", "map": "select", "any": "exists", "concat": "join",
}  # fmt: skip
_OWN = frozenset(
    (
        "upper", "lower", "trim", "substring", "length", "matches", "replace", "replaceMatches", "contains",
        "startsWith", "endsWith", "indexOf", "toString", "toInteger", "toDecimal", "toBoolean", "first", "last",
        "where", "exists", "empty", "count", "join", "split", "iif", "select", "not", "round", "abs",
    )
)  # fmt: skip
"""Functions of FHIRPath that are often written as if they were transforms."""


def function_meant(name: str) -> str | None:
    """The function of FHIRPath that ``name`` is, or is called in another language.

    Example:
        >>> function_meant("isNull"), function_meant("upper"), function_meant("frobnicate")
        ('empty', 'upper', None)
    """
    if name in _OWN:
        return name
    return _MEANT.get(name.lower())
