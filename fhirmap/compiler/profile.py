"""A contract becomes a validator: operation, profile and rules laid over each other, then printed as plain Python.

What an instance usually looks like (a parameter with its name and one value) is checked straight away by `validate` and
one function for each sliced list; whatever is not plainly so goes to a `Shape`, which finds every fault. Both know the
same contract. Invariants are compiled from their FHIRPath; what several of them ask of the same node is computed once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fhirmap.compiler.fhirpath import Constants
from fhirmap.compiler.names import Code, Name, Names, code, snake_case
from fhirmap.compiler.profile_plan import Function, Table, ValidationPlan
from fhirmap.compiler.profile_rules import RuleWriter
from fhirmap.compiler.profile_straight import StraightWriter
from fhirmap.compiler.profile_views import Merged, constraints_below, merged_constraints, merged_elements
from fhirmap.compiler.render import Marks, render
from fhirmap.diagnostics import Diagnostic, suggestion
from fhirmap.model.definition import FHIR_URL, Constraint, Definitions, Operation, Structure, TypeRef
from fhirmap.model.terminology import expand


@dataclass(frozen=True, slots=True)
class Contract:
    """What a result must satisfy.

    ``structures``: canonical URLs of profiles and operations (whose input is meant) that all hold, or of a base type.
    ``severities``: rule key → off, warning or error; a rule that is not named keeps its own. ``rules``: further
    invariants by the path of the element they are for, slice names included (`Parameters`,
    `Parameters.parameter:nir.value[x]`).
    """

    definitions: Definitions
    structures: tuple[str, ...]
    severities: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, tuple[Constraint, ...]] = field(default_factory=dict)

    @property
    def roots(self) -> tuple[Structure, ...]:
        """The structures."""
        found = (self.definitions.structure(url) for url in self.structures)
        return tuple(structure for structure in found if structure is not None)

    @property
    def type(self) -> str:
        """The resource type that all of them constrain; any resource where none of them is known."""
        return self.roots[0].type if self.roots else "Resource"

    def rule_keys(self) -> tuple[str, ...]:
        """Keys of every rule whose severity a project may change."""
        found = constraints_below(self.definitions, [root.root for root in self.roots], set())
        own = (entry for held in self.rules.values() for entry in held)
        return tuple(dict.fromkeys(entry.key for entry in (*found, *own)))


def contract_of(
    definitions: Definitions,
    *,
    operation: Operation | None = None,
    profile: Structure | None = None,
    severities: Mapping[str, str] | None = None,
    rules: Mapping[str, tuple[Constraint, ...]] | None = None,
) -> Contract:
    """The contract of an operation, a profile, or both; the operation's own input profile holds in any case."""
    urls = [profile.url] if profile is not None else []
    if operation is not None:
        own = definitions.structure(operation.input_profile) if operation.input_profile else None
        urls += [own.url] if own is not None else []
        urls.append(operation.url)
    return Contract(definitions, tuple(dict.fromkeys(urls)), dict(severities or {}), dict(rules or {}))


def lower_contract(
    contract: Contract, functions: Mapping[str, Any] | None = None
) -> tuple[ValidationPlan, tuple[Diagnostic, ...]]:
    """The plan of a contract's validator, and what of the contract cannot be checked."""
    return _Lowering(contract, functions or {}).run()


def render_validator(plan: ValidationPlan) -> str:
    """Python source of the validator, its imports first: `validate(resource, faults)`."""
    return render("validator.py.j2", Marks(), plan=plan)


@dataclass(frozen=True, slots=True)
class ShapePlan:
    """A printed shape and what it was made from. ``limited``: elements of which the contract says more than their
    type.
    """

    name: Name
    type: str
    path: str
    elements: Mapping[str, Merged]
    rules: Name | None
    limited: frozenset[str] = frozenset()


class _Lowering:
    """One contract's way to a plan: shapes innermost first, then the straight path over them."""

    def __init__(self, contract: Contract, functions: Mapping[str, Any]) -> None:
        self.contract = contract
        self.definitions = contract.definitions
        self.names = Names(("TYPES", "validate", "focus", "resource", "faults", "path", "element"))
        self.constants = Constants(prefix="RULE_")
        self.diagnostics: list[Diagnostic] = []
        self.parts: list[Function | Table] = []
        self.code_sets: dict[tuple[str, ...], Name | None] = {}
        self.tables: list[Table] = []
        self.shapes: dict[tuple[str, str], ShapePlan | None] = {}
        self.value_rules: dict[str, Name] = {}
        self.extra = dict(contract.rules)
        root = TypeRef(contract.type, FHIR_URL + contract.type)
        self.rules = RuleWriter(
            self.definitions, functions, contract.severities, root, self.names, self.constants, self.diagnostics
        )
        self.root = root

    def run(self) -> tuple[ValidationPlan, tuple[Diagnostic, ...]]:
        """Write everything."""
        for url in self.contract.structures:
            if self.definitions.structure(url) is None:
                found = suggestion(url, [entry.url for entry in self.definitions.structures()])
                self.diagnostics.append(Diagnostic("FM356", None, {"url": url}, **found))
        roots = [root.root for root in self.contract.roots]
        shape = self._shape(self.root, roots, self.contract.type) or self._base_shape()
        self.parts += StraightWriter(self, shape).write()
        for element, rules in self.extra.items():
            for rule in rules:
                self.diagnostics.append(Diagnostic("FM355", None, {"rule": rule.key, "element": element}))
        plan = ValidationPlan(
            title=", ".join(root.url for root in self.contract.roots),
            imports=self._imports(),
            constants=(
                Table(Name("TYPES"), code("types_of({})", self.definitions.fhir_version)),
                *(_constant(line) for line in self.constants.source()),
                *self.tables,
            ),
            parts=tuple(self.parts),
        )
        return plan, tuple(self.diagnostics)

    def shape_of(self, type_name: str, path: str) -> ShapePlan | None:
        """The shape that was written for the node at ``path``."""
        return self.shapes.get((type_name, path))

    def codes_of(self, merged: Merged) -> Name | None:
        """The constant that holds the codes of an element's required bindings; None where they cannot be listed."""
        urls = merged.value_sets
        if not urls:
            return None
        if urls not in self.code_sets:
            sets = [expand(self.definitions, url) for url in urls]
            known = [entry for entry in sets if entry is not None]
            for url, entry in zip(urls, sets, strict=True):
                if entry is None:
                    self.diagnostics.append(Diagnostic("FM353", None, {"url": url, "element": merged.views[0].path}))
            if not known:
                self.code_sets[urls] = None
            else:
                name = self.names.take(f"{snake_case(urls[0].rsplit('/', 1)[-1]).upper()}_CODES")
                rows = tuple(code("{}", pair) for pair in sorted(frozenset.intersection(*known)))
                self.tables.append(Table(name, Code("frozenset(("), rows, Code("))")))
                self.code_sets[urls] = name
        return self.code_sets[urls]

    def _base_shape(self) -> ShapePlan:
        name = self.names.take(snake_case(self.contract.type).upper())
        self.tables.append(Table(name, code("TYPES.constrained({}, {})", self.contract.type, {})))
        return ShapePlan(name, self.contract.type, self.contract.type, {}, None)

    def _shape(self, base: TypeRef, refs: list[TypeRef], path: str) -> ShapePlan | None:
        """The shape of a node that profiles constrain; None where nothing is said of it or below it."""
        if (base.name, path) in self.shapes:
            return self.shapes[base.name, path]
        elements = merged_elements(self.definitions, base, refs)
        rows = []
        limited = set()
        for name, merged in elements.items():
            written = f"{path}.{name}[x]" if merged.base.is_choice else f"{path}.{name}"
            limits = self._limits(merged, written)
            if limits:
                rows.append(code("{}: {}", name, limits))
                limited.add(name)
        constraints = (*merged_constraints(self.definitions, refs), *self.extra.pop(path, ()))
        rules = self._rules(constraints, base, path)
        found = None
        if rows or rules is not None:
            name = self.names.take(_constant_name(path))
            closing = Code(f"}}, {rules})") if rules else Code("})")
            opening = Code(f"TYPES.constrained({code('{}', base.name)}, {{")
            self.parts.append(Table(name, opening, tuple(rows), closing, doc=path))
            found = ShapePlan(name, base.name, path, elements, rules, frozenset(limited))
        self.shapes[base.name, path] = found
        return found

    def _limits(self, merged: Merged, path: str, when: tuple[tuple[str, Any], ...] = ()) -> Code | None:
        """`ElementRules(...)` of one element or slice; None where it is as the base type has it."""
        base = merged.base
        given: dict[str, object] = {}
        if when or merged.minimum > base.minimum:
            given["minimum"] = merged.minimum
        if merged.maximum is not None and (when or merged.maximum != base.maximum):
            given["maximum"] = merged.maximum
        if len(merged.types) < len(base.types):
            given["types"] = merged.types
        shapes = self._below(merged, path)
        if shapes:
            given["shapes"] = shapes
        if merged.fixed is not None:
            given["fixed"] = merged.fixed
        if merged.pattern is not None:
            given["pattern"] = merged.pattern
        codes = self.codes_of(merged)
        if codes is not None:
            given["codes"] = codes
        rules = self._value_rules(merged, path)
        if rules is not None:
            given["rules"] = rules
        if merged.is_closed:
            given["is_closed"] = True
        slices = [] if when else self._slices(merged, path)
        if slices:
            given["slices"] = Code("(\n" + "".join(f"        {entry},\n" for entry in slices) + "    )")
        if not given:
            return None
        return Code("ElementRules(" + ", ".join(code("{}={}", Code(key), value) for key, value in given.items()) + ")")

    def _slices(self, merged: Merged, path: str) -> list[Code]:
        for name in merged.blind_slices():
            self.diagnostics.append(Diagnostic("FM354", None, {"name": name, "element": path}))
        found = []
        for name, values, held in merged.slices():
            limits = self._limits(held, f"{path}:{name}", values)
            found.append(code("SliceRules({}, {}, {})", name, values, limits or Code("ElementRules()")))
        return found

    def _below(self, merged: Merged, path: str) -> Code | None:
        """`{type: shape}` for the types whose inside is constrained."""
        rows = []
        for base in merged.base.types:
            refs = merged.refs(base.name)
            shape = self._shape(base, refs, path) if refs and base.name in merged.types else None
            if shape is not None:
                rows.append(code("{}: {}", base.name, shape.name))
        return Code("{" + ", ".join(rows) + "}") if rows else None

    def _value_rules(self, merged: Merged, path: str) -> Name | None:
        """The rules function of an element's own invariants, its value as focus."""
        constraints = (*merged.constraints, *self.extra.pop(path, ()))
        if not constraints:
            return None
        names = merged.types
        focus = next((ref for ref in merged.base.types if names and ref.name == names[0]), merged.base.types[0])
        found = self._rules(constraints, focus, path)
        if found is not None:
            self.value_rules[path] = found
        return found

    def _rules(self, constraints: tuple[Constraint, ...], focus: TypeRef, path: str) -> Name | None:
        if not constraints:
            return None
        base = TypeRef(focus.name, FHIR_URL + focus.name.partition(".")[0])
        name = self.names.take(f"check_rules_of_{_constant_name(path).lower()}")
        functions = self.rules.write(constraints, base, path, name)
        self.parts += functions
        return name if functions else None

    def _imports(self) -> tuple[Code, ...]:
        text = "\n".join(
            str(entry)
            for part in (*self.parts, *self.tables)
            for entry in (
                [line.code for line in part.lines] if isinstance(part, Function) else [part.opening, *part.rows]
            )
        )
        names = [name for name in _RUNTIME_NAMES if f"{name}(" in text]
        lines = [Code(line) for line in self.constants.imports]
        if "TransformFailed" in text:
            lines.insert(0, Code("from fhirmap.errors import TransformFailed"))
        if "fp." in text and not any("fhirpath as fp" in line for line in lines):
            lines.append(Code("from fhirmap.runtime import fhirpath as fp"))
        lines.append(Code(f"from fhirmap.runtime.validation import {', '.join([*names, 'types_of'])}"))
        return tuple(lines)


_RUNTIME_NAMES = (
    "ElementRules",
    "Invariant",
    "SliceRules",
    "Visit",
    "broken",
    "is_base64_binary",
    "is_boolean",
    "is_code",
    "is_coded",
    "is_date",
    "is_date_time",
    "is_decimal",
    "is_id",
    "is_instant",
    "is_integer",
    "is_integer64",
    "is_oid",
    "is_positive_int",
    "is_sound",
    "is_string",
    "is_time",
    "is_unsigned_int",
    "is_uri",
    "is_uuid",
    "names_profiles",
    "not_evaluated",
    "report_count",
)


def _constant(line: str) -> Table:
    name, _, value = line.partition(" = ")
    return Table(Name(name), Code(value))


def _constant_name(path: str) -> str:
    """`Parameters.parameter:implants.part:udi.value[x]` as `IMPLANTS_UDI_VALUE`: slice names, and what is below."""
    steps = path.removesuffix("[x]").split(".")
    words = [
        step.partition(":")[2] or ("" if ":" in path and rank < _last_slice(steps) else step)
        for rank, step in enumerate(steps)
    ]
    return snake_case("_".join(word for word in words if word)).upper()


def _last_slice(steps: list[str]) -> int:
    return max(rank for rank, step in enumerate(steps) if ":" in step)
