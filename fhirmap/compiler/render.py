"""Plans become text: the jinja2 environment and its guard.

Autoescape is on and `finalize` refuses every string that is not `Code`, so a template cannot print a map's text other
than through ``|literal`` (a `repr`), ``|name`` (a checked identifier) or ``|comment`` (one line without control
characters). ``|at`` ends a statement with the mark that `positions` reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any
from unicodedata import category

from jinja2 import DictLoader, Environment, StrictUndefined, pass_context
from jinja2.runtime import Context

from fhirmap.compiler.names import Code, Name, join, literal
from fhirmap.compiler.plan import Step
from fhirmap.diagnostics import Span
from fhirmap.errors import InternalError

MARK = "  #@"
"""What opens a position mark: two blanks keep it apart from code, and no generated comment begins so."""


class Marks:
    """Spans of one module's statements, numbered in the order they are printed."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._known: dict[tuple[str, int, int], int] = {}

    def at(self, span: Span | None) -> Code:
        """The mark for ``span``; nothing where a statement has no place in the map."""
        if span is None:
            return Code("")
        key = (span.name, span.start, span.end)
        if key not in self._known:
            self._known[key] = len(self.spans)
            self.spans.append(span)
        return Code(f"{MARK}{self._known[key]}")


def comment(text: object) -> Code:
    """``text`` fit for one comment line: control characters and line breaks become blanks."""
    plain = "".join(" " if category(letter) in ("Cc", "Zl", "Zp", "Cs") else letter for letter in str(text))
    return Code(plain.replace("#@", "# @"))


def docstring(text: object) -> Code:
    """``text`` fit for a docstring in triple double quotes: no quote and no backslash of it can end or bend it."""
    return Code(comment(text).replace("\\", "\\\\").replace('"', "'"))


def indent(step: Step) -> Code:
    """The blanks before a step."""
    return Code("    " * step.depth)


def names(entries: Iterable[Name]) -> Code:
    """Several identifiers, in a list as Python writes them."""
    return join(Name(entry) for entry in entries)


def refuse(value: Any) -> Any:
    """Let `Code` through and stop everything else: the last line of defence against injected text."""
    if isinstance(value, Code):
        return value
    raise InternalError("FM903", kind=type(value).__name__)


def render(template: str, marks: Marks, **values: object) -> str:
    """The text of ``template`` filled with ``values``."""
    return _environment().get_template(template).render(marks=marks, **values)


@pass_context
def _at(context: Context, span: Span | None) -> Code:
    """The mark for a statement's place, among the marks of the module that is printed."""
    marks: Marks = context["marks"]
    return marks.at(span)


@cache
def _environment() -> Environment:
    folder = files(__package__).joinpath("templates")
    texts = {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".j2")}
    environment = Environment(
        loader=DictLoader(texts),
        autoescape=True,
        finalize=refuse,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(literal=literal, name=Name, comment=comment, doc=docstring, at=_at)
    environment.filters.update(indent=indent, names=names)
    return environment
