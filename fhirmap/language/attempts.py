"""What is tried at a token that is not allowed: each function reports one kind of error and reads on as was meant."""

from __future__ import annotations

import re
from collections.abc import Callable

from lark import Token

from fhirmap.diagnostics import nearest
from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.mistakes import read_mistake
from fhirmap.language.mistakes.clauses import without_quotes
from fhirmap.language.reader import END, LOST
from fhirmap.language.recovery import Recovery

_WORD = re.compile(r"[^\W\d]\w*")
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
_CLAUSES = ("from", "format", "zone", "null", "join", "where", "order", "repeat", "on", "by", "decimals", "split")
_SQL_JOINTS = {"and": ",", "eq": "="}
_CURLY_QUOTES = {"“": "”", "„": "“”", "«": "»", "‘": "’", "‚": "‘’", "”": "”", "’": "’"}
_QUOTED = ("STRING", "DOUBLE_QUOTED_STRING")


def swallowed_lines(recovery: Recovery, _token: Token) -> bool:
    """An error right after a text of several lines: its quote was not closed on its own line."""
    last = recovery.reader.last
    if last is None or last.type not in ("STRING", "DOUBLE_QUOTED_STRING", "QUANTITY") or "\n" not in last:
        return False
    start = start_of(last)
    line_end = recovery.reader.line_end(start)
    recovery.unterminated(start, line_end, recovery.text[start])
    if recovery.text[start:line_end].rstrip().endswith(";"):
        recovery.reader.cut(*_LISTS)
        recovery.reader.at = line_end
    else:
        recovery.skip(line_end)
    return True


def open_comment(recovery: Recovery, token: Token) -> bool:
    """`/* …` without an end: the rest of the text is a comment."""
    at = start_of(token)
    if not recovery.text.startswith("/*", at):
        return False
    recovery.faults.add("FM011", recovery.faults.span(at, at + 2))
    if recovery.closing() is None:
        recovery.reader.cut(*_LISTS)
    recovery.close_blocks()
    recovery.give_up()
    return True


def lost(recovery: Recovery, token: Token) -> bool:
    """A character that begins no token."""
    if token.type != LOST:
        return False
    at = start_of(token)
    character = recovery.text[at]
    if character in "'\"`":
        recovery.open_quote(at)
    elif character in _CURLY_QUOTES:
        _curly_quote(recovery, at)
    elif not wrong_arrow(recovery, token):
        recovery.meaningless(at)
    return True


def wrong_arrow(recovery: Recovery, token: Token) -> bool:
    """`=>`, `- >` or a word processor's arrow."""
    found = _ARROW.match(recovery.text, start_of(token))
    if found is None or recovery.reader.after("ARROW") is None:
        return False
    recovery.faults.add("FM001", recovery.faults.span(*found.span()), variant="arrow", found=found[0])
    return recovery.reader.feed(Token("ARROW", "->", start_pos=found.start(), end_pos=found.end()))


def choice_suffix(recovery: Recovery, token: Token) -> bool:
    """`value[x]`: the element is called `value`."""
    at = start_of(token)
    last = recovery.reader.last
    if not recovery.text.startswith("[x]", at) or last is None or end_of(last) != at:
        return False
    recovery.faults.add("FM001", recovery.faults.span(start_of(last), at + 3), variant="choice", name=str(last))
    recovery.reader.at = at + 3
    return True


def bad_cardinality(recovery: Recovery, token: Token) -> bool:
    """`1..n`, `*..1`, `0-1`: a cardinality in another form."""
    accepted = set(recovery.reader.accepted())
    last, at = recovery.reader.last, start_of(token)
    begun = accepted in ({"INTEGER", "STAR"}, {"DOTDOT"})
    if not begun and not (recovery.text.startswith("*", at) and re.match(r"\*\s*\.\.", recovery.text[at : at + 9])):
        return False
    start = at
    if begun and last is not None:
        start = start_of(last) if last.type == "INTEGER" else recovery.text.rfind("\n", 0, at) + 1
        digits = re.search(r"\d+\s*\.\.\s*\Z", recovery.text[start:at])
        start = start + digits.start() if digits else start_of(last)
    elif "DOTDOT" not in accepted and recovery.reader.after("INTEGER") is None:
        return False
    run = _CARDINALITY.match(recovery.text, at)
    end = run.end() if run and not recovery.text.startswith("->", at) else at
    shown = end if end > start else recovery.reader.last_end
    recovery.faults.add("FM007", recovery.faults.span(start, max(shown, start)), variant="form")
    upper = re.search(r"(\d+)\Z", recovery.text[at:end])
    if recovery.reader.after("INTEGER") is not None and not begun:
        recovery.reader.put_in("INTEGER", "0", end)
    if recovery.reader.after("DOTDOT") is not None:
        recovery.reader.put_in("DOTDOT", "..", end)
    if recovery.reader.after("STAR") is not None:
        recovery.reader.put_in(*(("INTEGER", upper[1]) if upper else ("STAR", "*")), end)
    recovery.reader.at = end
    return True


def value_without_parentheses(recovery: Recovery, token: Token) -> bool:
    """`tgt.x = a + b`: what computes a value is in parentheses."""
    reader = recovery.reader
    if token.type not in _VALUE_OPERATORS and not token.type.startswith("__ANON"):
        return False
    equals = reader.innermost("EQUAL", "SEMICOLON", "THEN", "ARROW")
    if equals is None or equals.type != "EQUAL" or reader.after("SHARE") is None or reader.after("EQUAL"):
        return False
    end = _value_end(recovery, start_of(token))
    start = re.compile(r"\s*").match(recovery.text, end_of(equals))
    recovery.faults.add("FM015", recovery.faults.span(start.end() if start else end_of(equals), end))
    reader.at = end
    return True


def misspelt(recovery: Recovery, token: Token) -> bool:
    """A word that is nearly a keyword of this place, and reads on as that keyword."""
    if not _WORD.fullmatch(token):
        return False
    words = {kind.lower(): kind for kind in recovery.reader.accepted() if _is_keyword(recovery, kind)}
    meant = nearest(str(token), words)
    if meant is None or not recovery.reader.goes_on(recovery.reader.after(words[meant]), end_of(token), 1):
        return False
    recovery.faults.add("FM004", recovery.reader.span(token), word=str(token), meant=meant)
    return recovery.reader.feed(Token(words[meant], meant, start_pos=start_of(token), end_pos=end_of(token)))


def misspelt_clause(recovery: Recovery, token: Token) -> bool:
    """In a model a misspelt clause looks like the name of the next element."""
    last = recovery.reader.last
    if last is None or last.type != "IDENTIFIER" or recovery.reader.accepted() != ["COLON"]:
        return False
    meant = nearest(str(last), _CLAUSES)
    quoted = token.type in _QUOTED
    if token.type not in (*_QUOTED, "IDENTIFIER", "POSITION", "JOIN", "INTEGER"):
        return False
    if token.type == "INTEGER" and meant not in ("from", "decimals"):
        return False
    if token.type == "IDENTIFIER" and meant != "order":
        return False
    if meant is None and not (quoted or token.type == "JOIN"):
        return False
    if meant is None and last.lower() in _SQL_JOINTS:
        recovery.site.instead(start_of(last), end_of(last), f"`{_SQL_JOINTS[last.lower()]}`")
    elif meant is None:
        recovery.faults.add("FM004", recovery.reader.span(last), variant="clause", word=str(last))
    else:
        recovery.faults.add("FM004", recovery.reader.span(last), word=str(last), meant=meant)
    recovery.skip(start_of(token))
    return True


def word_missing(recovery: Recovery, token: Token) -> bool:
    """`order 'rang'`, `latest 'd'`, `join 'T' 'id'`: the one word that can be here is not."""
    kinds = recovery.reader.accepted()
    if len(kinds) != 1 or not _is_keyword(recovery, kinds[0]):
        return False
    word = kinds[0].lower()
    if token.type in _QUOTED and recovery.reader.goes_on(recovery.reader.after(kinds[0]), start_of(token), 1):
        recovery.faults.add("FM001", recovery.reader.gap(), variant="missing", mark=word)
        return recovery.reader.put_in(kinds[0], word)
    if kinds != ["ON"]:
        return False
    recovery.faults.add("FM001", recovery.reader.gap(), variant="on")
    recovery.skip(start_of(token))
    return True


def mark_missing(recovery: Recovery, token: Token) -> bool:
    """One mark missing before ``token``."""
    reader = recovery.reader
    accepted = set(reader.accepted())
    new_line = "\n" in recovery.text[reader.last_end : start_of(token)]
    may_end = "SEMICOLON" in accepted and (new_line or token.type in ("RBRACE", END))
    if may_end and (token.type == END or reader.goes_on(reader.after("SEMICOLON"), reader.last_end, 1)):
        recovery.faults.add("FM002", reader.gap())
        return reader.put_in("SEMICOLON", ";")
    if token.type == END:
        return False
    for kind, mark in _MARKS:
        if kind not in accepted or (kind == "RBRACE" and token.type != "DOUBLE_QUOTED_STRING"):
            continue
        for times in range(1, 6 if mark == ")" else 2):
            if reader.goes_on(reader.after(*[kind] * times), reader.last_end):
                recovery.report_missing(kind, mark)
                return sum(reader.put_in(kind, mark) for _ in range(times)) == times
    return False


def one_too_many(recovery: Recovery, token: Token) -> bool:
    """What follows fits without ``token``."""
    if token.type == END or not recovery.reader.fits_without(token):
        return False
    if token.type in ("RBRACE", "RPAR", "RSQB"):
        recovery.faults.add("FM024", recovery.reader.span(token), mark=str(token))
    else:
        recovery.report_unexpected(token)
    recovery.reader.at = end_of(token)
    return True


def _curly_quote(recovery: Recovery, at: int) -> None:
    """A quotation mark of a word processor: read as a straight one where it is closed on the line."""
    mark = recovery.text[at]
    recovery.faults.add("FM012", recovery.faults.span(at, at + 1), variant="quote", found=mark)
    closing = [recovery.text.find(close, at + 1, recovery.reader.line_end(at)) for close in _CURLY_QUOTES[mark]]
    ends = [found for found in closing if found >= 0]
    if ends and recovery.reader.after("STRING") is not None:
        content = recovery.text[at + 1 : min(ends)].replace("\\", "").replace("'", "")
        recovery.reader.feed(Token("STRING", f"'{content}'", start_pos=at, end_pos=min(ends) + 1))
    else:
        recovery.reader.at = at + 1


def _value_end(recovery: Recovery, at: int) -> int:
    """Where the expression at ``at`` ends, as far as brackets and marks show."""
    depth, end = 0, at
    while True:
        found = recovery.reader.raw_token(at)
        if found.type in (END, LOST, "SEMICOLON", "LBRACE", "RBRACE", "ARROW"):
            return end
        depth += (found.type in ("LPAR", "LSQB")) - (found.type in ("RPAR", "RSQB"))
        if depth < 0 or (depth == 0 and found.type in ("COMMA", "THEN", "AS", "SHARE", "DOUBLE_QUOTED_STRING")):
            return end
        at = end = end_of(found)


def _is_keyword(recovery: Recovery, kind: str) -> bool:
    pattern = recovery.reader.patterns.get(kind)
    return pattern is not None and pattern.type == "re" and pattern.value.startswith(kind.lower() + "\\b")


ATTEMPTS: tuple[Callable[[Recovery, Token], bool], ...] = (
    swallowed_lines,
    open_comment,
    lambda recovery, token: read_mistake(recovery.site, token),
    lost,
    wrong_arrow,
    choice_suffix,
    bad_cardinality,
    value_without_parentheses,
    misspelt,
    lambda recovery, token: without_quotes(recovery.site, token),
    misspelt_clause,
    word_missing,
    mark_missing,
    one_too_many,
)
"""In the order in which they are tried."""
