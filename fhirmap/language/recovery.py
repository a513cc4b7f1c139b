"""Going on after an error: a token put in, an entry forgotten, blocks closed, the rest given up."""

from __future__ import annotations

import re

from lark import Token

from fhirmap.diagnostics import Related, nearest
from fhirmap.language.expected import expected_words
from fhirmap.language.expressions import MAXIMUM_BLOCKS, end_of, first_token, start_of
from fhirmap.language.faults import Faults
from fhirmap.language.mistakes.site import MistakeSite
from fhirmap.language.reader import END, Reader
from fhirmap.texts import Text

_WORD = re.compile(r"[^\W\d]\w*")
_TOP_LEVEL = re.compile(
    r"(?:group\s+(?:for\s+type|(?!(?:default|where|check|log)\b)`?\w+`?\s*\()|model\s+\w+\s*(?:from\b|\{)"
    r"|(?:uses|imports|conceptmap|map)\s+(?:\"[^\"\n]*\"|'[^'\n]*')(?!\s*;)|let\s+\w+\s*=)"
)
_TOP_WORDS = ("group", "model", "uses", "imports", "conceptmap", "let", "map")
_DECLARATIONS = ("declaration", "first_declaration")
_LISTS = ("map_rule", "model_element", "concept_map_item", *_DECLARATIONS)
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
"""What replaces a broken head, so that its block can be read; the builder leaves out what has no width."""


class Recovery:
    """What the driver and its attempts do with the parser of one text that has errors."""

    def __init__(self, reader: Reader, faults: Faults) -> None:
        self.reader = reader
        self.faults = faults
        self.text = faults.text.text
        self.site = MistakeSite(reader, faults)

    def report_unexpected(self, token: Token) -> None:
        """Report a token that is not allowed, with what is expected."""
        expected = expected_words(self.reader.accepted(), self.reader.patterns)
        if token.type == END:
            self.faults.add("FM001", self.reader.gap(), variant="end", expected=expected)
            return
        found = token.split("\n")[0]
        shown = found if len(found) <= 40 else f"{found[:40]}…"
        self.faults.add("FM001", self.reader.span(token), found=shown, expected=expected)

    def unterminated(self, start: int, end: int, mark: str) -> None:
        """Report a text whose closing quote is missing."""
        shown = start + len(self.text[start:end].rstrip())
        self.faults.add("FM005", self.faults.span(start, shown), mark=mark)

    def open_quote(self, at: int) -> None:
        """Read a text without its closing quote as one that ends on its line."""
        line_end = self.reader.line_end(at)
        mark = self.text[at]
        other = {"'": '"', '"': "'"}.get(mark, "")
        if other and self.text.count(other, at, line_end) == 1:
            # Closed by the other kind of quote.
            line_end = self.text.find(other, at) + 1
        else:
            other = ""
        self.unterminated(at, line_end, mark)
        kind = {"'": "STRING", '"': "DOUBLE_QUOTED_STRING", "`": "DELIMITEDIDENTIFIER"}[mark]
        content = re.sub(r"\s*(?<!:)//.*|[;,{})\s]*\Z", "", self.text[at + 1 : line_end].removesuffix(other))
        if self.reader.after(kind) is None:
            self.skip(line_end)
            return
        # Without its backslashes: they would be reported as faults of their own.
        text = mark + content.replace("\\", "") + mark
        self.reader.feed(Token(kind, text, start_pos=at, end_pos=at + 1 + len(content) + len(other)))

    def too_deep(self, token: Token) -> None:
        """Report that blocks or an expression are nested beyond all limits."""
        span = self.reader.span(token)
        if self.reader.open_blocks > MAXIMUM_BLOCKS:
            self.faults.add("FM013", span, variant="blocks", limit=MAXIMUM_BLOCKS)
        else:
            self.faults.add("FM013", span)

    def forget_declaration(self, token: Token) -> None:
        """Forget the unfinished declaration, of which ``token`` was the last one read, and go on at the next."""
        self.reader.cut(*_DECLARATIONS)
        self.skip_declaration(end_of(token), "")

    def meaningless(self, at: int) -> None:
        """Report a character that begins nothing, and go on after it."""
        last, word = self.reader.last, _WORD.match(self.text, at)
        end = word.end() if word else at + 1
        begun = last is not None and word is not None and end_of(last) == at and last.type == "IDENTIFIER"
        start = start_of(last) if last is not None and begun else at
        found = self.text[at]
        variant = "letter" if word else "control" if not found.isprintable() else ""
        if found == "$" and _WORD.match(self.text, at + 1):
            variant = "variable"
        name = f"U+{ord(found):04X}" if variant == "control" else found
        self.faults.add("FM012", self.faults.span(start, end), variant=variant, found=name)
        if word and not begun and self.reader.after("IDENTIFIER") is not None:
            self.reader.feed(Token("IDENTIFIER", word[0], start_pos=at, end_pos=end))
        self.reader.at = end

    def report_missing(self, kind: str, mark: str) -> None:
        """Report a mark that is missing here, with what it closes."""
        if mark in ")]}":
            opening, opener = {")": ("(", "LPAR"), "]": ("[", "LSQB"), "}": ("{", "LBRACE")}[mark]
            found = self.reader.innermost(opener)
            related = (Related(self.reader.span(found), Text("labels.opened_here")),) if found is not None else ()
            code = "FM003" if mark == "}" else "FM018"
            self.faults.add(code, self.reader.gap(), mark=mark, opening=opening, related=related)
        elif kind == "LBRACE":
            self.faults.add("FM003", self.reader.gap(), variant="opening")
        else:
            self.faults.add("FM001", self.reader.gap(), variant="missing", mark=mark)

    def is_top_level_inside(self, token: Token) -> bool:
        """Does a declaration begin here although a `}` is missing? It begins a line, and looks like nothing else."""
        if token.type != "IDENTIFIER" or token.value not in _TOP_WORDS:
            return False
        return _TOP_LEVEL.match(self.text, start_of(token)) is not None and self.reader.begins_line(start_of(token))

    def close_everything(self, token: Token) -> None:
        """A declaration, or the end, where blocks are still open: ends the rule, then closes each block."""
        reader = self.reader
        if self.closing() is None:
            if reader.after("SEMICOLON") is not None:
                self.faults.add("FM002", reader.gap())
                reader.put_in("SEMICOLON", ";")
            else:
                self.report_unexpected(token)
                reader.cut(*_LISTS)
        closing = self.closing()
        if closing is not None and closing[0] == "RBRACE":
            self.report_missing(*closing)
        elif closing is not None:
            self.faults.add("FM003", reader.gap(), variant="endgroup")
        self.close_blocks()
        reader.at = start_of(token)

    def close_blocks(self) -> None:
        """Close every open block."""
        reader = self.reader
        while (closing := self.closing()) is not None:
            reader.put_in(*closing)
            if self.closing() is None and reader.after("SEMICOLON") is not None:
                reader.put_in("SEMICOLON", ";")

    def closing(self) -> tuple[str, str] | None:
        """The token that ends the innermost open block here."""
        for kind, text in (("RBRACE", "}"), ("ENDGROUP", "endgroup")):
            if self.reader.after(kind) is not None:
                return kind, text
        return None

    def give_up(self) -> None:
        """Keeps the declarations that were read whole."""
        if self.reader.after(END) is None:
            self.reader.cut(*_DECLARATIONS)
        size = len(self.text)
        self.reader.feed(Token(END, "", start_pos=size, end_pos=size))

    def skip(self, at: int) -> None:
        """Forgets the unfinished entry and goes on after it; a block that it opens is read all the same."""
        # What is complete so far is kept: a declaration, an element, a code. A rule ends only in `;`.
        complete = self.reader.after(END) is not None or self.reader.inside(*_LISTS) != "map_rule"
        if complete and self.reader.after("SEMICOLON") is not None:
            self.reader.put_in("SEMICOLON", ";")
        entry, lost = self.reader.cut(*_LISTS)
        if entry in _DECLARATIONS:
            self.skip_declaration(at, str(first_token(lost[0])) if lost else "")
            return
        first_line = self.faults.text.line_of(at)
        while True:
            found = self.reader.raw_token(at)
            start = start_of(found)
            ends = found.type in (END, "RBRACE") or self.is_top_level_inside(_as_word(found))
            if ends or (entry != "map_rule" and self.faults.text.line_of(start) > first_line):
                self.reader.at = start
                return
            at = self.reader.at = end_of(found)
            if found.type == "SEMICOLON" or (found.type == "COMMA" and entry == "model_element"):
                return
            if found.type == "LBRACE":
                if entry == "map_rule":
                    self.put_in_all(("IDENTIFIER", ""), ("THEN", "then"), ("LBRACE", "{"))
                return

    def skip_declaration(self, at: int, word: str) -> None:
        """Goes on at the next declaration, or inside the block of the broken one."""
        meant = word if word in _TOP_WORDS else nearest(word, _TOP_WORDS) or ""
        first, depth = at, 0
        while True:
            found = self.reader.raw_token(at)
            start, at = start_of(found), end_of(found)
            begins = start > first and str(found) in _TOP_WORDS and self.reader.begins_line(start)
            if found.type == END or begins:
                self.reader.at = start
                return
            if found.type == "LBRACE" and depth == 0 and meant in _HEADS:
                self.reader.at = at
                self.put_in_all(*_HEADS[meant])
                return
            depth += (found.type == "LBRACE") - (found.type == "RBRACE")

    def put_in_all(self, *tokens: tuple[str, str]) -> None:
        """Give the parser several tokens that the text does not have."""
        at = self.reader.at
        for kind, text in tokens:
            self.reader.put_in(kind, text, at)


def _as_word(token: Token) -> Token:
    """The token as an identifier, whichever keyword it was taken for."""
    return Token("IDENTIFIER", str(token), start_pos=start_of(token), end_pos=end_of(token))
