"""Tree → canonical text, with every comment of the text that the tree was read from.

Two blanks of indent; a rule on one line, or on as many as it fills; the elements of a model one below the other, and
the comments after them too. A comment stays after what it came after on its line, or above what it was above;
one that was inside moves after it. Formatting twice changes nothing, and the tree of the result equals the tree
given.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fhirmap.diagnostics import Span
from fhirmap.language import node_text as t
from fhirmap.language import nodes as n
from fhirmap.language.expression_text import quote

_INDENT = "  "
_CONTINUED = "    "
_WIDTH = 120
_JOINTS = re.compile(
    r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`(?:[^`\\]|\\.)*`|[(){}\[\]]| (?=(?:and|or|&) )", re.DOTALL
)


def format_map(tree: n.Map, text: str = "") -> str:
    """The canonical text of ``tree``; ``text`` is what it was read from, without a byte order mark.

    A tree with syntax errors lacks what could not be read: format only what was read whole.

    Example:
        >>> from fhirmap.language.parser import parse
        >>> text = "group  g(source s,target t){ s.a->t.b ; }  // the end"
        >>> print(format_map(parse(text)[0], text), end="")
        group g(source s, target t) {
          s.a -> t.b;
        } // the end
    """
    return _Layout(text.removeprefix("\ufeff"), tree.comments).map(tree)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a rule's head, and where it was. ``atoms``: what a line may end after."""

    atoms: tuple[str, ...]
    start: int
    end: int

    @property
    def text(self) -> str:
        """The part on one line."""
        return " ".join(self.atoms)

    def between(self, lead: str, suffix: str) -> _Piece:
        """The part with a mark before it and one after it."""
        first, *rest = self.atoms
        *most, last = (lead + first, *rest)
        return _Piece((*most, last + suffix), self.start, self.end)


class _Layout:
    def __init__(self, text: str, comments: Sequence[n.MapComment]) -> None:
        self._text = text
        self._comments = sorted(comments, key=lambda comment: comment.span.start)
        self._comment_ends = [comment.span.end for comment in self._comments]
        self._next = 0
        self._lines: list[str] = []
        self._end = 0
        """Where in the text the last thing written ended."""
        self._open_comment = False
        """Does the last line end in a comment that goes to the end of the line?"""

    # --- the file -----------------------------------------------------------------------------------------------------

    def map(self, tree: n.Map) -> str:
        declared: list[Any] = [
            *tree.metadata,
            *([tree.declaration] if tree.declaration else []),
            *tree.concept_maps,
            *tree.uses,
            *tree.imports,
            *tree.lets,
            *tree.models,
            *tree.groups,
        ]
        before: n.Declaration | None = None
        for node in sorted(declared, key=lambda entry: entry.span.start):
            self._declaration(node, before)
            before = node
        self._flush(len(self._text) + 1, 0)
        return "\n".join(self._lines).rstrip("\n") + "\n" if self._lines else ""

    def _declaration(self, node: n.Declaration, before: n.Declaration | None) -> None:
        apart = before is not None and (type(node) is not type(before) or _has_block(node))
        match node:
            case n.Group():
                head_end = self._mark_after("{", _last_end(node, node.name_span, node.extends_span, *node.parameters))
                rules: Callable[[], None] = lambda: self._rules(node.rules, 1)  # noqa: E731
                self._block(node.span, t.group_head(node), head_end, rules, apart, node.documentation)
            case n.Model():
                head_end = self._mark_after("{", _last_end(node, node.name_span, node.store))
                elements: Callable[[], None] = lambda: self._elements(node.elements)  # noqa: E731
                self._block(node.span, t.model_head(node), head_end, elements, apart)
            case n.ConceptMapDeclaration():
                head_end = self._mark_after("{", _last_end(node, node.id_span, node.table))
                entries: Callable[[], None] = lambda: self._entries(node)  # noqa: E731
                self._block(node.span, t.concept_map_head(node), head_end, entries, apart, node.documentation)
            case n.Uses():
                self._item(node.span, t.uses_to_text(node), 0, apart, node.documentation)
            case _:
                self._item(node.span, _simple(node), 0, apart)

    def _block(  # noqa: PLR0913 - the pieces of one block
        self,
        span: Span,
        head: str,
        head_end: int,
        write: Callable[[], None],
        apart: bool,
        documentation: Sequence[str] = (),
    ) -> None:
        self._start(head_end, span.start, 0, apart, documentation)
        self._write(head, 0, head_end)
        write()
        close = self._closing(span, head_end)
        self._flush(close, 1)
        self._write("}", 0, span.end)
        self._trailing(span.end)

    def _item(self, span: Span, text: str, depth: int, apart: bool = False, documentation: Sequence[str] = ()) -> None:
        self._start(span.end, span.start, depth, apart, documentation)
        self._write(text, depth, span.end)
        self._trailing(span.end)

    def _entries(self, node: n.ConceptMapDeclaration) -> None:
        entries: list[Any] = [*node.prefixes, *node.unmapped, *node.codes]
        for entry in sorted(entries, key=lambda found: found.span.start):
            self._item(entry.span, t.concept_map_entry(entry), 1)

    def _elements(self, elements: tuple[n.ModelElement, ...]) -> None:
        rows = [t.model_element_columns(element) for element in elements]
        name_width = max((len(name) for name, _, _ in rows), default=0)
        type_width = max((len(kind) for _, kind, _ in rows), default=0)
        commented: list[tuple[int, int]] = []
        for element, (name, kind, rest) in zip(elements, rows, strict=True):
            head = f"{name:<{name_width}} : {kind:<{type_width}} {rest[0]}"
            lines = _filled((head, *rest[1:]), " " * (len(head) + 1), _WIDTH - len(_INDENT))
            self._start(element.span.end, element.span.start, 1, apart=False)
            for line in lines:
                self._write(line, 1, element.span.end)
            before = len(self._lines[-1])
            self._trailing(element.span.end)
            if len(self._lines[-1]) > before:
                commented.append((len(self._lines) - 1, before))
        # Comments after the elements of a model are one below the other too.
        column = max((width for _, width in commented), default=0)
        for index, width in commented:
            line = self._lines[index]
            self._lines[index] = f"{line[:width]:<{column}}   {line[width:].lstrip(' ')}"

    # --- rules --------------------------------------------------------------------------------------------------------

    def _rules(self, rules: tuple[n.Rule, ...], depth: int) -> None:
        for rule in rules:
            self._rule(rule, depth)

    def _rule(self, rule: n.Rule, depth: int) -> None:
        name = f" {quote(rule.name, chr(34))}" if rule.name is not None else ""
        block = rule.dependent.rules if rule.dependent is not None else None
        pieces = self._pieces(rule, " {" if block is not None else f"{name};")
        start = rule.span.start
        self._start(start + 1 if self._text else 0, start, depth, apart=False, documentation=rule.documentation)
        self._head(pieces, depth)
        if block is not None and rule.dependent is not None:
            self._rules(block, depth + 1)
            self._flush(rule.dependent.span.end - 1, depth + 1)
            self._write(f"}}{name};", depth, rule.span.end)
        self._end = rule.span.end
        self._trailing(rule.span.end)

    def _pieces(self, rule: n.Rule, suffix: str) -> list[_Piece]:
        """The head of the rule in pieces; ``suffix`` comes after the last."""
        parts = [_Piece(t.source_clauses(entry), entry.span.start, entry.span.end) for entry in rule.sources]
        rows = [_with_commas(parts)]
        if rule.batch:
            start = rule.targets[0].span.start
            end = max([start, *(span.end for span in rule.batch_spans)])
            rows.append([_Piece((t.batch_to_text(rule),), start, end)])
        elif rule.targets:
            parts = [_Piece((t.target_to_text(entry),), entry.span.start, entry.span.end) for entry in rule.targets]
            rows.append(_with_commas(parts, "-> "))
        dependent = rule.dependent
        if dependent is not None and dependent.calls:
            parts = [_Piece((t.group_call_to_text(call),), call.span.start, call.span.end) for call in dependent.calls]
            rows.append(_with_commas(parts, "then "))
        elif dependent is not None:
            rows.append([_Piece(("then",), dependent.span.start, dependent.span.start + len("then"))])
        pieces = [piece for row in rows for piece in row]
        last = pieces[-1].between("", suffix)
        end = last.end
        if dependent is not None and dependent.rules is not None:
            end = self._mark_after("{", last.end)
        return [*pieces[:-1], _Piece(last.atoms, last.start, end)]

    def _head(self, pieces: list[_Piece], depth: int) -> None:
        """On one line; filled up where that is too long; below one another where comments are between."""
        line = " ".join(piece.text for piece in pieces)
        commented = self._peek() is not None and self._peek_start() < pieces[-1].start
        if not commented:
            width = _WIDTH - len(_INDENT) * depth
            atoms = [atom for piece in pieces for atom in piece.atoms]
            breaks = self._breaks(pieces) if len(line) > width else frozenset()
            for filled in _filled(atoms, _CONTINUED, width, breaks):
                self._write(filled, depth, pieces[-1].end)
            return
        indent = ""
        for index, piece in enumerate(pieces):
            if index:
                self._between(pieces[index - 1].end, piece.start, depth)
                indent = _CONTINUED
            self._write(indent + piece.text, depth, piece.end)

    def _breaks(self, pieces: list[_Piece]) -> frozenset[int]:
        """Atoms that began a line in the text: where its author broke a long rule, it stays broken."""
        found: set[int] = set()
        index = 0
        for before, piece in zip([None, *pieces], pieces, strict=False):
            if before is not None and "\n" in self._text[before.end : piece.start]:
                found.add(index)
            index += len(piece.atoms)
        return frozenset(found)

    def _between(self, end: int, start: int, depth: int) -> None:
        """Comments between two pieces: after the first where they were on its line, else on lines of their own."""
        while (comment := self._peek()) is not None and comment.span.start < start:
            self._next += 1
            same_line = comment.span.start < end or "\n" not in self._text[end : comment.span.start]
            if same_line and not self._open_comment:
                self._append(comment)
            else:
                self._own_line(comment, _CONTINUED, depth)
            end = max(end, comment.span.end)

    # --- comments -----------------------------------------------------------------------------------------------------

    def _peek(self) -> n.MapComment | None:
        return self._comments[self._next] if self._next < len(self._comments) else None

    def _peek_start(self) -> int:
        comment = self._peek()
        return comment.span.start if comment is not None else len(self._text) + 1

    def _start(self, upto: int, start: int, depth: int, apart: bool, documentation: Sequence[str] = ()) -> None:
        """The empty line that keeps things apart, and comments above, or inside before ``upto``."""
        if apart and self._lines and self._lines[-1] != "":
            self._lines.append("")
        for line in documentation:
            self._write(line, depth, start)
        self._flush(upto, depth)
        self._blank(start)

    def _flush(self, before: int, depth: int) -> None:
        while (comment := self._peek()) is not None and comment.span.start < before:
            self._next += 1
            self._blank(comment.span.start)
            self._own_line(comment, "", depth)

    def _blank(self, start: int) -> None:
        """One empty line where the text had any, but none at the beginning of a block."""
        if not self._lines or self._lines[-1] == "" or self._lines[-1].endswith("{"):
            return
        if self._text[self._end : start].count("\n") > 1:
            self._lines.append("")

    def _own_line(self, comment: n.MapComment, indent: str, depth: int) -> None:
        self._write(indent + _unix(comment.text), depth, comment.span.end)
        self._open_comment = comment.text.startswith("//")

    def _trailing(self, end: int) -> None:
        """Comments after ``end`` on its line."""
        while (comment := self._peek()) is not None:
            between = self._text[end : comment.span.start]
            if comment.span.start >= end and (between.strip(" \t;,") or "\n" in between):
                return
            if self._open_comment:
                return
            self._next += 1
            self._append(comment)
            end = max(end, comment.span.end)

    def _append(self, comment: n.MapComment) -> None:
        self._lines[-1] += f" {_unix(comment.text)}"
        self._open_comment = comment.text.startswith("//")
        self._end = max(self._end, comment.span.end)

    # --- text ---------------------------------------------------------------------------------------------------------

    def _write(self, line: str, depth: int, end: int) -> None:
        self._lines.append(_INDENT * depth + line)
        self._end = max(self._end, end)
        self._open_comment = False

    def _mark_after(self, mark: str, start: int) -> int:
        """Offset just after the first ``mark`` from ``start`` on that is in no comment; ``start`` without one."""
        at = start
        while True:
            found = self._text.find(mark, at)
            if found < 0:
                return start
            rank = bisect_right(self._comment_ends, found)
            if rank == len(self._comments) or self._comments[rank].span.start > found:
                return found + 1
            at = self._comment_ends[rank]

    def _closing(self, span: Span, head_end: int) -> int:
        """Offset of the mark that closes a block."""
        if not self._text:
            return 0
        found = self._text.rfind("}", head_end, span.end)
        return found if found >= 0 else span.end


def _has_block(node: n.Declaration) -> bool:
    return isinstance(node, n.Group | n.Model | n.ConceptMapDeclaration)


def _simple(node: n.Metadata | n.MapDeclaration | n.MapImport | n.Let) -> str:
    match node:
        case n.Metadata():
            return t.metadata_to_text(node)
        case n.MapDeclaration():
            return f"map {t.url_to_text(node.url)} = {t.url_to_text(node.name)}"
        case n.MapImport():
            return f"imports {t.url_to_text(node.url)}"
        case _:
            return t.let_to_text(node)


def _last_end(node: n.Declaration, *parts: Span | n.Parameter | n.SourceClause | n.ConceptMapTable | None) -> int:
    spans: list[Span] = [part if isinstance(part, Span) else part.span for part in parts if part is not None]
    start: int = node.span.start
    return max([start, *(span.end for span in spans)])


def _with_commas(pieces: list[_Piece], lead: str = "") -> list[_Piece]:
    last = len(pieces) - 1
    return [
        piece.between(lead if index == 0 else "", "," if index < last else "") for index, piece in enumerate(pieces)
    ]


def _filled(atoms: Sequence[str], indent: str, width: int, breaks: frozenset[int] = frozenset()) -> list[str]:
    """``atoms`` in lines of at most ``width`` characters where that can be, those after the first indented.

    ``breaks``: atoms that begin a line in any case.
    """
    lines: list[str] = []
    line = ""
    for index, atom in enumerate(atoms):
        if line and (index in breaks or len(line) + 1 + len(atom) > width):
            lines += _wrapped(line, indent, width)
            line = indent + atom
        else:
            line = f"{line} {atom}" if line else atom
    return [*lines, *_wrapped(line, indent, width)]


def _wrapped(line: str, indent: str, width: int) -> list[str]:
    """A line that is too long, broken before an `and`, `or` or `&` of as few brackets as there is."""
    lines: list[str] = []
    further = f"{indent}{_INDENT}"
    while len(line) > width and "\n" not in line:
        places = [(depth, at) for depth, at in _joints(line) if at > len(further)]
        fitting = [place for place in places if place[1] <= width]
        if not places:
            break
        least = min(depth for depth, _ in fitting or places)
        at = max(at for depth, at in fitting if depth == least) if fitting else places[0][1]
        lines.append(line[:at])
        line = further + line[at + 1 :]
    return [*lines, line]


def _joints(line: str) -> list[tuple[int, int]]:
    """(number of open brackets, offset of the blank) before each `and`, `or` and `&` outside quotes."""
    found: list[tuple[int, int]] = []
    depth = 0
    for match in _JOINTS.finditer(line):
        part = match[0]
        if part in "([{":
            depth += 1
        elif part in ")]}":
            depth -= 1
        elif part[0] == " ":
            found.append((depth, match.start()))
    return found


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")
