"""Long runs of rows of a concept map, `s:a == t:b` each on a line of its own, kept as a place in the text.

A concept map may have hundreds of thousands of rows. As tokens and trees each would take kilobytes and a tenth of a
millisecond; most are written alike, so those are matched as they are, and become nodes whenever they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import overload

from fhirmap.diagnostics import MapText, Span
from fhirmap.language import nodes as n

LEAST = 200
"""Rows that make a long run."""
_CODE = r"""(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|"[^"\\`\r\n]+"|'[^'\\`\r\n]+')"""
_PREFIX = r"(?!(?:prefix|unmapped)\b)[A-Za-z_][A-Za-z0-9_]*"
_RELATION = r"==|=|-|!=|<=|<-|>=|>-|~"
_ROW = rf"[ \t]*+({_PREFIX}):({_CODE})[ \t]++({_RELATION})[ \t]++({_PREFIX}):({_CODE})[ \t]*+;?[ \t]*+\r?\n"
_ROWS = re.compile(_ROW)
_LONG = re.compile(rf"\s*(?:{_ROW}){{{LEAST}}}(?=[ \t]*{_PREFIX}:)")


def long_run(text: str, at: int) -> tuple[int, int] | None:
    """Start and end of the long run of rows at ``at``, its last row left out; None where there is none."""
    first = _LONG.match(text, at)
    if first is None:
        return None
    end = before = first.end()
    while (row := _ROWS.match(text, end)) is not None:
        before, end = end, row.end()
    return at, before


class CodeRows(Sequence[n.ConceptMapCode]):
    """The rows of a concept map: ``parts`` are nodes, and runs of the text by start and end, in the text's order."""

    def __init__(self, text: MapText, parts: Sequence[n.ConceptMapCode | tuple[int, int]]) -> None:
        self._text = text
        self._parts = tuple(parts)
        self._length = sum(1 for _ in self)

    def __iter__(self) -> Iterator[n.ConceptMapCode]:
        for part in self._parts:
            if isinstance(part, n.ConceptMapCode):
                yield part
            else:
                yield from map(self._row, _ROWS.finditer(self._text.text, *part))

    def _row(self, row: re.Match[str]) -> n.ConceptMapCode:
        source_prefix, source, relation, target_prefix, target = row.groups()
        return n.ConceptMapCode(
            source_prefix,
            _unquoted(source),
            relation,
            target_prefix,
            _unquoted(target),
            Span(self._text, row.start(1), row.end(5)),
            Span(self._text, row.start(1), row.end(2)),
            Span(self._text, row.start(4), row.end(5)),
        )

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> n.ConceptMapCode: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[n.ConceptMapCode]: ...
    def __getitem__(self, index: int | slice) -> n.ConceptMapCode | Sequence[n.ConceptMapCode]:
        return tuple(self)[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash((self._text, self._length))


def _unquoted(code: str) -> str:
    return code[1:-1] if code[0] in "\"'" else code
