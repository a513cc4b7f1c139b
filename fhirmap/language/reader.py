"""lark's tables and contextual lexer, one token at a time, with a look ahead that changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from lark import Lark, Token, Tree
from lark.parse_tree_builder import ExpandSingleChild
from lark.parsers.lalr_analysis import Shift

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

_MOST_STATES = 1_000
"""How much the parser may hold that is not complete: more than all that the builders take of an expression inside of
blocks (`MAXIMUM_DEPTH`, `MAXIMUM_BLOCKS`). What it holds is gone through at some tokens: no text may make it long."""

_BLANKS = re.compile(r"\s*")
_BEFORE_UNIT = re.compile(r"[\d.]+|\s+|(//[^\r\n]*|/\*[\s\S]*?\*/)")

RawLexer: TypeAlias = Any
"""One of lark's own lexers, whose methods have no types."""
RawRule: TypeAlias = Any
"""One of lark's rules of a grammar, as untyped."""
Step: TypeAlias = tuple[Any, Any]
"""What lark's tables say of a token or a rule in a state: that it is taken, and the state after it; or the rule of
which all is there."""


class _Made(NamedTuple):
    """What is made of a rule of the grammar: the number of its parts, its name, and what makes a part of them; None
    where the only part is taken for the rule."""

    size: int
    name: str
    make: Callable[[list[Part]], Part] | None


class Reader:
    """The state of the parser in one text. ``tree`` is there once the end was read."""

    def __init__(self, lark: Lark, start: str, faults: Faults) -> None:
        interactive = lark.parse_interactive("", start=start)
        state = interactive.parser_state
        self._lexers: Any = interactive.lexer_thread.lexer
        self._table = _table_of(lark)
        self._rows = self._table.rows
        self._end_state: int = state.parse_conf.end_state
        self._states: list[int] = state.state_stack
        self._values: list[Part] = state.value_stack
        self._faults = faults
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
        if "UNMAPPED" not in self._rows[self._states[-1]] or self.after("UNMAPPED") is None:
            return
        run = long_run(self.text, self.at)
        if run is not None:
            self.code_rows.append(run)
            self.at = run[1]

    # --- one token ----------------------------------------------------------------------------------------------------

    def next_token(self) -> Token:
        """The next token as the present state reads it; as any state would, where the present one cannot."""
        token = self._lex_after(self._states, self.at)
        return self.raw_token(self.at) if token.type == LOST else token

    def _lex_after(self, stack: list[int], at: int) -> Token:
        """The token at ``at`` as it is read after ``stack``.

        LALR merges states of different contexts, and with them what the contextual lexer believes possible: after a
        name an `as` or a `<-` of some other context. What is not really allowed here is read again as what can.
        """
        token = self._lex(self._lexers.lexers[stack[-1]], at)
        if token.type in _SAFE or self._fits(stack, token.type):
            return token
        start = start_of(token)
        found = self._exact_pattern(stack).match(self.text, start)
        if found is None or found.lastgroup is None:
            return token
        return _token(found.lastgroup, found[0], start, found.end())

    def _exact_pattern(self, stack: list[int]) -> re.Pattern[str]:
        """Matches the tokens that may come after ``stack``, in the lexer's own order."""
        kinds = frozenset(kind for kind in self._rows[stack[-1]] if self._fits(stack, kind))
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
        match, text = _token_pattern(lexer).match, self.text
        while (found := match(text, at)) is not None:
            kind = found.lastgroup
            assert kind is not None
            start, end = found.span(kind)
            if text[start] in self._unclosed:
                return _token(LOST, text[start], start, start + 1)
            if kind != "COMMENT":
                if kind == "QUANTITY":
                    self._note_inner_comments(found[kind], start)
                return _token(kind, found[kind], start, end)
            self._note_comment(found[kind], start)
            at = end
        blanks = _BLANKS.match(text, at)
        start = blanks.end() if blanks is not None else at
        if start == len(text):
            return _token(END, "", start, start)
        return _token(LOST, text[start], start, start + 1)

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
        step = self._rows[self._states[-1]].get(token.type)
        if step is None:
            return False
        if step[0] is not Shift:
            states, values = self._states[:], self._values[:]
            step = self._complete(token.type)
            if step is None and self.tree is None:
                # What was reduced on the way is undone: it was not this token that ended it.
                self._states[:], self._values[:] = states, values
                return False
        if step is not None:
            self._states.append(step[1])
            self._values.append(token)
        self.at = end_of(token)
        self.before, self.last = self.last, token
        return True

    def _complete(self, kind: str) -> Step | None:
        """Makes parts of all rules that are complete before a token of this kind: how it is taken then, if it is. At
        the end of the text nothing is taken, and ``tree`` is there."""
        table, rows, states, values = self._table, self._rows, self._states, self._values
        while (step := rows[states[-1]].get(kind)) is not None and step[0] is not Shift:
            size, name, make = table.made_by(step[1])
            if make is None:
                states[-1] = table.settled(states[-2], states[-1], kind)
                continue
            if size:
                parts = values[-size:]
                del states[-size:], values[-size:]
                values.append(make(parts))
            else:
                values.append(make([]))
            states.append(rows[states[-1]][name][1])
            if kind == END and states[-1] == self._end_state:
                tree = values[-1]
                assert isinstance(tree, Tree)
                self.tree = tree
                return None
        return step

    def put_in(self, kind: str, text: str, at: int | None = None) -> bool:
        """Gives the parser a token that the text does not have; it has no width."""
        at = self.last_end if at is None else at
        return self.feed(Token(kind, text, start_pos=at, end_pos=at))

    def after_last(self, kind: str) -> list[int] | None:
        """As `after`, as if the last token, which was only just read, were not there."""
        values = self._values
        if not values or values[-1] is not self.last:
            return None
        return self.after(kind, stack=self._states[:-1])

    def take_back(self) -> None:
        """Forgets the last token, which was only just read."""
        del self._states[-1:], self._values[-1:]
        self.last, self.before = self.before, None

    # --- looking ahead ------------------------------------------------------------------------------------------------

    def after(self, *kinds: str, stack: list[int] | None = None) -> list[int] | None:
        """The parser's stack of states after tokens of those kinds; ``None`` where they are not allowed here."""
        states: list[int] | None = self._states if stack is None else stack
        for kind in kinds:
            states = self._after(states, kind) if states is not None else None
        return states

    def _fits(self, stack: list[int], kind: str) -> bool:
        """May a token of this kind come after ``stack``?"""
        step = self._rows[stack[-1]].get(kind)
        return step is not None and (step[0] is Shift or self._after(stack, kind) is not None)

    def _after(self, stack: list[int], kind: str) -> list[int] | None:
        table, rows, stack = self._table, self._rows, list(stack)
        while (step := rows[stack[-1]].get(kind)) is not None:
            if step[0] is Shift:
                stack.append(step[1])
                return stack
            size, name, make = table.made_by(step[1])
            if make is None:
                stack[-1] = table.settled(stack[-2], stack[-1], kind)
                continue
            if size:
                del stack[-size:]
            stack.append(rows[stack[-1]][name][1])
            if kind == END and stack[-1] == self._end_state:
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
        return self.goes_on(self._states, end_of(token))

    def accepted(self) -> list[str]:
        """The kinds of token that are allowed here."""
        kinds = [kind for kind in self._rows[self._states[-1]] if kind.isupper() or kind == END]
        return [kind for kind in kinds if self.after(kind) is not None]

    # --- what was read ------------------------------------------------------------------------------------------------

    @property
    def is_too_deep(self) -> bool:
        """Are there more blocks and parentheses open than any map may have?"""
        return len(self._states) > _MOST_STATES

    @property
    def open_blocks(self) -> int:
        """Number of `{` that are not closed yet."""
        return sum(isinstance(value, Token) and value.type == "LBRACE" for value in self._values)

    @property
    def last_end(self) -> int:
        """Offset just after the last token."""
        return end_of(self.last) if self.last is not None else 0

    def innermost(self, *kinds: str) -> Token | None:
        """The last token of those kinds that belongs to something unfinished."""
        closed = 0
        for value in reversed(self._values):
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
        for state in reversed(self._states):
            for entry in lists:
                if entry in self._rows[state]:
                    return entry
        return ""

    def cut(self, *lists: str) -> tuple[str, list[Part]]:
        """Forgets the unfinished entry of the innermost of ``lists``: what that list holds, and what was forgotten."""
        states, values = self._states, self._values
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


class _Table:
    """lark's table of a grammar, and what is worked out of it but once."""

    def __init__(self, lark: Lark) -> None:
        parsing = lark.parse_interactive("", start=lark.options.start[0]).parser_state.parse_conf
        self.rows: dict[int, dict[str, Step]] = parsing.states
        self._makers: Any = parsing.callbacks
        self._made: dict[int, _Made] = {}
        """By identity of the rule: lark's rules work out a hash of all their parts whenever they are looked up."""
        self._settled: dict[tuple[int, int, str], int] = {}

    def made_by(self, rule: RawRule) -> _Made:
        """What a rule makes of its parts."""
        made = self._made.get(id(rule))
        if made is None:
            make, size = self._makers[rule], len(rule.expansion)
            is_part = size == 1 and isinstance(make, ExpandSingleChild)
            made = self._made[id(rule)] = _Made(size, rule.origin.name, None if is_part else make)
        return made

    def settled(self, below: int, state: int, kind: str) -> int:
        """The state in place of ``state`` before a token of this kind, once the last part is taken for all the rules of
        which it is the only part: a name is a term, a sum, a comparison and so on."""
        found = self._settled.get((below, state, kind))
        if found is None:
            found, step = state, self.rows[state].get(kind)
            while step is not None and step[0] is not Shift:
                _, name, make = self.made_by(step[1])
                if make is not None:
                    break
                found = self.rows[below][name][1]
                step = self.rows[found].get(kind)
            self._settled[below, state, kind] = found
        return found


_table_of = cache(_Table)


@cache
def _token_pattern(lexer: RawLexer) -> re.Pattern[str]:
    """Matches a token of those that a lexer of lark's knows, in their order, and the blanks before it."""
    kinds = [terminal for terminal in lexer.terminals if terminal.name != "WS"]
    return re.compile(r"\s*+(?:" + "|".join(f"(?P<{kind.name}>{kind.pattern.to_regexp()})" for kind in kinds) + ")")


def _token(kind: str, text: str, start: int, end: int) -> Token:
    """A token as `Token(kind, text, start_pos=start, end_pos=end)` makes it, in half the time: the lines and columns
    that it leaves out are not asked for."""
    token = str.__new__(Token, text)
    token.type, token.value, token.start_pos, token.end_pos = kind, text, start, end
    return token
