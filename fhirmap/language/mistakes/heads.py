"""The head of a model: a file named in the map, other words for a kind of source, SQL that belongs into a query."""

from __future__ import annotations

import re

from lark import Token

from fhirmap.diagnostics import nearest
from fhirmap.language.expressions import end_of, start_of
from fhirmap.language.mistakes.site import MistakeSite
from fhirmap.language.reader import END

_STORES = ("TABLE", "QUERY", "CSV", "SHEET", "FIXED", "PARQUET", "JSON", "XML", "HL7")
_OTHER_WORDS = {
    **dict.fromkeys(("view", "database", "tables"), "TABLE"),
    **dict.fromkeys(("sql", "select"), "QUERY"),
    **dict.fromkeys(("ndjson", "jsonl"), "JSON"),
    **dict.fromkeys(("tsv", "txt"), "CSV"),
    **dict.fromkeys(("excel", "xlsx", "xlsm", "xls", "ods", "spreadsheet", "workbook", "worksheet", "calc"), "SHEET"),
    **dict.fromkeys(("flat", "dat", "positional", "fixedwidth", "fixed_width"), "FIXED"),
    **dict.fromkeys(("cda",), "XML"),
    **dict.fromkeys(("hl7v2", "mllp", "er7"), "HL7"),
}
_KINDS_BY_SUFFIX = {
    **dict.fromkeys(("json", "ndjson", "jsonl"), "JSON"),
    **dict.fromkeys(("xlsx", "xlsm", "xls", "ods"), "SHEET"),
    **dict.fromkeys(("xml", "cda"), "XML"),
    **dict.fromkeys(("hl7", "er7"), "HL7"),
    "parquet": "PARQUET",
    "dat": "FIXED",
}
_WITHOUT_NAME = ("CSV", "FIXED", "PARQUET")
_WITH_PATH = ("JSON", "XML", "HL7")
_ENTRIES = ("map_rule", "model_element", "concept_map_item", "first_declaration", "declaration")
_FILE_WORDS = ("file", "path", "source", "from", "url")
_FILE = re.compile(r"(?:['\"`][^'\"`\n]*['\"`]|[^\s'\"`;{}()]+\.\w+)")
_FILE_NAME = re.compile(
    r"[/\\]|\.(?:csv|tsv|txt|json|ndjson|jsonl|xls[xm]?|xml|cda|ods|parquet|hl7|er7|dat|zip|gz|db|sqlite3?)\Z",
    re.IGNORECASE,
)
_OPTIONS = (
    *("key", "where", "order", "latest", "encoding", "delimiter", "null", "decimal", "thousands"),
    *("source", "header", "names", "fill", "until", "prefix"),
)
_KINDS = {"decimal": "DECIMAL_MARK"}
_SQL_END = re.compile(r"\s+(?:key\s+['\"(]|on\s+['\"(\w])|\s*(?:\{|;?\s*\Z)")


def named_file(site: MistakeSite, token: Token) -> bool:
    """`from csv 'x.csv'`, `from json('x.json')`, `from csv file 'x.csv'`, `from 'x.csv'`: the project names it."""
    reader, last = site.reader, site.reader.last
    if last is None or last.type not in (*_WITHOUT_NAME, *_WITH_PATH, "FROM") or not _in_head(site):
        return False
    at, found = start_of(token), None
    word = re.compile(rf"(?:(?:{'|'.join(_FILE_WORDS)})\b\s*)?\(?\s*").match(site.text, at)
    if word is not None:
        found = _FILE.match(site.text, word.end())
    if found is None:
        return False
    name = found[0].strip("'\"`")
    closing = re.compile(r"\s*\)").match(site.text, found.end()) if "(" in site.text[at : found.start()] else None
    end = closing.end() if closing else found.end()
    is_file = _FILE_NAME.search(name) is not None or last.type in _WITHOUT_NAME
    if last.type == "FROM":
        kind = _kind_of_file(name) if is_file else "TABLE"
        reader.feed(Token(kind, kind.lower(), start_pos=at, end_pos=end))
    else:
        kind = last.type
    if is_file:
        span = site.faults.span(at, end)
        site.faults.add("FM001", span, variant="file", found=span.snippet, wanted=f"from {kind.lower()}")
    elif kind in _WITH_PATH:
        site.instead(at, end, f"`path '{name}'`")
        reader.feed(Token("PATH", "path", start_pos=at, end_pos=at))
        reader.feed(Token("STRING", f"'{name}'", start_pos=at, end_pos=end))
    else:
        site.instead(at, end, f"`table '{name}'`")
        reader.feed(Token("STRING", f"'{name}'", start_pos=at, end_pos=end))
    reader.at = end
    return True


def kind_of_source(site: MistakeSite, token: Token) -> bool:
    """`from view 'V'`, `from sql '…'`, `from excel 'x.xlsx'`, `model X table 'T'`"""
    reader, last, word = site.reader, site.reader.last, token.lower()
    if last is None or last.type not in ("IDENTIFIER", "FROM") or not _in_head(site):
        return False
    if last.type == "IDENTIFIER" and word.upper() in _STORES and reader.after("FROM", word.upper()) is not None:
        site.faults.add("FM001", reader.gap(), variant="missing", mark="from")
        return reader.put_in("FROM", "from")
    if last.type != "FROM":
        return False
    kind = _OTHER_WORDS.get(word)
    if kind is None:
        return False
    following = reader.raw_token(end_of(token))
    if following.type in ("STRING", "DOUBLE_QUOTED_STRING") and _FILE_NAME.search(following[1:-1]):
        span = site.faults.span(start_of(token), end_of(following))
        site.faults.add("FM001", span, variant="file", found=span.snippet, wanted=f"from {kind.lower()}")
        return reader.feed(Token(kind, kind.lower(), start_pos=start_of(token), end_pos=end_of(following)))
    site.instead(start_of(token), end_of(token), f"`{kind.lower()}`")
    end = start_of(token) if word == "select" else end_of(token)
    return reader.feed(Token(kind, kind.lower(), start_pos=start_of(token), end_pos=end))


def bare_query(site: MistakeSite, token: Token) -> bool:
    """`query select … from …`, `query (select …)`"""
    reader, last, at = site.reader, site.reader.last, start_of(token)
    if last is None or last.type != "QUERY" or not re.match(r"\(?\s*(?:select|with)\b", site.text[at:], re.IGNORECASE):
        return False
    line_end = reader.line_end(at)
    ends = _SQL_END.search(site.text[at:line_end])
    end = at + ends.start() if ends else line_end
    site.faults.add("FM001", site.faults.span(at, end), variant="query")
    plain = site.text[at:end].strip("()").replace("\\", "").replace("'", "")
    return reader.feed(Token("STRING", f"'{plain}'", start_pos=at, end_pos=end))


def texts_in_brackets(site: MistakeSite, token: Token) -> bool:
    """`key ('id')`, `key ('a', 'b')`, `path('cases')`, `key = 'id'`: the texts follow their word."""
    reader, last = site.reader, site.reader.last
    if last is None or reader.after("STRING") is None or reader.inside(*_ENTRIES) == "map_rule":
        return False
    if token.type in ("EQUAL", "COLON") and reader.fits_without(token):
        site.superfluous(start_of(token), end_of(token))
        reader.at = end_of(token)
        return True
    found = re.compile(r"\(\s*([^()\n]*?)\s*\)").match(site.text, start_of(token))
    texts = re.findall(r"'([^'\n]*)'|\"([^\"\n]*)\"|([\w.]+)", found[1]) if found else []
    if found is None or not texts:
        return False
    shown = [f"'{single or double or bare}'" for single, double, bare in texts]
    site.instead(*found.span(), f"`{', '.join(shown)}`")
    for place, text in enumerate(shown):
        if place and not reader.feed(Token("LIST_COMMA", ",", start_pos=found.start(), end_pos=found.end())):
            break
        reader.feed(Token("STRING", text, start_pos=found.start(), end_pos=found.end()))
    reader.at = found.end()
    return True


def other_option(site: MistakeSite, token: Token) -> bool:
    """`from table 'A' limit 10`, `from table 'A', 'B'`, `from table "S"."A"`, `primary key 'id'`, `'a' and 'b'`"""
    reader, at = site.reader, start_of(token)
    if reader.after("KEY") is None or not _in_head(site) or reader.innermost("FROM") is None:
        return False
    if reader.after("LIST_COMMA") is not None and token.lower() in ("and", "&"):
        site.instead(at, end_of(token), "`,`")
        return reader.feed(Token("LIST_COMMA", ",", start_pos=at, end_pos=end_of(token)))
    following = reader.raw_token(end_of(token))
    if token.type == "DOT" and reader.last is not None and following.type in ("STRING", "DOUBLE_QUOTED_STRING"):
        span = site.faults.span(start_of(reader.last), end_of(following))
        table = f"{reader.last[1:-1]}.{following[1:-1]}"
        site.instead(span.start, span.end, f"`'{table}'`")
        reader.at = end_of(following)
        return True
    if str(following) in _OPTIONS and (token.type == "IDENTIFIER" or token == ","):
        site.superfluous(at, end_of(token))
        reader.at = end_of(token)
        return True
    if token == "as" and following.type == "IDENTIFIER":
        site.superfluous(at, end_of(following))
        reader.at = end_of(following)
        return True
    meant = nearest(str(token), _OPTIONS)
    if meant is not None and reader.goes_on(reader.after(_KINDS.get(meant, meant.upper())), end_of(token), 1):
        return False  # a misspelt one
    variant = "more_tables" if token == "," or "join" in (token.lower(), following.lower()) else "option"
    site.faults.add("FM004", reader.span(token), variant=variant, word=str(token))
    while found_end := reader.raw_token(at):
        if found_end.type in (END, "LBRACE") or (str(found_end) in _OPTIONS and reader.after("KEY") is not None):
            break
        at = end_of(found_end)
    reader.at = start_of(found_end)
    return True


def _kind_of_file(name: str) -> str:
    return _KINDS_BY_SUFFIX.get(name.rpartition(".")[2].lower(), "CSV")


def _in_head(site: MistakeSite) -> bool:
    return site.reader.innermost("MODEL") is not None and site.reader.inside(*_ENTRIES) != "model_element"
