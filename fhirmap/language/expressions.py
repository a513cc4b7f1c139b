"""lark's tree of a FHIRPath expression → `FPExpr`.

Chains (`a.b.c`, `a & b & c`) are built in a loop and nesting is limited, so that no text can exhaust Python's stack
here or in any stage after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from lark import Token, Tree

from fhirmap.diagnostics import Span
from fhirmap.language import nodes as n
from fhirmap.language.faults import Faults

Part = Tree[Token] | Token

MAXIMUM_DEPTH = 200
"""How deep an expression's tree may be: a link of a chain counts one, a nested expression three (more stack)."""
MAXIMUM_BLOCKS = 50
"""How deep the blocks of rules may be nested."""

_BINARY = frozenset(
    f"{name}_expression"
    for name in ("implies", "or", "and", "membership", "equality", "inequality", "union", "additive", "multiplicative")
)
_LEFT_RECURSIVE = _BINARY | {"type_expression", "invocation_expression", "indexer_expression"}
_ESCAPE = re.compile(r"\\(?:([`\"'\\/fnrt])|u([0-9a-fA-F]{4})|([\s\S]?))")
_ESCAPED = {"f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_QUANTITY = re.compile(r"(\d*\.?\d+)(?>\s|//[^\r\n]*+|/\*[\s\S]*?\*/)*('[\s\S]*'|\w+)\Z")
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_TIME = re.compile(r"T(\d\d)(?::(\d\d)(?::(\d\d))?)?(?:\.\d+)?(Z|[+-]\d\d:\d\d)?")
_KINDS: dict[str, n.LiteralKind] = {"DATE": "date", "DATETIME": "dateTime", "TIME": "time"}


def first_token(part: Part) -> Token:
    """The token that a tree begins with."""
    while isinstance(part, Tree):
        part = part.children[0]
    return part


def last_token(part: Part) -> Token:
    """The token that a tree ends with."""
    while isinstance(part, Tree):
        part = part.children[-1]
    return part


def start_of(token: Token) -> int:
    """Offset of the token's first character."""
    return token.start_pos or 0


def end_of(token: Token) -> int:
    """Offset just after the token's last character."""
    return token.end_pos or 0


class ExpressionBuilder:
    """Builds expressions of one text, noting wrong escapes, dates and nesting in ``faults``."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    def span(self, part: Part) -> Span:
        """What ``part`` covers."""
        return self.faults.span(start_of(first_token(part)), end_of(last_token(part)))

    def expression(self, part: Part, depth: int = 0) -> n.FPExpr:
        """The expression that ``part`` is the tree of."""
        chain: list[Tree[Token]] = []
        while isinstance(part, Tree) and part.data in _LEFT_RECURSIVE:
            chain.append(part)
            part = part.children[0]
        depth += len(chain) + 3
        if depth > MAXIMUM_DEPTH:
            where = self.span(part)
            self.faults.add("FM013", where)
            return n.FPLiteral("empty", None, where)
        node = self._primary(part, depth)
        start = start_of(first_token(part))
        for link in reversed(chain):
            node = self._extended(node, start, link, depth)
        return node

    def _extended(self, left: n.FPExpr, start: int, link: Tree[Token], depth: int) -> n.FPExpr:
        children = link.children
        span = self.faults.span(start, end_of(last_token(link)))
        if link.data == "invocation_expression":
            return self._invocation(left, _tree(children[2]), span, depth)
        if link.data == "indexer_expression":
            return n.FPIndex(left, self.expression(children[2], depth), span)
        operator = str(children[1])
        if link.data == "type_expression":
            kind = self.dotted_name(_tree(_tree(children[2]).children[0]))
            if operator == "is" and kind.lower() == "null":
                where = self.faults.span(start_of(first_token(children[1])), span.end)
                self.faults.add("FM001", where, variant="absent")
            return n.FPType(operator, left, kind, span)
        return n.FPBinary(operator, left, self.expression(children[2], depth), span)

    def _primary(self, part: Part, depth: int) -> n.FPExpr:
        tree = _tree(part)
        span = self.span(tree)
        kind = tree.data
        if kind == "literal":
            return self.literal(_token(tree.children[0]))
        if kind == "parenthesized_term":
            return self.expression(tree.children[1], depth)
        if kind == "polarity_expression":
            return n.FPUnary(str(tree.children[0]), self.expression(tree.children[1], depth), span)
        if kind == "external_constant":
            return n.FPVariable(self.name(tree.children[1]), span)
        return self._invocation(None, tree, span, depth)

    def _invocation(self, focus: n.FPExpr | None, tree: Tree[Token], span: Span, depth: int) -> n.FPExpr:
        if tree.data == "special_invocation":
            name = str(tree.children[0])
            if focus is not None:
                self.faults.add("FM014", self.span(tree), name=name)
            return n.FPVariable(name, span)
        name_part = tree.children[0]
        name, name_span = self.name(name_part), self.span(name_part)
        if tree.data in ("member_invocation", "quoted_member_invocation"):
            return n.FPMember(focus, name, span, name_span)
        return n.FPCall(focus, name, tuple(self._arguments(name, tree, depth)), span, name_span)

    def _arguments(self, function: str, tree: Tree[Token], depth: int) -> Iterator[n.FPExpr | n.SortKey]:
        for part in tree.children[2:-1]:
            if not isinstance(part, Tree):
                continue
            if part.data != "sort_argument":
                yield self.expression(part, depth)
                continue
            direction = _token(part.children[1])
            key = self.expression(part.children[0], depth)
            if function == "sort":
                yield n.SortKey(key, str(direction) == "desc", self.span(part))
            else:
                self.faults.add("FM016", self.span(direction), word=str(direction), function=function)
                yield key

    def dotted_name(self, tree: Tree[Token]) -> str:
        """`FHIR.Quantity` of a ``qualified_identifier``."""
        return ".".join(self.name(part) for part in tree.children if not _is(part, "DOT"))

    def name(self, part: Part) -> str:
        """A name, its quotes or backticks undone."""
        token = first_token(part)
        return str(token) if token.type not in _QUOTED else self.quoted(token)

    def literal(self, token: Token) -> n.FPLiteral:
        """The literal that ``token`` is."""
        span, text, kind = self.span(token), str(token), token.type
        if kind in ("STRING", "DOUBLE_QUOTED_STRING"):
            return n.FPLiteral("string", self.quoted(token), span)
        if kind == "INTEGER":
            return n.FPLiteral("integer", self._integer(text, span), span)
        if kind == "LONGNUMBER":
            return n.FPLiteral("long", self._integer(text[:-1], span), span)
        if kind == "DECIMAL":
            return n.FPLiteral("decimal", Decimal(text), span)
        if kind == "QUANTITY":
            return self._quantity(token, span)
        if kind in _KINDS:
            self._check_date(text, span)
            return n.FPLiteral(_KINDS[kind], text[1:], span)
        if kind == "NULL_LITERAL":
            return n.FPLiteral("empty", None, span)
        return n.FPLiteral("boolean", text == "true", span)

    def _integer(self, digits: str, span: Span) -> int:
        if len(digits) > _LONGEST_INTEGER:
            self.faults.add("FM010", span, variant="number")
            return 0
        return int(digits)

    def _quantity(self, token: Token, span: Span) -> n.FPLiteral:
        matched = _QUANTITY.match(token)
        assert matched is not None, "the grammar's QUANTITY and this pattern say the same"
        number, unit = matched.groups()
        if unit.startswith("'"):
            unit = self._unescaped(unit[1:-1], start_of(token) + matched.start(2) + 1)
            # A calendar word in quotes is not a UCUM code; the quotes are kept so that the two stay apart.
            unit = f"'{unit}'" if _CALENDAR.fullmatch(unit) else unit
        return n.FPLiteral("quantity", Decimal(number), span, unit)

    def _check_date(self, text: str, span: Span) -> None:
        date, time = _DATE.search(text), _TIME.search(text)
        if date and not _is_date(*(int(part) if part else None for part in date.groups())):
            self.faults.add("FM010", span, variant="date")
        elif time and not _is_time(time):
            self.faults.add("FM010", span, variant="time")
        elif time and time[4] and not date:
            self.faults.add("FM010", span, variant="zone")

    def quoted(self, token: Token) -> str:
        """The text between a token's quotes, escapes undone."""
        return self._unescaped(str(token)[1:-1], start_of(token) + 1)

    def _unescaped(self, text: str, start: int) -> str:
        if "\\" not in text:
            return text

        def plain(found: re.Match[str]) -> str:
            if found[1]:
                return _ESCAPED.get(found[1], found[1])
            if found[2]:
                return chr(int(found[2], 16))
            where = self.faults.span(start + found.start(), start + found.end())
            if found[3] == "u":
                self.faults.add("FM006", where, variant="unicode")
            else:
                self.faults.add("FM006", where, escape=found[0])
            return found[0]

        return _joined_surrogates(_ESCAPE.sub(plain, text))


_QUOTED = frozenset(("STRING", "DOUBLE_QUOTED_STRING", "DELIMITEDIDENTIFIER"))
_CALENDAR = re.compile(r"(?:year|month|week|day|hour|minute|second|millisecond)s?")
_LONGEST_INTEGER = 400


def _joined_surrogates(text: str) -> str:
    """`\\ud83d\\ude00` is one character; a half of a pair alone becomes the replacement character."""
    if text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_date(year: int | None, month: int | None, day: int | None) -> bool:
    if month is not None and not 1 <= month <= 12:
        return False
    if day is None or month is None or year is None:
        return True
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= day <= (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def _is_time(found: re.Match[str]) -> bool:
    hour, minute, second = (int(part or 0) for part in found.group(1, 2, 3))
    return hour < 24 and minute < 60 and second <= 60


def _is(part: Part, kind: str) -> bool:
    return isinstance(part, Token) and part.type == kind


def _tree(part: Part) -> Tree[Token]:
    assert isinstance(part, Tree)
    return part


def _token(part: Part) -> Token:
    assert isinstance(part, Token)
    return part
