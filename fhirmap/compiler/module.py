"""What a module gathers while its functions are lowered: constants, functions, and names that nothing else may take.

Names of the module's own begin with an underscore and names from a map never do (`names.Names`), so that a variable or
group of a map can hide neither a table nor a function that the same code needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.static import StaticType
from fhirmap.analysis.text_uses import TextUses, text_uses
from fhirmap.analysis.typed import DefaultGroup, DefaultTable, TypedGroup, Variable
from fhirmap.compiler.code_tables import CodeTables
from fhirmap.compiler.explanation import ExplainedPlace
from fhirmap.compiler.fhirpath.scope import Constants
from fhirmap.compiler.fhirpath.tables import ElementsRead, elements_read_of, table_code, table_key
from fhirmap.compiler.lookups import LookupKey, lookups
from fhirmap.compiler.names import Names, snake_case
from fhirmap.compiler.plain_rows import plain_rows
from fhirmap.compiler.plan import ModuleConstant, PythonFunction
from fhirmap.compiler.python import DECIMAL, Attribute, DictOf, Expr, Imported, ListOf, Literal, Name, TupleOf
from fhirmap.compiler.runtime_functions import FHIRPATH, RUN, RUNTIME, call, fp_call
from fhirmap.compiler.tracing import Tracing
from fhirmap.compiler.unsettled import unsettled
from fhirmap.language import nodes
from fhirmap.language.visit import AnyNode, walk
from fhirmap.model.definition import TypeRef

_PARAMETERS = ("row", "run", "faults", "strict", "trace", "error")
"""Names that generated functions give their own parameters."""


class ModuleBuilder:
    """One module in the making.

    ``taken``: names of constants that another part of the module has. ``is_shared``: several maps call its groups, so
    that nothing in it may be of one of them.
    """

    def __init__(
        self, checked: Checked, *, trace: bool = False, taken: Iterable[Name] = (), is_shared: bool = False
    ) -> None:
        self.checked = checked
        self.is_shared = is_shared
        self.tracing = Tracing() if trace else None
        self.names = Names((*RUNTIME, FHIRPATH.local, DECIMAL.local, *_PARAMETERS))
        self.constants = Constants()
        self.tables: list[ModuleConstant] = []
        self.functions: list[PythonFunction] = []
        self.by_items: list[ExplainedPlace] = []
        """Where code goes by items, in the order in which it was written."""
        self.lets: dict[Variable, tuple[Name, StaticType]] = {}
        """Functions of `let` constants, and what they give."""
        self.cells: dict[tuple[str, str, str], Name] = {}
        self.code_tables = CodeTables(checked.definitions, self.table)
        self.needs_pruning = False
        self.has_endings = False
        self.has_references = False
        self.guards = checked.meetings.guards((*checked.groups, *checked.later))
        self._table_names = Names(name.text.lstrip("_") for name in taken)
        self._names_of: dict[int, frozenset[str]] = {}
        self._type_tables: dict[frozenset[TypeRef], Name] = {}
        self.groups: dict[TypedGroup, Name] = {}
        for group in (*checked.groups, *checked.later):
            self.groups[group] = self.names.take(group.name)
        self.choices: dict[DefaultTable, ModuleConstant] = {}
        """Groups that rules choose from by type, each table once for all rules that have it."""
        self.readers: dict[str, Name] = {}
        for use in checked.declared_models():
            self.readers[use.ref.structure] = self.names.take(f"read_{snake_case(use.node.name)}")

    def names_of(self, node: nodes.FHIRPath) -> frozenset[str]:
        """Names that an expression says: those of its variables are among them."""
        found = self._names_of.get(id(node))
        if found is None:
            entries = walk(node.expression)
            found = frozenset(entry.name for entry in entries if isinstance(entry, nodes.FPVariable | nodes.FPMember))
            self._names_of[id(node)] = found
        return found

    @property
    def calls_functions(self) -> bool:
        """May its code call functions of plug-ins?"""
        return self.is_shared or self.constants.has_functions

    @property
    def source_types(self) -> Name:
        """Types of what maps and expressions of this program can reach from the sources of its groups."""
        return self._type_table(self._roots)

    def item(self, code: Expr, static: StaticType) -> Expr:
        """An object of the record's FHIR JSON as an item that knows its type."""
        assert static.type is not None
        return fp_call("node", code, Literal(table_key(static.type)), self.source_types)

    def type_table(self, root: TypeRef) -> Name:
        """Types of what maps and expressions of this program can reach from ``root``."""
        return self._type_table(self._roots | {root})

    def _type_table(self, roots: frozenset[TypeRef]) -> Name:
        known = self._type_tables.get(roots)
        if known is None:
            types = table_code(self.elements_read, roots, self.checked.definitions, self.checked.functions)
            known = self._type_tables[roots] = self.constants.add("types", types)
        return known

    @cached_property
    def _roots(self) -> frozenset[TypeRef]:
        """Types of the sources of groups: where expressions start from."""
        groups = (*self.checked.groups, *self.checked.later)
        parameters = (entry for typed in groups for entry in typed.parameters if entry.mode == "source")
        types = (ref for entry in parameters for ref in entry.static.types)
        return frozenset(ref for ref in types if ref.structure not in self.checked.models)

    @cached_property
    def plain_rows(self) -> frozenset[str]:
        """Models of which every row is a dict of plain values, where that is known."""
        return frozenset() if self.is_shared else plain_rows(self.checked)

    @cached_property
    def lookups(self) -> Mapping[LookupKey, frozenset[str]]:
        """What several rules look for in one list."""
        return lookups((*self.checked.groups, *self.checked.later), self.checked.definitions)

    def is_settled(self, variable: Variable | None) -> bool:
        """Is it a source to whose value, or a part of it, no rule writes any more?"""
        return variable is not None and variable.mode == "source" and variable not in self._unsettled

    @cached_property
    def _unsettled(self) -> frozenset[Variable]:
        return unsettled((*self.checked.groups, *self.checked.later))

    @cached_property
    def text_uses(self) -> TextUses:
        """What the rules make of texts that models read."""
        return text_uses(self.checked)

    @cached_property
    def resource(self) -> tuple[Expr, StaticType] | None:
        """`%resource`: the input, where it is a tree as it came; a record read through a model is none."""
        stages = self.checked.stages
        if not stages or self.checked.model(stages[0].source) is not None:
            return None
        ref = None if self.is_shared else stages[0].source
        code = Attribute(RUN, "resource")
        source = next(entry.static for entry in stages[0].entry.parameters if entry.mode == "source")
        if source.is_raw and not self.is_shared:
            return code, source
        return ListOf((code,)), StaticType(frozenset((ref,)) if ref else frozenset(), "many")

    @cached_property
    def elements_read(self) -> ElementsRead:
        """What rules and expressions of this program may read: one of them may go on from an item of another."""
        names = {"value", "id", "extension"}
        trees: list[AnyNode] = [let for unit in self.checked.program.units for let in unit.tree.lets]
        for typed in (*self.checked.groups, *self.checked.later):
            trees += [group for _, group in typed.parts] or [typed.node]
            for rule in typed.walk():
                names.update(step.name for source in rule.sources for step in source.steps)
        found = elements_read_of(part for tree in trees for part in walk(tree))
        return found | ElementsRead(frozenset(names), tests_types=True)

    def choice(self, table: DefaultTable) -> Name:
        """The table of the groups that a default rule chooses from: source and target type -> what is made, group.

        A group with an error is there too, and refuses the item that needs it.
        """
        known = self.choices.get(table)
        if known is None:
            held_by: dict[tuple[str, str], list[DefaultGroup]] = {}
            for entry in table.groups:
                held_by.setdefault((entry.source.name, entry.target.name), []).append(entry)
                if entry.by_source:
                    held_by.setdefault((entry.source.name, ""), []).append(entry)
            groups = {pair: self._chosen(entries, table) for pair, entries in held_by.items()}
            name = Name("_" + self._table_names.take("GROUPS_BY_TYPE").text)
            held = DictOf(tuple((Literal(key), value) for key, value in groups.items()), is_tall=True)
            comment = "Type of the item, type of the element -> type that is made, group that fills it."
            known = self.choices[table] = ModuleConstant(name, held, comment)
        return known.name

    def _chosen(self, entries: Sequence[DefaultGroup], table: DefaultTable) -> Expr:
        """What is made for two types, and the group that fills it; where several are marked, one that refuses."""
        first, position = entries[0], Literal(entries[0].node.name_span.position)
        typed = table.groups[first]
        if len(entries) > 1:
            other = Literal(entries[1].node.name_span.position)
            group: Expr = call("undecided", Literal(first.node.name), position, Literal(entries[1].node.name), other)
        elif typed is None:
            group = call("refusing", Literal(first.node.name), position)
        else:
            group = self.groups[typed]
            if any(entry.static.is_raw for entry in typed.parameters):
                group = call("of_object", group)
        return TupleOf((Literal(first.target.name), group))

    def plugin(self, module: str, function: str) -> Imported:
        """A plug-in's function, imported from its own module."""
        return self.constants.function(module, function)

    def table(self, hint: str, value: Expr, comment: str = "") -> Name:
        """A constant of the module."""
        name = Name("_" + self._table_names.take(snake_case(hint).upper()).text)
        self.tables.append(ModuleConstant(name, value, comment))
        return name

    def local_names(self) -> Names:
        """Names of one function's inside."""
        return self.names.inner()
