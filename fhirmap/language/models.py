"""lark's tree of a `model`, or of a concept map's table → nodes: the extensions of the language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from lark import Token, Tree

from fhirmap.diagnostics import Span
from fhirmap.language import nodes as n
from fhirmap.language.expressions import ExpressionBuilder, Part, last_token

Clause = tuple[str, Tree[Token]]

_SQL = re.compile(r"\s*(?:select|with)\s", re.IGNORECASE)
"""How the text after `query` begins where it is the query itself, and not the name of its file."""


class ModelBuilder:
    """Builds models of one text."""

    def __init__(self, expressions: ExpressionBuilder) -> None:
        self._expressions = expressions
        self._faults = expressions.faults

    def model(self, tree: Tree[Token]) -> n.Model:
        """The model that ``tree`` is."""
        name = self._text(tree.children[1])
        store = next((part for part in _trees(tree) if part.data == "store"), None)
        elements = tuple(self._element(part, name) for part in _trees(tree) if part.data == "model_element")
        where = self._span(tree.children[1])
        return n.Model(name, self._store(store, name) if store else None, elements, self._span(tree), where)

    def _store(self, tree: Tree[Token], model: str) -> n.SourceClause:
        kind = cast(n.StoreKind, str(tree.children[1]))
        named = next((part for part in tree.children[2:] if isinstance(part, Token) and part.type in _NAMING), None)
        parts = list(_trees(tree))
        prefixes = [part for part in parts if part.data == "prefix_option"]
        clauses = self._clauses(part for part in parts if part.data != "prefix_option")
        key, names, fill = clauses.get("key"), clauses.get("names"), clauses.get("fill")
        latest = clauses.get("latest")
        is_number = named is not None and named.type == "INTEGER"
        name = "" if named is None else str(named) if is_number else self._text(named)
        is_sql = kind == "query" and _SQL.match(name) is not None
        spans = {word: self._span(clause) for word, clause in clauses.items()}
        if prefixes:
            spans["prefix"] = self._span(prefixes[0])
        return n.SourceClause(
            kind,
            model if is_sql else name,
            self._texts(key),
            self._option(clauses, "where"),
            self._order(clauses.get("order")),
            self._order_key(latest.children[2]) if latest else None,
            self._option(clauses, "encoding"),
            self._option(clauses, "delimiter"),
            self._span(tree),
            self._span(named if named is not None else tree.children[1]),
            self._text_spans(key),
            nulls=self._texts(clauses.get("null")),
            decimal=self._option(clauses, "decimal"),
            thousands=self._option(clauses, "thousands"),
            null_spans=self._text_spans(clauses.get("null")),
            query=name if is_sql else "",
            number=_bounded(name) if is_number else None,
            source=self._option(clauses, "source"),
            header="header" not in clauses,
            names=self._texts(names),
            names_line=_numbers(names)[0] if names is not None and _numbers(names) else None,
            fill=self._texts(fill),
            until=self._option(clauses, "until"),
            prefixes=tuple((self._text(part.children[1]), self._text(part.children[3])) for part in prefixes),
            spans=spans,
            names_spans=self._text_spans(names),
            fill_spans=self._text_spans(fill),
            prefix_spans=tuple(map(self._span, prefixes)),
        )

    def _element(self, tree: Tree[Token], model: str) -> n.ModelElement:
        name, type_part = tree.children[0], tree.children[2]
        assert isinstance(type_part, Tree)
        sizes = [part for part in _trees(tree) if part.data == "cardinality"]
        minimum, maximum = self.cardinality(sizes[0]) if sizes else (0, 1)
        clauses = self._clauses(part for part in _trees(tree) if str(part.data).endswith(("_clause", "_option")))
        self._check_join(clauses)
        options: dict[str, Any] = {}
        if "join" in clauses:
            options["join"] = self._join(clauses, f"{model}.{self._text(name)}")
        if source := clauses.get("from"):
            options |= self._place(source.children[1])
        for word in ("format", "zone", "repeat", "split"):
            if clause := clauses.get(word):
                options |= {word: self._text(clause.children[1]), f"{word}_span": self._span(clause.children[1])}
        if clause := clauses.get("attributes"):
            name_column, value_column = (self._text(token) for token in _quoted_tokens(clause))
            options |= {"attributes": (name_column, value_column), "attributes_span": self._span(clause)}
        if clause := clauses.get("decimals"):
            options |= {"decimals": _numbers(clause)[0], "decimals_span": self._span(clause)}
        nulls = clauses.get("null")
        return n.ModelElement(
            self._text(name),
            self.type_name(type_part.children[0]),
            minimum,
            maximum,
            self._span(tree),
            self._span(name),
            self._span(type_part),
            nulls=self._texts(nulls),
            null_spans=self._text_spans(nulls),
            lines="lines" in clauses,
            **options,
        )

    def _place(self, place: Part) -> dict[str, Any]:
        """The fields of an element that its `from` gives."""
        span = self._span(place)
        if isinstance(place, Tree) and place.data == "positions":
            first, last = _positions(place)
            return {"positions": (first, last), "column": f"{first}-{last}", "column_span": span}
        if isinstance(place, Tree):
            after = next(_quoted_tokens(place), None)
            count = next(part for part in _trees(place) if part.data == "positions")
            *start, width = _numbers(place)
            text = self._text(after) if after is not None else ""
            groups = n.CountedGroups(start[0] if start else None, text, _positions(count), width, span)
            return {"groups": groups, "column_span": span}
        if place.type == "POSITION":
            return {"position": True}
        return {"column": self._text(place), "column_span": span}

    def _check_join(self, clauses: dict[str, Tree[Token]]) -> None:
        if "join" in clauses:
            return
        for word in ("where", "order"):
            if clause := clauses.get(word):
                self._faults.add("FM023", self._span(clause), word=word)

    def _join(self, clauses: dict[str, Tree[Token]], element: str) -> n.Join:
        tree = clauses["join"]
        columns = [part for part in _trees(tree) if part.data == "join_column"]
        ends = [(part.children[0], part.children[-1]) for part in columns]
        table = next((part for part in tree.children if isinstance(part, Token) and part.type in _QUOTED), None)
        name = self._text(table) if table is not None else ""
        is_query = any(isinstance(part, Token) and part.type == "QUERY" for part in tree.children)
        is_sql = is_query and _SQL.match(name) is not None
        return n.Join(
            element if is_sql else name,
            tuple((self._text(child), self._text(parent)) for child, parent in ends),
            self._option(clauses, "where"),
            self._order(clauses.get("order")),
            self._span(tree),
            self._span(table if table is not None else tree.children[0]),
            tuple((self._span(child), self._span(parent)) for child, parent in ends),
            is_query,
            name if is_sql else "",
            table is None,
        )

    def concept_map_table(self, tree: Tree[Token]) -> n.ConceptMapTable | None:
        """`from "codes.csv" columns … encoding … delimiter …`; ``None`` without two columns."""
        options: dict[str, Part] = {}
        for word, value in zip(tree.children, tree.children[1:], strict=False):
            if isinstance(word, Token) and word.type in ("COLUMNS", "ENCODING", "DELIMITER"):
                if word.type in options:
                    self._faults.add("FM017", self._span(word), what=str(word))
                options[word.type] = value
        listed = options.get("COLUMNS")
        columns = self._texts(listed) if isinstance(listed, Tree) else ()
        if not 2 <= len(columns) <= 3:
            where = listed if listed is not None else tree.children[1]
            self._faults.add("FM021", self._span(where), count=len(columns))
        if len(columns) < 2:
            return None
        source, target, relation = (*columns, "")[:3]
        return n.ConceptMapTable(
            self._text(tree.children[1]),
            source,
            target,
            relation or None,
            self._text(options["ENCODING"]) if "ENCODING" in options else "utf-8",
            self._text(options["DELIMITER"]) if "DELIMITER" in options else ";",
            self._span(tree),
            self._span(tree.children[1]),
            self._text_spans(listed) if isinstance(listed, Tree) else (),
            self._span(options["ENCODING"]) if "ENCODING" in options else None,
            self._span(options["DELIMITER"]) if "DELIMITER" in options else None,
        )

    def cardinality(self, tree: Tree[Token]) -> tuple[int, int | None]:
        """`min..max`; the maximum is ``None`` for `*`."""
        upper = last_token(tree)
        minimum = _bounded(str(tree.children[0]))
        maximum = None if upper.type == "STAR" else _bounded(str(upper))
        if maximum is not None and minimum > maximum:
            self._faults.add("FM007", self._span(tree), minimum=minimum, maximum=maximum)
        return minimum, maximum

    def type_name(self, part: Part) -> str:
        """`FHIR.Quantity`, a name, or the text of a quoted URL."""
        if isinstance(part, Tree) and part.data == "qualified_identifier":
            return self._expressions.dotted_name(part)
        return self._text(part)

    def _clauses(self, parts: Iterator[Tree[Token]]) -> dict[str, Tree[Token]]:
        """Clauses by their first word; a second one of a kind is a fault."""
        found: dict[str, Tree[Token]] = {}
        for part in parts:
            word = str(part.data).removeprefix("named_").removesuffix("_clause").removesuffix("_option")
            if word in found:
                self._faults.add("FM017", self._span(part), what=_CLAUSE_WORDS.get(word, word))
            found[word] = part
        return found

    def _order(self, tree: Tree[Token] | None) -> tuple[n.OrderKey, ...]:
        return tuple(self._order_key(part) for part in _trees(tree)) if tree else ()

    def _order_key(self, part: Part) -> n.OrderKey:
        assert isinstance(part, Tree)
        descending = len(part.children) > 1 and str(part.children[1]) == "desc"
        return n.OrderKey(self._text(part.children[0]), descending, self._span(part))

    def _option(self, clauses: dict[str, Tree[Token]], word: str) -> str | None:
        return self._text(clauses[word].children[1]) if word in clauses else None

    def _texts(self, tree: Tree[Token] | None) -> tuple[str, ...]:
        return tuple(self._text(token) for token in _quoted_tokens(tree)) if tree else ()

    def _text_spans(self, tree: Tree[Token] | None) -> tuple[Span, ...]:
        return tuple(self._span(token) for token in _quoted_tokens(tree)) if tree else ()

    def _text(self, part: Part) -> str:
        return self._expressions.name(part)

    def _span(self, part: Part) -> Span:
        return self._expressions.span(part)


_QUOTED = frozenset(("STRING", "DOUBLE_QUOTED_STRING"))
_NAMING = _QUOTED | {"INTEGER"}
_CLAUSE_WORDS = {"order": "order by", "latest": "latest by"}
_LARGEST_BOUND = 10**9


def _bounded(digits: str) -> int:
    return int(digits) if len(digits) < 10 else _LARGEST_BOUND


def _digits(token: Token) -> tuple[int, ...]:
    return (_bounded(str(token)),) if token.type == "INTEGER" else ()


def _numbers(tree: Tree[Token]) -> list[int]:
    """The numbers of a clause, in order."""
    return [number for part in tree.children if isinstance(part, Token) for number in _digits(part)]


def _positions(tree: Tree[Token]) -> tuple[int, int]:
    """First and last of `12..31`; the same of `28`."""
    first, *more = _numbers(tree)
    return first, more[0] if more else first


def _trees(tree: Tree[Token]) -> Iterator[Tree[Token]]:
    return (part for part in tree.children if isinstance(part, Tree))


def _quoted_tokens(tree: Tree[Token]) -> Iterator[Token]:
    for part in tree.children:
        if isinstance(part, Tree):
            yield from _quoted_tokens(part)
        elif part.type in _QUOTED:
            yield part
