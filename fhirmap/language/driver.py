"""Text → lark's tree, going on after every syntax error.

At an error this looks at the parser's state, says what was expected there, and goes on: with a token put in, left out
or replaced where that makes sense of what follows, else after the next `;` or `}`. Each error is one diagnostic;
what was put in has no width, so every span stays true.
"""

from __future__ import annotations

from lark import Lark, Token, Tree

from fhirmap.diagnostics import Span, Subject
from fhirmap.language import nodes as n
from fhirmap.language.attempts import ATTEMPTS
from fhirmap.language.declared import declared_names
from fhirmap.language.expressions import start_of
from fhirmap.language.faults import Faults
from fhirmap.language.mistakes.operators import sql_list
from fhirmap.language.reader import END, LOST, Reader
from fhirmap.language.recovery import Recovery

_QUOTED = ("STRING", "DOUBLE_QUOTED_STRING")
_MOST_ERRORS = 500
"""A text with more errors than is not a map; reading on would not help."""


class Driver:
    """Parses one text; see `tree` and `comments` when it has run.

    ``closes_lines``: take a text in quotes that goes on after its line for one whose closing quote is missing.
    ``spans_lines``: was there such a text?
    """

    def __init__(self, lark: Lark, start: str, faults: Faults, *, closes_lines: bool = False) -> None:
        self.spans_lines = False
        self._closes_lines = closes_lines
        self._reader = Reader(lark, start, faults)
        self._recovery = Recovery(self._reader, faults)
        self._faults = faults
        self._text = faults.text.text
        self._whole = start == "structure_map"
        self._errors = 0
        self._stuck = (-1, 0)

    @property
    def tree(self) -> Tree[Token] | None:
        """What could be read of the text; of a single expression with an error nothing."""
        return self._reader.tree

    @property
    def comments(self) -> tuple[n.MapComment, ...]:
        """The comments between the tokens."""
        return tuple(self._reader.comments.values())

    @property
    def code_rows(self) -> tuple[tuple[int, int], ...]:
        """Start and end of long runs of rows of concept maps, which are not in the tree."""
        return tuple(self._reader.code_rows)

    def declared(self) -> tuple[tuple[Subject, Span], ...]:
        """Names that the text declares, those of declarations that could not be read among them."""
        return declared_names(self._reader)

    def run(self) -> None:
        """Parses to the end of the text."""
        while self.tree is None:
            self._reader.take_rows()
            token = self._reader.next_token()
            if token.type in _QUOTED and "\n" in token:
                self.spans_lines = True
                if self._closes_lines:
                    self._errors += 1
                    self._recovery.open_quote(start_of(token))
                    continue
            if token.type == "COMMA" and sql_list(self._recovery.site, token):
                self._errors += 1
                continue
            inside = self._recovery.is_top_level_inside(token)
            if not inside and self._reader.feed(token):
                if not self._reader.is_too_deep:
                    continue
                self._recovery.too_deep(token)
                if not self._whole:
                    return
                self._recovery.forget_declaration(token)
                continue
            if not self._whole:
                self._report_single(token)
                return
            self._errors += 1
            if self._errors > _MOST_ERRORS or self._is_stuck():
                self._recovery.report_unexpected(token)
                self._recovery.give_up()
            elif inside:
                self._recovery.close_everything(token)
            else:
                self._recover(token)

    def _is_stuck(self) -> bool:
        """Have many recoveries not moved on? Then none will."""
        at, times = self._stuck
        self._stuck = (self._reader.at, times + 1 if at == self._reader.at else 0)
        return self._stuck[1] > 20

    def _recover(self, token: Token) -> None:
        if any(attempt(self._recovery, token) for attempt in ATTEMPTS):
            return
        if token.type == END:
            self._recovery.close_everything(token)
            return
        self._recovery.report_unexpected(token)
        self._recovery.skip(start_of(token))

    def _report_single(self, token: Token) -> None:
        """The one error of an expression on its own."""
        at = start_of(token)
        if token.type == LOST and token in "'\"`":
            self._recovery.unterminated(at, len(self._text), str(token))
        elif self._text.startswith("/*", at):
            self._faults.add("FM011", self._faults.span(at, at + 2))
        elif token.type == LOST:
            self._recovery.meaningless(at)
        else:
            self._recovery.report_unexpected(token)
