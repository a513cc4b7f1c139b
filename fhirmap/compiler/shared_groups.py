"""Groups that several maps call, as Python: each is lowered when a run first needs it, and once for all of these maps.

A map that leaves it to the type of an item which group fills an element may reach hundreds of them, by way of a
resource that holds any other; one record needs few. Where the maps of a set run one by one, such groups are in a
namespace that they share (`fhirmap.compilation.linked`), and their Python comes in parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import TypeVar

from fhirmap.analysis.checked import Checked
from fhirmap.compiler.build import digest_of
from fhirmap.compiler.compiled_map import CompiledMap
from fhirmap.compiler.groups import GroupLowering
from fhirmap.compiler.lower import WrittenElements, title_of, written_elements
from fhirmap.compiler.module import ModuleBuilder
from fhirmap.compiler.plan import Module, ModuleConstant, ModuleSection, PythonFunction
from fhirmap.compiler.positions import compile_stamped
from fhirmap.compiler.printing import section_lines
from fhirmap.compiler.render import render_module
from fhirmap.compiler.stages import StageLowering
from fhirmap.version import __version__

_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True)
class NamespacePart:
    """Python to be run in the shared namespace. ``text``: what it was compiled from, shown as ``name`` in tracebacks.

    ``elements``: what the targets of its groups write.
    """

    name: str
    text: str
    code: CodeType
    elements: WrittenElements


class SharedGroups:
    """The groups that a checked map may need. It reads no model: what reads rows is a map's own."""

    def __init__(self, checked: Checked) -> None:
        self._module = ModuleBuilder(checked, is_shared=True)
        # What groups will need is not known before they are lowered: results are looked through in any case.
        self._module.needs_pruning = self._module.has_endings = self._module.has_references = True
        self._groups = {name.text: group for group, name in self._module.groups.items()}
        self._title = f"Groups of {title_of(checked)}"
        self._given: dict[str, int] = {}
        self._parts = 0

    @property
    def names(self) -> Iterable[str]:
        """What the functions of groups are called in the namespace."""
        return self._groups

    def holds(self, checked: Checked) -> bool:
        """Are all groups that another map may need among these?"""
        return all(group in self._module.groups for group in (*checked.groups, *checked.later))

    def group(self, name: str) -> NamespacePart:
        """The function of a group, and what it is the first to need."""
        group = self._groups[name]
        return self._part(GroupLowering(self._module, group).function(), elements=written_elements([group]))

    def entry(self, checked: Checked, validator: ModuleSection | None) -> tuple[NamespacePart, CompiledMap]:
        """What a map of these groups has to itself: its stages and its validator, for a copy of the namespace.

        The first part is for the namespace itself, before it is copied. `lower.place_tables` is not in the map's.
        """
        checks = validator or ModuleSection()
        printed = tuple(section_lines(checks))
        digest = digest_of(checked, printed)
        stages = StageLowering(self._module, checked.stages, has_reader=False, has_validator=bool(checks.parts))
        function = stages.function()
        title = f"Stages of {title_of(checked)}."
        text = render_module(Module(title, digest, __version__, (stages.runs(),), (function,), checks), printed)
        name = checked.stages[-1].unit.name
        code = compile_stamped(text, {}, f"<generated from {name} {digest[:12]}>")
        return self._part(), CompiledMap(name, text.text, code, digest, {}, {}, None)

    def _part(self, *groups: PythonFunction, elements: WrittenElements | None = None) -> NamespacePart:
        """``groups``, with what the module has gathered since the last part."""
        module = self._module
        constants = (
            *self._new("tables", module.tables),
            *(ModuleConstant(name, value) for name, value in self._new("constants", module.constants.entries())),
        )
        functions = (*self._new("functions", module.functions), *groups)
        choices = tuple(self._new("choices", list(module.choices.values())))
        text = render_module(Module(f"{self._title}.", "", __version__, constants, functions, choices=choices))
        self._parts += 1
        name = f"<generated from {self._title}, part {self._parts}>"
        texts = {entry.name.text: entry.text for entry in functions if entry.text is not None}
        return NamespacePart(name, text.text, compile_stamped(text, texts, name), elements or {})

    def _new(self, kind: str, entries: Sequence[_Entry]) -> Sequence[_Entry]:
        """Those of ``entries``, which grow at their end, that no part has held."""
        start = self._given.get(kind, 0)
        self._given[kind] = len(entries)
        return entries[start:]
