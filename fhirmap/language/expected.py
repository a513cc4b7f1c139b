"""What the parser could have read at a place, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhirmap.language.reader import END
from fhirmap.texts import Listing, Text

_EXPRESSION = frozenset(("PERCENT", "THIS", "NULL_LITERAL", "DATE"))
_LITERALS = frozenset(
    (
        "NULL_LITERAL",
        "TRUE",
        "FALSE",
        "STRING",
        "DOUBLE_QUOTED_STRING",
        "INTEGER",
        "DECIMAL",
        "LONGNUMBER",
        "DATE",
        "DATETIME",
        "TIME",
        "QUANTITY",
        "PERCENT",
        "THIS",
        "INDEX",
        "TOTAL",
    )
)
_NAMES = frozenset(("IDENTIFIER", "DELIMITEDIDENTIFIER"))
_TEXTS = frozenset(("STRING", "DOUBLE_QUOTED_STRING"))
_OPERATORS = frozenset(
    (
        "AND",
        "OR",
        "XOR",
        "IMPLIES",
        "IN",
        "CONTAINS",
        "IS",
        "DIV",
        "MOD",
        "PLUS",
        "MINUS",
        "STAR",
        "SLASH",
        "VBAR",
        "TILDE",
        "LESSTHAN",
        "MORETHAN",
        "AMPERSAND",
        "LSQB",
    )
)
_MOST = 8


def expected_words(accepted: list[str], patterns: Mapping[str, Any]) -> Text | Listing:
    """`a name, `;` or `->``: the kinds of token in ``accepted``, the many of an expression as one."""
    kinds = set(accepted)
    words: list[str | Text] = []
    if kinds >= _EXPRESSION:
        words.append(Text("syntax.expression"))
        kinds -= _LITERALS | _NAMES | {"PLUS", "MINUS", "LPAR"}
    elif "DATE" in kinds:
        words.append(Text("syntax.value"))
        kinds -= _LITERALS | {"MINUS"}
    if kinds & _NAMES:
        words.append(Text("syntax.name"))
    if kinds & _TEXTS:
        words.append(Text("syntax.quoted"))
    if len(kinds & _OPERATORS) > 5:
        words.append(Text("syntax.operator"))
        kinds -= {kind for kind in kinds if kind in _OPERATORS or kind.startswith("__ANON")} - {"MINUS"}
        kinds -= {"MINUS", "EQUAL", "AS", "BANG"}
    if "INTEGER" in kinds:
        words.append(Text("syntax.number"))
    kinds -= _NAMES | _TEXTS | {"INTEGER", "BARE_RULE_NAME", "METADATA", "MAKE", "LEGACY_COLON", "LEGACY_FOR"}
    words += sorted({_word(kind, patterns) for kind in kinds - {END}})
    if END in kinds:
        words.append(Text("syntax.end"))
    if len(words) > _MOST:
        return Listing((*words[:_MOST], "…"))
    return Listing(tuple(words), joint="lists.or") if words else Text("syntax.nothing_more")


def _word(kind: str, patterns: Mapping[str, Any]) -> str:
    if kind in _MARKS:
        return f"`{_MARKS[kind]}`"
    pattern = patterns.get(kind)
    if pattern is not None and pattern.type == "str":
        return f"`{pattern.value}`"
    return f"`{kind.lower()}`"


_MARKS = {
    "TYPES_OPEN": "<<",
    "TYPES_CLOSE": ">>",
    "UNMATCHED": "--",
    "UNMATCHED_TARGET": "--",
    "LIST_COMMA": ",",
    "DECIMAL_MARK": "decimal",
}
