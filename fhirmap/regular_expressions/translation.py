r"""Regular expressions as maps and definitions write them, in the form that Python's `re` reads.

FHIRPath takes PCRE's: categories of letters (`\p{L}`, `\P{Lu}`), groups named `(?<year>…)`, and a `$` that is the very
end of the text, never the place before a last line break. Standard library only.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Mapping
from functools import cache

_TOKEN = re.compile(
    r"\\(?P<sense>[pP])(?:\{(?P<not>\^?)(?P<name>[A-Za-z]+)\}|(?P<letter>[A-Z]))"
    r"|\\k<(?P<back>[A-Za-z_]\w*)>|\\(?P<escape>.)|\(\?<(?P<group>[A-Za-z_]\w*)>|(?P<open>\[\^?\]?)|(?P<close>\])|(?P<end>\$)",
    re.DOTALL | re.ASCII,
)


def python_pattern(pattern: str, *, by_line: bool = False) -> str:
    r"""``pattern`` for Python's `re`. ``by_line``: `$` is the end of each line, as `m` has it.

    Raises: ``re.error`` for a `\p{…}` of which Unicode has no general category.

    Example:
        >>> python_pattern("^(?<day>[0-9]+)$")
        '^(?P<day>[0-9]+)\\Z'
    """
    written: list[str] = []
    position, inside = 0, False
    for found in _TOKEN.finditer(pattern):
        written += [pattern[position : found.start()], _translated(found, inside=inside, by_line=by_line)]
        position = found.end()
        inside = (inside or found["open"] is not None) and found["close"] is None
    return "".join([*written, pattern[position:]])


def names_categories(pattern: str) -> bool:
    r"""Does it have a `\p{L}`, which is long once written for Python?"""
    return any(found["sense"] for found in _TOKEN.finditer(pattern))


def _translated(found: re.Match[str], *, inside: bool, by_line: bool) -> str:
    if found["sense"]:
        name, is_other = found["name"] or found["letter"], (found["sense"] == "P") != bool(found["not"])
        text = _ranges(name, is_other=is_other)
        return text if inside else f"[{text}]"
    if found["end"] is not None and not inside and not by_line:
        return r"\Z"
    if found["group"] is not None and not inside:
        return f"(?P<{found['group']}>"
    return f"(?P={found['back']})" if found["back"] else found[0]


@cache
def _ranges(name: str, *, is_other: bool) -> str:
    """The characters of a category, or all others, as the inside of a class."""
    known = _categories()
    wanted = {category for category in known if category.startswith(name)}
    if not wanted:
        raise re.error(f"unknown category {name}")
    chosen = known.keys() - wanted if is_other else wanted
    spans = sorted(span for category in chosen for span in known[category])
    return "".join(f"{_character(first)}-{_character(last)}" for first, last in spans)


@cache
def _categories() -> Mapping[str, list[tuple[int, int]]]:
    """General category → the spans of its characters."""
    found: dict[str, list[tuple[int, int]]] = {}
    start, current = 0, unicodedata.category("\0")
    for code in range(1, sys.maxunicode + 2):
        category = unicodedata.category(chr(code)) if code <= sys.maxunicode else ""
        if category != current:
            found.setdefault(current, []).append((start, code - 1))
            start, current = code, category
    return found


def _character(code: int) -> str:
    return f"\\U{code:08x}"
