"""Names in a resource: FHIR ids, the names of rules that have none, and variables that no map uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from fhirmap.language import nodes as n
from fhirmap.language.expression_text import expression_to_text
from fhirmap.language.visit import AnyNode, walk

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}\Z")
_FOREIGN = re.compile(r"[^A-Za-z0-9]+")


def is_id(name: str) -> bool:
    """Can FHIR hold ``name`` as an id?"""
    return _ID.match(name) is not None


def rule_id(name: str) -> str:
    """A rule's name as an id: `a b` → `a-b`."""
    return name if is_id(name) else (re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-")[:64] or "rule")


def variable_id(name: str) -> str:
    """A variable's name as an id that FHIRPath can say without quotes: `birth_date` → `birthDate`."""
    first, *rest = [part for part in _FOREIGN.split(name) if part] or ["name"]
    joined = first + "".join(part[0].upper() + part[1:] for part in rest)
    return (joined if joined[0].isalpha() else f"n{joined}")[:64]


def map_id(name: object) -> str | None:
    """The id that a map gets from its name."""
    kept = "".join(letter for letter in str(name or "") if letter.isascii() and (letter.isalnum() or letter in "-."))
    return kept[:64] or None


class ResourceRuleNames:
    """Names of the rules of one group: the element read, and the type filtered by; else their number."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._times: dict[str, int] = {}
        self._count = 0

    def name_of(self, element: str | None, type_name: str | None, given: str | None) -> tuple[str, str]:
        """The name of the next rule, and the one it would have if none were given."""
        self._count += 1
        kind = re.split(r"[./#]", type_name)[-1] if type_name else ""
        stem = rule_id(element + kind[:1].upper() + kind[1:]) if element else f"rule-{self._count}"
        generated, times = stem, self._times.get(stem, 1)
        while generated in self._used:
            times += 1
            generated = f"{stem[:58]}-{times}"
        self._times[stem] = times
        name = generated if given is None else given
        self._used.add(name)
        return name, generated


class FreshVariables:
    """Variables of ours, by names that the map has nowhere."""

    def __init__(self, tree: n.Map) -> None:
        self._used = {text for node in walk(tree) for text in _texts(node)}
        self._count = 0

    def __call__(self) -> str:
        """The next of them."""
        while True:
            self._count += 1
            name = f"t{self._count}"
            if name not in self._used:
                return name


def _texts(node: object) -> Iterator[str]:
    for entry in fields(node):  # type: ignore[arg-type]
        value = getattr(node, entry.name)
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, str))


# --- renaming ---------------------------------------------------------------------------------------------------------


def ids_for(tree: n.Map) -> tuple[dict[str, str], list[tuple[str, Any]]]:
    """Names of variables, constants and groups that are no ids, each with the id that takes its place.

    A name that is also an element's, and occurs bare in an expression, may be either there: it is kept. Also: names
    kept, and all of them with the node that declares them.
    """
    declared: dict[str, Any] = {}
    for name, node in _declared(tree):
        if not is_id(name) and name != "@search":
            declared.setdefault(name, node)
    elements, bare, taken = set[str](), set[str](), set[str]()
    for node in walk(tree):
        taken.update(_texts(node))
        match node:
            case n.RuleSource() | n.RuleTarget():
                elements.update(node.elements)
            case n.Rule():
                elements.update(node.batch)
            case n.ModelElement(name=name):
                elements.add(name)
            case n.FPMember(focus=None, name=name):
                bare.add(name)
            case n.FPMember(name=name):
                elements.add(name)
    renamed: dict[str, str] = {}
    for name in declared:
        if name in elements and name in bare:
            continue
        stem = candidate = variable_id(name)
        times = 1
        while candidate in taken:
            times += 1
            candidate = f"{stem[:60]}{times}"
        taken.add(candidate)
        renamed[name] = candidate
    return renamed, list(declared.items())


def _declared(tree: n.Map) -> Iterator[tuple[str, Any]]:
    for node in walk(tree):
        match node:
            case n.Let() | n.Parameter() | n.Group() | n.GroupCall():
                yield node.name, node
                if isinstance(node, n.Group) and node.extends is not None:
                    yield node.extends, node
            case n.RuleSource() | n.RuleTarget():
                for name in (node.context, node.variable, getattr(node, "share", None)):
                    if name is not None:
                        yield name, node
            case n.ConceptMapDeclaration():
                yield node.id, node


def renamed_map(tree: n.Map, names: Mapping[str, str]) -> n.Map:
    """The map with its own names replaced, wherever they occur; elements keep theirs."""
    return _Renaming(names).map(tree) if names else tree


class _Renaming:
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def map(self, tree: n.Map) -> n.Map:
        return replace(
            tree,
            concept_maps=tuple(replace(entry, id=self._new(entry.id)) for entry in tree.concept_maps),
            lets=tuple(self._all(entry, name=self._new(entry.name)) for entry in tree.lets),
            groups=tuple(self._all(entry, **self._of_group(entry)) for entry in tree.groups),
        )

    def _new(self, name: str) -> str:
        return self._names.get(name, name)

    def _of_group(self, group: n.Group) -> dict[str, Any]:
        extends = self._new(group.extends) if group.extends is not None else None
        return {"name": self._new(group.name), "extends": extends}

    def _any(self, node: AnyNode) -> AnyNode:
        if isinstance(node, tuple):
            return tuple(self._any(entry) for entry in node)
        if not is_dataclass(node):
            return node
        match node:
            case n.Parameter():
                return replace(node, name=self._new(node.name))
            case n.RuleSource() | n.RuleTarget():
                changed: dict[str, Any] = {}
                for name in ("context", "variable", "share"):
                    held = getattr(node, name, None)
                    if held is not None:
                        changed[name] = self._new(held)
                return self._all(node, **changed)
            case n.GroupCall():
                return self._all(node, name=self._new(node.name))
            case n.TransformCall(name="translate") if len(node.arguments) > 1:
                return self._translate(node)
            case n.FHIRPath():
                expression = self._any(node.expression)
                return n.FHIRPath(expression, expression_to_text(expression), node.span)
            case n.FPMember(focus=None) | n.FPVariable():
                return replace(node, name=self._new(node.name))
            case n.Rule() | n.Dependent() | n.TransformCall() | n.SortKey():
                return self._all(node)
            case n.FPMember() | n.FPCall() | n.FPIndex() | n.FPUnary() | n.FPBinary() | n.FPType():
                return self._all(node)
        return node

    def _translate(self, node: n.TransformCall) -> n.TransformCall:
        """A contained concept map is named by its id: `#id`."""
        found: n.TransformCall = self._all(node)
        second = found.arguments[1].expression
        if isinstance(second, n.FPLiteral) and second.kind == "string" and str(second.value).startswith("#"):
            literal = replace(second, value=f"#{self._new(str(second.value)[1:])}")
            arguments = list(found.arguments)
            arguments[1] = replace(arguments[1], expression=literal)
            return replace(found, arguments=tuple(arguments))
        return found

    def _all(self, node: AnyNode, **changed: str) -> AnyNode:
        """A node with everything inside it renamed, and with ``changed``."""
        inner: dict[str, Callable[..., Any]] = {
            entry.name: self._any(getattr(node, entry.name))
            for entry in fields(node)
            if entry.name not in changed and not entry.name.endswith(("span", "spans"))
        }
        return replace(node, **{**inner, **changed})
