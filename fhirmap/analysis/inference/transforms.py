"""Transforms: which function computes a value, with which arguments, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fhirmap.analysis.foreign_words import function_meant
from fhirmap.analysis.hints import number_of
from fhirmap.analysis.inference.unknown import unknown_type
from fhirmap.analysis.inference.values import ValueTypes
from fhirmap.analysis.qualify import qualified
from fhirmap.analysis.scope import Scope
from fhirmap.analysis.static import UNKNOWN, StaticType
from fhirmap.analysis.transforms import TRANSFORMS, arity_fault, result_of
from fhirmap.analysis.typed import Expression, NameScope, TargetStep, Transform, Unit, Variable
from fhirmap.diagnostics import Severity, Span, Subject, SubjectKind, Suggestion, suggestion
from fhirmap.language import nodes
from fhirmap.model.definition import ConceptMap, TypeRef
from fhirmap.signatures import FunctionSignature
from fhirmap.texts import Text

SPECIAL_MAP = "special-oid2uri"
"""The concept map that is built in: an OID as the URI that FHIR has for it."""


@dataclass(frozen=True)
class Transforms:
    """Types the transforms of one program."""

    _scope: Scope
    _functions: Mapping[str, FunctionSignature]
    _values: ValueTypes

    def transform(
        self,
        unit: Unit,
        node: nodes.TransformCall | None,
        environment: NameScope,
        focus: Variable | None,
        step: TargetStep | None,
    ) -> Transform | None:
        """What computes a value; None where its function is unknown."""
        assert node is not None
        function = self._functions.get(node.name)
        if node.name not in TRANSFORMS and function is None:
            like = suggestion(node.name, [*TRANSFORMS, *self._functions])
            hint = self._function_hint(unit, node, like["meant"])
            self._scope.report("FM109", node.name_span, hint, like=like, name=node.name)
            if not self._is_group(unit, node.name):
                for entry in node.arguments:
                    self._values.argument(entry, environment)  # for what is wrong with them too
            return None
        if node.name == "evaluate":
            return self._evaluate(node, environment, focus)
        if self._bare_type(node, environment):
            return None
        arguments = tuple(self._values.argument(entry, environment) for entry in node.arguments)
        fault = arity_fault(node.name, len(arguments), function)
        if fault:
            self._scope.report("FM202", node.span, name=node.name, wanted=fault, given=len(arguments))
            return None
        transform = Transform(node.name, arguments, UNKNOWN, node.span, function)
        return self._with_result(unit, transform, step)

    def _function_hint(self, unit: Unit, node: nodes.TransformCall, near: str | None) -> Text | None:
        """What to write for an unknown function that is a group, or a function of FHIRPath."""
        arguments = [entry.text for entry in node.arguments]
        if self._is_group(unit, node.name):
            return Text("hints.call_after_then", {"name": node.name, "arguments": ", ".join(arguments)})
        function = function_meant(node.name)
        if near is not None or not arguments or function is None:
            return None
        focus = arguments[0] if arguments[0][:1] in "%('" else f"%{arguments[0]}"
        args = {"focus": focus, "function": function, "arguments": ", ".join(arguments[1:])}
        return Text("hints.function_in_parentheses", args)

    @staticmethod
    def _is_group(unit: Unit, name: str) -> bool:
        return any(group.name == name for place in unit.visible() for group in place.tree.groups)

    def _evaluate(self, node: nodes.TransformCall, environment: NameScope, focus: Variable | None) -> Transform | None:
        if node.written == "expression" or len(node.arguments) == 1:
            inner = self._values.expression(qualified(node.arguments[0], environment), environment, focus)
            return Transform("evaluate", (inner,), inner.static.as_copy(), node.span)
        if len(node.arguments) != 2:
            self._scope.report("FM202", node.span, name="evaluate", wanted=number_of(1, 2), given=len(node.arguments))
            return None
        context = self._values.argument(node.arguments[0], environment)
        variable = context.variable or Variable("", "source", context.static, context.span, context)
        inner = self._values.expression(node.arguments[1], environment, variable)
        return Transform("evaluate", (context, inner), inner.static.as_copy(), node.span)

    def _with_result(self, unit: Unit, transform: Transform, step: TargetStep | None) -> Transform | None:
        """The transform with the type of its result, and what it names (a type, a concept map) resolved."""
        name, arguments = transform.name, transform.arguments
        if name in ("create", "cast"):
            return self._typed_by_name(unit, transform, step)
        if name == "translate":
            transform = self._with_concept_map(unit, transform)
        if name == "truncate":
            self._check_length(arguments[1])
        if name == "copy" and arguments:
            return replace(transform, result=arguments[0].static.as_copy())
        return replace(transform, result=result_of(transform))

    def _typed_by_name(self, unit: Unit, transform: Transform, step: TargetStep | None) -> Transform | None:
        """`create('T')`, `cast(x, 'T')`: the type is a literal, or the one the target element has."""
        position = 0 if transform.name == "create" else 1
        if len(transform.arguments) > position:
            literal = transform.arguments[position].literal
            if literal is None or not isinstance(literal.value, str):
                self._scope.report("FM202", transform.arguments[position].span, variant="literal", name=transform.name)
                return None
            ref = self._scope.type_ref(unit, literal.value)
            if ref is None:
                unknown_type(self._scope, unit, literal.value, transform.arguments[position].span)
                return replace(
                    transform, type=TypeRef(literal.value), result=StaticType(frozenset(), "one", plain=True)
                )
        else:
            ref = step.static.type if step else None
            if ref is None:
                self._scope.report("FM201", transform.span, variant="create", name=transform.name)
                return None
        cardinality = "one" if transform.name == "create" else "optional"
        return replace(transform, type=ref, result=StaticType(frozenset((ref,)), cardinality, plain=True))  # type: ignore[arg-type]

    def _check_length(self, length: Expression) -> None:
        """`truncate(v, 'seven')`: no record could be cut to that."""
        literal = length.literal
        if literal is not None and (isinstance(literal.value, bool) or not isinstance(literal.value, int)):
            self._scope.report("FM202", length.span, variant="number", name="truncate")

    def _bare_type(self, node: nodes.TransformCall, environment: NameScope) -> bool:
        """`create(Procedure)`: the name of a type without quotes, reported as that."""
        position = {"create": 0, "cast": 1}.get(node.name)
        if position is None or len(node.arguments) <= position:
            return False
        body = node.arguments[position].expression
        if not isinstance(body, nodes.FPMember) or body.focus is not None or environment.lookup(body.name):
            return False
        hint = Text("hints.in_quotes", {"name": body.name})
        self._scope.report("FM202", node.arguments[position].span, hint, variant="literal", name=node.name)
        return True

    def _with_concept_map(self, unit: Unit, transform: Transform) -> Transform:
        if len(transform.arguments) < 2:
            return transform
        first = transform.arguments[0].literal
        if first is not None and isinstance(first.value, str) and first.value.startswith("#"):
            self._scope.report("FM202", transform.arguments[0].span, variant="order")
            return transform
        given = transform.arguments[1]
        if given.variable is not None and given.variable.mode == "constant" and given.variable.expression is not None:
            given = given.variable.expression
        literal = given.literal
        if literal is None or not isinstance(literal.value, str):
            self._scope.report("FM202", transform.arguments[1].span, variant="literal", name=transform.name)
            return transform
        found = self._scope.concept_map(unit, literal.value)
        if found is None and literal.value.endswith(SPECIAL_MAP):
            found = ConceptMap(literal.value, SPECIAL_MAP, ())
        self._report_concept_map(unit, literal.value, transform.arguments[1].span, found)
        return replace(transform, concept_map=found)

    def _report_concept_map(self, unit: Unit, name: str, span: Span, found: ConceptMap | None) -> None:
        """FM108: no such concept map, or not in that version; a warning where one of several versions was chosen."""
        url, _, version = name.partition("|")
        versions = self._scope.definitions.concept_map_versions(url)
        about = Subject(SubjectKind.CONCEPT_MAP, name.lstrip("#"))
        if found is None:
            named = tuple(f"{url}|{entry}" for entry in versions if entry)
            like = (
                Suggestion(meant=None, known=named)
                if versions
                else suggestion(name, self._scope.concept_map_names(unit))
            )
            variant = "version" if versions else ""
            self._scope.report("FM108", span, variant=variant, about=about, like=like, name=name)
        elif not version and len(versions) > 1 and found.url == url:
            self._scope.report(
                "FM108", span, variant="several", severity=Severity.WARNING, about=about,
                name=name, version=found.version, count=len(versions),
            )  # fmt: skip
        for group in found.groups if found is not None else ():
            mode, other = group.unmapped or ("", "")
            if mode == "other-map" and self._scope.definitions.concept_map(other) is None:
                warning = Severity.WARNING
                self._scope.report("FM108", span, variant="other", severity=warning, name=name, other=other)
