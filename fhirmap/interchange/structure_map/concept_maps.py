"""A map's concept maps ↔ contained ConceptMap resources, in the shape of each version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.interchange.structure_map.documentation import comment_lines
from fhirmap.interchange.structure_map.resource_part import ResourcePart
from fhirmap.interchange.structure_map.shapes import (
    ABSENT_EXTENSION,
    NEAREST_R5,
    RELATION_TOKENS,
    RELATIONS_R4,
    RELATIONS_R5,
    UNMAPPED_EXTENSION,
    FhirVersion,
)
from fhirmap.language import nodes as n


def concept_map_resource(
    declaration: n.ConceptMapDeclaration,
    table: Sequence[n.ConceptMapCode] | None,
    status: object,
    version: FhirVersion,
) -> tuple[dict[str, Any], tuple[Diagnostic, ...]]:
    """The contained ConceptMap, and what its shape says otherwise or not at all.

    ``table``: the codes of the declaration's CSV file, where it was read.
    """
    diagnostics: list[Diagnostic] = []
    if declaration.table is not None:
        variant = "table" if table is not None else "unread"
        diagnostics.append(
            Diagnostic("FM049", declaration.table.span, {"file": declaration.table.file}, variant=variant)
        )
    groups: dict[tuple[str, str], dict[str, list[n.ConceptMapCode]]] = {}
    codes = [entry for entry in (*declaration.codes, *(table or ())) if entry.source_code]
    for code in codes:
        has_target = code.target_prefix and code.target_code
        target = code.target_prefix if has_target else _other_prefix(declaration, codes, code.source_prefix)
        pair = (code.source_prefix, target)
        groups.setdefault(pair, {}).setdefault(code.source_code, []).append(code)
    if not groups and len(declaration.prefixes) > 1:
        groups[declaration.prefixes[0].name, declaration.prefixes[1].name] = {}
    urls = {entry.name: entry.url for entry in declaration.prefixes}
    written = []
    for (source, target), elements in groups.items():
        group: dict[str, Any] = {}
        unmapped = next((entry for entry in declaration.unmapped if entry.prefix in (None, source)), None)
        if unmapped is not None and unmapped.mode == "error":
            diagnostics.append(Diagnostic("FM040", unmapped.span, {"what": "unmapped error"}))
            group["extension"] = [{"url": UNMAPPED_EXTENSION, "valueCode": "error"}]
        for name, prefix in (("source", source), ("target", target)):
            if url := urls.get(prefix, prefix):
                group[name] = url
        group["element"] = [_element(code, codes, version, diagnostics) for code, codes in elements.items()] or [
            {"extension": [{"url": ABSENT_EXTENSION, "valueCode": "not-applicable"}]}
        ]
        if unmapped is not None and unmapped.mode != "error":
            group["unmapped"] = _unmapped(unmapped, version)
        written.append(group)
    resource: dict[str, Any] = {"resourceType": "ConceptMap", "id": declaration.id, "status": status}
    if written:
        resource["group"] = written
    return resource, tuple(diagnostics)


def _other_prefix(declaration: n.ConceptMapDeclaration, codes: list[n.ConceptMapCode], source: str) -> str:
    """The prefix that the codes of ``source`` go to, for one that goes to none; else that declared after it."""
    for code in codes:
        if code.source_prefix == source and code.target_prefix and code.target_code:
            return code.target_prefix
    sources = {code.source_prefix for code in codes}
    names = [entry.name for entry in declaration.prefixes]
    later = names[names.index(source) + 1 :] if source in names else []
    return next((name for name in (*later, *names) if name not in sources), "")


def _element(
    code: str, codes: list[n.ConceptMapCode], version: FhirVersion, diagnostics: list[Diagnostic]
) -> dict[str, Any]:
    element: dict[str, Any] = {"code": code} if code else {}
    targets: list[dict[str, Any]] = []
    for entry in codes:
        target: dict[str, Any] = {"code": entry.target_code} if entry.target_code else {}
        if version != "R5":
            targets.append({**target, "equivalence": RELATIONS_R4[entry.relation if target else "--"]})
        elif not target:
            element["noMap"] = True
        else:
            relation = NEAREST_R5.get(entry.relation, entry.relation)
            if relation != entry.relation:
                args = {"relation": entry.relation, "written": RELATIONS_R5[relation]}
                diagnostics.append(Diagnostic("FM049", entry.span, args))
            targets.append({**target, "relationship": RELATIONS_R5[relation]})
    if targets:
        element.pop("noMap", None)
        element["target"] = targets
    return element


def _unmapped(unmapped: n.ConceptMapUnmapped, version: FhirVersion) -> dict[str, Any]:
    if unmapped.code is not None:
        return {"mode": "fixed", "code": unmapped.code[1]}
    return {"mode": "use-source-code" if version == "R5" else "provided"}


# --- resource → declaration -------------------------------------------------------------------------------------------


def concept_map_declaration(resource: ResourcePart, span: Span) -> n.ConceptMapDeclaration:
    """What a contained ConceptMap declares, its description as documentation."""
    resource.ignore("resourceType", "status")
    reading = _ConceptMapReader(span)
    for group in resource.parts("group"):
        reading.group(group)
    return n.ConceptMapDeclaration(
        (resource.text("id") or "").removeprefix("#"),
        tuple(reading.prefixes),
        tuple(reading.unmapped),
        tuple(reading.codes),
        None,
        span,
        span,
        documentation=comment_lines(resource.text("description")),
    )


class _ConceptMapReader:
    def __init__(self, span: Span) -> None:
        self._span = span
        self.prefixes: list[n.ConceptMapPrefix] = []
        self.unmapped: list[n.ConceptMapUnmapped] = []
        self.codes: list[n.ConceptMapCode] = []

    def group(self, group: ResourcePart) -> None:
        source = self._prefix("s", group.text("source") or "")
        target = self._prefix("t", group.text("target") or "")
        for extension in group.parts("extension"):
            if extension.text("url") == UNMAPPED_EXTENSION and extension.text("valueCode") == "error":
                self.unmapped.append(n.ConceptMapUnmapped("error", source, self._span))
            else:
                extension.lost()
        for unmapped in group.parts("unmapped", single=True):
            self._unmapped(unmapped, source, target)
        for element in group.parts("element"):
            self.codes += self._element(element, source, target)

    def _prefix(self, letter: str, url: str) -> str:
        count = sum(entry.name.startswith(letter) for entry in self.prefixes) + 1
        name = letter if count == 1 else f"{letter}{count}"
        self.prefixes.append(n.ConceptMapPrefix(name, url, self._span))
        return name

    def _unmapped(self, unmapped: ResourcePart, source: str, target: str) -> None:
        mode = unmapped.text("mode")
        if mode in ("provided", "use-source-code"):
            self.unmapped.append(n.ConceptMapUnmapped("provided", source, self._span))
        elif mode == "fixed":
            code = (target, unmapped.text("code") or "")
            self.unmapped.append(n.ConceptMapUnmapped("code", source, self._span, code))
        else:
            unmapped.lost()

    def _element(self, element: ResourcePart, source: str, target: str) -> Iterator[n.ConceptMapCode]:
        code = element.text("code")
        no_map = element.flag("noMap")
        targets = element.parts("target")
        if code is None:
            for extension in element.parts("extension"):
                extension.ignore_all()
            return
        if no_map or not targets:
            yield self._code(source, code, "--", "", "")
        for entry in targets:
            said = entry.text("equivalence") or entry.text("relationship") or "related-to"
            token = RELATION_TOKENS.get(said)
            if token is None:
                entry.wrong("equivalence" if "equivalence" in entry.value else "relationship", "code")
                token = "-"
            found = entry.text("code")
            if found is None:
                yield self._code(source, code, "--", "", "")
            else:
                yield self._code(source, code, token, target, found)

    def _code(self, source: str, code: str, token: str, target: str, found: str) -> n.ConceptMapCode:
        return n.ConceptMapCode(source, code, token, target, found, self._span, self._span, self._span)
