"""How a part of an expression stands in Python while code is written: `Val`, and where it is evaluated: `Place`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from fhirmap.analysis.static import Static
from fhirmap.model.definition import Element, TypeRef

_LAST_GET = re.compile(r"^(.*)\.get\(('[^'\\]*')\)$", re.DOTALL)
_ONE_FILTER = re.compile(r"for (\w+) in (.+) if \(?\1\.get\(('[^'\\]*')\) == ('[^'\\]*')\)?")
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice element whose key is not known yet: the next step, or its use, says which types can be meant."""

    owner: str
    owner_type: TypeRef
    element: Element
    types: tuple[TypeRef, ...]


@dataclass(frozen=True, slots=True)
class Val:
    """Python code of a value.

    ``kind``: `scalar` a bare value (None when absent unless ``static`` says one); `stream` comprehension ``clauses``
    around the element ``code``; `items` a list of items; `item` one item. ``source``: the Python list that a stream
    goes through unfiltered. ``owner``: dict and key of a FHIR JSON primitive, whose sibling `_x` may stand alone.
    """

    code: str
    static: Static
    kind: Literal["scalar", "stream", "items", "item"] = "scalar"
    clauses: tuple[str, ...] = ()
    source: str = ""
    owner: tuple[str, str] | None = None
    choice: Choice | None = None
    is_bare: bool = False
    """Comes from a FHIR JSON primitive and has lost its way to the sibling: not to be wrapped again."""

    @property
    def is_one(self) -> bool:
        """A scalar that is never absent?"""
        return self.kind == "scalar" and self.static.cardinality == "one"

    @property
    def is_scalar(self) -> bool:
        """A bare value, absent perhaps?"""
        return self.kind == "scalar" and self.choice is None

    @property
    def is_stream(self) -> bool:
        """Several bare values?"""
        return self.kind == "stream" and self.choice is None

    def with_static(self, static: Static) -> Val:
        """The same code, known otherwise."""
        return replace(self, static=static)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part is evaluated: `$this`, `$index`, `$total` there; ``is_root``: still the focus of the whole
    expression.
    """

    focus: Val | None
    index: str = ""
    total: str = ""
    is_root: bool = True
    defined: dict[str, str] = field(default_factory=dict)

    def inside(self, focus: Val, index: str = "", total: str = "") -> Place:
        """The place for an argument that is evaluated for ``focus``."""
        return Place(focus, index or self.index, total or self.total, False)


def or_empty(code: str) -> str:
    """A dict that may be absent, as one that may be empty."""
    found = _LAST_GET.match(code)
    if found:
        return f"{found[1]}.get({found[2]}, {{}})"
    return f"({code} or {{}})"


def or_empty_list(code: str) -> str:
    """A list that may be absent, as one that may be empty."""
    return _with_default(code, "()")


def as_list(code: str) -> str:
    """A list that may be absent, as a list."""
    return _with_default(code, "[]")


def _with_default(code: str, default: str) -> str:
    if is_name(code):
        return code
    found = _LAST_GET.match(code)
    return f"{found[1]}.get({found[2]}, {default})" if found else f"({code} or {default})"


def looked_for(val: Val) -> tuple[str, str, str, str] | None:
    """A child of those items of one list that have one text: code of the list, the text's key, the text, the child."""
    filtered = _ONE_FILTER.fullmatch(val.clauses[0]) if len(val.clauses) == 1 else None
    child = _LAST_GET.match(val.code)
    if filtered is None or child is None or child[1] != filtered[1] or " for " in filtered[2]:
        return None
    return filtered[2], filtered[3], filtered[4], child[2]


def is_name(code: str) -> bool:
    """Is the code just a name, free to be written twice?"""
    return _NAME.fullmatch(code) is not None


def is_cheap(code: str) -> bool:
    """May the code stand twice: a name, or one look into a dict of that name?"""
    found = _LAST_GET.match(code)
    return is_name(code) or (found is not None and is_name(found[1]))
