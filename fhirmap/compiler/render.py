"""A module becomes text: the jinja2 environment and its guard, and where each line of it comes from.

Autoescape is on and `finalize` refuses everything but what a filter of this module printed, so a template cannot print
a map's text other than as a node (a `repr`, a checked identifier) or inside a comment or docstring of one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from fhirmap.compiler import printing
from fhirmap.compiler.plan import Module, ModuleConstant, ModuleSection
from fhirmap.compiler.python import DictOf, Expr, Import, Literal, Name
from fhirmap.diagnostics import Span
from fhirmap.errors import InternalError

MARKS = Name("_marks")
"""The constant that gives a written-out module its places: line of the module -> place in the map."""


class Printed(Markup):
    """Text that a filter of this module made: the one kind of string that reaches generated code."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ModuleText:
    """A module as text. ``spans``: line (1-based) -> the place in the map that its statement comes from."""

    text: str
    spans: Mapping[int, Span]


def render_module(module: Module, validator: Iterable[printing.CodeLine] = ()) -> ModuleText:
    """The text of ``module``, which ends with the table of its places. ``validator``: the lines of its validator."""
    lines = [printing.CodeLine(line) for line in _render("module.py.j2", module=module).splitlines()]
    for function in module.functions:
        lines += (printing.CodeLine(""), printing.CodeLine(""), *printing.function_lines(function))
    for choice in module.choices:
        lines += (printing.CodeLine(""), printing.CodeLine(""), *printing.constant_lines(choice))
    lines += validator
    spans = {number: line.span for number, line in enumerate(lines, 1) if line.span is not None}
    lines += (printing.CodeLine(""), printing.CodeLine(""), *printing.constant_lines(_marks(lines)))
    return ModuleText("".join(f"{line.text}\n" for line in lines), spans)


def render_section(section: ModuleSection) -> str:
    """A part of a module as a module of its own."""
    lines = [*printing.import_lines(section.uses), *(line.text for line in printing.section_lines(section))]
    return "".join(f"{line}\n" for line in lines)


def _marks(lines: Iterable[printing.CodeLine]) -> ModuleConstant:
    """Only where the place changes: what follows a line is there, too, until the next, or until a function begins."""
    entries: list[tuple[Expr, Expr]] = []
    before = ""
    for number, line in enumerate(lines, 1):
        place = line.span.position if line.span is not None else "" if line.is_heading else before
        if place != before:
            before = place
            entries.append((Literal(number), Literal(before)))
    return ModuleConstant(MARKS, DictOf(tuple(entries), is_tall=True), "From this line on -> where the map says so.")


def refuse(value: object) -> object:
    """Let `Printed` through and stop everything else: the last line of defence against injected text."""
    if isinstance(value, Printed):
        return value
    raise InternalError("FM903", kind=type(value).__name__)


def _printed(constant: ModuleConstant) -> Printed:
    """A constant as Python."""
    return Printed("\n".join(line.text for line in printing.constant_lines(constant)))


def _imports(uses: Iterable[Import]) -> Printed:
    return Printed("\n".join(printing.import_lines(uses)))


def _render(template: str, **values: object) -> str:
    return _environment().get_template(template).render(**values)


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
    environment.filters.update(
        py=_printed,
        imports=_imports,
        doc=lambda text: Printed(printing.docstring(text)),
    )
    return environment
