"""A program as Python, which the compiler hands over: apart from it, so that what was kept runs without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType

from fhirmap.source_plan import SourcePlan

__all__ = ["CompiledMap"]


@dataclass(frozen=True, slots=True)
class CompiledMap:
    """A program as Python. ``files``: file name that code objects bear -> name of the map as the user gave it.

    ``texts``: the same file names -> characters, for tracebacks.
    """

    name: str
    text: str
    code: CodeType
    digest: str
    files: Mapping[str, str]
    texts: Mapping[str, str]
    store: SourcePlan | None
