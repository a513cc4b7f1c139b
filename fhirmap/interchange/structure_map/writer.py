"""The tree of a map → a StructureMap resource in the shape of R4, R4B or R5.

What the resource has no place for is put as its own means allow (a nested rule for a path, a computed variable for an
expression among parameters, an extension for a constant in R4), and reported where other engines may not follow.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.interchange.structure_map.concept_maps import concept_map_resource
from fhirmap.interchange.structure_map.documentation import Documentation
from fhirmap.interchange.structure_map.header import header_of
from fhirmap.interchange.structure_map.resource_names import (
    FreshVariables,
    ResourceRuleNames,
    ids_for,
    map_id,
    renamed_map,
)
from fhirmap.interchange.structure_map.resource_values import text_of_expression
from fhirmap.interchange.structure_map.resource_writing import ResourceWriting, declared_names
from fhirmap.interchange.structure_map.rule_writer import StructureMapRuleWriter
from fhirmap.interchange.structure_map.shapes import (
    CONST_EXTENSION,
    HEADER_ORDER,
    MODEL_EXTENSION,
    FhirVersion,
)
from fhirmap.language import nodes as n
from fhirmap.language.format import format_map
from fhirmap.language.parser import parse
from fhirmap.language.visit import walk

_TYPE_MODES = {"types": "types", "type+": "type-and-types"}


@dataclass(frozen=True, slots=True)
class WrittenMap:
    """A StructureMap resource, and what it could not say as the text does.

    ``model_base`` is the beginning of the URLs by which it names the models of the map.
    """

    resource: dict[str, Any]
    diagnostics: tuple[Diagnostic, ...]
    model_base: str


def write_structure_map(
    tree: n.Map,
    version: FhirVersion,
    *,
    tables: Mapping[str, Sequence[n.ConceptMapCode]] | None = None,
    functions: Collection[str] = (),
) -> WrittenMap:
    """The StructureMap resource of a map that parsed without errors.

    ``tables``: the codes of concept maps that lie in CSV files, by the concept map's id. ``functions``: names that
    plug-ins give a meaning, which other engines lack.
    """
    return StructureMapWriter(tree, version, tables or {}, functions).map()


class StructureMapWriter:
    """Writes the resource of one map."""

    def __init__(
        self,
        tree: n.Map,
        version: FhirVersion,
        tables: Mapping[str, Sequence[n.ConceptMapCode]],
        functions: Collection[str],
    ) -> None:
        names, self._foreign = ids_for(tree)
        self._names = names
        self._tree = renamed_map(tree, names)
        self._tables = tables
        self._resource = ResourceWriting(
            version, functions, Documentation(tree), FreshVariables(self._tree), declared_names(self._tree)
        )
        self._rules = StructureMapRuleWriter(self._resource)

    # --- header -------------------------------------------------------------------------------------------------------

    def map(self) -> WrittenMap:
        """The resource, and what it could not say as the text does."""
        tree = self._tree
        for name, node in self._foreign:
            written = self._names.get(name)
            self._resource.report("FM041", node.span, "" if written else "kept", name=name, written=written)
        header, lost = header_of(tree.metadata, self._resource.version)
        self._resource.diagnostics += lost
        name = tree.name or (tree.url or "").rstrip("/").rpartition("/")[2] or "map"
        url = tree.url or f"urn:fhirmap:map:{map_id(name) or 'map'}"
        for element, value in (("url", tree.url), ("name", tree.name)):
            if not value:
                self._resource.report("FM046", self._start(), element, written=url if element == "url" else name)
        place, found, _ = url.rpartition("/StructureMap/")
        base = f"{place}/StructureDefinition/" if found else f"{url}#"
        resource = {"status": "draft", "id": map_id(name), **header, "url": url, "name": name}
        resource["contained"] = [self._concept_map(entry, resource["status"]) for entry in tree.concept_maps]
        resource["structure"] = [self._uses(entry) for entry in tree.uses]
        resource["structure"] += [self._model(entry, base) for entry in tree.models]
        resource["import"] = [entry.url for entry in tree.imports]
        self._constants(resource)
        resource["group"] = [self._group(entry) for entry in tree.groups]
        if not tree.groups:
            self._resource.report("FM046", self._start(), "group")
        self._unknown_functions()
        if left := self._resource.documentation.left:
            self._resource.report("FM044", left[0].span, count=len(left))
        kept = {name: resource[name] for name in HEADER_ORDER if resource.get(name) not in (None, [])}
        kept.update({name: value for name, value in resource.items() if name not in HEADER_ORDER and value})
        return WrittenMap({"resourceType": "StructureMap", **kept}, tuple(self._resource.diagnostics), base)

    def _start(self) -> Span:
        return Span(self._tree.span.text, 0, 0)

    def _concept_map(self, declaration: n.ConceptMapDeclaration, status: object) -> dict[str, Any]:
        original = next((old for old, new in self._names.items() if new == declaration.id), declaration.id)
        table = self._tables.get(original) if declaration.table is not None else None
        resource, lost = concept_map_resource(declaration, table, status, self._resource.version)
        self._resource.diagnostics += lost
        documentation = self._resource.documentation.of(declaration)
        group = resource.pop("group", None)
        if documentation is not None:
            resource["description"] = documentation
        return {**resource, "group": group} if group else resource

    def _uses(self, uses: n.Uses) -> dict[str, Any]:
        structure = {"url": uses.url, "mode": uses.mode}
        if uses.alias is not None:
            structure["alias"] = uses.alias
        return self._documented(structure, uses)

    def _model(self, model: n.Model, base: str) -> dict[str, Any]:
        """A structure that carries the model's own text; its logical StructureDefinition is a file of its own."""
        self._resource.report("FM043", model.name_span, "store" if model.store is not None else "", name=model.name)
        entry = self._tree.groups[0].parameters if self._tree.groups else ()
        modes = {parameter.type: parameter.mode for parameter in reversed(entry)}
        structure = {
            "extension": [{"url": MODEL_EXTENSION, "valueString": _model_text(model)}],
            "url": base + model.name,
            "mode": modes.get(model.name, "queried"),
            "alias": model.name,
        }
        return self._documented(structure, model)

    def _documented(self, element: dict[str, Any], node: n.Uses | n.Model | n.Group | n.Rule) -> dict[str, Any]:
        documentation = self._resource.documentation.of(node)
        if documentation is not None:
            element["documentation"] = documentation
        return element

    def _constants(self, resource: dict[str, Any]) -> None:
        lets = self._tree.lets
        if self._resource.version == "R5":
            resource["const"] = [{"name": let.name, "value": text_of_expression(let.expression)} for let in lets]
            return
        for let in lets:
            self._resource.report("FM040", let.span, "newer", what=f"let {let.name}")
            parts = [
                {"url": "name", "valueId": let.name},
                {"url": "value", "valueString": text_of_expression(let.expression)},
            ]
            resource.setdefault("extension", []).append({"url": CONST_EXTENSION, "extension": parts})

    def _unknown_functions(self) -> None:
        """Functions of plug-ins in expressions; transforms are reported where they are written."""
        reported: set[str] = set()
        for node in walk(self._tree):
            if isinstance(node, n.FPCall) and node.name in self._resource.functions and node.name not in reported:
                reported.add(node.name)
                self._resource.report("FM042", node.name_span, "expression", name=node.name)

    # --- groups and rules ---------------------------------------------------------------------------------------------

    def _group(self, group: n.Group) -> dict[str, Any]:
        written: dict[str, Any] = {"name": group.name}
        if group.extends is not None:
            written["extends"] = group.extends
        if group.type_mode is not None:
            written["typeMode"] = _TYPE_MODES[group.type_mode]
        elif self._resource.version != "R5":
            written["typeMode"] = "none"
        self._documented(written, group)
        written["input"] = [
            {"name": entry.name, **({"type": entry.type} if entry.type is not None else {}), "mode": entry.mode}
            for entry in group.parameters
        ]
        if rules := self._rules.rules(group.rules, ResourceRuleNames()):
            written["rule"] = rules
        return written


def _model_text(model: n.Model) -> str:
    """The model as its map has it, comments and all, in canonical form."""
    text = model.span.snippet
    if text:
        tree, diagnostics = parse(text)
        if not diagnostics and len(tree.models) == 1 and tree.models[0] == model:
            return format_map(tree, text).rstrip("\n")
    alone = n.Map((), None, (), (), (), (), (model,), (), model.span)
    return format_map(alone).rstrip("\n")
