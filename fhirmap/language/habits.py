"""What people write who come from SQL, another language or FHIR's JSON: told as what it is, and read as meant.

The driver asks here before it tries the marks and words of the grammar. Each habit is one method: it looks at the token
that cannot stand here, says what to write instead, and leaves the parser where reading can go on.
"""

from __future__ import annotations

import re

from lark import Token

from fhirmap.diagnostics.nearest import nearest
from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.faults import Faults
from fhirmap.language.reader import END, Reader
from fhirmap.texts import Listing, Text

_WORD = re.compile(r"[^\W\d]\w*")
_BARE_TEXT = re.compile(r"`[^`\n]*`|[^\s,;{}()=\"']+")
_SQL_END = re.compile(r"\s+(?:order\s+by|repeat|latest|key|encoding|delimiter|null|format)\b|\s*(?://|\{|;?\s*\Z)")
_BOXED_CARDINALITY = re.compile(r"[\[({]\s*(\d+)\s*\.\.\s*(\d+|[*n])\s*[\])}]")
_CARDINALITY = re.compile(r"\d+\s*\.\.\s*(?:\d+|\*)")
_LENGTH = re.compile(r"\(\s*\d+(?:\s*,\s*\d+)?\s*\)")
_HYPHENATED = re.compile(r"[\w-]+")
_OPERATORS: dict[tuple[str, str], str | Text] = {
    ("LESSTHAN", "MORETHAN"): "`!=`",
    ("EQUAL", "EQUAL"): "`=`",
    ("VBAR", "VBAR"): Text("syntax.or_between"),
    ("AMPERSAND", "AMPERSAND"): "`and`",
}
"""Two marks that another language writes as one operator, and what is written here."""
_SQL_WORDS: dict[str, Text | Listing] = {
    "like": Listing(("`startsWith('…')`", "`contains('…')`", "`matches('…')`"), joint="lists.or"),
    "ilike": Listing(("`lower().contains('…')`", "`matches('…')`"), joint="lists.or"),
    "between": Listing(("`>=`", "`<=`"), joint="lists.and"),
    "not": Text("syntax.not_around"),
}
_CLAUSES = ("as", "default", "first", "not_first", "last", "not_last", "only_one", "where", "check", "log")
_MODEL_WORDS = ("table", "struct", "class", "type", "view", "entity", "record", "structure", "source", "object")
_LET_WORDS = ("const", "var", "set", "define", "constant", "declare", "val")
_GROUP_HEAD = re.compile(r"(\w+\s+)?\w+\s*\(\s*(?:source|target)\b")
_BLOCK_HEAD = re.compile(r"(\w+)\s+\w+\s*(?:from\b|\{)")
_LET_HEAD = re.compile(r"(\w+)\s+\w+\s*=")
_ENTRIES = ("map_rule", "model_element", "concept_map_item", "first_declaration", "declaration")


class Habits:
    """Reads what `Driver` cannot, where it is a known habit."""

    def __init__(self, reader: Reader, faults: Faults) -> None:
        self._reader = reader
        self._faults = faults
        self._text = faults.text.text
        self._lists: set[int] = set()
        """Parentheses behind `in` whose commas were told."""

    def read(self, token: Token) -> bool:
        """Is ``token``, which cannot stand here, part of a habit? Then it is told, and reading can go on."""
        if token.type == END:
            return False
        habits = (
            self._comment,
            self._doubled_operator,
            self._assigned,
            self._null_test,
            self._sql_word,
            self._boxed_cardinality,
            self._late_cardinality,
            self._length,
            self._other_mark,
            self._relation,
            self._entry_word,
            self._code_without_prefix,
            self._hyphenated_code,
            self._parameter_order,
            self._other_declaration,
            self._call_without_then,
            self._alias_without_as,
            self._clause_order,
            self._written_first,
            self._group_as_source,
            self._comma_too_many,
        )
        return any(habit(token) for habit in habits)

    # --- comments and operators ---------------------------------------------------------------------------------------

    def _comment(self, token: Token) -> bool:
        """`-- …` and `# …`."""
        at = start_of(token)
        mark = next((mark for mark in ("--", "#") if self._text.startswith(mark, at)), "")
        if not mark or (mark == "--" and self._reader.after("MINUS") is not None):
            return False
        if mark == "#" and not (self._reader.begins_line(at) or self._text[at + 1 : at + 2].isspace()):
            return False
        self._faults.add("FM012", self._faults.span(at, at + len(mark)), variant="comment", found=mark)
        self._reader.at = self._reader.line_end(at)
        return True

    def _doubled_operator(self, token: Token) -> bool:
        """`<>`, `==`, `||`, `&&`: the second mark is left out."""
        last = self._reader.last
        mark = _OPERATORS.get((last.type, token.type)) if last is not None else None
        if last is None or mark is None or end_of(last) != start_of(token):
            return False
        self._instead(start_of(last), end_of(token), mark)
        self._reader.at = end_of(token)
        return True

    def _assigned(self, token: Token) -> bool:
        """`:=`"""
        last, at = self._reader.last, start_of(token)
        if token.type == "COLON" and self._text.startswith(":=", at) and self._reader.after("EQUAL") is not None:
            self._instead(at, at + 2, "`=`")
            return self._reader.feed(Token("EQUAL", "=", start_pos=at, end_pos=at + 2))
        if last is None or last.type != "COLON" or token.type != "EQUAL" or end_of(last) != at:
            return False
        if self._reader.behind_last("EQUAL") is None:
            return False
        self._instead(start_of(last), end_of(token), "`=`")
        self._reader.take_back()
        return self._reader.feed(token)

    def _null_test(self, token: Token) -> bool:
        """`x is not null`; `is null` is told by the builder."""
        last, word = self._reader.last, self._reader.innermost("IS")
        if last is None or word is None or token.lower() != "null" or last.lower() != "not":
            return False
        self._faults.add("FM001", self._faults.span(start_of(word), end_of(token)), variant="present")
        self._reader.at = end_of(token)
        return True

    def _sql_word(self, token: Token) -> bool:
        """`x like 'A%'`, `x between 1 and 2`, `not x`."""
        reader, last = self._reader, self._reader.last
        if last is not None and last.lower() == "not" and reader.behind_last(token.type) is not None:
            self._instead(start_of(last), end_of(last), _SQL_WORDS["not"])
            reader.take_back()
            reader.at = start_of(token)
            return True
        word = token.lower()
        if word not in _SQL_WORDS or reader.after("AND") is None:
            return False
        self._instead(start_of(token), end_of(token), _SQL_WORDS[word])
        reader.at = self._expression_end(end_of(token))
        return True

    def _expression_end(self, at: int) -> int:
        """Where the rest of an expression ends: at the bracket around it, or at what follows it in a rule."""
        depth, end = 0, at
        while True:
            found = self._reader.raw_token(end)
            closes = found.type in ("RPAR", "RSQB")
            if found.type in (END, "SEMICOLON", "LBRACE", "RBRACE", "ARROW", "THEN") or (depth == 0 and closes):
                return end
            depth += (found.type in ("LPAR", "LSQB")) - closes
            end = end_of(found)

    def sql_list(self, token: Token) -> bool:
        """`x in ('a', 'b')`: asked of every comma, since before it the parser already takes the text for the whole."""
        opened = self._reader.innermost("LPAR")
        if opened is None or self._reader.after("COMMA") is not None or self._reader.after("VBAR") is None:
            return False
        if not re.search(r"\bin\s*\Z", self._text[: start_of(opened)][-20:]):
            return False
        if start_of(opened) not in self._lists:
            self._lists.add(start_of(opened))
            self._instead(start_of(token), end_of(token), Text("syntax.bar_between"))
        return self._reader.feed(Token("VBAR", "|", start_pos=start_of(token), end_pos=end_of(token)))

    # --- models -------------------------------------------------------------------------------------------------------

    def without_quotes(self, token: Token) -> bool:
        """`from statut`, `conceptmap cote`, `where principal = 'O'`: a text, and only a text, is wanted."""
        reader, at = self._reader, start_of(token)
        accepted = set(reader.accepted())
        last = reader.last
        if (
            "STRING" not in accepted
            or accepted & {"SEMICOLON", "ARROW", "DATE", "IDENTIFIER", "RBRACE"}
            or last is None
        ):
            return False
        found = _BARE_TEXT.match(self._text, at)
        if found is None or "\n" in self._text[end_of(last) : at] or found[0] in _CLAUSES:
            return False
        if last.type == "WHERE":
            return self._sql_condition(at)
        self._faults.add("FM001", self._faults.span(*found.span()), variant="quotes", found=found[0].strip("`"))
        return self._text_as_meant(at, found.end(), found[0].strip("`"))

    def _sql_condition(self, at: int) -> bool:
        line_end = self._reader.line_end(at)
        quote = self._text.find('"', at, line_end)
        found = _SQL_END.search(self._text[at:line_end])
        end = quote if quote >= 0 else at + found.start() if found else line_end
        self._faults.add("FM001", self._faults.span(at, end), variant="condition")
        return self._text_as_meant(at, end + (quote >= 0), self._text[at:end])

    def _text_as_meant(self, start: int, end: int, content: str) -> bool:
        plain = content.replace("\\", "").replace("'", "")
        return self._reader.feed(Token("STRING", f"'{plain}'", start_pos=start, end_pos=end))

    def _boxed_cardinality(self, token: Token) -> bool:
        """`[0..1]`"""
        found = _BOXED_CARDINALITY.match(self._text, start_of(token))
        if found is None or self._reader.after("INTEGER", "DOTDOT") is None:
            return False
        self._faults.add("FM007", self._faults.span(*found.span()), variant="form")
        self._reader.put_in("INTEGER", found[1], found.start())
        self._reader.put_in("DOTDOT", "..", found.start())
        upper = ("STAR", "*") if found[2] in "*n" else ("INTEGER", found[2])
        return self._reader.put_in(*upper, found.end())

    def _late_cardinality(self, token: Token) -> bool:
        """`from 'x' 0..1`, `as v 0..1`: it stands behind the type, or the element."""
        found = _CARDINALITY.match(self._text, start_of(token))
        inside = self._reader.inside(*_ENTRIES)
        if found is None or token.type != "INTEGER" or inside not in ("model_element", "map_rule"):
            return False
        self._faults.add("FM007", self._faults.span(*found.span()), variant=inside)
        self._reader.at = found.end()
        return True

    def _length(self, token: Token) -> bool:
        """`varchar(20)`"""
        last = self._reader.last
        found = _LENGTH.match(self._text, start_of(token))
        accepted = self._reader.accepted()
        if last is None or found is None or "JOIN" not in accepted or "INTEGER" not in accepted:
            return False
        span = self._faults.span(start_of(last), found.end())
        self._faults.add("FM001", span, variant="length", found=span.snippet)
        self._reader.at = found.end()
        return True

    # --- marks --------------------------------------------------------------------------------------------------------

    def _other_mark(self, token: Token) -> bool:
        """`=` for `:` and the other way round; no `=` at all before a text."""
        reader = self._reader
        for wanted, mark in (("COLON", ":"), ("EQUAL", "=")):
            if reader.accepted() != [wanted]:
                continue
            if token.type in ("COLON", "EQUAL"):
                self._instead(start_of(token), end_of(token), f"`{mark}`")
                return reader.feed(Token(wanted, mark, start_pos=start_of(token), end_pos=end_of(token)))
            if wanted == "EQUAL" and token.type in ("STRING", "DOUBLE_QUOTED_STRING"):
                self._faults.add("FM001", reader.gap(), variant="missing", mark=mark)
                return reader.put_in(wanted, mark)
        return False

    def _relation(self, token: Token) -> bool:
        """`s:A -> t:B`, `s:A t:B`: between the codes stands `-`."""
        reader = self._reader
        if not {"MINUS", "UNMATCHED", "TILDE"} <= set(reader.accepted()):
            return False
        if token.type in ("ARROW", "COMMA", "SEMICOLON", "COLON") or token in "→⇒":
            self._instead(start_of(token), end_of(token), "`-`")
            return reader.feed(Token("MINUS", "-", start_pos=start_of(token), end_pos=end_of(token)))
        if _WORD.fullmatch(token) and self._same_line(token):
            self._faults.add("FM001", reader.gap(), variant="missing", mark="-")
            return reader.put_in("MINUS", "-")
        return False

    def _entry_word(self, token: Token) -> bool:
        """`prefx s = …`: the word looks like the prefix of a code."""
        reader, last = self._reader, self._reader.last
        if last is None or reader.accepted() != ["COLON"] or reader.inside(*_ENTRIES) != "concept_map_item":
            return False
        meant = nearest(str(last), ("prefix", "unmapped"))
        if meant is None or not _WORD.fullmatch(token) or not self._same_line(token):
            return False
        self._faults.add("FM004", reader.span(last), word=str(last), meant=meant)
        reader.cut(*_ENTRIES)
        reader.feed(Token(meant.upper(), meant, start_pos=start_of(last), end_pos=end_of(last)))
        reader.at = start_of(token)
        return True

    def _code_without_prefix(self, token: Token) -> bool:
        """`D - DROITE` where `s:D - t:DROITE` is meant."""
        reader, last = self._reader, self._reader.last
        if last is None or reader.accepted() != ["COLON"] or reader.inside(*_ENTRIES) != "concept_map_item":
            return False
        if (run := self._hyphenated(end_of(last))) is not None:
            self._faults.add("FM001", self._faults.span(*run), variant="quotes", found=self._text[slice(*run)])
        else:
            self._faults.add("FM001", reader.span(last), variant="prefix", found=str(last))
        same_line = self._same_line(token)
        reader.cut(*_ENTRIES)
        reader.at = reader.line_end(start_of(token)) if same_line else start_of(token)
        return True

    def _hyphenated_code(self, token: Token) -> bool:
        """`t:femoral-component`, `s:D-1`"""
        reader, last = self._reader, self._reader.last
        at = start_of(token)
        if last is not None and last.type == "MINUS" and end_of(last) == at and reader.behind_last("MINUS") is not None:
            run = self._hyphenated(at)
            if run is not None and run[0] < start_of(last):
                self._faults.add("FM001", self._faults.span(*run), variant="quotes", found=self._text[slice(*run)])
                reader.take_back()
                reader.at = run[1]
                return True
        if (
            last is None
            or self._text[at] != "-"
            or end_of(last) != at
            or reader.inside(*_ENTRIES) != "concept_map_item"
        ):
            return False
        run = self._hyphenated(at + 1)
        if run is None or run[1] == at + 1:
            return False
        self._faults.add("FM001", self._faults.span(*run), variant="quotes", found=self._text[slice(*run)])
        reader.at = run[1]
        return True

    def _hyphenated(self, at: int) -> tuple[int, int] | None:
        """The run of letters, digits and hyphens around ``at``, where there is a hyphen in it."""
        start = at
        while start and (self._text[start - 1].isalnum() or self._text[start - 1] in "_-"):
            start -= 1
        found = _HYPHENATED.match(self._text, start)
        return found.span() if found is not None and "-" in found[0].strip("-") else None

    def _comma_too_many(self, token: Token) -> bool:
        """`f(a, )`, `as v, ->`: without the comma it fits."""
        reader, last = self._reader, self._reader.last
        if last is None or last.type not in ("COMMA", "LIST_COMMA") or reader.behind_last(token.type) is None:
            return False
        self._faults.add("FM001", reader.span(last), variant="comma", found=str(token))
        reader.take_back()
        reader.at = start_of(token)
        return True

    # --- declarations -------------------------------------------------------------------------------------------------

    def _parameter_order(self, token: Token) -> bool:
        """`source Pose p`: the type stands behind the name."""
        reader, last, before = self._reader, self._reader.last, self._reader.before
        if last is None or before is None or before.type not in ("SOURCE", "TARGET"):
            return False
        if last.type != "IDENTIFIER" or token.type != "IDENTIFIER" or reader.after("COLON") is None:
            return False
        span = self._faults.span(start_of(last), end_of(token))
        self._faults.add("FM001", span, variant="parameter", name=str(token), type=str(last))
        reader.take_back()
        reader.feed(token)
        reader.put_in("COLON", ":")
        return reader.feed(Token("IDENTIFIER", str(last), start_pos=start_of(token), end_pos=end_of(token)))

    def _other_declaration(self, token: Token) -> bool:
        """`function pose(source …)`, `table Patient {`, `const x = …`, or a group's head without `group`."""
        reader, at = self._reader, start_of(token)
        if reader.after("GROUP") is None or not reader.begins_line(at):
            return False
        if head := _GROUP_HEAD.match(self._text, at):
            if head[1] is None:
                self._faults.add("FM001", self._faults.span(at, end_of(token)), variant="missing", mark="group")
                # It has the width of the name: what has none is left out of the tree.
                reader.feed(Token("GROUP", "group", start_pos=at, end_pos=end_of(token)))
                reader.at = at
                return True
            meant = "group"
        elif (block := _BLOCK_HEAD.match(self._text, at)) and block[1].lower() in _MODEL_WORDS:
            meant = "model"
        elif (let := _LET_HEAD.match(self._text, at)) and let[1].lower() in _LET_WORDS:
            meant = "let"
        else:
            return False
        self._faults.add("FM004", reader.span(token), word=str(token), meant=meant)
        return reader.feed(Token(meant.upper(), meant, start_pos=at, end_pos=end_of(token)))

    # --- rules --------------------------------------------------------------------------------------------------------

    def _call_without_then(self, token: Token) -> bool:
        """`-> tgt.implants as i pose(p, i)` where `pose` is a group of the map."""
        if token.type != "IDENTIFIER" or self._reader.after("THEN", "IDENTIFIER", "LPAR") is None:
            return False
        if re.search(rf"\bgroup\s+{re.escape(token)}\s*\(", self._text) is None:
            return False
        self._faults.add("FM001", self._reader.gap(), variant="missing", mark="then")
        return self._reader.put_in("THEN", "then")

    def _alias_without_as(self, token: Token) -> bool:
        """`src.typePe v ->`, `tgt.parameter p,`"""
        reader = self._reader
        if token.type != "IDENTIFIER" or token[:1].isupper() or token in _CLAUSES:
            return False
        if not reader.goes_on(reader.after("AS", "IDENTIFIER"), end_of(token), 1):
            return False
        if self._text[end_of(token) : end_of(token) + 1] in (".", "("):
            return False
        self._faults.add("FM001", reader.gap(), variant="missing", mark="as")
        return reader.put_in("AS", "as")

    def _clause_order(self, token: Token) -> bool:
        """`as v default 'x'`, `where (…) where (…)`: a source's clauses have one order."""
        reader = self._reader
        if str(token) not in _CLAUSES or reader.after("ARROW") is None or reader.after("SHARE") is not None:
            return False
        self._faults.add("FM001", reader.span(token), variant="order", found=str(token))
        depth, at = 0, end_of(token)
        while True:
            found = reader.raw_token(at)
            stops = found.type in ("ARROW", "COMMA", "THEN") or str(found) in _CLAUSES
            if found.type in (END, "SEMICOLON", "LBRACE", "RBRACE") or (depth == 0 and stops):
                reader.at = start_of(found)
                return True
            depth += (found.type in ("LPAR", "LSQB")) - (found.type in ("RPAR", "RSQB"))
            at = end_of(found)

    def _written_first(self, token: Token) -> bool:
        """`tgt.date = src.date`: a rule begins with what is read."""
        reader = self._reader
        if token.type != "EQUAL" or reader.after("ARROW") is None or reader.after("AS") is None:
            return False
        if reader.after("SHARE") is not None or self._text.startswith("=>", start_of(token)):
            return False
        self._faults.add("FM001", reader.span(token), variant="source")
        return self._drop_rule(start_of(token))

    def _group_as_source(self, token: Token) -> bool:
        """`pose(p, i);` or `then pose(p, i);` for a whole rule."""
        last, opened = self._reader.last, self._reader.innermost("LPAR")
        if last is not None and last == "then" and self._begins_rule(start_of(last)):
            self._faults.add("FM020", self._reader.span(last), variant="then")
            return self._drop_rule(start_of(token))
        if token.type != "COMMA" or opened is None:
            return False
        found = re.search(r"\w+\s*\Z", self._text[max(0, start_of(opened) - 200) : start_of(opened)])
        if found is None:
            return False
        start = max(0, start_of(opened) - 200) + found.start()
        if not self._begins_rule(start):
            return False
        name = found[0].strip()
        self._faults.add("FM020", self._faults.span(start, start + len(name)), name=name)
        return self._drop_rule(start_of(token))

    def _begins_rule(self, at: int) -> bool:
        before = re.sub(r"(?://[^\n]*\n|/\*.*?\*/|\s)+\Z", "", self._text[max(0, at - 2000) : at], flags=re.DOTALL)
        return self._reader.inside(*_ENTRIES) == "map_rule" and before.endswith(("{", ";", "}"))

    def _drop_rule(self, at: int) -> bool:
        """Forgets the rule and goes on behind its end."""
        self._reader.cut("map_rule")
        while True:
            found = self._reader.raw_token(at)
            self._reader.at = start_of(found)
            if found.type in (END, "RBRACE", "LBRACE"):
                break
            at = self._reader.at = end_of(found)
            if found.type == "SEMICOLON":
                break
        return True

    # --- telling ------------------------------------------------------------------------------------------------------

    def _instead(self, start: int, end: int, wanted: str | Text | Listing) -> None:
        span = self._faults.span(start, end)
        self._faults.add("FM001", span, variant="instead", found=span.snippet, wanted=wanted)

    def _same_line(self, token: Token) -> bool:
        return "\n" not in self._text[self._reader.last_end : start_of(token)]
