"""Where an expression stands while it is compiled, and what it becomes: `ExprScope`, `PyExpr`, and the module's
constants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fhirmap.analysis.expression import ExpressionScope
from fhirmap.analysis.static import UNKNOWN, Static
from fhirmap.language.nodes import FPExpr
from fhirmap.model.definition import Definitions

RUNTIME_IMPORT = "from fhirmap.runtime import fhirpath as fp"


@dataclass(frozen=True, slots=True)
class PyExpr:
    """Python source of a value: one expression, what is known of it, and the statements that must stand before it.

    Where ``static.plain``, the code gives a bare value (None when absent) or, for cardinality `many`, a list of them;
    otherwise a list of items (`fhirmap.runtime.fhirpath.item`).
    """

    code: str
    static: Static = UNKNOWN
    statements: tuple[str, ...] = ()


@dataclass(slots=True)
class Constants:
    """Module-level lines that expressions need: imports, and constants in the order in which they must be written."""

    imports: dict[str, None] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    """code → name"""
    prefix: str = ""

    def add(self, hint: str, code: str) -> str:
        """Name of the constant that holds ``code``; the same code is held once."""
        known = self.lines.get(code)
        if known is None:
            self.imports.setdefault(RUNTIME_IMPORT)
            known = f"_{self.prefix}{hint}_{len(self.lines) + 1}"
            self.lines[code] = known
        return known

    def function(self, module: str, name: str) -> str:
        """Local name of a plug-in's function, imported where the module opens."""
        alias = f"_{module.replace('.', '_')}_{name}"
        self.imports.setdefault(f"from {module} import {name} as {alias}")
        return alias

    def source(self) -> list[str]:
        """`NAME = code` lines, ready for the top of a module."""
        return [f"{name} = {code}" for code, name in self.lines.items()]


@dataclass(slots=True)
class FreshNames:
    """Python names that nothing else uses: `coding_1`, `coding_2`."""

    taken: set[str] = field(default_factory=set)

    def __call__(self, hint: str) -> str:
        """The next free name like ``hint``."""
        stem = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in hint) or "item"
        stem = stem if stem[0].isalpha() else f"item_{stem}"
        rank = 1
        while f"{stem}_{rank}" in self.taken:
            rank += 1
        self.taken.add(f"{stem}_{rank}")
        return f"{stem}_{rank}"


@dataclass
class ExprScope:
    """Where an expression stands.

    ``focus``: static view of `$this`, held in the Python name ``focus_name`` (a list of items where it is not plain);
    None where bare names are variables only. ``variables``: FHIR name → (Python name, static view). ``resource``: what
    `%resource` is, default the focus. ``environment``: Python name of an `fp.Environment` where the caller has one.
    ``hoisted``: sub-expressions that already stand in a Python name. ``key_sets``: list and children -> Python name of
    the set of what its items hold there. ``constants`` and ``fresh`` are shared by all
    expressions of one generated module.
    """

    definitions: Definitions
    focus: Static | None = None
    focus_name: str = "focus"
    variables: Mapping[str, tuple[str, Static]] = field(default_factory=dict)
    functions: Mapping[str, Any] = field(default_factory=dict)
    constants: Constants = field(default_factory=Constants)
    fresh: Callable[[str], str] = field(default_factory=FreshNames)
    resource: tuple[str, Static] | None = None
    environment: str | None = None
    hoisted: dict[FPExpr, tuple[str, Static]] = field(default_factory=dict)
    key_sets: dict[tuple[FPExpr, tuple[str, ...]], str] = field(default_factory=dict)
    is_strict: bool = False

    def inference(self) -> ExpressionScope:
        """The same place, as analysis sees it."""

        def lookup(name: str) -> Static | None:
            found = self.variables.get(name)
            return found[1] if found else None

        return ExpressionScope(
            self.definitions,
            self.focus,
            lookup,
            tuple(self.variables),
            self.functions,
            self.resource[1] if self.resource else None,
            self.is_strict,
        )
