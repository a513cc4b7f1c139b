"""Functions on text. Input and arguments are collections of at most one item; an empty one gives an empty result.

Spec: FHIRPath 2.0, "String Manipulation", and the standard-for-trial-use additions.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from fhirmap.data import JsonValue
from fhirmap.errors import TransformFailed
from fhirmap.regular_expressions import LongPattern, PatternMatch, read_pattern
from fhirmap.runtime.fhirpath.bounded_pattern import BoundedPattern
from fhirmap.runtime.fhirpath.item import Items, one
from fhirmap.runtime.fhirpath.long_texts import check_length
from fhirmap.runtime.fhirpath.operators import _shown

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE}


@lru_cache(maxsize=256)
def compile_pattern(pattern: str, flags: str = "") -> re.Pattern[str] | BoundedPattern:
    """A FHIRPath regular expression, ready: `.` takes line breaks, `\\d` and `\\w` are ASCII.

    ``flags``: `i` takes capitals and small letters alike, `m` lets `^` and `$` match at each line.

    One of which some texts would take too long counts its steps (`BoundedPattern`).

    Raises: ``TransformFailed`` FM433 for a pattern that is none.
    """
    try:
        given = sum(_FLAGS[letter] for letter in set(flags))
        read = read_pattern(pattern, given, by_line="m" in flags)
        return read.compiled if read.is_plain(everywhere=True) else BoundedPattern(read)
    except KeyError as error:
        raise TransformFailed("FM433", variant="flags") from error
    except LongPattern as error:
        raise TransformFailed("FM433", variant="long") from error
    except re.error as error:
        raise TransformFailed("FM433", variant="pattern") from error


def text_of(collection: Items, function: str) -> str | None:
    """The one text of a collection, None where it is empty.

    Raises: ``TransformFailed`` FM432 for an item that is no text.
    """
    value = one(collection, function)
    if value is None or isinstance(value, str):
        return value
    raise TransformFailed("FM432", function=function, found=_shown(value), wanted="String")


def number_of(collection: Items, function: str) -> int | None:
    """The one integer of a collection, None where it is empty.

    Raises: ``TransformFailed`` FM432 for an item that is no integer.
    """
    value = one(collection, function)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TransformFailed("FM432", function=function, found=_shown(value), wanted="Integer")


def index_of(collection: Items, part: Items) -> Items:
    """`indexOf`: 0-based place of the first occurrence, -1 where there is none."""
    text, wanted = text_of(collection, "indexOf"), text_of(part, "indexOf")
    return [] if text is None or wanted is None else [text.find(wanted)]


def last_index_of(collection: Items, part: Items) -> Items:
    """`lastIndexOf`: 0-based place of the last occurrence, -1 where there is none."""
    text, wanted = text_of(collection, "lastIndexOf"), text_of(part, "lastIndexOf")
    return [] if text is None or wanted is None else [text.rfind(wanted)]


def substring(collection: Items, start: Items, length: Items | None = None) -> Items:
    """`substring`: empty where it starts outside the text."""
    text, first = text_of(collection, "substring"), number_of(start, "substring")
    count = None if length is None else number_of(length, "substring")
    if text is None or first is None or not 0 <= first < len(text):
        return []
    if count is None:
        return [text[first:]]
    return [text[first : first + max(0, count)]]


def starts_with(collection: Items, part: Items) -> Items:
    """`startsWith`."""
    text, wanted = text_of(collection, "startsWith"), text_of(part, "startsWith")
    return [] if text is None or wanted is None else [text.startswith(wanted)]


def ends_with(collection: Items, part: Items) -> Items:
    """`endsWith`."""
    text, wanted = text_of(collection, "endsWith"), text_of(part, "endsWith")
    return [] if text is None or wanted is None else [text.endswith(wanted)]


def contains_text(collection: Items, part: Items) -> Items:
    """`contains` on text."""
    text, wanted = text_of(collection, "contains"), text_of(part, "contains")
    return [] if text is None or wanted is None else [wanted in text]


def upper(collection: Items) -> Items:
    """`upper`."""
    text = text_of(collection, "upper")
    return [] if text is None else [text.upper()]


def lower(collection: Items) -> Items:
    """`lower`."""
    text = text_of(collection, "lower")
    return [] if text is None else [text.lower()]


def replace(collection: Items, pattern: Items, substitution: Items) -> Items:
    """`replace`: an empty pattern matches before every character and at the end."""
    text, old, new = text_of(collection, "replace"), text_of(pattern, "replace"), text_of(substitution, "replace")
    if text is None or old is None or new is None:
        return []
    if len(new) > len(old):
        check_length(len(text) + text.count(old) * (len(new) - len(old)), "replace")
    return [text.replace(old, new)]


def matches(collection: Items, pattern: Items, flags: Items | None = None) -> Items:
    """`matches`: does the pattern occur in the text?"""
    text, wanted = text_of(collection, "matches"), text_of(pattern, "matches")
    how = "" if flags is None else text_of(flags, "matches") or ""
    return [] if text is None or wanted is None else [compile_pattern(wanted, how).search(text) is not None]


def matches_full(collection: Items, pattern: Items, flags: Items | None = None) -> Items:
    """`matchesFull`: is the text the pattern, from end to end?"""
    text, wanted = text_of(collection, "matchesFull"), text_of(pattern, "matchesFull")
    how = "" if flags is None else text_of(flags, "matchesFull") or ""
    return [] if text is None or wanted is None else [compile_pattern(wanted, how).fullmatch(text) is not None]


def replace_matches(collection: Items, pattern: Items, substitution: Items, flags: Items | None = None) -> Items:
    """`replaceMatches`: `$1` in the substitution is the first group; an empty pattern changes nothing."""
    text, wanted = text_of(collection, "replaceMatches"), text_of(pattern, "replaceMatches")
    new = text_of(substitution, "replaceMatches")
    if text is None or wanted is None or new is None:
        return []
    if not wanted:
        return [text]
    how = "" if flags is None else text_of(flags, "replaceMatches") or ""
    compiled = compile_pattern(wanted, how)
    parts = [_group_named(part, compiled) for part in _SUBSTITUTED.split(new)]
    made = 0

    def filled(found: re.Match[str] | PatternMatch) -> str:
        nonlocal made
        part = "".join(_filled(parts, found))
        made += len(part)
        check_length(made, "replaceMatches")
        return part

    return [compiled.sub(filled, text)]


_SUBSTITUTED = re.compile(r"(\$\d+|\$\{\w+\})")


def _group_named(part: str, compiled: re.Pattern[str] | BoundedPattern) -> str | int:
    """A part of a substitution: a text, or the number of a group.

    Raises: ``TransformFailed`` FM433 for a group that the pattern does not have.
    """
    if _SUBSTITUTED.fullmatch(part) is None:
        return part
    name = part.strip("${}")
    number = int(name) if name.isdecimal() and len(name) < 6 else compiled.groupindex.get(name, -1)
    if not 0 <= number <= compiled.groups:
        raise TransformFailed("FM433", variant="pattern")
    return number


def _filled(parts: Iterable[str | int], found: re.Match[str] | PatternMatch) -> Iterator[str]:
    for part in parts:
        yield part if isinstance(part, str) else found[part] or ""


def length(collection: Items) -> Items:
    """`length`: number of characters."""
    text = text_of(collection, "length")
    return [] if text is None else [len(text)]


def to_chars(collection: Items) -> Items:
    """`toChars`."""
    return list(text_of(collection, "toChars") or "")


def trim(collection: Items) -> Items:
    """`trim`: without blanks at both ends."""
    text = text_of(collection, "trim")
    return [] if text is None else [text.strip()]


def split(collection: Items, separator: Items) -> Items:
    """`split`."""
    text, mark = text_of(collection, "split"), text_of(separator, "split")
    if text is None or mark is None:
        return []
    return text.split(mark) if mark else list(text)


def join(collection: Items, separator: Items | None = None) -> Items:
    """`join`: all texts of a collection in one."""
    mark = "" if separator is None else text_of(separator, "join") or ""
    found = [text_of([item], "join") for item in collection]
    texts = [text for text in found if text is not None]
    check_length(sum(map(len, texts)) + len(mark) * len(texts), "join")
    return [mark.join(texts)] if collection else []


def encode(collection: Items, form: Items) -> Items:
    """`encode`: base64, urlbase64 or hex of the UTF-8 text; empty for another format."""
    text, name = text_of(collection, "encode"), text_of(form, "encode")
    if text is None or name is None:
        return []
    raw = text.encode()
    check_length(2 * len(raw), "encode")
    if name == "hex":
        return [raw.hex()]
    if name == "base64":
        return [base64.b64encode(raw).decode()]
    return [base64.urlsafe_b64encode(raw).decode()] if name == "urlbase64" else []


def decode(collection: Items, form: Items) -> Items:
    """`decode`: the reverse of `encode`; empty for another format."""
    text, name = text_of(collection, "decode"), text_of(form, "decode")
    if text is None or name is None:
        return []
    try:
        if name == "hex":
            return [bytes.fromhex(text).decode()]
        if name == "base64":
            return [base64.b64decode(text, validate=True).decode()]
        return [base64.urlsafe_b64decode(text).decode()] if name == "urlbase64" else []
    except (binascii.Error, ValueError) as error:
        raise TransformFailed("FM433", variant="encoding", format=name) from error


def escape(collection: Items, target: Items) -> Items:
    """`escape`: for html or json."""
    text, name = text_of(collection, "escape"), text_of(target, "escape")
    if text is None or name is None:
        return []
    if name == "html":
        from html import escape as escape_html

        made = escape_html(text)
    elif name == "json":
        made = json.dumps(text, ensure_ascii=False)[1:-1]
    else:
        return []
    check_length(len(made), "escape")
    return [made]


def unescape(collection: Items, target: Items) -> Items:
    """`unescape`: from html or json."""
    text, name = text_of(collection, "unescape"), text_of(target, "unescape")
    if text is None or name is None:
        return []
    if name == "html":
        from html import unescape as unescape_html

        return [unescape_html(text)]
    if name != "json":
        return []
    try:
        return [_from_json(text)]
    except ValueError as error:
        raise TransformFailed("FM433", variant="encoding", format=name) from error


def _from_json(text: str) -> JsonValue:
    # A bare quote in the text is itself: only what a backslash introduces is an escape.
    bare = re.sub(r'(?<!\\)((?:\\\\)*)"', r'\1\\"', text)
    return json.loads(f'"{bare}"', strict=False)
