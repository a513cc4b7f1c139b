"""A StructureMap resource → the tree of the map, and its text.

The tree is built from the resource and formatted once; what `fhirmap import` writes. A map that runs from its resource
is that text parsed, so that diagnostics show places in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fhirmap.diagnostics import NO_SPAN, Diagnostic
from fhirmap.interchange.structure_map.concept_maps import concept_map_declaration
from fhirmap.interchange.structure_map.documentation import comment_lines
from fhirmap.interchange.structure_map.header import metadata_of
from fhirmap.interchange.structure_map.literals import fhirpath
from fhirmap.interchange.structure_map.resource_names import ResourceRuleNames, map_id
from fhirmap.interchange.structure_map.resource_part import ResourcePart
from fhirmap.interchange.structure_map.rule_reader import rules_of
from fhirmap.interchange.structure_map.shapes import CONST_EXTENSION, MODEL_EXTENSION
from fhirmap.language import nodes as n
from fhirmap.language.format import format_map
from fhirmap.language.parser import parse
from fhirmap.texts import text

__all__ = ["StructureMapReader", "read_structure_map", "structure_map_to_text"]

_HEADER = ("url", "name", "title", "status")
_OWN = ("structure", "import", "contained", "const", "group", "resourceType")
_MODES = ("source", "queried", "target", "produced")
_TYPE_MODES = {"types": "types", "type-and-types": "type+"}


def read_structure_map(resource: Mapping[str, Any], name: str) -> tuple[n.Map, tuple[Diagnostic, ...]]:
    """The map that a StructureMap resource says (R4, R4B, R5 or R6), and what is wrong or cannot be said in it.

    ``name``: what diagnostics call the resource. Places in the tree are places in the text that says it, which is the
    text of the tree's span.
    """
    written, lost = structure_map_to_text(resource, name)
    tree, found = parse(written, text("output.import.as_text", file=name))
    return tree, (*lost, *found)


def structure_map_to_text(resource: Mapping[str, Any], name: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """The canonical text of a StructureMap resource, and what is wrong or cannot be said in it."""
    reader = StructureMapReader(name)
    return reader.read(resource).text(), tuple(reader.diagnostics)


@dataclass(frozen=True, slots=True)
class _ReadMap:
    """A map in the order of its text: what comes before the models, the models' own texts, the groups."""

    header: n.Map
    models: tuple[str, ...]
    groups: n.Map

    def text(self) -> str:
        """The canonical text."""
        parts = [format_map(self.header), *(_model_text(text) for text in self.models), format_map(self.groups)]
        return "\n\n".join(part.strip("\n") for part in parts if part.strip("\n")) + "\n"


class StructureMapReader:
    """Reads one resource; ``diagnostics`` grows as it does. ``name``: what they call the resource."""

    def __init__(self, name: str) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._name = name

    def read(self, value: Mapping[str, Any]) -> _ReadMap:
        """What the resource says, part by part; whatever no text of a map can say is noted."""
        resource = ResourcePart(value, "", self.diagnostics, self._name)
        if resource.take("resourceType") != "StructureMap":
            resource.wrong("resourceType", "type")
        metadata = self._metadata(resource)
        concept_maps = self._concept_maps(resource)
        structures = [self._structure(part) for part in resource.parts("structure")]
        uses = tuple(entry for entry in structures if isinstance(entry, n.Uses))
        imports = tuple(n.MapImport(url, NO_SPAN) for url in resource.texts("import"))
        lets = self._lets(resource)
        groups = tuple(self._group(entry) for entry in self._groups(resource))
        resource.report_unread()
        header = n.Map(metadata, None, concept_maps, uses, imports, lets, (), (), NO_SPAN)
        models = tuple(entry for entry in structures if isinstance(entry, str))
        return _ReadMap(header, models, n.Map((), None, (), (), (), (), (), groups, NO_SPAN))

    # --- header -------------------------------------------------------------------------------------------------------

    def _metadata(self, resource: ResourcePart) -> tuple[n.Metadata, ...]:
        value = dict(resource.value)
        extensions = value.get("extension")
        if isinstance(extensions, list):
            value["extension"] = [entry for entry in extensions if not _is_extension(entry, CONST_EXTENSION)]
        if value.get("id") == map_id(value.get("name")):
            value.pop("id", None)
        header = {name: value[name] for name in dict.fromkeys((*_HEADER, *value)) if name in value}
        lines, lost = metadata_of({name: entry for name, entry in header.items() if name not in _OWN}, NO_SPAN)
        for path in lost:
            resource.lose(path)
        resource.ignore(*(name for name in value if name not in _OWN), "id")
        return tuple(lines)

    def _concept_maps(self, resource: ResourcePart) -> tuple[n.ConceptMapDeclaration, ...]:
        found = []
        for rank, held in enumerate(resource.parts("contained")):
            if held.value.get("resourceType") != "ConceptMap":
                held.lost()
                continue
            declaration = concept_map_declaration(held, NO_SPAN)
            if not declaration.id:
                held.wrong("id", "missing")
                declaration = replace(declaration, id=f"concept-map-{rank + 1}")
            found.append(declaration)
        return tuple(found)

    def _structure(self, structure: ResourcePart) -> n.Uses | str:
        """A `uses` line; for a model, its own text."""
        url, mode = structure.required("url"), structure.required("mode")
        alias, documentation = _alias(structure), comment_lines(structure.text("documentation"))
        model = None
        for extension in structure.parts("extension"):
            if extension.take("url") == MODEL_EXTENSION:
                model = extension.text("valueString")
            else:
                extension.lost()
        if model is not None:
            return "\n".join((*documentation, model))
        known = next((entry for entry in _MODES if entry == mode), None)
        if mode and known is None:
            structure.wrong("mode", "code")
        return n.Uses(url, alias, known or "source", NO_SPAN, NO_SPAN, documentation=documentation)  # type: ignore[arg-type]

    def _lets(self, resource: ResourcePart) -> tuple[n.Let, ...]:
        """Constants, which R4 holds in an extension."""
        found = [(part, part.required("name"), part.take("value"), "value") for part in resource.parts("const")]
        for extension in resource.parts("extension"):
            if extension.take("url") != CONST_EXTENSION:
                extension.ignore_all()  # a metadata line says it
                continue
            inner = {part.take("url"): part for part in extension.parts("extension")}
            if "name" in inner and "value" in inner:
                name, value = inner["name"].required("valueId"), inner["value"].take("valueString")
                found.append((inner["value"], name, value, "valueString"))
            else:
                extension.lost()
        return tuple(n.Let(name, fhirpath(part, element, value), NO_SPAN) for part, name, value, element in found)

    # --- groups -------------------------------------------------------------------------------------------------------

    def _groups(self, resource: ResourcePart) -> list[ResourcePart]:
        groups = resource.parts("group")
        if not groups:
            resource.wrong("group", "group", code="FM046")
        return groups

    def _group(self, group: ResourcePart) -> n.Group:
        name = group.required("name") or "group"
        mode = group.text("typeMode")
        if mode not in (None, "none", *_TYPE_MODES):
            group.wrong("typeMode", "code")
        parameters = tuple(self._input(entry) for entry in group.parts("input"))
        if not parameters:
            group.wrong("input", "missing")
            parameters = (n.Parameter("source", "src", None, NO_SPAN),)
        extends, documentation = group.text("extends"), comment_lines(group.text("documentation"))
        rules = rules_of(group.parts("rule"), ResourceRuleNames())
        type_mode = _TYPE_MODES.get(mode or "")
        return n.Group(name, parameters, extends, type_mode, rules, NO_SPAN, NO_SPAN, documentation=documentation)

    def _input(self, part: ResourcePart) -> n.Parameter:
        mode = part.required("mode")
        if mode not in ("source", "target", ""):
            part.wrong("mode", "code")
        name = part.required("name") or "src"
        return n.Parameter("target" if mode == "target" else "source", name, part.text("type"), NO_SPAN)


def _model_text(text: str) -> str:
    """A model's text in canonical form, its comments kept; as it is where it does not parse, which is then reported."""
    tree, diagnostics = parse(text)
    return text if any(entry.is_error for entry in diagnostics) else format_map(tree, text)


def _alias(structure: ResourcePart) -> str | None:
    """The alias, without the quotes that the reference engine keeps of a quoted one."""
    written = structure.text("alias")
    if written is None or len(written) < 3 or written[0] not in "'\"" or written[-1] != written[0]:
        return written
    structure.wrong("alias", "alias", code="FM163", found=written, wanted=written[1:-1])
    return written[1:-1]


def _is_extension(value: object, url: str) -> bool:
    return isinstance(value, Mapping) and value.get("url") == url
