"""Names of a program: which group, model, type, constant or concept map a name in a map means.

Lookup order everywhere: the map itself, then its direct imports. A name that two imports declare is ambiguous; one that
nothing declares is a diagnostic with the nearest right name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

from fhirmap.analysis.hints import nothing_meant
from fhirmap.analysis.typed import DefaultGroup, DefaultTable, ImportedMaps, ModelUse, Unit, model_url
from fhirmap.diagnostics import Diagnostic, Related, Severity, Span, Subject, SubjectKind, Suggestion, suggestion
from fhirmap.fhir_types import OPEN_TYPES, UNNAMED_TYPES
from fhirmap.language import nodes
from fhirmap.model.definition import (
    FHIR_URL,
    ConceptMap,
    ConceptMapGroup,
    ConceptMapTarget,
    Definitions,
    Element,
    Structure,
    StructureSource,
    TypeRef,
)
from fhirmap.texts import Text

_RELATIONS = {
    "-": "related-to", "=": "equivalent", "==": "equivalent", "!=": "not-related-to", "--": "unmatched",
    "<=": "source-is-narrower-than-target", ">=": "source-is-broader-than-target",
    "<-": "source-is-narrower-than-target",
    ">-": "source-is-broader-than-target", "~": "related-to",
}  # fmt: skip
_UNMAPPED = {"provided": "provided", "pass": "provided", "error": "error", "code": "fixed"}


def type_names(ref: TypeRef) -> tuple[str, ...]:
    """Names under which a group may be marked for a type: `Patient.contact` is a `BackboneElement`, too."""
    return (ref.name, *UNNAMED_TYPES) if "." in ref.name else (ref.name,)


@dataclass(frozen=True, slots=True)
class DefaultIndex:
    """Marked groups by the names of their two types, and by that of their source type."""

    groups: tuple[DefaultGroup, ...]
    pairs: Mapping[tuple[str, str], tuple[DefaultGroup, ...]]
    sources: Mapping[str, tuple[DefaultGroup, ...]]

    @classmethod
    def of(cls, groups: Iterable[DefaultGroup]) -> DefaultIndex:
        """The index of ``groups``, which keep their order."""
        held = tuple(groups)
        pairs: dict[tuple[str, str], tuple[DefaultGroup, ...]] = {}
        sources: dict[str, tuple[DefaultGroup, ...]] = {}
        for entry in held:
            pair = entry.source.name, entry.target.name
            pairs[pair] = (*pairs.get(pair, ()), entry)
            sources[entry.source.name] = (*sources.get(entry.source.name, ()), entry)
        return cls(held, pairs, sources)

    def of_sources(self, names: Collection[str]) -> Iterable[DefaultGroup]:
        """Groups for one of these source types, all where none is named."""
        return (entry for name in sorted(names) for entry in self.sources.get(name, ())) if names else self.groups


@dataclass
class Scope:
    """The names of maps, with ``definitions`` that know their models as structures of their own."""

    base: Definitions
    diagnostics: list[Diagnostic] = field(default_factory=list)
    models: dict[str, ModelUse] = field(default_factory=dict)
    definitions: Definitions = field(init=False)
    units: dict[Unit, None] = field(default_factory=dict)
    """The maps whose names are known, in the order in which they came."""
    _concept_maps: dict[tuple[str, str], ConceptMap] = field(default_factory=dict)
    _types: dict[tuple[Unit, str], TypeRef | None] = field(default_factory=dict)
    _defaults: dict[ImportedMaps, DefaultIndex] = field(default_factory=dict)
    _tables: dict[object, DefaultTable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A copy that shares the loaded structures: a map's models must not leak into the caller's definitions, nor hide
        # a FHIR type of the same name, so they are known by URL alone.
        self.definitions = copy(self.base)
        self.definitions._structures = dict(self.base._structures)
        self.definitions._children = {}

    def declare(self, units: Iterable[Unit]) -> None:
        """Make the names of some maps known, where they are not yet, with the maps that they import."""
        new = [unit for unit in units if unit not in self.units]
        self.units.update(dict.fromkeys(new))
        models: list[ModelUse] = []
        for unit in new:
            with self.noting(unit.declared):
                models += self._declare(unit)
        self.models.update({use.ref.structure: use for use in models})
        for use in models:
            self.definitions._structures[use.ref.structure] = self._structure(use)

    # --- types --------------------------------------------------------------------------------------------------------

    def type_ref(self, unit: Unit, name: str) -> TypeRef | None:
        """The type that ``name`` means: alias of a `uses`, model, structure by name or URL, `Bundle.entry`."""
        key = unit, name
        if key not in self._types:
            self._types[key] = self._type_ref(unit, name)
        return self._types[key]

    def _type_ref(self, unit: Unit, name: str) -> TypeRef | None:
        for entry in unit.tree.uses:
            if name == entry.alias:
                return self._by_url(unit, entry.url)
        called = self.uses_called(unit, name)
        if called is not None:
            return self.model_ref(unit, name) or self._by_url(unit, called.url)
        return self.model_ref(unit, name) or self._by_url(unit, name)

    def uses_called(self, unit: Unit, name: str) -> nodes.Uses | None:
        """The `uses` without alias whose address ends in ``name``: what the map calls by that name."""
        ending = f"/{name}"
        return next((entry for entry in unit.tree.uses if entry.alias is None and entry.url.endswith(ending)), None)

    def unknown_structure(self, unit: Unit) -> str | None:
        """The address of a structure that ``unit`` uses and that has no definition."""
        return next((entry.url for entry in unit.tree.uses if self._by_url(unit, entry.url) is None), None)

    def _by_url(self, unit: Unit, name: str) -> TypeRef | None:
        if "/" in name:
            model = self._model_at(unit, name)
            if model is not None:
                return model
        ref = self.definitions.type_ref(name)
        if ref is None and "." in name:
            head, *path = name.removeprefix("FHIR.").split(".")
            ref = self.definitions.type_ref(head)
            for step in path:
                child = self.definitions.children(ref).get(step) if ref else None
                ref = child.types[0] if child and len(child.types) == 1 else None
        return ref

    def model_ref(self, unit: Unit, name: str) -> TypeRef | None:
        """The type of the model called ``name`` in ``unit`` or its imports."""
        for imported in (unit.own, *unit.imported):
            for place in imported.models.get(name, ()):
                return TypeRef(name, model_url(place, name))
        return None

    def _model_at(self, unit: Unit, url: str) -> TypeRef | None:
        base, _, name = url.rpartition("/StructureDefinition/")
        for imported in (unit.own, *unit.imported):
            for place in imported.models.get(name, ()):
                if place.url.rpartition("/StructureMap/")[0] == base:
                    return TypeRef(name, model_url(place, name))
        return None

    def type_names(self, unit: Unit) -> list[str]:
        """Names of types that a map in ``unit`` may have meant."""
        names = [entry.alias for entry in unit.tree.uses if entry.alias]
        return [*names, *unit.model_names()]

    def url_to_import(self, unit: Unit, name: str) -> str | None:
        """The address of a map of this program that declares the model and that ``unit`` does not import."""
        seen = unit.visible()
        others = (place for place in self.units if place not in seen and place.tree.url)
        return next(
            (place.tree.url for place in others if any(model.name == name for model in place.tree.models)), None
        )

    # --- groups -------------------------------------------------------------------------------------------------------

    def group(self, unit: Unit, name: str, span: Span) -> tuple[Unit, nodes.Group] | None:
        """The group called ``name`` as ``unit`` sees it; a diagnostic where there is none or more than one."""
        for entry in unit.own.groups.get(name, ()):
            return entry
        found = list(dict.fromkeys(entry for imported in unit.imported for entry in imported.groups.get(name, ())))
        if len(found) > 1:
            related = tuple(Related(group.name_span, Text("labels.declared_here")) for _, group in found)
            self.report("FM110", span, name=name, related=related)
        elif not found:
            names = [group.name for place in unit.visible() for group in place.tree.groups]
            about = Subject(SubjectKind.GROUP, name)
            self.report("FM103", span, about=about, like=suggestion(name, names), name=name)
        return found[0] if found else None

    def default_group(self, unit: Unit, source: TypeRef, target: TypeRef, span: Span) -> DefaultGroup | None:
        """The group marked for two types as ``unit`` sees it: its own, else the one that it imports.

        A part of a structure that has no name of its own is a `BackboneElement`. Two imported groups are reported
        (FM263); two of one map are reported by a check.
        """
        for pair in ((first, second) for first in type_names(source) for second in type_names(target)):
            for entry in self.defaults(unit.own).pairs.get(pair, ()):
                return entry
            every = (entry for held in unit.imported for entry in self.defaults(held).pairs.get(pair, ()))
            found = list({id(entry.node): entry for entry in every}.values())
            if len(found) > 1:
                related = tuple(Related(entry.node.name_span, Text("labels.declared_here")) for entry in found[:2])
                self.report("FM263", span, variant="rule", related=related, source=pair[0], target=pair[1])
            if found:
                return found[0]
        return None

    def default_table(self, unit: Unit, sources: Iterable[TypeRef], targets: Sequence[TypeRef]) -> DefaultTable:
        """The groups in reach of ``unit`` that may map one of ``sources`` to ``targets``; no source: any may come."""
        names = frozenset(name for entry in sources for name in type_names(entry))
        wanted = type_names(targets[0]) if len(targets) == 1 and targets[0].name not in OPEN_TYPES else ()
        places = self._places_of_defaults(unit)
        key = places, names, wanted
        known = self._tables.get(key)
        if known is None:
            found = (entry for imported in places for entry in self.defaults(imported).of_sources(names))
            fitting = (entry for entry in found if entry.by_source or entry.target.name in wanted)
            # What a map declares itself comes before what it imports for the same types.
            own = self.defaults(unit.own).pairs if unit.own in places else {}
            seen = {
                id(entry.node): entry
                for entry in fitting
                if entry.unit is unit or (entry.source.name, entry.target.name) not in own
            }
            known = self._tables[key] = DefaultTable(tuple(seen.values()))
        return known

    def _places_of_defaults(self, unit: Unit) -> tuple[ImportedMaps, ...]:
        """Where to look, in order. Maps of one set look in the same places: their own groups are among its groups."""
        own = self.defaults(unit.own)
        if not own.pairs:
            return unit.imported
        is_among = any(
            all(self.defaults(imported).pairs.get(pair, ())[:1] == held[:1] for pair, held in own.pairs.items())
            for imported in unit.imported[:1]
        )
        return unit.imported if is_among else (unit.own, *unit.imported)

    def defaults(self, imported: ImportedMaps) -> DefaultIndex:
        """The groups marked `<<types>>` or `<<type+>>` of some maps, by their types."""
        known = self._defaults.get(imported)
        if known is None:
            if len(imported.units) == 1:
                known = DefaultIndex.of(self._marked_groups(imported.units[0]))
            else:
                known = DefaultIndex.of(held for unit in imported.units for held in self.defaults(unit.own).groups)
            self._defaults[imported] = known
        return known

    def _marked_groups(self, unit: Unit) -> Iterator[DefaultGroup]:
        for group in unit.tree.groups:
            if group.type_mode and len(group.parameters) == 2:
                source, target = (self._declared(unit, entry) for entry in group.parameters)
                if source is not None and target is not None:
                    yield DefaultGroup(unit, group, source, target, group.type_mode == "type+")

    def _declared(self, unit: Unit, parameter: nodes.Parameter) -> TypeRef | None:
        """The type that a parameter declares; one of an unknown name is still known by that name."""
        if not parameter.type:
            return None
        return self.type_ref(unit, parameter.type) or TypeRef(parameter.type)

    # --- concept maps -------------------------------------------------------------------------------------------------

    def concept_map(self, unit: Unit, url: str) -> ConceptMap | None:
        """What `translate(x, url, …)` means: `#id` of the map or its imports, `MapUrl#id`, or a canonical."""
        where, hash_, identifier = url.rpartition("#")
        if not hash_:
            # HAPI and the tutorial write a contained map's bare id too.
            return self.definitions.concept_map(url) or self._contained(unit, url)
        return self._contained(unit, identifier, where)

    def concept_map_names(self, unit: Unit) -> list[str]:
        """References to the concept maps in reach."""
        return [f"#{entry.id}" for place in unit.visible() for entry in place.tree.concept_maps]

    def _contained(self, unit: Unit, identifier: str, url: str = "") -> ConceptMap | None:
        for imported in (unit.own, *unit.imported):
            for place, entry in imported.concept_maps.get(identifier, ()):
                if not url or place.url == url:
                    key = (place.name, identifier)
                    if key not in self._concept_maps:
                        self._concept_maps[key] = concept_map_of(place, entry)
                    return self._concept_maps[key]
        return None

    # --- declaring ----------------------------------------------------------------------------------------------------

    @contextmanager
    def noting(self, place: list[Diagnostic]) -> Iterator[None]:
        """While this lasts, what is reported is noted in ``place``: the group or the map that it is about."""
        outer, self.diagnostics = self.diagnostics, place
        try:
            yield
        finally:
            self.diagnostics = outer

    def report(  # noqa: PLR0913 - the parts of a diagnostic
        self,
        code: str,
        span: Span | None,
        hint: Text | None = None,
        *,
        variant: str = "",
        related: tuple[Related, ...] = (),
        severity: Severity | None = None,
        about: Subject | None = None,
        like: Suggestion | None = None,
        **args: object,
    ) -> None:
        """Note one fault. ``like``: what may have been meant."""
        found = like or nothing_meant()
        self.diagnostics.append(Diagnostic(code, span, args, hint, variant, severity, related, about=about, **found))

    def _declare(self, unit: Unit) -> Iterator[ModelUse]:
        tree = unit.tree
        for model in tree.models:
            ref = TypeRef(model.name, model_url(unit, model.name))
            yield ModelUse(model, unit, ref)
            names = [(entry.name, entry.name_span) for entry in model.elements]
            self._unique(SubjectKind.ELEMENT, names, frozenset((ref.structure,)))
        self._unique(SubjectKind.MODEL, [(model.name, model.name_span) for model in tree.models])
        self._unique(SubjectKind.GROUP, [(group.name, group.name_span) for group in tree.groups])
        self._unique(SubjectKind.CONSTANT, [(entry.name, entry.span) for entry in tree.lets])
        self._unique(SubjectKind.CONCEPT_MAP, [(entry.id, entry.id_span) for entry in tree.concept_maps])
        for group in tree.groups:
            self._unique(SubjectKind.PARAMETER, [(entry.name, entry.span) for entry in group.parameters])

    def _unique(
        self, kind: SubjectKind, names: Iterable[tuple[str, Span]], owners: frozenset[str] = frozenset()
    ) -> None:
        seen: dict[str, Span] = {}
        for name, span in names:
            first = seen.setdefault(name, span)
            if first is not span:
                related = (Related(first, Text("labels.first_declared_here")),)
                about = Subject(kind, name, owners)
                shown = Text(f"words.{kind.name.lower()}")
                self.report("FM105", span, about=about, related=related, kind=shown, name=name)

    def _structure(self, use: ModelUse) -> StructureSource:
        elements: dict[str, Element] = {}
        for order, entry in enumerate(use.node.elements):
            ref = self.element_type(use, entry)
            types = (ref,) if ref else ()
            elements[entry.name] = Element(
                entry.name, f"{use.ref.name}.{entry.name}", types, entry.minimum, entry.maximum, order=order
            )
        view: Mapping[str, Element] = MappingProxyType(elements)
        structure = Structure(use.ref.structure, use.ref.name, use.ref.name, "logical", "", use.ref)
        return StructureSource(structure, lambda _ref: view)

    def element_type(self, use: ModelUse, entry: nodes.ModelElement) -> TypeRef | None:
        """Type of a model's element: another model, or a FHIR primitive."""
        model = self.model_ref(use.unit, entry.type)
        if model is not None:
            return model
        return TypeRef(entry.type, FHIR_URL + entry.type) if self.definitions.is_primitive(entry.type) else None


def concept_map_of(unit: Unit, declaration: nodes.ConceptMapDeclaration) -> ConceptMap:
    """A map's concept map as the view that resources give, codes of its CSV file included."""
    urls = {entry.name: entry.url for entry in declaration.prefixes}
    groups: dict[tuple[str, str], dict[str, tuple[ConceptMapTarget, ...]]] = {}
    for code in chain(declaration.codes, unit.tables.get(declaration.id, ())):
        made = ConceptMapTarget(code.target_code, relation=_RELATIONS.get(code.relation, code.relation))
        group = groups.setdefault((code.source_prefix, code.target_prefix), {})
        group[code.source_code] = (*group.get(code.source_code, ()), made)
    if not groups and len(declaration.prefixes) > 1:
        # No codes at all: the policy for unmapped codes still holds.
        groups[declaration.prefixes[0].name, declaration.prefixes[1].name] = {}
    views = []
    for (source, target_prefix), elements in groups.items():
        unmapped = _unmapped(declaration, source, urls)
        target = urls.get(target_prefix, target_prefix)
        views.append(ConceptMapGroup(urls.get(source, source), target, elements, unmapped))
    return ConceptMap(f"{unit.tree.url or unit.name}#{declaration.id}", declaration.id, tuple(views))


def _unmapped(declaration: nodes.ConceptMapDeclaration, prefix: str, urls: Mapping[str, str]) -> tuple[str, str] | None:
    for entry in declaration.unmapped:
        if entry.prefix in (None, prefix):
            value = f"{urls.get(entry.code[0], entry.code[0])}|{entry.code[1]}" if entry.code else ""
            return _UNMAPPED.get(entry.mode, entry.mode), value
    return None
