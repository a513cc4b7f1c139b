"""Patterns as Python's own parser reads them: the trees that cost and matcher go through.

`re` keeps its parser and compiler to itself, in modules whose trees have been the same since Python 3.11. Nothing else
of fhirmap uses these.
"""

from __future__ import annotations

import re
import re._compiler as sre_compiler  # type: ignore[import-not-found]
import re._constants as sre_constants  # type: ignore[import-not-found]
import re._parser as sre_parser  # type: ignore[import-not-found]
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

__all__ = ["ENDLESS", "Item", "Items", "characters", "combined", "items_of", "op_name", "single"]

Item = tuple[Any, Any]
"""An operation, and what it is about."""
Items = list[Item]

ENDLESS = int(sre_constants.MAXREPEAT)
"""How often a repeat without an end may repeat."""


def items_of(pattern: str, flags: int) -> tuple[Items, int]:
    """The tree of a pattern, and the flags that hold in it, those at its own beginning among them.

    Raises: ``re.error``; ``RecursionError`` for groups that are nested too deeply.
    """
    tree = sre_parser.parse(pattern, flags)
    return list(tree), int(tree.state.flags)


def op_name(item: Item) -> str:
    """Name of an operation: `LITERAL`, `MAX_REPEAT`."""
    return str(item[0])


def combined(flags: int, added: int, removed: int) -> int:
    """The flags inside a group that changes them, `(?i:…)`."""
    kinds = int(re.ASCII | re.LOCALE | re.UNICODE)
    return ((flags & ~kinds if added & kinds else flags) | added) & ~removed


def single(item: Item, flags: int) -> re.Pattern[str]:
    """One operation alone, a character or a place, as a pattern."""
    return _single(repr(item), flags, _Held(item))


class _Held:
    """An item that says nothing of itself to a cache: its text does."""

    def __init__(self, item: Item) -> None:
        self.item = item

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=1024)
def _single(_text: str, flags: int, held: _Held) -> re.Pattern[str]:
    state = sre_parser.State()
    state.flags = flags
    compiled: re.Pattern[str] = sre_compiler.compile(sre_parser.SubPattern(state, [held.item]), flags)
    return compiled


def characters(items: Items) -> Iterator[tuple[int, int]]:
    """The first and the last of each range of characters that a tree names."""
    waiting: list[Any] = list(items)
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple) and len(part) == 2 and str(part[0]) in ("LITERAL", "NOT_LITERAL"):
            yield part[1], part[1]
        elif isinstance(part, tuple) and len(part) == 2 and str(part[0]) == "RANGE":
            yield part[1]
        elif isinstance(part, list | tuple | sre_parser.SubPattern):
            waiting += list(part)
