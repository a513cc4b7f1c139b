"""Invariants become functions: all those of one node in one function, what they share computed once at its head."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fhirmap.analysis.static import Static
from fhirmap.compiler.fhirpath import Constants, ExprScope, FreshNames, PyExpr, hoist, lower_condition
from fhirmap.compiler.names import Code, Name, Names, code, snake_case
from fhirmap.compiler.profile_plan import Function, Line
from fhirmap.diagnostics import Diagnostic
from fhirmap.language import nodes as n
from fhirmap.language.parser import parse_expression
from fhirmap.model.definition import Constraint, Definitions, TypeRef

_SIGNATURE = (Name("focus"), Name("resource"), Name("faults"), Name("path"), Name("element"))


@dataclass(slots=True)
class RuleWriter:
    """Writes the rules of one module. ``root``: the resource's type, for `%resource`."""

    definitions: Definitions
    functions: Mapping[str, Any]
    severities: Mapping[str, str]
    root: TypeRef
    names: Names
    constants: Constants
    diagnostics: list[Diagnostic]

    def write(self, constraints: Iterable[Constraint], focus: TypeRef, path: str, name: Name) -> list[Function]:
        """The function ``name`` that reports rules of the node at ``path``, causes before it; nothing without rules."""
        parsed = [(entry, self._parsed(entry.expression, entry.key)) for entry in constraints if self._is_on(entry)]
        rules = [(entry, tree) for entry, tree in parsed if tree is not None]
        if not rules:
            return []
        functions: list[Function] = []
        shared, scope = hoist([tree for _, tree in rules], self._scope(focus))
        lines = [Line(1, Code(line)) for line in shared]
        for entry, tree in rules:
            causes = self._causes(entry, focus, functions)
            lines += self._rule(entry, lower_condition(tree, scope), causes)
        functions.append(Function(name, _SIGNATURE, f"Report the rules of {path} that do not hold.", tuple(lines)))
        return functions

    def _is_on(self, entry: Constraint) -> bool:
        return self.severities.get(entry.key, entry.severity) != "off"

    def _scope(self, focus: TypeRef) -> ExprScope:
        return ExprScope(
            self.definitions,
            focus=Static(frozenset((focus,)), "one", plain=True),
            focus_name="focus",
            functions=self.functions,
            constants=self.constants,
            fresh=FreshNames({"focus", "resource", "faults", "path", "element"}),
            resource=("resource", Static(frozenset((self.root,)), "one", plain=True)),
        )

    def _parsed(self, text: str, key: str) -> n.FPExpr | None:
        tree, found = parse_expression(text, f"rule {key}")
        self.diagnostics += found
        return None if any(entry.is_error for entry in found) else tree

    def _rule(self, entry: Constraint, found: PyExpr, causes: list[Code]) -> list[Line]:
        severity = self.severities.get(entry.key, entry.severity)
        lines = [Line(1, code("# {}: {}", Code(_one_line(entry.key)), Code(_one_line(entry.expression))))]
        lines.append(Line(1, Code("try:")))
        lines += [Line(2, Code(line)) for line in found.statements]
        lines.append(Line(2, Code(f"if not ({found.code}):")))
        invariant = code("Invariant({}, {}, {}", entry.key, severity, entry.human or entry.key)
        visit = "Visit(faults, path, element, resource)"
        if causes:
            lines.append(Line(3, Code(f"broken({invariant}, (")))
            lines += [Line(4, Code(f"{cause},")) for cause in causes]
            lines.append(Line(3, Code(f")), focus, {visit})")))
        else:
            lines.append(Line(3, Code(f"broken({invariant}), focus, {visit})")))
        lines.append(Line(1, Code("except TransformFailed as error:")))
        failed = code("Invariant({}, {})", entry.key, severity)
        lines.append(Line(2, Code(f"not_evaluated({failed}, error.code, {visit})")))
        return lines

    def _causes(self, entry: Constraint, focus: TypeRef, functions: list[Function]) -> list[Code]:
        rows = []
        for label, text, human in entry.variants:
            tree = self._parsed(text, entry.key)
            if tree is None:
                continue
            found = lower_condition(tree, self._scope(focus))
            name = self.names.take(f"is_{snake_case(entry.key)}_{snake_case(label)}")
            lines = [Line(1, Code(line)) for line in found.statements]
            lines.append(Line(1, Code(f"return bool({found.code})")))
            functions.append(Function(name, _SIGNATURE[:2], f"Is this why {entry.key} fails: {label}?", tuple(lines)))
            rows.append(code("({}, {}, {})", label, name, human))
        return rows


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
