"""`join … on …` as in SQL: columns in parentheses, `==`, `and`, `using`, another name for the table."""

from __future__ import annotations

import re

from lark import Token

from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.mistakes.site import MistakeSite

_PART = re.compile(
    r"\s*(?:(?P<quoted>'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`)|(?P<bare>[^\W\d]\w*(?:\.[^\W\d]\w*)*)"
    r"|(?P<mark>==?|<>|!=|->|:|,|&&?)|(?P<bracket>[()]))"
)
_NEXT_ELEMENT = re.compile(r"\s*(?:[^\W\d]\w*|`[^`\n]*`)\s*:")
_CLAUSES = frozenset(
    (
        *("from", "format", "zone", "null", "join", "where", "order", "repeat", "lines", "attributes", "values"),
        *("split", "decimals"),
    )
)
_AND = frozenset(("and", "&", "&&", ","))
_EQUALS = frozenset(("eq", "=", "==", "<>", "!=", "->", ":"))
_TABLES = frozenset(("table", "view"))
_FILES = frozenset(("csv", "json", "file", "sheet", "excel", "fixed", "parquet", "xml", "hl7", "source", "from"))


def kind_of_joined(site: MistakeSite, token: Token) -> bool:
    """`join table 'T'`, `join view 'V'`, `join csv 'x.csv'`: a table or a query is named, and nothing else."""
    reader, last, word = site.reader, site.reader.last, token.lower()
    if last is None or last.type != "JOIN" or word not in _TABLES | _FILES:
        return False
    following = reader.raw_token(end_of(token))
    if str(following) == "on" and word in _TABLES:
        return False
    if word not in _FILES:
        site.superfluous(start_of(token), end_of(token))
        reader.at = end_of(token)
        return True
    site.faults.add("FM001", reader.span(token), variant="joined_file", found=str(token))
    reader.at = end_of(token)
    return True


def joined_alias(site: MistakeSite, token: Token) -> bool:
    """`join 'PIECE' p on …`, `join 'PIECE' as p on …`, `join 'PIECE' using …`"""
    reader = site.reader
    if reader.accepted() != ["ON"]:
        return False
    if token.lower() == "using":
        site.instead(start_of(token), end_of(token), "`on`")
        return reader.feed(Token("ON", "on", start_pos=start_of(token), end_pos=end_of(token)))
    end = end_of(reader.raw_token(end_of(token))) if token.lower() == "as" else end_of(token)
    if not token[:1].isalpha() or str(reader.raw_token(end)) != "on":
        return False
    site.superfluous(start_of(token), end)
    reader.at = end
    return True


def joined_columns(site: MistakeSite, token: Token) -> bool:
    """`on (a = b)`, `on a == b`, `on PIECE.a = OP.b`, `on 'a' and 'b'`: texts, with `,` between the pairs."""
    reader = site.reader
    if reader.after("STRING") is None and reader.after("LIST_COMMA") is None:
        return False
    join, on = reader.innermost("JOIN"), reader.innermost("ON")
    if join is None or on is None:
        return False
    parts = _parts(site.text, end_of(on))
    if not parts or parts[-1].end() <= start_of(token):
        return False
    joined = re.findall(r"\w+", site.text[end_of(join) : start_of(on)].lower())
    pairs = [_in_order(pair, joined) for pair in _pairs(parts)]
    start, end = parts[0].end() - len(parts[0][0].strip()), parts[-1].end()
    wanted = [mark for pair in pairs for mark in (("LIST_COMMA", ","), *_marks(pair))][1:]
    for part in parts:
        wanted = wanted[part["bracket"] is None and part.end() <= start_of(token) :]
    site.instead(start, end, f"`{', '.join(' = '.join(text for _, text in _marks(pair)[::2]) for pair in pairs)}`")
    for kind, text in wanted:
        reader.feed(Token(kind, text, start_pos=start, end_pos=end))
    reader.at = end
    return True


def _parts(text: str, at: int) -> list[re.Match[str]]:
    """Columns, what is between them and brackets, up to the end of the `on` clause."""
    parts: list[re.Match[str]] = []
    ends = 0
    while (found := _PART.match(text, at)) is not None:
        column = found["quoted"] or (found["bare"] if found["bare"] not in ("and", "eq") else None)
        follows = not parts or parts[-1]["mark"] or parts[-1]["bare"] in ("and", "eq") or parts[-1][0].strip() == "("
        if column and (not follows or column in _CLAUSES or (found["bare"] and _NEXT_ELEMENT.match(text, at))):
            break
        parts.append(found)
        at = found.end()
        if column or found["bracket"] == ")":
            ends = len(parts)
    return parts[:ends]


def _pairs(parts: list[re.Match[str]]) -> list[list[str]]:
    pairs: list[list[str]] = []
    joint = ""
    for part in parts:
        word = part[0].strip()
        if word in _EQUALS or word in _AND:
            joint = word
        elif not part["bracket"]:
            name = word.strip("'\"`")
            if joint in _EQUALS and len(pairs[-1]) == 1:
                pairs[-1].append(name)
            else:
                pairs.append([name])
    return pairs


def _in_order(pair: list[str], joined: list[str]) -> list[str]:
    """The column of the joined table first, and both without the names of their tables."""
    tables = [column.rpartition(".")[0].lower() for column in pair]
    if len(pair) == 2 and tables[1] in joined and tables[0] not in joined:
        pair = pair[::-1]
    return [column.rpartition(".")[2] for column in pair]


def _marks(pair: list[str]) -> list[tuple[str, str]]:
    texts = [("STRING", f"'{column}'") for column in pair]
    return texts[:1] + [mark for text in texts[1:] for mark in (("EQUAL", "="), text)]
