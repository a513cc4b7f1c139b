"""lark's tables and contextual lexer, one token at a time, with a look ahead that changes nothing."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedToken
from lark.parsers.lalr_analysis import Shift
from lark.utils import TextSlice

from fhirmap.diagnostics import Span
from fhirmap.language import nodes as n
from fhirmap.language.code_rows import long_run
from fhirmap.language.expressions import Part, end_of, start_of
from fhirmap.language.faults import Faults

END = "$END"
LOST = "$LOST"
"""Type of a token that no terminal of the grammar matches."""

_SAFE = frozenset(
    (
        *("IDENTIFIER", "DELIMITEDIDENTIFIER", "STRING", "DOUBLE_QUOTED_STRING", "INTEGER", "METADATA", END, LOST),
        *("SEMICOLON", "COMMA", "DOT", "DOTDOT", "COLON", "EQUAL", "ARROW"),
        *("LPAR", "RPAR", "LSQB", "RSQB", "LBRACE", "RBRACE"),
    )
)
"""Kinds that no other kind could be meant for."""

_BEFORE_UNIT = re.compile(r"[\d.]+|\s+|(//[^\r\n]*|/\*[\s\S]*?\*/)")

RawLexer: TypeAlias = Any
"""One of lark's own lexers, whose methods have no types."""


class Reader:
    """The state of the parser in one text. ``tree`` is there once the end was read."""

    def __init__(self, lark: Lark, start: str, faults: Faults) -> None:
        interactive = lark.parse_interactive("", start=start)
        self._state = interactive.parser_state
        self._lexers: Any = interactive.lexer_thread.lexer
        self._rows = self._state.parse_conf.states
        self._faults = faults
        self._slice = TextSlice.cast_from(faults.text.text)
        self.patterns = {terminal.name: terminal.pattern for terminal in lark.terminals}
        self.text = faults.text.text
        self.at = 0
        self.last: Token | None = None
        self.before: Token | None = None
        """The token before ``last``."""
        self.comments: dict[int, n.MapComment] = {}
        self.tree: Tree[Token] | None = None
        self.code_rows: list[tuple[int, int]] = []
        """Start and end of the runs of rows that were taken as they are (`take_rows`)."""
        self._unclosed: set[str] = set()
        """Quotes that were not closed up to the end: none after can be either, so no later search is needed."""
        self._exact: dict[frozenset[str], re.Pattern[str]] = {}

    # --- long runs of rows of a concept map ---------------------------------------------------------------------------

    def take_rows(self) -> None:
        """Go on after a long run of rows of a concept map, where one begins; they are no tokens."""
        if "UNMAPPED" not in self._rows[self._state.position] or self.after("UNMAPPED") is None:
            return
        run = long_run(self.text, self.at)
        if run is not None:
            self.code_rows.append(run)
            self.at = run[1]

    # --- one token ----------------------------------------------------------------------------------------------------

    def next_token(self) -> Token:
        """The next token as the present state reads it; as any state would, where the present one cannot."""
        token = self._lex_after(self._state.state_stack, self.at)
        return self.raw_token(self.at) if token.type == LOST else token

    def _lex_after(self, stack: list[int], at: int) -> Token:
        """The token at ``at`` as it is read after ``stack``.

        LALR merges states of different contexts, and with them what the contextual lexer believes possible: after a
        name an `as` or a `<-` of some other context. What is not really allowed here is read again as what can.
        """
        token = self._lex(self._lexers.lexers[stack[-1]], at)
        if token.type in _SAFE or self._after(stack, token.type) is not None:
            return token
        start = start_of(token)
        found = self._exact_pattern(stack).match(self.text, start)
        if found is None or found.lastgroup is None:
            return token
        return Token(found.lastgroup, found[0], start_pos=start, end_pos=found.end())

    def _exact_pattern(self, stack: list[int]) -> re.Pattern[str]:
        """Matches the tokens that may come after ``stack``, in the lexer's own order."""
        kinds = frozenset(kind for kind in self._rows[stack[-1]] if self._after(stack, kind) is not None)
        if kinds not in self._exact:
            terminals = [terminal for terminal in self._lexers.root_lexer.terminals if terminal.name in kinds]
            parts = [f"(?P<{terminal.name}>{terminal.pattern.to_regexp()})" for terminal in terminals]
            self._exact[kinds] = re.compile("|".join(parts) or "(?!)")
        return self._exact[kinds]

    def raw_token(self, at: int) -> Token:
        """The token at ``at``, whatever it is."""
        token = self._lex(self._lexers.root_lexer, at)
        if token.type == LOST and token in "'\"`":
            self._unclosed.add(str(token))
        return token

    def _lex(self, lexer: RawLexer, at: int) -> Token:
        match, ignored, size = lexer.match, lexer.ignore_types, len(self.text)
        while at < size:
            found = match(self._slice, at) if self.text[at] not in self._unclosed else None
            if found is None:
                return Token(LOST, self.text[at], start_pos=at, end_pos=at + 1)
            value, kind = found
            end = at + len(value)
            if kind not in ignored:
                if kind == "QUANTITY":
                    self._note_inner_comments(value, at)
                return Token(kind, value, start_pos=at, end_pos=end)
            if kind == "COMMENT":
                self._note_comment(value, at)
            at = end
        return Token(END, "", start_pos=size, end_pos=size)

    def _note_comment(self, value: str, at: int) -> None:
        if at not in self.comments:
            text = value.rstrip()
            self.comments[at] = n.MapComment(text, self._faults.span(at, at + len(text)))

    def _note_inner_comments(self, quantity: str, at: int) -> None:
        """Those between a number and its unit, which are one token."""
        start = 0
        while (found := _BEFORE_UNIT.match(quantity, start)) is not None:
            start = found.end()
            if found[1]:
                self._note_comment(found[1], at + found.start(1))

    def feed(self, token: Token) -> bool:
        """Gives ``token`` to the parser; ``False`` where it is not allowed here."""
        if token.type not in self._rows[self._state.position]:
            return False
        states, values = self._state.state_stack[:], self._state.value_stack[:]
        try:
            result = self._state.feed_token(token, token.type == END)
        except UnexpectedToken:
            # What was reduced on the way is undone: it was not this token that ended it.
            self._state.state_stack[:], self._state.value_stack[:] = states, values
            return False
        if token.type == END:
            self.tree = result
        self.at = end_of(token)
        self.before, self.last = self.last, token
        return True

    def put_in(self, kind: str, text: str, at: int | None = None) -> bool:
        """Gives the parser a token that the text does not have; it has no width."""
        at = self.last_end if at is None else at
        return self.feed(Token(kind, text, start_pos=at, end_pos=at))

    def after_last(self, kind: str) -> list[int] | None:
        """As `after`, as if the last token, which was only just read, were not there."""
        values = self._state.value_stack
        if not values or values[-1] is not self.last:
            return None
        return self.after(kind, stack=self._state.state_stack[:-1])

    def take_back(self) -> None:
        """Forgets the last token, which was only just read."""
        del self._state.state_stack[-1:], self._state.value_stack[-1:]
        self.last, self.before = self.before, None

    # --- looking ahead ------------------------------------------------------------------------------------------------

    def after(self, *kinds: str, stack: list[int] | None = None) -> list[int] | None:
        """The parser's stack of states after tokens of those kinds; ``None`` where they are not allowed here."""
        states: list[int] | None = self._state.state_stack if stack is None else stack
        for kind in kinds:
            states = self._after(states, kind) if states is not None else None
        return states

    def _after(self, stack: list[int], kind: str) -> list[int] | None:
        stack = list(stack)
        while (entry := self._rows[stack[-1]].get(kind)) is not None:
            action, argument = entry
            if action is Shift:
                stack.append(argument)
                return stack
            if argument.expansion:
                del stack[-len(argument.expansion) :]
            stack.append(self._rows[stack[-1]][argument.origin.name][1])
            if kind == END and stack[-1] == self._state.parse_conf.end_state:
                return stack
        return None

    def goes_on(self, stack: list[int] | None, at: int, count: int = 2) -> bool:
        """Do the next ``count`` tokens from ``at`` fit after ``stack``?"""
        for _ in range(count):
            if stack is None:
                return False
            token = self._lex_after(stack, at)
            stack = self._after(stack, token.type)
            at = end_of(token)
            if token.type == END:
                break
        return stack is not None

    def fits_without(self, token: Token) -> bool:
        """Do the tokens after ``token`` fit here?"""
        return self.goes_on(self._state.state_stack, end_of(token))

    def accepted(self) -> list[str]:
        """The kinds of token that are allowed here."""
        kinds = [kind for kind in self._rows[self._state.position] if kind.isupper() or kind == END]
        return [kind for kind in kinds if self.after(kind) is not None]

    # --- what was read ------------------------------------------------------------------------------------------------

    @property
    def last_end(self) -> int:
        """Offset just after the last token."""
        return end_of(self.last) if self.last is not None else 0

    def innermost(self, *kinds: str) -> Token | None:
        """The last token of those kinds that belongs to something unfinished."""
        closed = 0
        for value in reversed(self._state.value_stack):
            if not isinstance(value, Token):
                continue
            if closed and value.type == "LPAR":
                closed -= 1
            elif value.type == "RPAR":
                closed += 1
            elif value.type in kinds and not closed:
                return value
        return None

    def inside(self, *lists: str) -> str:
        """The innermost of ``lists`` whose entry is being read, or could begin here; empty outside all of them."""
        for state in reversed(self._state.state_stack):
            for entry in lists:
                if entry in self._rows[state]:
                    return entry
        return ""

    def cut(self, *lists: str) -> tuple[str, list[Part]]:
        """Forgets the unfinished entry of the innermost of ``lists``: what that list holds, and what was forgotten."""
        states, values = self._state.state_stack, self._state.value_stack
        for depth in range(len(states) - 1, -1, -1):
            row = self._rows[states[depth]]
            for entry in lists:
                if entry in row:
                    lost = values[depth:]
                    del states[depth + 1 :], values[depth:]
                    return entry, lost
        raise AssertionError("the outermost state always begins a list")

    def begins_line(self, at: int) -> bool:
        """Is ``at`` the first place of its line that is not blank?"""
        return not self.text[self.text.rfind("\n", 0, at) + 1 : at].strip()

    def line_end(self, at: int) -> int:
        """Offset of the end of the line that holds ``at``."""
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def span(self, token: Token) -> Span:
        """What the token covers."""
        return self._faults.span(start_of(token), end_of(token))

    def gap(self) -> Span:
        """The place just after the last token, where something is missing."""
        return self._faults.span(self.last_end, self.last_end)
