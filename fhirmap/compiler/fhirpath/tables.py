"""The part of a `TypeTable` that an expression needs: types it can meet, elements it can name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fhirmap.analysis.expression import FUNCTION_URL, children_of, type_argument
from fhirmap.language import nodes as n
from fhirmap.model.definition import FHIR_URL, Definitions, TypeRef
from fhirmap.model.fhir import type_names
from fhirmap.signatures import FunctionSignature

_ANY_RESOURCE = frozenset(("Resource", "DomainResource"))
_WHOLE_TREE = frozenset(("children", "descendants", "repeat", "repeatAll"))
_READ_BY = {"extension": ("extension", "url"), "resolve": ("reference", "contained", "entry", "resource", "fullUrl")}


def walk(node: object) -> Iterable[n.FPExpr]:
    """An expression and all below it, outermost first."""
    waiting: list[object] = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, n.SortKey):
            waiting.append(current.expression)
            continue
        yield current  # type: ignore[misc]
        if isinstance(current, n.FPMember):
            waiting += [current.focus] if current.focus is not None else []
        elif isinstance(current, n.FPCall):
            waiting += [*([current.focus] if current.focus is not None else []), *current.arguments]
        elif isinstance(current, n.FPIndex):
            waiting += [current.focus, current.index]
        elif isinstance(current, n.FPUnary | n.FPType):
            waiting.append(current.operand)
        elif isinstance(current, n.FPBinary):
            waiting += [current.left, current.right]


def table_code(
    expression: n.FPExpr, roots: Iterable[TypeRef], definitions: Definitions, functions: Mapping[str, FunctionSignature]
) -> str:
    """Python source of the table, deterministic."""
    names: set[str] | None = set()
    tests_types = False
    for node in walk(expression):
        if isinstance(node, n.FPCall) and node.name in _WHOLE_TREE:
            names = None if node.name in ("children", "descendants") else names
        if names is not None and isinstance(node, n.FPMember):
            names.add(node.name)
        if names is not None and isinstance(node, n.FPCall):
            names.update(_READ_BY.get(node.name, ()))
        if isinstance(node, n.FPType) or (
            isinstance(node, n.FPCall) and node.name in ("is", "as", "ofType", "conformsTo")
        ):
            tests_types = True
    tests_types = tests_types or names is None
    builder = _Builder(names, definitions, functions)
    builder.reach(roots)
    return builder.code(with_bases=tests_types)


def table_key(ref: TypeRef) -> str:
    """Name of a type in a table: by name, with where it comes from where FHIR has another type of that name."""
    if ref.structure.startswith((FHIR_URL, "http://hl7.org/fhir")) or not ref.structure or ref.profile:
        return ref.name
    if not ref.structure.endswith(f"#{ref.name}") and ref.name.partition(".")[0] not in type_names():
        return ref.name
    return ref.structure if ref.structure.endswith(f"#{ref.name}") else f"{ref.structure}#{ref.name}"


class _Builder:
    def __init__(
        self, names: set[str] | None, definitions: Definitions, functions: Mapping[str, FunctionSignature]
    ) -> None:
        self.names = names
        self.definitions = definitions
        self.functions = functions
        self.shapes: dict[str, dict[str, str | tuple[str, ...]]] = {}
        self.refs: dict[str, TypeRef] = {}

    def reach(self, roots: Iterable[TypeRef]) -> None:
        waiting = sorted({self._base(ref) for ref in roots}, key=str)
        while waiting:
            ref = waiting.pop(0)
            key = table_key(ref)
            if key in self.shapes or ref.name.startswith("System."):
                continue
            if ref.name in _ANY_RESOURCE:
                version = self.definitions.fhir_version
                self.shapes[key] = {}
                waiting += [TypeRef(name, FHIR_URL + name) for name in type_names(version, "resource")]
                continue
            if self.definitions.is_primitive(ref.name) and not ref.structure.startswith(FUNCTION_URL):
                waiting += self._base_of_extension()
                continue
            self.shapes[key] = self._shape(ref, waiting)
            self.refs[key] = ref
        for name in _ANY_RESOURCE:
            self.shapes.pop(name, None)

    def _shape(self, ref: TypeRef, waiting: list[TypeRef]) -> dict[str, str | tuple[str, ...]]:
        shape: dict[str, str | tuple[str, ...]] = {}
        for name, element in children_of(ref, self.definitions, self.functions).items():
            types = [self._base(entry) for entry in element.types]
            wanted = self.names is None or name in self.names
            if wanted:
                shape[name] = (
                    tuple(map(table_key, types)) if element.is_choice else table_key(types[0]) if types else ""
                )
                waiting += types
            if element.is_choice and self.names is not None:
                for entry in types:
                    if element.json_name(entry.name) in self.names:
                        shape[element.json_name(entry.name)] = table_key(entry)
                        waiting.append(entry)
        return shape

    def _base_of_extension(self) -> list[TypeRef]:
        if self.names is not None and "extension" not in self.names:
            return []
        return [TypeRef("Extension", FHIR_URL + "Extension")]

    def _base(self, ref: TypeRef) -> TypeRef:
        """The unconstrained type: what a profile says of one slice must not stand for its siblings."""
        structure = self.definitions.structure(ref.structure) if ref.structure else None
        if not ref.profile and (structure is None or not structure.is_profile):
            return ref
        while structure is not None and structure.is_profile:
            structure = self.definitions.structure(structure.base)
        base = structure.url if structure is not None else FHIR_URL + ref.name.partition(".")[0]
        return TypeRef(ref.name, base)

    def code(self, *, with_bases: bool) -> str:
        shapes = dict(sorted(self.shapes.items()))
        bases: dict[str, str] = {}
        for key, ref in sorted(self.refs.items()) if with_bases else ():
            parent = self.definitions.parent_type(ref.name) if key == ref.name else None
            while parent and key not in bases:
                bases[key] = parent
                key, parent = parent, self.definitions.parent_type(parent)
        return f"fp.TypeTable({shapes!r}, {bases!r})" if bases else f"fp.TypeTable({shapes!r})"


def leading_types(expression: n.FPExpr, definitions: Definitions) -> list[TypeRef]:
    """Types that `as` and `ofType` name: roots of their own where the value's type is not known."""
    found = []
    for node in walk(expression):
        name = ""
        if isinstance(node, n.FPType):
            name = node.type_name
        elif isinstance(node, n.FPCall) and node.name in ("ofType", "as") and node.arguments:
            name = type_argument(node.arguments[0])
        ref = definitions.type_ref(name) if name and not name.startswith("System.") else None
        if ref is not None and not definitions.is_primitive(ref.name):
            found.append(ref)
    return found
