"""What a module gathers while its functions are lowered: imports, tables, and names that nothing else may take.

Constants of ours begin with an underscore and local names never do (`names.Names`), so that a variable of the map can
hide neither a table nor a function that the same code needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhirmap.analysis.static import Static
from fhirmap.analysis.typed import Checked, TypedGroup, Variable
from fhirmap.compiler.fhirpath.scope import RUNTIME_IMPORT, Constants
from fhirmap.compiler.fhirpath.tables import table_code
from fhirmap.compiler.names import Code, Name, Names, code, join, literal, snake_case
from fhirmap.compiler.plan import Function, Table
from fhirmap.compiler.tracing import Tracing
from fhirmap.language import nodes
from fhirmap.language.visit import walk
from fhirmap.model.definition import ConceptMap, TypeRef

RUNTIME: Mapping[str, str] = {
    **dict.fromkeys(
        ("Cell", "absent", "as_boolean", "as_decimal", "as_integer", "as_text", "at", "date_reader", "disagreeing",
         "one", "rows", "times", "within"), "fhirmap.runtime.reading"),
    **dict.fromkeys(("Run", "check_failed"), "fhirmap.runtime.context"),
    "TraceRun": "fhirmap.runtime.trace",
    **dict.fromkeys(
        ("copied", "counted", "discard", "drop", "only_one", "place_first", "place_last", "pruned", "settle_endings",
         "shared",
         "single"), "fhirmap.runtime.lists"),
    **dict.fromkeys(
        ("assign", "assign_placed", "child_node", "free_slot", "of_types", "placed", "run_default", "slot"),
        "fhirmap.runtime.nodes"),
    **dict.fromkeys(("append", "cast", "escape", "shown", "truncate"), "fhirmap.runtime.transforms.text"),
    **dict.fromkeys(
        ("to_date", "to_date_time", "to_time", "unix_to_date", "unix_to_date_time", "unix_to_time"),
        "fhirmap.runtime.transforms.dates"),
    **dict.fromkeys(("CodeTable", "c", "cc", "cc_text", "translate"), "fhirmap.runtime.transforms.coding"),
    **dict.fromkeys(
        ("contact_point", "identifier", "pointer", "reference", "uuid"), "fhirmap.runtime.transforms.references"),
    **dict.fromkeys(("quantity", "quantity_of"), "fhirmap.runtime.transforms.quantity"),
    "Result": "fhirmap.records",
    "Decimal": "decimal",
}  # fmt: skip
"""Everything of the runtime that generated code may name, and where it is."""
_FIXED = frozenset(
    (
        "fp",
        "row",
        "run",
        "faults",
        "record",
        "resource",
        "transform",
        "validate",
        "judge",
        "MARKS",
        "PLACES",
        "TRACE",
        "trace",
        "strict",
        "error",
        "re",
    )
)


class ModuleBuilder:
    """One module in the making."""

    def __init__(self, checked: Checked, *, trace: bool = False) -> None:
        self.checked = checked
        self.tracing = Tracing() if trace else None
        self.names = Names((*RUNTIME, *_FIXED))
        self.constants = Constants()
        self.tables: list[Table] = []
        self._used: set[str] = set()
        self._functions: dict[str, Name] = {}
        self._table_names = Names()
        self._code_tables: dict[int, Name] = {}
        self._open_tables: set[int] = set()
        self.cells: dict[tuple[str, str, str], Name] = {}
        self.functions: list[Function] = []
        self.needs_pruning = False
        self.has_endings = False
        self._constants: dict[int, tuple[Name, Static]] = {}
        self._names_of: dict[int, frozenset[str]] = {}
        self.groups: dict[TypedGroup, Name] = {}
        for group in checked.groups:
            self.groups[group] = self.names.take(group.name)
        self.readers: dict[str, Name] = {}
        for url, use in checked.models.items():
            self.readers[url] = self.names.take(f"read_{snake_case(use.node.name)}")

    def use(self, name: str) -> Name:
        """A name of the runtime, imported where the module opens."""
        self._used.add(name)
        return Name(name)

    def use_fhirpath(self) -> None:
        """Make `fp` known, the runtime of FHIRPath."""
        self.constants.imports.setdefault(RUNTIME_IMPORT)

    def names_of(self, node: nodes.FHIRPath) -> frozenset[str]:
        """Names that an expression says: those of its variables are among them."""
        found = self._names_of.get(id(node))
        if found is None:
            entries = walk(node.expression)
            found = frozenset(entry.name for entry in entries if isinstance(entry, nodes.FPVariable | nodes.FPMember))
            self._names_of[id(node)] = found
        return found

    def constant(self, variable: Variable) -> tuple[Name, Static]:
        """The function that computes a `let` constant, and what it gives."""
        from fhirmap.compiler.expressions import Expressions, constant_function

        known = self._constants.get(id(variable))
        if known is None:
            assert variable.expression is not None
            name = self.names.take(f"constant_{variable.name}")
            value = Expressions(self, {}, self.local_names()).value(variable.expression)
            known = name, value.static
            self._constants[id(variable)] = known
            self.functions.append(constant_function(name, variable, value))
        return known

    def type_table(self, root: TypeRef) -> Name:
        """Types of what maps and expressions of this program can reach from ``root``."""
        span = self.checked.stages[0].unit.tree.span
        words = {"value", "id", "extension"}
        for _, rule in self.checked.rules():
            for source in rule.sources:
                words.update(step.name for step in source.steps)
        for unit in self.checked.program.units:
            for group in unit.tree.groups:
                words.update(node.name for node in walk(group) if isinstance(node, nodes.FPMember))
        expression: nodes.FPExpr = nodes.FPCall(None, "is", (), span, span)
        for word in sorted(words):
            expression = nodes.FPMember(expression, word, span, span)
        roots = [
            root,
            *(
                ref
                for group in self.checked.groups
                for entry in group.parameters
                for ref in entry.static.types
                if entry.mode == "source" and ref.structure not in self.checked.models
            ),
        ]
        text = table_code(expression, roots, self.checked.definitions, self.checked.functions)
        return Name(self.constants.add("types", text))

    def plugin(self, signature: Any) -> Name:
        """A plug-in's function, imported from its own module."""
        return Name(self.constants.function(signature.module, signature.python_name))

    def table(self, hint: str, value: Code, comment: str = "") -> Name:
        """A constant of the module."""
        name = Name("_" + self._table_names.take(snake_case(hint).upper()))
        self.tables.append(Table(name, value, comment))
        return name

    def local_names(self) -> Names:
        """Names of one function's inside."""
        return self.names.inner()

    def imports(self) -> list[Code]:
        """Import lines, the standard library first."""
        by_module: dict[str, list[str]] = {}
        for name in sorted(self._used):
            by_module.setdefault(RUNTIME[name], []).append(name)
        lines = [f"from {module} import {', '.join(names)}" for module, names in sorted(by_module.items())]
        lines += [line for line in self.constants.imports if line not in lines]
        return [Code(line) for line in sorted(lines, key=lambda line: ("fhirmap" in line, line))]

    def code_table(self, concept_map: ConceptMap) -> Name:
        """The table of a concept map, for `translate`."""
        known = self._code_tables.get(id(concept_map))
        if known is None:
            self.use("CodeTable")
            self._open_tables.add(id(concept_map))
            others: dict[str, Name] = {}
            unmapped = dict.fromkeys(self._policies(concept_map, others))
            self._open_tables.discard(id(concept_map))
            entries = ",\n".join(
                f"    {literal(key)}: {literal(entry)}" for key, entry in _targets(concept_map).items()
            )
            body = f"{{\n{entries},\n}}" if entries else "{}"
            parts = [literal(concept_map.name), Code(body), literal(tuple(unmapped))]
            if others:
                held = join(code("{}: {}", url, name) for url, name in others.items())
                parts.append(Code("{" + held + "}"))
            table = code("CodeTable({})", join(parts))
            known = self.table(f"codes_{concept_map.name}", table, f"Concept map {concept_map.name}.")
            self._code_tables[id(concept_map)] = known
        return known

    def _policies(self, concept_map: ConceptMap, others: dict[str, Name]) -> Iterator[tuple[str, str, str, str]]:
        """What becomes of codes that a concept map does not hold; maps that are asked then are added to ``others``."""
        for group in concept_map.groups:
            if group.unmapped is None:
                continue
            mode, value = group.unmapped
            if mode != "other-map":
                system, _, target = value.rpartition("|")
                yield group.source, mode, system or (group.target if mode == "fixed" else ""), target
                continue
            other = self.checked.definitions.concept_map(value)
            # Two maps may send each other what they do not know: the second asks no further.
            if other is not None and id(other) not in self._open_tables:
                others[value] = self.code_table(other)
                yield group.source, mode, "", value

    def simple_codes(self, concept_map: ConceptMap) -> Name | None:
        """A plain dict code -> code, where each code has one target and nothing is said of the others; else None."""
        codes: dict[str, str] = {}
        for group in concept_map.groups:
            if group.unmapped is not None:
                return None
            for source, targets in group.elements.items():
                held = {entry.code for entry in targets if entry.relation not in ("not-related-to", "unmatched")}
                if len(held) != 1 or codes.get(source, next(iter(held))) not in held or not next(iter(held)):
                    return None
                codes[source] = next(iter(held))
        key = -id(concept_map)
        if key not in self._code_tables:
            body = ",\n".join(f"    {literal(source)}: {literal(target)}" for source, target in codes.items())
            text = f"{{\n{body},\n}}" if codes else "{}"
            self._code_tables[key] = self.table(concept_map.name, Code(text), f"Concept map {concept_map.name}.")
        return self._code_tables[key]


def _targets(concept_map: ConceptMap) -> dict[str, tuple[tuple[str, str, str, str], ...]]:
    """Source code -> (source system, target system, target code, display) of each target it has."""
    codes: dict[str, tuple[tuple[str, str, str, str], ...]] = {}
    for group in concept_map.groups:
        for source, targets in group.elements.items():
            held = tuple(
                (group.source, group.target, target.code, target.display)
                for target in targets
                if target.relation not in ("not-related-to", "unmatched", "disjoint")
            )
            codes[source] = (*codes.get(source, ()), *held)
    return codes
