"""Text → lark's tree, going on after every syntax error.

lark's tables and contextual lexer do the parsing; this loop feeds them token by token, so that at an error it can
look at the state, say what was expected there, and go on: with a token put in, left out or replaced where that makes
sense of what follows, else behind the next `;` or `}`. Each error is one diagnostic; what was put in has no width, so
every span stays true.
"""

from __future__ import annotations

import re
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedToken
from lark.parsers.lalr_analysis import Shift
from lark.utils import TextSlice

from fhirmap.diagnostics import Related
from fhirmap.diagnostics.nearest import nearest
from fhirmap.language import nodes as n
from fhirmap.language.expected import expected_words
from fhirmap.language.expressions import Part, end_of, first_token, start_of
from fhirmap.language.faults import Faults

END = "$END"
_LOST = "$LOST"
"""Type of a token that no terminal of the grammar matches."""

_WORD = re.compile(r"[^\W\d]\w*")
_TOP_LEVEL = re.compile(
    r"(?:group\s+(?:for\s+type|`?\w+`?\s*\()|model\s+\w+\s*(?:from\b|\{)|(?:uses|imports|conceptmap|map)\s+[\"']"
    r"|let\s+\w+\s*=)"
)
_TOP_WORDS = frozenset(("group", "model", "uses", "imports", "conceptmap", "map", "let"))
_DECLARATION_WORDS = ("group", "model", "uses", "imports", "conceptmap", "let", "map")
_LISTS = ("map_rule", "model_element", "concept_map_item", "declaration", "first_declaration")
_CLOSERS = {"{": "RBRACE", "(": "RPAR", "[": "RSQB"}
_OPENERS = {"LBRACE": "RBRACE", "LPAR": "RPAR", "LSQB": "RSQB"}
_MOST_ERRORS = 500
"""A text with more errors than this is no map; reading on would tell nobody anything."""


class Driver:
    """Parses one text. ``tree`` is what could be read of it, ``comments`` are those between the tokens."""

    def __init__(self, lark: Lark, start: str, faults: Faults) -> None:
        interactive = lark.parse_interactive("", start=start)
        self._parser = interactive.parser_state
        self._lexers: Any = interactive.lexer_thread.lexer
        self._states = self._parser.parse_conf.states
        self._patterns = {terminal.name: terminal.pattern for terminal in lark.terminals}
        self._faults = faults
        self._text = faults.text.text
        self._slice = TextSlice.cast_from(self._text)
        self._at = 0
        self._last: Token | None = None
        self._errors = 0
        self._stuck = (-1, 0)
        self._whole = start == "structure_map"
        self.comments: dict[int, n.Comment] = {}
        self.tree: Tree[Token] | None = None

    def run(self) -> None:
        """Parses to the end of the text."""
        while self.tree is None:
            token = self._next_token()
            inside = self._is_top_level_inside(token)
            if not inside and self._feed(token):
                continue
            if not self._whole:
                self._report_single(token)
                return
            self._errors += 1
            if self._errors > _MOST_ERRORS or self._is_stuck():
                self._give_up(token)
            elif inside:
                self._close_everything(token)
            else:
                self._recover(token)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _next_token(self) -> Token:
        """The next token as the present state reads it; as any state would, where the present one cannot."""
        token = self._lex(self._lexers.lexers[self._parser.position], self._at)
        return self._lex(self._lexers.root_lexer, self._at) if token.type == _LOST else token

    def _lex(self, lexer: Any, at: int) -> Token:
        match, ignored, size = lexer.match, lexer.ignore_types, len(self._text)
        while at < size:
            found = match(self._slice, at)
            if found is None:
                return Token(_LOST, self._text[at], start_pos=at, end_pos=at + 1)
            value, kind = found
            end = at + len(value)
            if kind not in ignored:
                return Token(kind, value, start_pos=at, end_pos=end)
            if kind == "COMMENT" and at not in self.comments:
                self.comments[at] = n.Comment(value.rstrip(), self._faults.span(at, at + len(value.rstrip())))
            at = end
        return Token(END, "", start_pos=size, end_pos=size)

    def _feed(self, token: Token) -> bool:
        """Gives ``token`` to the parser; ``False`` where it cannot stand here."""
        if token.type not in self._states[self._parser.position]:
            return False
        try:
            result = self._parser.feed_token(token, token.type == END)
        except UnexpectedToken:
            return False
        if token.type == END:
            self.tree = result
        self._at = end_of(token)
        self._last = token
        return True

    # --- looking ahead ------------------------------------------------------------------------------------------------

    def _after(self, stack: list[int] | None, kind: str) -> list[int] | None:
        """The parser's stack of states after a token of that kind; ``None`` where it cannot stand there."""
        if stack is None:
            return None
        stack = list(stack)
        while True:
            entry = self._states[stack[-1]].get(kind)
            if entry is None:
                return None
            action, argument = entry
            if action is Shift:
                stack.append(argument)
                return stack
            if argument.expansion:
                del stack[-len(argument.expansion) :]
            stack.append(self._states[stack[-1]][argument.origin.name][1])
            if kind == END and stack[-1] == self._parser.parse_conf.end_state:
                return stack

    def _goes_on(self, stack: list[int] | None, at: int, count: int = 2) -> bool:
        """Do the next ``count`` tokens from ``at`` fit behind ``stack``?"""
        for _ in range(count):
            if stack is None:
                return False
            token = self._lex(self._lexers.lexers[stack[-1]], at)
            stack = self._after(stack, token.type)
            at = end_of(token)
            if token.type == END:
                break
        return stack is not None

    def _accepted(self) -> list[str]:
        stack = self._parser.state_stack
        kinds = [kind for kind in self._states[stack[-1]] if kind.isupper() or kind == END]
        return [kind for kind in kinds if self._after(stack, kind) is not None]

    def _is_top_level_inside(self, token: Token) -> bool:
        """Does a declaration begin here although a `}` is missing? It begins a line, and looks like nothing else."""
        at = start_of(token)
        if token.type != "IDENTIFIER" or token not in _TOP_WORDS or _TOP_LEVEL.match(self._text, at) is None:
            return False
        return not self._text[self._text.rfind("\n", 0, at) + 1 : at].strip()

    def _is_stuck(self) -> bool:
        """Have several recoveries not moved on? Then none will."""
        at, times = self._stuck
        self._stuck = (self._at, times + 1 if at == self._at else 0)
        return self._stuck[1] > 20

    # --- recovering ---------------------------------------------------------------------------------------------------

    def _recover(self, token: Token) -> None:
        if self._string_swallowed_lines():
            return
        if token.type == _LOST:
            self._lost(token)
        elif not (self._misspelt(token) or self._put_in(token) or self._left_out(token)):
            if token.type == END:
                self._close_everything(token)
            else:
                self._report_unexpected(token)
                self._skip(token)

    def _report_single(self, token: Token) -> None:
        """The one error of an expression on its own."""
        if token.type == _LOST and self._text[start_of(token)] in "'\"`":
            self._unterminated(start_of(token), len(self._text), str(token))
        elif token.type == _LOST:
            self._lost(token)
        else:
            self._report_unexpected(token)

    def _string_swallowed_lines(self) -> bool:
        """An error right behind a text of several lines: its quote was not closed on its own line."""
        last = self._last
        if last is None or last.type not in ("STRING", "DOUBLE_QUOTED_STRING", "QUANTITY") or "\n" not in last:
            return False
        start = start_of(last)
        line_end = self._text.index("\n", start)
        self._unterminated(start, line_end, self._text[start])
        self._at = line_end
        self._skip(Token(_LOST, "", start_pos=line_end, end_pos=line_end))
        return True

    def _unterminated(self, start: int, end: int, mark: str) -> None:
        shown = start + len(self._text[start:end].rstrip())
        self._faults.add("FM005", self._faults.span(start, shown), mark=mark)

    def _lost(self, token: Token) -> None:
        """A character that begins no token."""
        at = start_of(token)
        line_end = _line_end(self._text, at)
        character = self._text[at]
        if character in "'\"`":
            self._unterminated(at, line_end, character)
            kind = {"'": "STRING", '"': "DOUBLE_QUOTED_STRING", "`": "DELIMITEDIDENTIFIER"}[character]
            content = re.sub(r"[;,{})\s]*\Z", "", self._text[at + 1 : line_end])
            if self._after(self._parser.state_stack, kind) is not None:
                end = at + 1 + len(content)
                self._feed(Token(kind, f"{character}{_plain(content)}{character}", start_pos=at, end_pos=end))
            else:
                self._skip(Token(_LOST, "", start_pos=line_end, end_pos=line_end))
        elif self._text.startswith("/*", at):
            self._faults.add("FM011", self._faults.span(at, at + 2))
            self._at = len(self._text)
        else:
            word = _WORD.match(self._text, at)
            end = word.end() if word else at + 1
            last = self._last
            begun = last is not None and word is not None and end_of(last) == at and last.type == "IDENTIFIER"
            start = start_of(last) if last is not None and begun else at
            found = self._text[at]
            variant = "letter" if word else "control" if not found.isprintable() else ""
            name = f"U+{ord(found):04X}" if variant == "control" else found
            self._faults.add("FM012", self._faults.span(start if word else at, end), variant=variant, found=name)
            self._at = end

    def _misspelt(self, token: Token) -> bool:
        """A word that is nearly a keyword of this place, and reads on as that keyword."""
        if not _WORD.fullmatch(token):
            return False
        stack = self._parser.state_stack
        words = {kind.lower(): kind for kind in self._accepted() if self._is_keyword(kind)}
        meant = nearest(str(token), words)
        if meant is None or not self._goes_on(self._after(stack, words[meant]), end_of(token), 1):
            return False
        self._faults.add("FM004", self._token_span(token), word=str(token), meant=meant)
        return self._feed(Token(words[meant], str(token), start_pos=start_of(token), end_pos=end_of(token)))

    def _is_keyword(self, kind: str) -> bool:
        pattern = self._patterns.get(kind)
        return pattern is not None and pattern.type == "re" and pattern.value.startswith(kind.lower() + "\\b")

    def _put_in(self, token: Token) -> bool:
        """One mark missing before ``token``."""
        stack = self._parser.state_stack
        begins_line = "\n" in self._text[self._last_end() : start_of(token)]
        accepted = set(self._accepted())
        may_end = "SEMICOLON" in accepted and (begins_line or token.type in ("RBRACE", END))
        if may_end and (token.type == END or self._goes_on(self._after(stack, "SEMICOLON"), self._last_end(), 1)):
            self._faults.add("FM002", self._gap())
            return self._feed(self._made_up("SEMICOLON", ";"))
        if token.type == END:
            return False
        for kind, mark in (("RPAR", ")"), ("RSQB", "]"), ("LBRACE", "{"), ("ARROW", "->")):
            if kind not in accepted or not self._goes_on(self._after(stack, kind), self._last_end()):
                continue
            if mark in ")]":
                self._report_unclosed("(" if mark == ")" else "[", mark)
            else:
                self._faults.add("FM003" if mark == "{" else "FM001", self._gap(), variant=_VARIANTS[mark], mark=mark)
            return self._feed(self._made_up(kind, mark))
        return False

    def _report_unclosed(self, opening: str, mark: str) -> None:
        opener = self._open_token({"(": "LPAR", "[": "LSQB", "{": "LBRACE"}[opening])
        related = (Related(self._token_span(opener), "opened here"),) if opener is not None else ()
        self._faults.add("FM003" if mark == "}" else "FM018", self._gap(), mark=mark, opening=opening, related=related)

    def _open_token(self, kind: str) -> Token | None:
        """The innermost opening mark of that kind that waits for its closing one."""
        for value in reversed(self._parser.value_stack):
            if isinstance(value, Token) and value.type == kind:
                return value
        return None

    def _left_out(self, token: Token) -> bool:
        """One token too many: what follows fits without it."""
        if token.type in (END, _LOST) or not self._goes_on(self._parser.state_stack, end_of(token)):
            return False
        if token.type == "RBRACE":
            self._faults.add("FM024", self._token_span(token), mark="}")
        else:
            self._report_unexpected(token)
        self._at = end_of(token)
        return True

    def _close_everything(self, token: Token) -> None:
        """A declaration, or the end, where blocks are still open: ends the rule, then closes each block."""
        if self._closing() is None:
            if self._after(self._parser.state_stack, "SEMICOLON") is not None:
                self._faults.add("FM002", self._gap())
                self._feed(self._made_up("SEMICOLON", ";"))
            else:
                self._report_unexpected(token)
                self._cut()
        closing = self._closing()
        if closing is not None and closing[1] == "}":
            self._report_unclosed("{", "}")
        elif closing is not None:
            self._faults.add("FM003", self._gap(), variant="endgroup")
        while closing is not None:
            self._feed(self._made_up(*closing))
            if self._closing() is None and self._after(self._parser.state_stack, "SEMICOLON") is not None:
                self._feed(self._made_up("SEMICOLON", ";"))
            closing = self._closing()
        self._at = start_of(token)

    def _closing(self) -> tuple[str, str] | None:
        """The token that ends the innermost open block here."""
        for kind, text in (("RBRACE", "}"), ("ENDGROUP", "endgroup")):
            if self._after(self._parser.state_stack, kind) is not None:
                return kind, text
        return None

    def _cut(self) -> str:
        """Forgets the unfinished entry of the innermost list; the name of what that list holds."""
        states, values = self._parser.state_stack, self._parser.value_stack
        for depth in range(len(states) - 1, -1, -1):
            row = self._states[states[depth]]
            for entry in _LISTS:
                if entry in row:
                    self._lost_values = values[depth:]
                    del states[depth + 1 :], values[depth:]
                    return entry
        raise AssertionError("the outermost state always begins a list")

    def _give_up(self, token: Token) -> None:
        """Keeps the declarations that were read whole."""
        self._report_unexpected(token)
        while self._cut() not in ("declaration", "first_declaration"):
            self._parser.state_stack.pop()
            self._parser.value_stack.pop()
        self._feed(Token(END, "", start_pos=len(self._text), end_pos=len(self._text)))

    def _skip(self, token: Token) -> None:
        """Forgets the unfinished entry and goes on behind it; a block that it opens is read all the same."""
        entry = self._cut()
        lost = self._lost_values
        at = start_of(token)
        first_line = self._faults.text.line_of(at)
        if entry in ("declaration", "first_declaration"):
            self._skip_declaration(at, lost)
            return
        while True:
            found = self._lex(self._lexers.root_lexer, at)
            ends_here = found.type in (END, "RBRACE") or self._is_top_level_inside(_as_word(found))
            if entry != "map_rule":
                ends_here = ends_here or self._faults.text.line_of(start_of(found)) > first_line
            if ends_here:
                self._at = start_of(found)
                return
            at = end_of(found)
            if found.type == "SEMICOLON" or (found.type == "COMMA" and entry == "model_element"):
                self._at = at
                return
            if found.type == "LBRACE" or (found.type == "NULL_LITERAL" and not _is_blank_braces(self._text, at)):
                self._at = at
                self._feed_made_up(
                    ("IDENTIFIER", ""), ("THEN", "then"), ("LBRACE", "{")
                ) if entry == "map_rule" else None
                return

    def _skip_declaration(self, at: int, lost: list[Part]) -> None:
        """Goes on at the next declaration, or inside the block of the broken one."""
        word = str(first_token(lost[0])) if lost else ""
        meant = nearest(word, _DECLARATION_WORDS) if word not in _DECLARATION_WORDS else word
        depth = 0
        while True:
            found = self._lex(self._lexers.root_lexer, at)
            at = end_of(found)
            if found.type == END or (start_of(found) > self._at and self._begins_declaration(found)):
                self._at = start_of(found)
                return
            if found.type == "LBRACE" and depth == 0 and meant in _HEADS:
                self._at = at
                self._feed_made_up(*_HEADS[meant])
                return
            depth += (found.type == "LBRACE") - (found.type == "RBRACE")

    def _begins_declaration(self, token: Token) -> bool:
        at = start_of(token)
        begins_line = not self._text[self._text.rfind("\n", 0, at) + 1 : at].strip()
        return begins_line and (str(token) in _TOP_WORDS)

    def _feed_made_up(self, *tokens: tuple[str, str]) -> None:
        for kind, text in tokens:
            self._feed(self._made_up(kind, text, self._at))

    def _made_up(self, kind: str, text: str, at: int | None = None) -> Token:
        at = self._last_end() if at is None else at
        return Token(kind, text, start_pos=at, end_pos=at)

    # --- telling ------------------------------------------------------------------------------------------------------

    def _last_end(self) -> int:
        return end_of(self._last) if self._last is not None else 0

    def _gap(self) -> Any:
        """The place just behind the last token, where something is missing."""
        end = self._last_end()
        return self._faults.span(end, end)

    def _token_span(self, token: Token) -> Any:
        return self._faults.span(start_of(token), end_of(token))

    def _report_unexpected(self, token: Token) -> None:
        expected = expected_words(self._accepted(), self._patterns)
        if token.type == END:
            self._faults.add("FM001", self._gap(), variant="end", expected=expected)
            return
        found = str(token) if len(token) <= 40 else f"{token[:40]}…"
        self._faults.add("FM001", self._token_span(token), found=found.split("\n")[0], expected=expected)


_VARIANTS = {"{": "opening", "->": "missing"}
_HEADS: dict[str, tuple[tuple[str, str], ...]] = {
    "group": (
        ("GROUP", "group"),
        ("IDENTIFIER", ""),
        ("LPAR", "("),
        ("SOURCE", "source"),
        ("IDENTIFIER", "src"),
        ("RPAR", ")"),
        ("LBRACE", "{"),
    ),
    "model": (("MODEL", "model"), ("IDENTIFIER", ""), ("LBRACE", "{")),
    "conceptmap": (("CONCEPTMAP", ""), ("STRING", "''"), ("LBRACE", "{")),
}


def _as_word(token: Token) -> Token:
    """The token as an identifier, whichever keyword the root lexer took it for."""
    return Token("IDENTIFIER", str(token), start_pos=start_of(token), end_pos=end_of(token))


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _plain(text: str) -> str:
    """Text of an unclosed quote without its backslashes, which would be told as faults of their own."""
    return text.replace("\\", "")


def _is_blank_braces(text: str, end: int) -> bool:
    return text[end - 1] == "}"
