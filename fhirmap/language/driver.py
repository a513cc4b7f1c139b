"""Text → lark's tree, going on after every syntax error.

At an error this looks at the parser's state, says what was expected there, and goes on: with a token put in, left out
or replaced where that makes sense of what follows, else behind the next `;` or `}`. Each error is one diagnostic;
what was put in has no width, so every span stays true.
"""

from __future__ import annotations

import re

from lark import Lark, Token, Tree

from fhirmap.diagnostics import Related, Span, Subject
from fhirmap.diagnostics.nearest import nearest
from fhirmap.language import nodes as n
from fhirmap.language.declared import declared_names
from fhirmap.language.expected import expected_words
from fhirmap.language.expressions import end_of, first_token, start_of
from fhirmap.language.faults import Faults
from fhirmap.language.habits import Habits
from fhirmap.language.reader import END, LOST, Reader
from fhirmap.texts import Text

_WORD = re.compile(r"[^\W\d]\w*")
_TOP_LEVEL = re.compile(
    r"(?:group\s+(?:for\s+type|(?!(?:default|where|check|log)\b)`?\w+`?\s*\()|model\s+\w+\s*(?:from\b|\{)"
    r"|(?:uses|imports|conceptmap|map)\s+(?:\"[^\"\n]*\"|'[^'\n]*')(?!\s*;)|let\s+\w+\s*=)"
)
_TOP_WORDS = ("group", "model", "uses", "imports", "conceptmap", "let", "map")
_DECLARATIONS = ("declaration", "first_declaration")
_LISTS = ("map_rule", "model_element", "concept_map_item", *_DECLARATIONS)
_ARROW = re.compile(r"[=~–—−]+\s?>|-{2,}>|[→⇒⟶➔➜]|-\s+>|>(?=\s)")
_CARDINALITY = re.compile(r"[\d.*\-:n]+")
_MARKS = (
    ("RPAR", ")"),
    ("RSQB", "]"),
    ("LBRACE", "{"),
    ("ARROW", "->"),
    ("COLON", ":"),
    ("COMMA", ","),
    ("RBRACE", "}"),
)
_VALUE_OPERATORS = frozenset(
    ("PLUS", "MINUS", "STAR", "SLASH", "AMPERSAND", "VBAR", "LPAR", "DOT", "LSQB", "EQUAL", "LESSTHAN", "MORETHAN")
) | frozenset(("AND", "OR", "XOR", "DIV", "MOD", "IN", "IS", "CONTAINS", "IMPLIES"))
_CLAUSES = ("from", "format", "zone", "null", "join", "where", "order", "repeat", "on", "by")
_CURLY_QUOTES = {"“": "”", "„": "“”", "«": "»", "‘": "’", "‚": "‘’", "”": "”", "’": "’"}
_QUOTED = ("STRING", "DOUBLE_QUOTED_STRING")
_MOST_ERRORS = 500
"""A text with more errors than this is no map; reading on would tell nobody anything."""


class Driver:
    """Parses one text; see `tree` and `comments` when it has run.

    ``closes_lines``: take a text in quotes that goes on behind its line for one whose closing quote is missing.
    ``spans_lines``: was there such a text?
    """

    def __init__(self, lark: Lark, start: str, faults: Faults, *, closes_lines: bool = False) -> None:
        self.spans_lines = False
        self._closes_lines = closes_lines
        self._reader = Reader(lark, start, faults)
        self._habits = Habits(self._reader, faults)
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
    def comments(self) -> tuple[n.Comment, ...]:
        """The comments between the tokens."""
        return tuple(self._reader.comments.values())

    def declared(self) -> tuple[tuple[Subject, Span], ...]:
        """Names that the text declares, those of declarations that could not be read among them."""
        return declared_names(self._reader)

    def run(self) -> None:
        """Parses to the end of the text."""
        while self.tree is None:
            token = self._reader.next_token()
            if token.type in _QUOTED and "\n" in token:
                self.spans_lines = True
                if self._closes_lines:
                    self._errors += 1
                    self._open_quote(start_of(token))
                    continue
            if token.type == "COMMA" and self._habits.sql_list(token):
                self._errors += 1
                continue
            inside = self._is_top_level_inside(token)
            if not inside and self._reader.feed(token):
                continue
            if not self._whole:
                self._report_single(token)
                return
            self._errors += 1
            if self._errors > _MOST_ERRORS or self._is_stuck():
                self._report_unexpected(token)
                self._give_up()
            elif inside:
                self._close_everything(token)
            else:
                self._recover(token)

    def _is_top_level_inside(self, token: Token) -> bool:
        """Does a declaration begin here although a `}` is missing? It begins a line, and looks like nothing else."""
        if token.type != "IDENTIFIER" or token not in _TOP_WORDS:
            return False
        return _TOP_LEVEL.match(self._text, start_of(token)) is not None and self._reader.begins_line(start_of(token))

    def _is_stuck(self) -> bool:
        """Have many recoveries not moved on? Then none will."""
        at, times = self._stuck
        self._stuck = (self._reader.at, times + 1 if at == self._reader.at else 0)
        return self._stuck[1] > 20

    # --- recovering ---------------------------------------------------------------------------------------------------

    def _recover(self, token: Token) -> None:
        tries = (
            self._swallowed_lines,
            self._open_comment,
            self._habits.read,
            self._lost,
            self._wrong_arrow,
            self._choice_suffix,
            self._bad_cardinality,
            self._value_without_parentheses,
            self._misspelt,
            self._habits.without_quotes,
            self._misspelt_clause,
            self._mark_missing,
            self._one_too_many,
        )
        if any(attempt(token) for attempt in tries):
            return
        if token.type == END:
            self._close_everything(token)
            return
        self._report_unexpected(token)
        self._skip(start_of(token))

    def _swallowed_lines(self, _token: Token) -> bool:
        """An error right behind a text of several lines: its quote was not closed on its own line."""
        last = self._reader.last
        if last is None or last.type not in ("STRING", "DOUBLE_QUOTED_STRING", "QUANTITY") or "\n" not in last:
            return False
        start = start_of(last)
        line_end = self._reader.line_end(start)
        self._unterminated(start, line_end, self._text[start])
        if self._text[start:line_end].rstrip().endswith(";"):
            self._reader.cut(*_LISTS)
            self._reader.at = line_end
        else:
            self._skip(line_end)
        return True

    def _unterminated(self, start: int, end: int, mark: str) -> None:
        shown = start + len(self._text[start:end].rstrip())
        self._faults.add("FM005", self._faults.span(start, shown), mark=mark)

    def _open_comment(self, token: Token) -> bool:
        at = start_of(token)
        if not self._text.startswith("/*", at):
            return False
        self._faults.add("FM011", self._faults.span(at, at + 2))
        if self._closing() is None:
            self._reader.cut(*_LISTS)
        self._close_blocks()
        self._give_up()
        return True

    def _lost(self, token: Token) -> bool:
        """A character that begins no token."""
        if token.type != LOST:
            return False
        at = start_of(token)
        character = self._text[at]
        if character in "'\"`":
            self._open_quote(at)
        elif character in _CURLY_QUOTES:
            self._curly_quote(at)
        elif not self._wrong_arrow(token):
            self._meaningless(at)
        return True

    def _open_quote(self, at: int) -> None:
        line_end = self._reader.line_end(at)
        mark = self._text[at]
        other = {"'": '"', '"': "'"}.get(mark, "")
        if other and self._text.count(other, at, line_end) == 1:
            # Closed by the other kind of quote.
            line_end = self._text.find(other, at) + 1
        else:
            other = ""
        self._unterminated(at, line_end, mark)
        kind = {"'": "STRING", '"': "DOUBLE_QUOTED_STRING", "`": "DELIMITEDIDENTIFIER"}[mark]
        content = re.sub(r"\s*(?<!:)//.*|[;,{})\s]*\Z", "", self._text[at + 1 : line_end].removesuffix(other))
        if self._reader.after(kind) is None:
            self._skip(line_end)
            return
        # Without its backslashes: they would be told as faults of their own.
        text = mark + content.replace("\\", "") + mark
        self._reader.feed(Token(kind, text, start_pos=at, end_pos=at + 1 + len(content) + len(other)))

    def _curly_quote(self, at: int) -> None:
        """A quotation mark of a word processor: read as a straight one where it is closed on the line."""
        mark = self._text[at]
        self._faults.add("FM012", self._faults.span(at, at + 1), variant="quote", found=mark)
        closing = [self._text.find(close, at + 1, self._reader.line_end(at)) for close in _CURLY_QUOTES[mark]]
        ends = [found for found in closing if found >= 0]
        if ends and self._reader.after("STRING") is not None:
            content = self._text[at + 1 : min(ends)].replace("\\", "").replace("'", "")
            self._reader.feed(Token("STRING", f"'{content}'", start_pos=at, end_pos=min(ends) + 1))
        else:
            self._reader.at = at + 1

    def _meaningless(self, at: int) -> None:
        last, word = self._reader.last, _WORD.match(self._text, at)
        end = word.end() if word else at + 1
        begun = last is not None and word is not None and end_of(last) == at and last.type == "IDENTIFIER"
        start = start_of(last) if last is not None and begun else at
        found = self._text[at]
        variant = "letter" if word else "control" if not found.isprintable() else ""
        if found == "$" and _WORD.match(self._text, at + 1):
            variant = "variable"
        name = f"U+{ord(found):04X}" if variant == "control" else found
        self._faults.add("FM012", self._faults.span(start, end), variant=variant, found=name)
        if word and not begun and self._reader.after("IDENTIFIER") is not None:
            self._reader.feed(Token("IDENTIFIER", word[0], start_pos=at, end_pos=end))
        self._reader.at = end

    def _wrong_arrow(self, token: Token) -> bool:
        """`=>`, `- >` or a word processor's arrow."""
        found = _ARROW.match(self._text, start_of(token))
        if found is None or self._reader.after("ARROW") is None:
            return False
        self._faults.add("FM001", self._faults.span(*found.span()), variant="arrow", found=found[0])
        return self._reader.feed(Token("ARROW", "->", start_pos=found.start(), end_pos=found.end()))

    def _choice_suffix(self, token: Token) -> bool:
        """`value[x]`: the element is called `value`."""
        at = start_of(token)
        last = self._reader.last
        if not self._text.startswith("[x]", at) or last is None or end_of(last) != at:
            return False
        self._faults.add("FM001", self._faults.span(start_of(last), at + 3), variant="choice", name=str(last))
        self._reader.at = at + 3
        return True

    def _bad_cardinality(self, token: Token) -> bool:
        accepted = set(self._reader.accepted())
        last, at = self._reader.last, start_of(token)
        begun = accepted in ({"INTEGER", "STAR"}, {"DOTDOT"})
        if not begun and not (self._text.startswith("*", at) and re.match(r"\*\s*\.\.", self._text[at : at + 9])):
            return False
        start = at
        if begun and last is not None:
            start = start_of(last) if last.type == "INTEGER" else self._text.rfind("\n", 0, at) + 1
            digits = re.search(r"\d+\s*\.\.\s*\Z", self._text[start:at])
            start = start + digits.start() if digits else start_of(last)
        elif "DOTDOT" not in accepted and self._reader.after("INTEGER") is None:
            return False
        run = _CARDINALITY.match(self._text, at)
        end = run.end() if run and not self._text.startswith("->", at) else at
        shown = end if end > start else self._reader.last_end
        self._faults.add("FM007", self._faults.span(start, max(shown, start)), variant="form")
        upper = re.search(r"(\d+)\Z", self._text[at:end])
        if self._reader.after("INTEGER") is not None and not begun:
            self._reader.put_in("INTEGER", "0", end)
        if self._reader.after("DOTDOT") is not None:
            self._reader.put_in("DOTDOT", "..", end)
        if self._reader.after("STAR") is not None:
            self._reader.put_in(*(("INTEGER", upper[1]) if upper else ("STAR", "*")), end)
        self._reader.at = end
        return True

    def _value_without_parentheses(self, token: Token) -> bool:
        """`tgt.x = a + b`: what computes a value stands in parentheses."""
        reader = self._reader
        if token.type not in _VALUE_OPERATORS and not token.type.startswith("__ANON"):
            return False
        equals = reader.innermost("EQUAL", "SEMICOLON", "THEN", "ARROW")
        if equals is None or equals.type != "EQUAL" or reader.after("SHARE") is None or reader.after("EQUAL"):
            return False
        end = self._value_end(start_of(token))
        start = re.compile(r"\s*").match(self._text, end_of(equals))
        self._faults.add("FM015", self._faults.span(start.end() if start else end_of(equals), end))
        reader.at = end
        return True

    def _value_end(self, at: int) -> int:
        """Where the expression at ``at`` ends, as far as brackets and marks tell."""
        depth, end = 0, at
        while True:
            found = self._reader.raw_token(at)
            if found.type in (END, LOST, "SEMICOLON", "LBRACE", "RBRACE", "ARROW"):
                return end
            depth += (found.type in ("LPAR", "LSQB")) - (found.type in ("RPAR", "RSQB"))
            if depth < 0 or (depth == 0 and found.type in ("COMMA", "THEN", "AS", "SHARE", "DOUBLE_QUOTED_STRING")):
                return end
            at = end = end_of(found)

    def _misspelt(self, token: Token) -> bool:
        """A word that is nearly a keyword of this place, and reads on as that keyword."""
        if not _WORD.fullmatch(token):
            return False
        words = {kind.lower(): kind for kind in self._reader.accepted() if self._is_keyword(kind)}
        meant = nearest(str(token), words)
        if meant is None or not self._reader.goes_on(self._reader.after(words[meant]), end_of(token), 1):
            return False
        self._faults.add("FM004", self._reader.span(token), word=str(token), meant=meant)
        return self._reader.feed(Token(words[meant], meant, start_pos=start_of(token), end_pos=end_of(token)))

    def _is_keyword(self, kind: str) -> bool:
        pattern = self._reader.patterns.get(kind)
        return pattern is not None and pattern.type == "re" and pattern.value.startswith(kind.lower() + "\\b")

    def _misspelt_clause(self, token: Token) -> bool:
        """In a model a misspelt clause looks like the name of the next element."""
        last = self._reader.last
        if last is None or last.type != "IDENTIFIER" or self._reader.accepted() != ["COLON"]:
            return False
        meant = nearest(str(last), _CLAUSES)
        quoted = token.type in _QUOTED
        if token.type not in (*_QUOTED, "IDENTIFIER", "POSITION", "JOIN"):
            return False
        if token.type == "IDENTIFIER" and meant != "order":
            return False
        if meant is None and not (quoted or token.type == "JOIN"):
            return False
        if meant is None:
            self._faults.add("FM004", self._reader.span(last), variant="clause", word=str(last))
        else:
            self._faults.add("FM004", self._reader.span(last), word=str(last), meant=meant)
        self._skip(start_of(token))
        return True

    def _mark_missing(self, token: Token) -> bool:
        """One mark missing before ``token``."""
        reader = self._reader
        accepted = set(reader.accepted())
        new_line = "\n" in self._text[reader.last_end : start_of(token)]
        may_end = "SEMICOLON" in accepted and (new_line or token.type in ("RBRACE", END))
        if may_end and (token.type == END or reader.goes_on(reader.after("SEMICOLON"), reader.last_end, 1)):
            self._faults.add("FM002", reader.gap())
            return reader.put_in("SEMICOLON", ";")
        if token.type == END:
            return False
        for kind, mark in _MARKS:
            if kind not in accepted or (kind == "RBRACE" and token.type != "DOUBLE_QUOTED_STRING"):
                continue
            for times in range(1, 6 if mark == ")" else 2):
                if reader.goes_on(reader.after(*[kind] * times), reader.last_end):
                    self._report_missing(kind, mark)
                    return sum(reader.put_in(kind, mark) for _ in range(times)) == times
        return False

    def _report_missing(self, kind: str, mark: str) -> None:
        if mark in ")]}":
            opening, opener = {")": ("(", "LPAR"), "]": ("[", "LSQB"), "}": ("{", "LBRACE")}[mark]
            found = self._reader.innermost(opener)
            related = (Related(self._reader.span(found), Text("labels.opened_here")),) if found is not None else ()
            code = "FM003" if mark == "}" else "FM018"
            self._faults.add(code, self._reader.gap(), mark=mark, opening=opening, related=related)
        elif kind == "LBRACE":
            self._faults.add("FM003", self._reader.gap(), variant="opening")
        else:
            self._faults.add("FM001", self._reader.gap(), variant="missing", mark=mark)

    def _one_too_many(self, token: Token) -> bool:
        """What follows fits without ``token``."""
        if token.type == END or not self._reader.fits_without(token):
            return False
        if token.type in ("RBRACE", "RPAR", "RSQB"):
            self._faults.add("FM024", self._reader.span(token), mark=str(token))
        else:
            self._report_unexpected(token)
        self._reader.at = end_of(token)
        return True

    # --- going on behind an error -------------------------------------------------------------------------------------

    def _close_everything(self, token: Token) -> None:
        """A declaration, or the end, where blocks are still open: ends the rule, then closes each block."""
        reader = self._reader
        if self._closing() is None:
            if reader.after("SEMICOLON") is not None:
                self._faults.add("FM002", reader.gap())
                reader.put_in("SEMICOLON", ";")
            else:
                self._report_unexpected(token)
                reader.cut(*_LISTS)
        closing = self._closing()
        if closing is not None and closing[0] == "RBRACE":
            self._report_missing(*closing)
        elif closing is not None:
            self._faults.add("FM003", reader.gap(), variant="endgroup")
        self._close_blocks()
        reader.at = start_of(token)

    def _close_blocks(self) -> None:
        reader = self._reader
        while (closing := self._closing()) is not None:
            reader.put_in(*closing)
            if self._closing() is None and reader.after("SEMICOLON") is not None:
                reader.put_in("SEMICOLON", ";")

    def _closing(self) -> tuple[str, str] | None:
        """The token that ends the innermost open block here."""
        for kind, text in (("RBRACE", "}"), ("ENDGROUP", "endgroup")):
            if self._reader.after(kind) is not None:
                return kind, text
        return None

    def _give_up(self) -> None:
        """Keeps the declarations that were read whole."""
        if self._reader.after(END) is None:
            self._reader.cut(*_DECLARATIONS)
        size = len(self._text)
        self._reader.feed(Token(END, "", start_pos=size, end_pos=size))

    def _skip(self, at: int) -> None:
        """Forgets the unfinished entry and goes on behind it; a block that it opens is read all the same."""
        # What is complete so far is kept: a declaration, an element, a code. A rule ends only in `;`.
        complete = self._reader.after(END) is not None or self._reader.inside(*_LISTS) != "map_rule"
        if complete and self._reader.after("SEMICOLON") is not None:
            self._reader.put_in("SEMICOLON", ";")
        entry, lost = self._reader.cut(*_LISTS)
        if entry in _DECLARATIONS:
            self._skip_declaration(at, str(first_token(lost[0])) if lost else "")
            return
        first_line = self._faults.text.line_of(at)
        while True:
            found = self._reader.raw_token(at)
            start = start_of(found)
            ends = found.type in (END, "RBRACE") or self._is_top_level_inside(_as_word(found))
            if ends or (entry != "map_rule" and self._faults.text.line_of(start) > first_line):
                self._reader.at = start
                return
            at = self._reader.at = end_of(found)
            if found.type == "SEMICOLON" or (found.type == "COMMA" and entry == "model_element"):
                return
            if found.type == "LBRACE":
                if entry == "map_rule":
                    self._put_in_all(("IDENTIFIER", ""), ("THEN", "then"), ("LBRACE", "{"))
                return

    def _skip_declaration(self, at: int, word: str) -> None:
        """Goes on at the next declaration, or inside the block of the broken one."""
        meant = word if word in _TOP_WORDS else nearest(word, _TOP_WORDS) or ""
        first, depth = at, 0
        while True:
            found = self._reader.raw_token(at)
            start, at = start_of(found), end_of(found)
            begins = start > first and str(found) in _TOP_WORDS and self._reader.begins_line(start)
            if found.type == END or begins:
                self._reader.at = start
                return
            if found.type == "LBRACE" and depth == 0 and meant in _HEADS:
                self._reader.at = at
                self._put_in_all(*_HEADS[meant])
                return
            depth += (found.type == "LBRACE") - (found.type == "RBRACE")

    def _put_in_all(self, *tokens: tuple[str, str]) -> None:
        at = self._reader.at
        for kind, text in tokens:
            self._reader.put_in(kind, text, at)

    # --- telling ------------------------------------------------------------------------------------------------------

    def _report_single(self, token: Token) -> None:
        """The one error of an expression on its own."""
        at = start_of(token)
        if token.type == LOST and token in "'\"`":
            self._unterminated(at, len(self._text), str(token))
        elif self._text.startswith("/*", at):
            self._faults.add("FM011", self._faults.span(at, at + 2))
        elif token.type == LOST:
            self._meaningless(at)
        else:
            self._report_unexpected(token)

    def _report_unexpected(self, token: Token) -> None:
        expected = expected_words(self._reader.accepted(), self._reader.patterns)
        if token.type == END:
            self._faults.add("FM001", self._reader.gap(), variant="end", expected=expected)
            return
        found = token.split("\n")[0]
        shown = found if len(found) <= 40 else f"{found[:40]}…"
        self._faults.add("FM001", self._reader.span(token), found=shown, expected=expected)


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
"""What stands in for a broken head, so that its block can be read; the builder leaves out what has no width."""


def _as_word(token: Token) -> Token:
    """The token as an identifier, whichever keyword it was taken for."""
    return Token("IDENTIFIER", str(token), start_pos=start_of(token), end_pos=end_of(token))
