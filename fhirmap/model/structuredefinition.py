"""A StructureDefinition resource as a structure: a profile over its base, or a type or logical model of its own.

A profile keeps its elements by id (`Parameters.parameter:ident.value[x]`), differential or snapshot alike; those of a
base that is a profile too come first. What the profile does not say is its base's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fhirmap.data import JsonValue
from fhirmap.model.definition import (
    FHIR_URL,
    Binding,
    Constraint,
    Definitions,
    Discriminator,
    Element,
    Kind,
    Slice,
    Slicing,
    Structure,
    StructureSource,
    TypeRef,
)

Json = Mapping[str, Any]
VARIANT_URL = "https://fhirmap.dev/StructureDefinition/constraint-variant"
"""Our extension on a constraint: name, expression and text of one cause that is worth a name of its own."""
_KINDS: Mapping[str, Kind] = {"complex-type": "complex", "primitive-type": "primitive", "resource": "resource"}
_FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
_NAMESPACES = (
    "http://hl7.org/fhir/StructureDefinition/elementdefinition-namespace",
    "http://hl7.org/fhir/tools/StructureDefinition/xml-namespace",
)
_NO_RESOURCE_TYPE = (
    "http://hl7.org/fhir/tools/StructureDefinition/json-suppress-resourcetype",
    "http://hl7.org/fhir/StructureDefinition/json-suppress-resourcetype",
)
"""Extensions of a logical model whose JSON does not carry ``resourceType``. Spec: FHIR tooling extensions."""
_XML_NAMES = (
    "http://hl7.org/fhir/StructureDefinition/elementdefinition-xml-name",
    "http://hl7.org/fhir/tools/StructureDefinition/xml-name",
)


def read_structure(resource: Json, definitions: Definitions) -> StructureSource:
    """The structure a StructureDefinition describes; its base is looked up in ``definitions`` when elements are asked
    for.
    """
    if resource.get("derivation") == "constraint":
        return _Profile(resource, definitions).source()
    return _Type(resource, definitions).source()


# --- profiles ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Paths:
    """The tree that the keys of an overlay spell: a profile of a hundred elements is asked thousands of times.

    ``inner``: paths with something below them. ``slices``: names of the slices of a path, in order.
    """

    inner: frozenset[str]
    slices: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, overlay: Iterable[str]) -> _Paths:
        """The paths of all keys."""
        inner: set[str] = set()
        slices: dict[str, dict[str, None]] = {}
        for key in overlay:
            for place, letter in enumerate(key):
                if letter == ".":
                    inner.add(key[:place])
                elif letter == ":":
                    slices.setdefault(key[:place], {}).setdefault(key[place + 1 :].partition(".")[0])
        return cls(frozenset(inner), {path: tuple(names) for path, names in slices.items()})


class _Profile:
    """A profile's overlay and the walk that applies it to the base's elements."""

    def __init__(self, resource: Json, definitions: Definitions) -> None:
        self.resource = resource
        self.definitions = definitions
        self.url = str(resource["url"])
        self.type = _short(str(resource["type"]))
        self.overlay = _overlay(resource)
        self.bases: dict[tuple[str, str], TypeRef] = {}
        self.is_inherited = False
        self.known_paths: _Paths | None = None

    def source(self) -> StructureSource:
        root = self.overlay.get(self.type, {})
        structure = Structure(
            url=self.url,
            name=str(self.resource.get("name") or self.resource.get("id") or self.url),
            type=self.type,
            kind=_KINDS.get(str(self.resource.get("kind")), "logical"),
            base=str(self.resource.get("baseDefinition", "")),
            root=TypeRef(self.type, self.url, self.type),
            abstract=bool(self.resource.get("abstract")),
            fhir_version=str(self.resource.get("fhirVersion", "")),
            constraints=_constraints(root),
            is_profile=True,
            says_type=_says_type(self.resource),
        )
        return StructureSource(structure, self.children, self.inherited_overlay, self.constraints)

    def constraints(self, ref: TypeRef) -> tuple[Constraint, ...]:
        """Invariants on the node itself: the root's, or a slice's."""
        self._inherit()
        return _constraints(self.overlay.get(ref.profile, {}))

    def inherited_overlay(self) -> Mapping[str, Json]:
        self._inherit()
        return self.overlay

    def _inherit(self) -> None:
        """Put the base profile's elements under ours, once; the base need only be known by now."""
        if self.is_inherited:
            return
        self.is_inherited = True
        base = self.definitions.source(str(self.resource.get("baseDefinition", "")))
        if base is None or base.overlay is None:
            return
        merged: dict[str, Json] = dict(base.overlay())
        for key, value in self.overlay.items():
            merged[key] = _merged(merged.get(key, {}), value)
        self.overlay = merged
        self.known_paths = None

    def children(self, ref: TypeRef) -> Mapping[str, Element]:
        self._inherit()
        base_ref = self.bases.get((ref.name, ref.profile)) or self._core_ref(ref.name)
        if base_ref is None:
            return {}
        found = {}
        for name, child in self.definitions.children(base_ref).items():
            key = f"{ref.profile}.{name}[x]" if child.is_choice else f"{ref.profile}.{name}"
            if child.is_choice:
                self._spell_out_choice(child, ref.profile, key)
            found[name] = self._element(child, key)
        return found

    def _spell_out_choice(self, child: Element, parent: str, key: str) -> None:
        """Take `Observation.valueQuantity`, the short form, as the slice of `Observation.value[x]` that it means."""
        for name in (child.json_name(ref.name) for ref in child.types):
            short, whole = f"{parent}.{name}", f"{key}:{name}"
            if short not in self.overlay and short not in self._paths().inner:
                continue
            for entry in [known for known in self.overlay if known == short or known.startswith(f"{short}.")]:
                renamed = whole + entry.removeprefix(short)
                self.overlay[renamed] = _merged(self.overlay.pop(entry), self.overlay.get(renamed, {}))
            self.known_paths = None

    def _paths(self) -> _Paths:
        """What the keys of the overlay say of its tree, found once for all questions."""
        if self.known_paths is None:
            self.known_paths = _Paths.of(self.overlay)
        return self.known_paths

    def _core_ref(self, name: str) -> TypeRef | None:
        if "." in name:
            owner = self.definitions.type_ref(name.partition(".")[0])
            return TypeRef(name, owner.structure) if owner else None
        found = self.definitions.structure(str(self.resource["type"])) if name == self.type else None
        return found.root if found else self.definitions.type_ref(name)

    def _element(self, base: Element, key: str) -> Element:
        merged = self._merged(base, key, self._found(key))
        names = self._slice_names(key)
        if not names:
            return merged
        slices = []
        for name in names:
            slice_key = f"{key}:{name}"
            found = self._found(slice_key)
            whole = self._merged(base, slice_key, {"min": 0, **found})
            if "max" not in found:
                whole = replace(whole, maximum=merged.maximum)
            slices.append(Slice(name, whole, self._values(merged.slicing, whole, slice_key)))
        return replace(merged, slices=tuple(slices))

    def _merged(self, base: Element, key: str, found: Json) -> Element:
        """``base`` with what the profile says at ``key``."""
        is_known = bool(found)
        binding = _binding(found.get("binding")) or base.binding
        slicing = _slicing(found.get("slicing"))
        if slicing is None and base.is_choice and self._slice_names(key):
            slicing = Slicing((Discriminator("type", "$this"),))
        return replace(
            base,
            path=key,
            types=tuple(self._type(ref, key) for ref in _chosen_types(base, found)),
            minimum=int(found.get("min", base.minimum)),
            maximum=_maximum(found["max"]) if "max" in found else base.maximum,
            binding=binding,
            fixed=_valued(found, "fixed"),
            pattern=_valued(found, "pattern"),
            slicing=slicing,
            constraints=_constraints(found) if is_known else (),
        )

    def _type(self, ref: TypeRef, key: str) -> TypeRef:
        """``ref``, led on into the profile where it constrains what lies below ``key``."""
        inner = self._paths().inner
        if key not in inner and _without_slices(key) not in inner:
            return ref
        self.bases[(ref.name, key)] = ref
        return replace(ref, structure=self.url, profile=key)

    def _found(self, key: str) -> Json:
        """What the profile says at ``key``, a slice after what it says of all of its siblings."""
        exact = self.overlay.get(key, {})
        stripped = _without_slices(key)
        if stripped == key or _last_is_slice(key):
            return exact
        return _merged(self.overlay.get(stripped, {}), exact)

    def _slice_names(self, key: str) -> list[str]:
        return list(self._paths().slices.get(key, ()))

    def _values(self, slicing: Slicing | None, whole: Element, key: str) -> tuple[tuple[str, Any], ...]:
        if slicing is None:
            return ()
        values = []
        for discriminator in slicing.discriminators:
            if discriminator.kind == "type" and discriminator.path == "$this":
                values.append(("$type", whole.types[0].name if whole.types else ""))
            elif discriminator.kind in ("value", "pattern"):
                value = self._value_at(key, discriminator.path)
                if value is not None:
                    values.append((discriminator.path, value))
        return tuple(values)

    def _value_at(self, key: str, path: str) -> JsonValue:
        """The fixed or pattern value that the slice at ``key`` gives ``path``, or an ancestor's value that holds it."""
        steps = [] if path == "$this" else path.split(".")
        for depth in range(len(steps), -1, -1):
            held = self._value_of(".".join([key, *steps[:depth]]))
            for step in steps[depth:]:
                if isinstance(held, list):
                    held = held[0] if held else None
                held = held.get(step) if isinstance(held, Mapping) else None
            if held is not None:
                return held
        return None

    def _value_of(self, key: str) -> JsonValue:
        for written in (key, f"{key}[x]"):
            found = self.overlay.get(written, {})
            value = _valued(found, "fixed")
            if value is None:
                value = _valued(found, "pattern")
            if value is not None:
                return value
        return None


def _chosen_types(base: Element, found: Json) -> tuple[TypeRef, ...]:
    """The base's types that the profile leaves, with the profiles and targets it names."""
    written = found.get("type")
    if not written:
        return base.types
    by_name = {ref.name: ref for ref in base.types}
    chosen = []
    for entry in written:
        name = _short(str(entry.get("code", "")))
        ref = by_name.get(name)
        is_backbone = name in ("BackboneElement", "Element")
        if ref is None and len(base.types) == 1 and (is_backbone or "." in base.types[0].name):
            ref = base.types[0]
        if ref is None:
            ref = TypeRef(name, FHIR_URL + name)
        targets = tuple(entry.get("targetProfile", ())) or ref.targets
        profiles = [str(url) for url in entry.get("profile", ()) if "#" not in str(url)]
        if profiles:
            chosen.append(TypeRef(ref.name, profiles[0], ref.name, targets))
        else:
            chosen.append(replace(ref, targets=targets))
    return tuple(chosen)


# --- types and logical models -----------------------------------------------------------------------------------------


class _Type:
    """A type of its own: elements by their parent's path, the base's first where only a differential is given."""

    def __init__(self, resource: Json, definitions: Definitions) -> None:
        self.resource = resource
        self.definitions = definitions
        self.url = str(resource["url"])
        self.name = _short(str(resource.get("type") or resource.get("name") or self.url))
        self.is_snapshot = "snapshot" in resource
        self.levels: dict[str, list[Json]] = {}
        written = resource.get("snapshot") or resource.get("differential") or {}
        for entry in written.get("element", ()):
            path = str(entry.get("path", ""))
            self.levels.setdefault(path, [])
            if "." in path:
                self.levels.setdefault(path.rpartition(".")[0], []).append(entry)
            else:
                self.root_path, self.root_entry = path, entry
        self.root_path = getattr(self, "root_path", self.name)
        self.root_entry = getattr(self, "root_entry", {})

    def source(self) -> StructureSource:
        structure = Structure(
            url=self.url,
            name=str(self.resource.get("name") or self.name),
            type=self.name,
            kind=_KINDS.get(str(self.resource.get("kind")), "logical"),
            base=str(self.resource.get("baseDefinition", "")),
            root=TypeRef(self.name, self.url),
            abstract=bool(self.resource.get("abstract")),
            fhir_version=str(self.resource.get("fhirVersion", "")),
            constraints=_constraints(self.root_entry),
            namespace=_extension(self.resource, _NAMESPACES) or _extension(self.root_entry, _NAMESPACES),
            xml_name=_extension(self.root_entry, _XML_NAMES) or _extension(self.resource, _XML_NAMES),
            says_type=_says_type(self.resource),
        )
        return StructureSource(structure, self.children)

    def children(self, ref: TypeRef) -> Mapping[str, Element]:
        path = self.root_path if ref.name == self.name else ref.name
        found: dict[str, Element] = {}
        if not self.is_snapshot and path == self.root_path:
            base = self.definitions.structure(str(self.resource.get("baseDefinition", "")))
            found.update(self.definitions.children(base.root) if base and base.url != self.url else {})
        for entry in self.levels.get(path, ()):
            if "sliceName" in entry or ":" in str(entry.get("id", "")):
                continue
            element = self._element(entry, len(found))
            inherited = found.get(element.name)
            if inherited is not None and not element.types:
                element = replace(
                    inherited,
                    path=element.path,
                    minimum=int(entry.get("min", inherited.minimum)),
                    maximum=_maximum(str(entry["max"])) if "max" in entry else inherited.maximum,
                    fixed=element.fixed,
                    pattern=element.pattern,
                )
            found[element.name] = element
        return found

    def _element(self, entry: Json, order: int) -> Element:
        path = str(entry["path"])
        written = path.rpartition(".")[2]
        name = written.removesuffix("[x]")
        return Element(
            name=name,
            path=path,
            types=self._types(entry, path),
            minimum=int(entry.get("min", 0)),
            maximum=_maximum(str(entry.get("max", "1"))),
            is_choice=written != name,
            binding=_binding(entry.get("binding")),
            fixed=_valued(entry, "fixed"),
            pattern=_valued(entry, "pattern"),
            constraints=_constraints(entry),
            representation=tuple(entry.get("representation", ())),
            order=order,
            namespace=_extension(entry, _NAMESPACES),
            xml_name=_extension(entry, _XML_NAMES),
        )

    def _types(self, entry: Json, path: str) -> tuple[TypeRef, ...]:
        reference = entry.get("contentReference")
        if reference:
            return (TypeRef(str(reference).rpartition("#")[2], self.url),)
        if self.levels.get(path):
            return (TypeRef(path, self.url),)
        return tuple(self._type(held) for held in entry.get("type", ()))

    def _type(self, held: Json) -> TypeRef:
        code = str(_extension(held, (_FHIR_TYPE,)) or held.get("code") or "")
        profiles = held.get("profile", ())
        targets = tuple(held.get("targetProfile", ()))
        if profiles and self.definitions.structure(str(profiles[0])) is not None:
            profile = self.definitions.structure(str(profiles[0]))
            if profile is not None and not profile.is_profile:
                return replace(profile.root, targets=targets)
        if code.startswith("http://hl7.org/fhirpath/System."):
            return TypeRef("System." + code.rpartition(".")[2], code)
        known = self.definitions.structure(code)
        if known is not None:
            return replace(known.root, targets=targets)
        return TypeRef(_short(code), code if "/" in code else FHIR_URL + code, targets=targets)


# --- pieces of an ElementDefinition -----------------------------------------------------------------------------------


def _overlay(resource: Json) -> dict[str, Json]:
    """Elements of a profile by id; missing ids are made from path and slice name."""
    written = resource.get("differential") or resource.get("snapshot") or {}
    found: dict[str, Json] = {}
    slices: dict[str, str] = {}
    for entry in written.get("element", ()):
        path = str(entry["path"])
        key = str(entry.get("id") or _built_id(path, str(entry.get("sliceName", "")), slices))
        if "sliceName" in entry:
            slices[path] = key
        found[key] = _merged(found.get(key, {}), entry)
    return found


def _built_id(path: str, slice_name: str, slices: Mapping[str, str]) -> str:
    parent = path
    while "." in parent:
        parent = parent.rpartition(".")[0]
        if parent in slices:
            path = slices[parent] + path.removeprefix(parent)
            break
    return f"{path}:{slice_name}" if slice_name else path


def _merged(under: Json, over: Json) -> dict[str, Any]:
    """``over`` merged into ``under``; invariants add up, one of the same key replaces."""
    merged = {**under, **over}
    if under.get("constraint") and over.get("constraint"):
        by_key = {entry["key"]: entry for entry in (*under["constraint"], *over["constraint"])}
        merged["constraint"] = list(by_key.values())
    return merged


def _without_slices(key: str) -> str:
    return ".".join(step.partition(":")[0] for step in key.split("."))


def _last_is_slice(key: str) -> bool:
    return ":" in key.rpartition(".")[2]


def _constraints(entry: Json) -> tuple[Constraint, ...]:
    return tuple(
        Constraint(
            key=str(held["key"]),
            severity=str(held.get("severity", "error")),
            expression=str(held["expression"]),
            human=str(held.get("human", "")),
            source=str(held.get("source", "")),
            variants=tuple(_variant(part) for part in held.get("extension", ()) if part.get("url") == VARIANT_URL),
        )
        for held in entry.get("constraint", ())
        if "expression" in held
    )


def _variant(extension: Json) -> tuple[str, str, str]:
    held = {part["url"]: str(part.get("valueString") or part.get("valueCode")) for part in extension["extension"]}
    return held["name"], held["expression"], held["human"]


def _binding(entry: Json | None) -> Binding | None:
    if not entry:
        return None
    value_set = entry.get("valueSet") or entry.get("valueSetUri") or entry.get("valueSetReference", {}).get("reference")
    return Binding(str(entry.get("strength", "example")), str(value_set or ""))


def _slicing(entry: Json | None) -> Slicing | None:
    if not entry:
        return None
    found = tuple(Discriminator(str(held["type"]), str(held["path"])) for held in entry.get("discriminator", ()))
    return Slicing(found, str(entry.get("rules", "open")), bool(entry.get("ordered")))


def _valued(entry: Json, stem: str) -> JsonValue:
    """The value of `fixed[x]` or `pattern[x]`."""
    return next((value for key, value in entry.items() if key.startswith(stem) and key != stem), None)


def _maximum(written: str) -> int | None:
    return None if written == "*" else int(written)


def _extension(holder: Json, urls: tuple[str, ...]) -> str:
    for held in holder.get("extension", ()):
        if held.get("url") in urls:
            return str(next((value for key, value in held.items() if key.startswith("value")), ""))
    return ""


def _says_type(resource: Json) -> bool:
    """Does the JSON of an instance carry ``resourceType``, which a logical model may suppress?"""
    kind = resource.get("kind")
    return kind == "resource" or (kind == "logical" and _extension(resource, _NO_RESOURCE_TYPE).lower() != "true")


def _short(name: str) -> str:
    """The type's name where a canonical is given for it."""
    return name.rsplit("/", 1)[-1]
