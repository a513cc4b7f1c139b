"""The part of a `TypeTable` that an expression needs: types it can meet, elements it can name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fhirmap.analysis.expression_types import FUNCTION_URL, children_of, type_argument
from fhirmap.compiler import python as py
from fhirmap.compiler.runtime_functions import fp_call
from fhirmap.fhir_types import ANY_RESOURCE
from fhirmap.language import nodes as n
from fhirmap.language.visit import walk
from fhirmap.model.definition import FHIR_URL, Definitions, TypeRef
from fhirmap.model.fhir import releases_with, type_names
from fhirmap.signatures import FunctionSignature

_TYPE_TESTS = frozenset(("is", "as", "ofType", "conformsTo"))
_READ_BY = {"extension": ("extension", "url"), "resolve": ("reference", "contained", "entry", "resource", "fullUrl")}


@dataclass(frozen=True, slots=True)
class ElementsRead:
    """What expressions may read of the values they start from.

    ``names``: elements, None for all of them (`descendants()`). ``goes_anywhere``: to a resource of any type, as
    `resolve()` does. ``tests_types``: it asks for the parents of types.
    """

    names: frozenset[str] | None = frozenset()
    goes_anywhere: bool = False
    tests_types: bool = False

    def __or__(self, other: ElementsRead) -> ElementsRead:
        return ElementsRead(
            None if self.names is None or other.names is None else self.names | other.names,
            self.goes_anywhere or other.goes_anywhere,
            self.tests_types or other.tests_types,
        )


def elements_read_of(parts: Iterable[object]) -> ElementsRead:
    """What the nodes of expressions, ``parts``, may read."""
    names: set[str] = set()
    is_whole = goes_anywhere = tests_types = False
    for node in parts:
        if isinstance(node, n.FPMember):
            names.add(node.name)
        elif isinstance(node, n.FPType):
            tests_types = True
        elif isinstance(node, n.FPCall):
            is_whole = is_whole or node.name in ("children", "descendants")
            goes_anywhere = goes_anywhere or node.name == "resolve"
            tests_types = tests_types or node.name in _TYPE_TESTS
            names.update(_READ_BY.get(node.name, ()))
    return ElementsRead(None if is_whole else frozenset(names), goes_anywhere, tests_types or is_whole)


def table_code(
    read: ElementsRead, roots: Iterable[TypeRef], definitions: Definitions, functions: Mapping[str, FunctionSignature]
) -> py.Expr:
    """The `fp.TypeTable` of expressions that start from ``roots``, deterministic."""
    builder = _Builder(read.names, definitions, functions)
    anywhere = [TypeRef("Resource", FHIR_URL + "Resource")] if read.goes_anywhere else []
    builder.reach([*roots, *anywhere])
    return builder.code(with_bases=read.tests_types)


def table_key(ref: TypeRef) -> str:
    """Name of a type in a table: by name, with where it comes from where FHIR has another type of that name."""
    if ref.structure.startswith((FHIR_URL, "http://hl7.org/fhir")) or not ref.structure or ref.profile:
        return ref.name
    if not ref.structure.endswith(f"#{ref.name}") and not releases_with(ref.name.partition(".")[0]):
        return ref.name
    return ref.structure if ref.structure.endswith(f"#{ref.name}") else f"{ref.structure}#{ref.name}"


class _Builder:
    def __init__(
        self, names: frozenset[str] | None, definitions: Definitions, functions: Mapping[str, FunctionSignature]
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
            if ref.name in ANY_RESOURCE:
                version = self.definitions.fhir_version
                self.shapes[key] = {}
                waiting += [TypeRef(name, FHIR_URL + name) for name in type_names(version, "resource")]
                continue
            if self.definitions.is_primitive(ref.name) and not ref.structure.startswith(FUNCTION_URL):
                waiting += self._base_of_extension()
                continue
            self.shapes[key] = self._shape(ref, waiting)
            self.refs[key] = ref
        for name in ANY_RESOURCE:
            self.shapes.pop(name, None)

    def _shape(self, ref: TypeRef, waiting: list[TypeRef]) -> dict[str, str | tuple[str, ...]]:
        shape: dict[str, str | tuple[str, ...]] = {}
        for name, element in children_of(ref, self.definitions, self.functions).items():
            types = [self._base(entry) for entry in element.types]
            wanted = self.names is None or name in self.names
            written = f"{name}*" if element.is_repeating else name
            if wanted:
                shape[written] = (
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
        """The unconstrained type: what a profile says of one slice does not hold for its siblings."""
        structure = self.definitions.structure(ref.structure) if ref.structure else None
        if not ref.profile and (structure is None or not structure.is_profile):
            return ref
        while structure is not None and structure.is_profile:
            structure = self.definitions.structure(structure.base)
        base = structure.url if structure is not None else FHIR_URL + ref.name.partition(".")[0]
        return TypeRef(ref.name, base)

    def code(self, *, with_bases: bool) -> py.Expr:
        shapes = py.DictOf(
            tuple((py.Literal(key), py.literal_dict(shape)) for key, shape in sorted(self.shapes.items()))
        )
        bases = self._bases() if with_bases else {}
        return fp_call("TypeTable", shapes, *([py.literal_dict(bases)] if bases else []))

    def _bases(self) -> dict[str, str]:
        bases: dict[str, str] = {}
        for key, ref in sorted(self.refs.items()):
            parent = self.definitions.parent_type(ref.name) if key == ref.name else None
            while parent and key not in bases:
                bases[key] = parent
                key, parent = parent, self.definitions.parent_type(parent)
        return bases


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
