"""Comments of a map → the documentation of the element they belong to, and back."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from fhirmap.language import nodes as n

Anchor = n.Uses | n.Group | n.Rule | n.Model | n.ConceptMapDeclaration

_BREAK = re.compile(r"\r\n|\r|\n")


class Documentation:
    """Which comments belong to which declaration, group or rule of one tree; ``left`` are those that belong to none.

    A comment belongs to what it is above or, on the same line, after; one inside a rule, or at the end of a
    block, to that rule or block.
    """

    def __init__(self, tree: n.Map) -> None:
        self._text = tree.span.text.text
        anchors = sorted(_anchors(tree), key=lambda node: (node.span.start, -node.span.end))
        self._anchors = [node for node in anchors if node.span.end > node.span.start]
        self._starts = [node.span.start for node in self._anchors]
        self._ends = sorted(self._anchors, key=lambda node: (node.span.end, -node.span.start))
        self._end_offsets = [node.span.end for node in self._ends]
        self._found: dict[tuple[type, int], list[n.MapComment]] = {}
        self._trailing: dict[tuple[type, int], list[n.MapComment]] = {}
        self.left: list[n.MapComment] = []
        comments = sorted(tree.comments, key=lambda comment: comment.span.start)
        self._blank = _without(self._text, comments)
        models = [node.span for node in tree.models]
        for comment in comments:
            if any(span.start <= comment.span.start < span.end for span in models):
                continue  # goes with the model's own text
            self._place(comment)

    def of(self, node: Anchor) -> str | None:
        """The documentation of a declaration, a group or a rule; None without any."""
        comments = (*self._found.get(_key(node), ()), *self._trailing.get(_key(node), ()))
        lines = [line for comment in comments for line in _lines(comment.text)]
        while lines and not lines[-1]:
            lines.pop()
        while lines and not lines[0]:
            lines.pop(0)
        # The line break of the reference engine, which the official cases state.
        return "\r\n".join(lines) if lines else None

    def _place(self, comment: n.MapComment) -> None:
        start, end = comment.span.start, comment.span.end
        before = bisect_left(self._end_offsets, start + 1) - 1
        if before >= 0:
            node = self._ends[before]
            between = self._blank[node.span.end : start]
            if "\n" not in between and not between.strip(" \t;,"):
                self._trailing.setdefault(_key(node), []).append(comment)
                return
        after = bisect_left(self._starts, end)
        if after < len(self._anchors) and not self._blank[end : self._starts[after]].strip(" \t\r\n{"):
            self._found.setdefault(_key(self._anchors[after]), []).append(comment)
            return
        for rank in range(after - 1, -1, -1):
            around = self._anchors[rank]
            if around.span.end > start:
                self._trailing.setdefault(_key(around), []).append(comment)
                return
        self.left.append(comment)


def _key(node: Anchor) -> tuple[type, int]:
    """What a node is known by, also when its names have been changed."""
    return type(node), node.span.start


def _anchors(tree: n.Map) -> Iterator[Anchor]:
    yield from tree.uses
    yield from tree.concept_maps
    yield from tree.models
    for group in tree.groups:
        yield group
        yield from _rules(group.rules)


def _rules(rules: tuple[n.Rule, ...]) -> Iterator[n.Rule]:
    for rule in rules:
        yield rule
        if rule.dependent is not None:
            yield from _rules(rule.dependent.rules or ())


def _without(text: str, comments: list[n.MapComment]) -> str:
    """The text with its comments blanked out, so that offsets stay."""
    pieces, at = [], 0
    for comment in comments:
        pieces += [text[at : comment.span.start], " " * (comment.span.end - comment.span.start)]
        at = comment.span.end
    return "".join((*pieces, text[at:]))


def _lines(comment: str) -> list[str]:
    """What a comment says, line by line, without its marks."""
    if comment.startswith("//"):
        text = comment[2:]
        return [text[1:].rstrip() if text.startswith(" ") else text.rstrip()]
    lines = _BREAK.split(comment.removeprefix("/*").removesuffix("*/").lstrip("*"))
    if len(lines) == 1:
        return [lines[0].strip()]
    starred = all(line.lstrip().startswith("*") for line in lines[1:-1] if line.strip())
    stripped = [re.sub(r"^\s*\* ?", "", line) if starred else line.strip() for line in lines]
    return [line.rstrip() for line in stripped]


def comment_lines(documentation: str | None) -> tuple[str, ...]:
    """Documentation as comments, one per line of it."""
    return tuple(f"// {line}".rstrip() for line in _BREAK.split(documentation)) if documentation else ()
