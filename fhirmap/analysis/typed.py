"""The typed tree: the map's own nodes beside what is known of them. What checks read and what the compiler lowers.

A group is typed once for each combination of argument types it is called with (`TypedGroup`), so that a group library
without declared types is still checked, and compiled, against the very slice that its caller passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeVar

from fhirmap.analysis.static import StaticType
from fhirmap.diagnostics import Diagnostic, MapText, Span
from fhirmap.language import nodes
from fhirmap.model.definition import ConceptMap, Element, TypeRef
from fhirmap.signatures import FunctionSignature

_Declared = TypeVar("_Declared")


@dataclass(eq=False)
class ImportedMaps:
    """The maps that one import takes in, and what they declare by name.

    Every map with the same import has the same value, so that a set of maps that import one another by wildcard is
    looked through once, whatever its size.
    """

    units: tuple[Unit, ...]

    @cached_property
    def groups(self) -> Mapping[str, tuple[tuple[Unit, nodes.Group], ...]]:
        """Groups by name, in the order of the maps."""
        return _by_name((group.name, (unit, group)) for unit in self.units for group in unit.tree.groups)

    @cached_property
    def models(self) -> Mapping[str, tuple[Unit, ...]]:
        """Maps that declare a model, by the model's name."""
        return _by_name((model.name, unit) for unit in self.units for model in unit.tree.models)

    @cached_property
    def concept_maps(self) -> Mapping[str, tuple[tuple[Unit, nodes.ConceptMapDeclaration], ...]]:
        """Concept maps by id."""
        return _by_name((entry.id, (unit, entry)) for unit in self.units for entry in unit.tree.concept_maps)


@dataclass(eq=False)
class Unit:
    """One map text: its tree, the maps it imports, and the names it declares."""

    text: MapText
    tree: nodes.Map
    syntax: tuple[Diagnostic, ...] = ()
    """What parsing its text found."""
    imported: tuple[ImportedMaps, ...] = ()
    """What each of its imports takes in, in their order; the map itself may be among them."""
    tables: Mapping[str, tuple[nodes.ConceptMapCode, ...]] = field(default_factory=dict)
    """Codes read from the CSV files of its concept maps, by concept map id."""
    queries: dict[str, str] = field(default_factory=dict)
    """Text of the query files its models name."""
    unresolved_imports: bool = False
    """Is a map that it imports by its own address not there? Names that are unknown may be that map's."""
    faults: list[Diagnostic] = field(default_factory=list)
    """What is wrong with its imports and the files that it names."""
    declared: list[Diagnostic] = field(default_factory=list)
    """What is wrong with its declarations, outside the rules of groups."""

    @property
    def name(self) -> str:
        """Name of the map's file."""
        return self.text.name

    @cached_property
    def own(self) -> ImportedMaps:
        """The map as what an import of it alone would take in."""
        return ImportedMaps((self,))

    @cached_property
    def imports(self) -> tuple[Unit, ...]:
        """The maps that it imports, each once, in the order of its imports."""
        found = dict.fromkeys(unit for entry in self.imported for unit in entry.units)
        found.pop(self, None)
        return tuple(found)

    @cached_property
    def url(self) -> str:
        """Canonical URL of the map, empty where it has none."""
        return self.tree.url or ""

    def visible(self) -> tuple[Unit, ...]:
        """This map, then its imports: where names are looked up."""
        return (self, *self.imports)

    def model_names(self) -> list[str]:
        """Names of the models in its reach."""
        return [model.name for place in self.visible() for model in place.tree.models]


@dataclass(frozen=True, slots=True)
class Program:
    """What runs together: one unit a stage, in order, and every unit they reach."""

    stages: tuple[Unit, ...]
    units: tuple[Unit, ...]


@dataclass(eq=False, slots=True)
class Variable:
    """A name bound while a rule runs. ``mode`` constant: a `let`, whose ``expression`` gives it."""

    name: str
    mode: Literal["source", "target", "constant"]
    static: StaticType
    span: Span
    expression: Expression | None = None
    is_parameter: bool = False
    unit: Unit | None = None
    element: nodes.ModelElement | None = None
    """The model's element that the variable holds, where it is one."""


@dataclass(frozen=True, slots=True)
class NameScope:
    """What a rule sees: source variables, target variables (two name spaces), constants of its file."""

    sources: Mapping[str, Variable] = field(default_factory=dict)
    targets: Mapping[str, Variable] = field(default_factory=dict)
    constants: Mapping[str, Variable] = field(default_factory=dict)

    def lookup(self, name: str) -> Variable | None:
        """Source variable, then constant, then target variable."""
        return self.sources.get(name) or self.constants.get(name) or self.targets.get(name)

    def with_source(self, variable: Variable) -> NameScope:
        """The same with one more source variable."""
        return NameScope({**self.sources, variable.name: variable}, self.targets, self.constants)

    def with_target(self, variable: Variable) -> NameScope:
        """The same with one more target variable."""
        return NameScope(self.sources, {**self.targets, variable.name: variable}, self.constants)


@dataclass(frozen=True, eq=False, slots=True)
class Expression:
    """A FHIRPath expression in its place. ``focus`` is None where it has none; ``variable``: it is just that name."""

    node: nodes.FHIRPath
    environment: NameScope
    focus: Variable | None
    static: StaticType
    variable: Variable | None = None

    @property
    def span(self) -> Span:
        """Where it is written."""
        return self.node.span

    @property
    def literal(self) -> nodes.FPLiteral | None:
        """The literal it is, if it is one."""
        return self.node.expression if isinstance(self.node.expression, nodes.FPLiteral) else None


@dataclass(frozen=True, eq=False, slots=True)
class SourceStep:
    """One name of a source path. ``element`` is None where the structure does not say. ``static``: one item of it."""

    name: str
    span: Span
    element: Element | None
    static: StaticType
    repeats: bool


@dataclass(frozen=True, eq=False, slots=True)
class TypedSource:
    """One source of a rule. ``item``: one item that gets through; ``variable``: what it is bound to, named or not."""

    node: nodes.RuleSource
    context: Variable
    steps: tuple[SourceStep, ...]
    item: StaticType
    variable: Variable
    filter_types: frozenset[TypeRef] | None = None
    default: Expression | None = None
    where: Expression | None = None
    check: Expression | None = None
    log: Expression | None = None
    search: Expression | None = None

    @property
    def repeats(self) -> bool:
        """May it give several items?"""
        return any(step.repeats for step in self.steps)


@dataclass(frozen=True, eq=False, slots=True)
class TargetStep:
    """One name of a target path. ``key``: its JSON name, empty where only the value's type decides.

    ``repeats`` is None where no structure says. ``static``: what one item of it may hold. ``by_name``: JSON names
    of the elements that are copied into it from a value of another type; empty where the value is written whole.
    """

    name: str
    span: Span
    element: Element | None
    key: str
    static: StaticType
    repeats: bool | None
    by_name: tuple[str, ...] = ()

    @property
    def is_own_value(self) -> bool:
        """Is it the `value` of a primitive, which is the element itself?"""
        return self.element is None and self.name == "value" and self.repeats is False


@dataclass(frozen=True, eq=False, slots=True)
class Transform:
    """What computes a target's value. ``function``: signature of a plug-in's function, None for FML's own."""

    name: str
    arguments: tuple[Expression, ...]
    result: StaticType
    span: Span
    function: FunctionSignature | None = None
    type: TypeRef | None = None
    concept_map: ConceptMap | None = None


@dataclass(frozen=True, eq=False, slots=True)
class TypedTarget:
    """One target of a rule. ``value``: what is assigned; ``variable``: what it is bound to, if it has a name."""

    node: nodes.RuleTarget
    context: Variable | None
    steps: tuple[TargetStep, ...]
    transform: Transform | None
    value: StaticType
    variable: Variable | None = None

    @property
    def span(self) -> Span:
        """Where it is written."""
        return self.node.span


@dataclass(frozen=True, eq=False, slots=True)
class TypedCall:
    """A group called after `then`, with its arguments in the order of the group's parameters."""

    node: nodes.GroupCall
    group: TypedGroup
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, eq=False, slots=True)
class DefaultGroup:
    """A group marked `<<types>>` or `<<type+>>` (``by_source``: for its source type alone, too), with its two types."""

    unit: Unit
    node: nodes.Group
    source: TypeRef
    target: TypeRef
    by_source: bool


@dataclass(eq=False, slots=True)
class DefaultTable:
    """The groups from which a default rule chooses by the type of each item: one value for all rules with that choice.

    ``groups``: what they are as typed for the types that they declare, filled once all rules are typed. One that has
    an error is None: an item that needs it is a fault of its record.
    """

    choices: tuple[DefaultGroup, ...]
    groups: dict[DefaultGroup, TypedGroup | None] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class Default:
    """`src.a -> tgt.b;`: how each item is mapped.

    ``group`` where it is known now; ``table``: what it is chosen from by type at run time.
    """

    group: TypedGroup | None = None
    create: TypeRef | None = None
    table: DefaultTable | None = None


@dataclass(frozen=True, eq=False, slots=True)
class TypedRule:
    """One rule. ``name`` is the written or the generated one; ``environment`` is what its inner rules see."""

    node: nodes.Rule
    name: str
    unit: Unit
    sources: tuple[TypedSource, ...]
    targets: tuple[TypedTarget, ...]
    calls: tuple[TypedCall, ...]
    rules: tuple[TypedRule, ...]
    environment: NameScope
    default: Default | None = None

    @property
    def span(self) -> Span:
        """Where it is written."""
        return self.node.span

    def walk(self) -> Iterator[TypedRule]:
        """This rule and the inline rules below it."""
        yield self
        for rule in self.rules:
            yield from rule.walk()


@dataclass(eq=False, slots=True)
class TypedGroup:
    """A group for one combination of argument types. ``rules`` hold those of the groups it extends first."""

    node: nodes.Group
    unit: Unit
    parameters: tuple[Variable, ...]
    rules: tuple[TypedRule, ...] = ()
    parts: tuple[tuple[Unit, nodes.Group], ...] = ()
    """The groups that it extends, base first, and the group itself."""
    found: list[Diagnostic] = field(default_factory=list)
    """What is wrong with its parameters and its rules."""
    inherited: tuple[int, ...] = ()
    """How many of the rules are of each group that it extends."""
    calls: tuple[TypedGroup, ...] = ()
    """The groups that its rules call, by name or by types that are known, in the order of the calls."""
    tables: tuple[DefaultTable, ...] = ()
    """The choices by type that its default rules leave to the run."""

    @property
    def name(self) -> str:
        """The group's name."""
        return self.node.name

    def leveled(self) -> Iterator[tuple[int, TypedRule]]:
        """Its rules, each with the rank of its group in the line of those that extend one another, from the base."""
        levels = [level for level, count in enumerate(self.inherited) for _ in range(count)]
        levels += [len(self.inherited)] * (len(self.rules) - len(levels))
        return zip(levels, self.rules, strict=True)

    def walk(self) -> Iterator[TypedRule]:
        """All rules of the group, inline ones too."""
        for rule in self.rules:
            yield from rule.walk()


@dataclass(frozen=True, eq=False, slots=True)
class Stage:
    """One stage: its map, its entry group, its source and target types (None where nothing is known)."""

    unit: Unit
    entry: TypedGroup
    source: TypeRef | None
    target: TypeRef | None


@dataclass(frozen=True, eq=False, slots=True)
class ModelUse:
    """A `model` in reach: its node, its map, and the type it declares."""

    node: nodes.Model
    unit: Unit
    ref: TypeRef


def model_url(unit: Unit, name: str) -> str:
    """The URL by which a map's model is known inside one compilation: never that of another structure."""
    return f"{unit.tree.url or unit.name}#{name}"


def _by_name(entries: Iterable[tuple[str, _Declared]]) -> dict[str, tuple[_Declared, ...]]:
    found: dict[str, list[_Declared]] = {}
    for name, entry in entries:
        found.setdefault(name, []).append(entry)
    return {name: tuple(held) for name, held in found.items()}
