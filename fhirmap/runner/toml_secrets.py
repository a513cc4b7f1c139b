"""A project file as it may be shown: a diagnostic prints the line it is about, and that line may hold a secret.

What looks like one becomes asterisks, every other character keeps its place. Rather too much than too little: a key
misspelt is just what a diagnostic is about, so the settings of the identity are hidden but for those known to be none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LINE = re.compile(r"^.*$", re.MULTILINE)
_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"\s*([\w.\"' -]+?)\s*=")
_TEXT = re.compile(
    r"""(?P<quotes>\"{3}|'{3})(?P<long>.*?)(?:(?P=quotes)|\Z)|(?P<quote>["'])(?P<short>(?:\\.|(?!(?P=quote))[^\n])*)"""
    r"""(?:(?P=quote)|$)""",
    re.MULTILINE | re.DOTALL,
)
_LIST = re.compile(r"\s*\[")
_WORD = re.compile(r"\s*([\w\"'-][\w.\"'-]*)")
_BARE = re.compile(r"[ \t]*(?![\"'\[{ \t])(?!(?:true|false)\b)([^\n]+)")
_REST = re.compile(r"[ \t]*(?![,\]}# \t])([^\n]+)")
_COMMENT = re.compile(r"#.*")
_LOGIN = re.compile(r"(?<=://)[^/@:\s\"']*:(?P<password>[^\n\"']*)(?=@)")
_SECRET_TABLE = re.compile(r"sink\.(auth|headers)$")
_SECRET_KEY = re.compile(r"(?i)secr|passw|pwd|private|token|api.?key|headers|auth|encryption")
_SECRETS = ("password", "passwd", "secret", "client_secret", "private_key")
_NO_SECRETS = frozenset(
    ("kind", "method", "token_url", "client_id", "scope", "key_id", "algorithm", "audience", "password_file")
)

_Place = tuple[int, int]


def hide_secrets(text: str) -> str:
    """The text of a project file with asterisks in place of what may be a secret; references stay.

    Example:
        >>> hide_secrets('client_secret = "abc"')
        'client_secret = "***"'
    """
    shown = list(text)
    for start, end in (*_logins(text), *_values(text)):
        if "${" not in text[start:end]:
            shown[start:end] = ["\n" if letter == "\n" else "*" for letter in text[start:end]]
    return "".join(shown)


def _logins(text: str) -> Iterator[_Place]:
    """Passwords of URLs."""
    return (found.span("password") for found in _LOGIN.finditer(text))


def _values(text: str) -> Iterator[_Place]:
    """Texts of a key that may hold a secret."""
    table, end = "", 0
    for line in _LINE.finditer(text):
        if line.start() < end:
            continue  # within a text of several lines
        key = _KEY.match(line.group())
        header = None if key else _HEADER.match(line.group())
        table = header.group(1) if header else table
        if key is None:
            if header is None and (word := _WORD.match(line.group())) and _may_be_secret(table, word[1].strip("\"'")):
                yield line.start() + word.end(), line.end()  # `client_secret: abc`
            continue
        place = line.start() + key.end()
        is_secret = _may_be_secret(table, key.group(1).strip("\"'"))
        is_list = _LIST.match(text, place) is not None
        if is_secret and (bare := _BARE.match(text, place)):
            yield bare.start(1), line.end()  # without quotes, which TOML does not take
        is_text = text[place : line.end()].lstrip()[:1] in ("'", '"')
        while found := _TEXT.search(text, place):
            if found.start() > line.end() and not (is_list and _goes_on(text[place : found.start()])):
                break
            place = end = max(found.end(), place + 1)
            if is_secret:
                yield found.span("long" if found["quotes"] else "short")
            if is_text:
                if is_secret and (rest := _REST.match(text, place)):
                    yield rest.span(1)  # `"abc" def`
                break


def _goes_on(between: str) -> bool:
    """Does a list go on after the text before? Values of several lines are lists."""
    return "]" not in _COMMENT.sub("", between)


def _may_be_secret(table: str, key: str) -> bool:
    if key in _NO_SECRETS:
        return False
    if _SECRET_TABLE.match(table) or _SECRET_KEY.search(key):
        return True
    from difflib import get_close_matches

    return bool(get_close_matches(key.lower(), _SECRETS, n=1))
