"""Views of structure definitions, and `Definitions`, the registry that holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from fhirmap.diagnostics.nearest import nearest
from fhirmap.model.versions import ByVersion

Kind = Literal["primitive", "complex", "resource", "logical"]
DefinitionKind = Literal["StructureDefinition", "ValueSet", "ConceptMap"]
FHIR_URL = "http://hl7.org/fhir/StructureDefinition/"
SYSTEM_URL = "http://hl7.org/fhirpath/"
_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TypeRef:
    """A type as an element names it.

    ``name``: `HumanName`, `string`, a backbone's path `Patient.contact`, a model's name, `System.String`.
    ``structure``: canonical URL of the structure it lives in. ``profile``: id of the element inside that structure
    whose constraints apply (`Parameters.parameter:ident`), empty where nothing but the base type holds. ``targets``:
    resource types or profiles that a Reference or canonical may point to.
    """

    name: str
    structure: str = ""
    profile: str = ""
    targets: tuple[str, ...] = field(default=(), compare=False)

    def __hash__(self) -> int:
        # Of the name alone: types are looked up all the time, and few of a name differ in anything else.
        return hash(self.name)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Binding:
    """Which codes an element takes. ``codes``: the allowed codes where the base types list them without a value set."""

    strength: str
    value_set: str = ""
    codes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Constraint:
    """An invariant: `key`, its FHIRPath, and what a person reads.

    ``variants``: (name, FHIRPath) pairs tried in order on the same node once the invariant has failed; the first that
    holds names the cause, so that one rule can explain a Corsican number apart from a short one.
    """

    key: str
    severity: str
    expression: str
    human: str = ""
    source: str = ""
    variants: tuple[tuple[str, str, str], ...] = ()
    """(name, expression, human)"""


@dataclass(frozen=True, slots=True)
class Discriminator:
    """What distinguishes slices: ``kind`` value, pattern, exists, type, profile; ``path`` below the sliced element."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Slicing:
    """How a repeating element is sliced; ``rules``: open, closed, openAtEnd."""

    discriminators: tuple[Discriminator, ...]
    rules: str = "open"
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice: its own element view, and the values by which an instance belongs to it.

    ``values``: (discriminator path, value) for discriminators of kind value and pattern: `(("name", "ident"),)`.
    """

    name: str
    element: Element
    values: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a structure.

    ``name``: as in paths, the stem for a choice (`value`). ``path``: with slice names where it is in a profile,
    `Parameters.parameter:ident.value[x]`. ``maximum`` None is `*`. ``representation``: xmlAttr, xmlText, typeAttr,
    cdaText, xhtml as logical models give it. ``order``: rank among its siblings. ``namespace``: XML name space where
    it is not the structure's.
    """

    name: str
    path: str
    types: tuple[TypeRef, ...]
    minimum: int = 0
    maximum: int | None = 1
    is_choice: bool = False
    binding: Binding | None = None
    fixed: Any = None
    pattern: Any = None
    slicing: Slicing | None = None
    slices: tuple[Slice, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    representation: tuple[str, ...] = ()
    order: int = 0
    namespace: str = ""
    xml_name: str = ""

    @property
    def is_repeating(self) -> bool:
        """Is it a list in JSON?"""
        return self.maximum is None or self.maximum > 1

    def json_name(self, type_name: str) -> str:
        """Its name in JSON when it holds a ``type_name``: `valueString` for a choice, else its name."""
        return self.name + type_name[:1].upper() + type_name[1:] if self.is_choice else self.name

    def json_names(self) -> dict[str, TypeRef | None]:
        """JSON names it may appear under, each with the type it then has (None where several or none are known)."""
        if self.is_choice:
            return {self.json_name(ref.name): ref for ref in self.types}
        return {self.name: self.types[0] if len(self.types) == 1 else None}

    def slice(self, name: str) -> Slice | None:
        """The slice called ``name``."""
        return next((entry for entry in self.slices if entry.name == name), None)

    def slice_with(self, path: str, value: object) -> Slice | None:
        """The slice an instance belongs to when its ``path`` holds ``value``: `slice_with("name", "ident")`."""
        return next((entry for entry in self.slices if (path, value) in entry.values), None)


@dataclass(frozen=True, slots=True)
class Structure:
    """A type, resource, profile or logical model. ``root`` leads to its elements through `Definitions.children`.

    ``type``: the type it constrains or is. ``base``: canonical URL of what it derives from. ``fhir_version``: R4, R4B,
    R5, STU3 or empty. ``constraints``: invariants on its root. ``namespace``: XML name space of a logical model.
    ``says_type``: does the JSON of an instance carry ``resourceType``?
    """

    url: str
    name: str
    type: str
    kind: Kind
    base: str
    root: TypeRef
    abstract: bool = False
    fhir_version: str = ""
    constraints: tuple[Constraint, ...] = ()
    is_profile: bool = False
    namespace: str = ""
    xml_name: str = ""
    says_type: bool = False


@dataclass(frozen=True, slots=True)
class OperationParameter:
    """One parameter of an operation; ``type`` empty where it has parts only. ``maximum`` None is `*`."""

    name: str
    use: str
    minimum: int
    maximum: int | None
    type: str = ""
    binding: Binding | None = None
    parts: tuple[OperationParameter, ...] = ()
    target_profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """An OperationDefinition: what is called, where, and what goes in and out."""

    url: str
    name: str
    code: str
    parameters: tuple[OperationParameter, ...]
    system: bool = False
    type: bool = False
    instance: bool = False
    resources: tuple[str, ...] = ()
    affects_state: bool = False
    input_profile: str = ""
    output_profile: str = ""


@dataclass(frozen=True, slots=True)
class Concept:
    """A code of a code system, or of a value set where ``system`` says which; ``parents``: codes it is a kind of."""

    code: str
    display: str = ""
    system: str = ""
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A code system's codes. ``complete`` is false for a fragment: a code that is not listed may then still exist."""

    url: str
    name: str
    concepts: Mapping[str, Concept]
    complete: bool = True
    case_sensitive: bool = True
    version: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """`property op value` of a value set's include."""

    property: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class ValueSetRule:
    """One include or exclude: codes of a system (all where neither codes nor filters are given), within value sets."""

    system: str
    concepts: tuple[Concept, ...] = ()
    filters: tuple[Filter, ...] = ()
    value_sets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A value set's definition; ``expansion``: the codes the file itself lists as expanded, where it does."""

    url: str
    name: str
    includes: tuple[ValueSetRule, ...] = ()
    excludes: tuple[ValueSetRule, ...] = ()
    expansion: tuple[Concept, ...] | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class ConceptMapTarget:
    """Where a code goes: ``code`` empty where the map says that nothing corresponds."""

    code: str
    display: str = ""
    relation: str = "related-to"


@dataclass(frozen=True, slots=True)
class ConceptMapGroup:
    """Codes of one source system into one target system.

    ``unmapped``: mode (`provided`, `fixed`, `other-map`, ours `error`) and its value.
    """

    source: str
    target: str
    elements: Mapping[str, tuple[ConceptMapTarget, ...]]
    unmapped: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ConceptMap:
    """A concept map, from a resource, a map's block or a table."""

    url: str
    name: str
    groups: tuple[ConceptMapGroup, ...]
    version: str = ""


ElementsOf = Callable[[TypeRef], Mapping[str, Element]]


@dataclass(frozen=True, slots=True)
class StructureSource:
    """A structure together with the way to its elements: what readers hand to `Definitions`."""

    structure: Structure
    children: ElementsOf
    overlay: Callable[[], Mapping[str, Mapping[str, Any]]] | None = None
    """A profile's own elements by id, those of the profile it derives from included."""
    constraints: Callable[[TypeRef], tuple[Constraint, ...]] | None = None
    """Invariants on a node itself, where it is a slice or an element inside the structure."""


class Definitions:
    """Every structure, value set, concept map and operation known to one compilation; answers by name or canonical URL.

    ``base``: finds a base type by name (`fhir.base_types(version)`). Filled while loading, only read afterwards.
    """

    def __init__(
        self, base: Callable[[str], StructureSource | None] | None = None, *, fhir_version: str = "R4"
    ) -> None:
        self.fhir_version = fhir_version
        self._base = base
        self._structures: dict[str, StructureSource] = {}
        self._by_name: dict[str, str] = {}
        self._value_sets: ByVersion[ValueSet] = ByVersion()
        self._code_systems: ByVersion[CodeSystem] = ByVersion()
        self._concept_maps: ByVersion[ConceptMap] = ByVersion()
        self._operations: dict[str, Operation] = {}
        self._structure_maps: ByVersion[tuple[str, Mapping[str, Any]]] = ByVersion()
        self._children: dict[TypeRef, Mapping[str, Element]] = {}
        self._places: dict[tuple[str, str], tuple[bytes, str]] = {}

    # --- filling ------------------------------------------------------------------------------------------------------

    def add_structure(self, source: StructureSource) -> None:
        """Make a structure known under its URL and its name; a later one of the same URL replaces it."""
        structure = source.structure
        self._structures[structure.url] = source
        if not self._is_base_name(structure, structure.name):
            self._by_name[structure.name] = structure.url
        if not structure.is_profile and not self._is_base_name(structure, structure.type):
            self._by_name.setdefault(structure.type, structure.url)
        self._children.clear()

    def _is_base_name(self, structure: Structure, name: str) -> bool:
        """Is ``name`` that of a type of FHIR, which another structure may share but not take over?"""
        return structure.url != FHIR_URL + name and self._base is not None and self._base(name) is not None

    def add(self, *definitions: ValueSet | CodeSystem | ConceptMap | Operation) -> None:
        """Make terminologies and operations known."""
        for entry in definitions:
            if isinstance(entry, ValueSet):
                self._value_sets.add(entry.url, entry.version, entry)
            elif isinstance(entry, CodeSystem):
                self._code_systems.add(entry.url, entry.version, entry)
            elif isinstance(entry, ConceptMap):
                self._concept_maps.add(entry.url, entry.version, entry)
            else:
                self._operations[entry.url] = entry

    def add_structure_map(self, resource: Mapping[str, Any], name: str) -> None:
        """Make a StructureMap resource known, as it is: what it says is the language's concern. ``name``: its file."""
        version = str(resource.get("version", ""))
        self._structure_maps.add(str(resource.get("url") or name), version, (name, resource))

    def first_place(self, kind: str, canonical: str, fingerprint: bytes, place: str) -> str | None:
        """Where a resource was found before that says something else under the same canonical; None where none was."""
        known, other = self._places.setdefault((kind, canonical), (fingerprint, place))
        return other if known != fingerprint else None

    def place(self, kind: str, canonical: str) -> str:
        """Where the resource of a kind and canonical was found first; empty where no file is known."""
        versioned = [
            place for (of, name), (_, place) in self._places.items() if of == kind and _canonical(name) == canonical
        ]
        return self._places.get((kind, canonical), (b"", versioned[-1] if versioned else ""))[1]

    def remove(self, kind: DefinitionKind, canonical: str) -> None:
        """Forget a definition. ``canonical``: with its version, where it has one and is no structure."""
        if kind == "ValueSet":
            self._value_sets.remove(canonical)
        elif kind == "ConceptMap":
            self._concept_maps.remove(canonical)
        else:
            del self._structures[canonical]
            self._by_name = {name: url for name, url in self._by_name.items() if url != canonical}
            self._children.clear()

    # --- asking -------------------------------------------------------------------------------------------------------

    def structure(self, name_or_url: str) -> Structure | None:
        """The structure of that URL (a `|version` is ignored), name or type name (`FHIR.Patient` too)."""
        source = self.source(name_or_url)
        if source is None or (_is_backbone(name_or_url) and name_or_url not in self._by_name):
            return None
        return source.structure

    def children(self, ref: TypeRef) -> Mapping[str, Element]:
        """Elements of a type by name, in order; the stem for a choice. Empty where the type is unknown."""
        known = self._children.get(ref)
        if known is None:
            source = self.source(ref.structure) if ref.structure else self.source(ref.name)
            known = MappingProxyType(dict(source.children(ref))) if source else _EMPTY
            self._children[ref] = known
        return known

    def constraints(self, ref: TypeRef) -> tuple[Constraint, ...]:
        """Invariants that hold of a value of ``ref`` as a whole, those of the profiles it derives from included."""
        source = self.source(ref.structure) if ref.structure else None
        if source is None:
            return ()
        return source.constraints(ref) if source.constraints else source.structure.constraints

    def element(self, ref: TypeRef, name: str) -> tuple[Element, TypeRef | None] | None:
        """The child ``name`` of ``ref``, and its type where ``name`` is a choice's JSON name (`valueString`)."""
        children = self.children(ref)
        if name in children:
            return children[name], None
        for child in children.values():
            if child.is_choice and name.startswith(child.name):
                for ref_ in child.types:
                    if child.json_name(ref_.name) == name:
                        return child, ref_
        return None

    def type_ref(self, name_or_url: str) -> TypeRef | None:
        """The type that a map or an expression names: its structure's root."""
        structure = self.structure(name_or_url)
        return structure.root if structure else None

    def is_subtype(self, name: str, of: str) -> bool:
        """Is type ``name`` the type ``of`` or a descendant of it (`code` of `string`, `Age` of `Quantity`)?"""
        current: str | None = name
        while current:
            if current == of:
                return True
            current = self.parent_type(current)
        return False

    def parent_type(self, name: str) -> str | None:
        """Name of the type it derives from (BackboneElement for a backbone); None at the top or where it is unknown."""
        if _is_backbone(name):
            return "BackboneElement"
        source = self.source(name)
        if source is None:
            return None
        base = source.structure.base
        if not base:
            return None
        parent = self.source(base)
        return parent.structure.type if parent else base.rsplit("/", 1)[-1]

    def is_primitive(self, name: str) -> bool:
        """Is it one of FHIR's primitive types?"""
        structure = self.structure(name)
        return structure is not None and structure.kind == "primitive"

    def value_set(self, url: str) -> ValueSet | None:
        """The value set of that canonical; another version of it where the one that is named is not known."""
        return self._value_sets.nearest(url)

    def code_system(self, url: str) -> CodeSystem | None:
        """The code system of that canonical; another version of it where the one that is named is not known."""
        return self._code_systems.nearest(url)

    def concept_map(self, url: str) -> ConceptMap | None:
        """The concept map of that canonical: `url|version` is that version and no other, a URL alone the newest."""
        return self._concept_maps.exactly(url)

    def concept_map_versions(self, url: str) -> tuple[str, ...]:
        """The versions of a concept map that are known, the newest last."""
        return self._concept_maps.versions(url)

    def operation(self, url: str) -> Operation | None:
        """The operation of that canonical, or of that code or name."""
        found = self._operations.get(_canonical(url))
        return found or next((entry for entry in self._operations.values() if url in (entry.code, entry.name)), None)

    def structure_map(self, url: str) -> tuple[str, Mapping[str, Any]] | None:
        """The StructureMap resource of that canonical, with the name of its file."""
        return self._structure_maps.exactly(url)

    def structure_maps(self) -> Iterable[tuple[str, Mapping[str, Any]]]:
        """All StructureMap resources: name of the file, resource."""
        return self._structure_maps.values()

    def operations(self) -> Iterable[Operation]:
        """All operations that were loaded."""
        return self._operations.values()

    def value_sets(self) -> Iterable[ValueSet]:
        """All value sets that were loaded."""
        return self._value_sets.values()

    def concept_maps(self) -> Iterable[ConceptMap]:
        """All concept maps that are known."""
        return self._concept_maps.values()

    def structures(self) -> Iterable[Structure]:
        """All structures that were loaded (base types, which are found on demand, not among them)."""
        return [source.structure for source in self._structures.values()]

    def nearest(self, kind: str, name: str, *, inside: TypeRef | None = None) -> str | None:
        """The known name most like ``name``, or None where none is near.

        ``kind``: element (children of ``inside``), structure, value_set, code_system, concept_map, operation.
        """
        return nearest(name, self._names(kind, inside))

    def _names(self, kind: str, inside: TypeRef | None) -> Iterable[str]:
        if kind == "element":
            return self.children(inside) if inside else ()
        if kind == "structure":
            return [*self._by_name, *self._structures]
        registries: dict[str, Iterable[str]] = {
            "value_set": self._value_sets,
            "code_system": self._code_systems,
            "concept_map": self._concept_maps,
            "operation": self._operations,
        }
        return registries[kind]

    def source(self, name_or_url: str) -> StructureSource | None:
        """The structure of that URL or name with the way to its elements."""
        name = _canonical(name_or_url)
        found = self._structures.get(name) or self._structures.get(self._by_name.get(name, ""))
        if found is not None or self._base is None:
            return found
        return self._base(name.removeprefix(FHIR_URL).removeprefix("FHIR."))


def _canonical(url: str) -> str:
    return url.split("|", 1)[0]


def _is_backbone(name: str) -> bool:
    """Is it the path of an element (`Patient.contact`), and no type's name (`FHIR.Patient`) or URL?"""
    return "." in name and "/" not in name and not name.startswith(("FHIR.", "System."))
