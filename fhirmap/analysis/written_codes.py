"""The codes that a program can write, as far as its text says them: where each is, and which element it ends in.

A code may be a literal, a concept map's target, or come through a model from the stage before: it is followed to the
place where somebody wrote it, since that is where it has to be put right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.production import Produced
from fhirmap.analysis.typed import Transform, Unit, Variable
from fhirmap.diagnostics import Related, Span
from fhirmap.language.nodes import ConceptMapDeclaration
from fhirmap.model.definition import TypeRef
from fhirmap.texts import Text

_NO_MATCH = ("!=", "--")


@dataclass(frozen=True, slots=True)
class Written:
    """A code as it is written. ``system`` None: the place gives none. ``related``: the rule that uses it.

    ``sent``: the system under which `cc` or `c` sends it, where that is another place's business.
    """

    system: str | None
    code: str
    span: Span
    system_span: Span
    related: tuple[Related, ...] = ()
    sent: str | None = None


def written_codes(checked: Checked) -> Iterator[tuple[Produced, Produced, Written]]:
    """Each code with the node (its parent first) that it ends in, stage by stage."""
    origins = _Origins.of(checked)
    before: list[Produced] = []
    for stage in checked.stages:
        root = checked.produced(stage)
        for node, leaf in root.pairs():
            # One after the other: a concept map may have hundreds of thousands.
            for written in chain(_own(leaf, checked), origins.followed(leaf, before)):
                yield node, leaf, written
        before.append(root)


def concept_map_targets(unit: Unit, table: ConceptMapDeclaration) -> Iterator[Written]:
    """The target codes of a concept map, those of its file and its `unmapped code` included."""
    systems = {prefix.name: prefix for prefix in table.prefixes}
    for code in chain(table.codes, unit.tables.get(table.id, ())):
        prefix = systems.get(code.target_prefix)
        if prefix is not None and code.target_code and code.relation not in _NO_MATCH:
            yield Written(prefix.url, code.target_code, code.target_span, prefix.span)
    for unmapped in table.unmapped:
        if unmapped.code is not None and (prefix := systems.get(unmapped.code[0])) is not None:
            yield Written(prefix.url, unmapped.code[1], unmapped.code_span or unmapped.span, prefix.span)


def _own(leaf: Produced, checked: Checked) -> Iterator[Written]:
    """Codes that the target making ``leaf`` says itself."""
    if leaf.literal is not None and isinstance(leaf.literal.value, str):
        yield Written(None, leaf.literal.value, leaf.literal.span, leaf.literal.span)
    for coding in leaf.children.get("coding", [leaf] if "code" in leaf.children else []):
        system, code = coding.child("system"), coding.child("code")
        if system is not None and system.literal is not None and code is not None and code.literal is not None:
            written = str(system.literal.value), str(code.literal.value)
            yield Written(*written, code.literal.span, system.literal.span)
    transform = leaf.target.transform if leaf.target else None
    if transform is not None and transform.name in ("cc", "c") and len(transform.arguments) > 1:
        system_at, code_at = transform.arguments[0].literal, transform.arguments[1].literal
        if system_at is not None and code_at is not None:
            yield Written(str(system_at.value), str(code_at.value), code_at.span, system_at.span)
    yield from _translated(transform, checked)


def _translated(transform: Transform | None, checked: Checked) -> Iterator[Written]:
    """Target codes of the concept map in a map's text that a `translate` names."""
    if transform is None or transform.name != "translate" or transform.concept_map is None:
        return
    related = (Related(transform.span, Text("labels.translated_here")),)
    for unit in checked.program.units:
        for table in unit.tree.concept_maps:
            if transform.concept_map.url == f"{unit.tree.url or unit.name}#{table.id}":
                yield from (replace(written, related=related) for written in concept_map_targets(unit, table))


@dataclass(frozen=True, slots=True)
class _Origins:
    """Where a variable's code comes from: an element of a model, or a `translate` of the same rule."""

    checked: Checked
    elements: Mapping[int, tuple[TypeRef, str]]
    transforms: Mapping[int, Transform]

    @classmethod
    def of(cls, checked: Checked) -> _Origins:
        elements: dict[int, tuple[TypeRef, str]] = {}
        transforms: dict[int, Transform] = {}
        for _, rule in checked.rules():
            for source in rule.sources:
                owner = source.steps[-2].static.type if len(source.steps) > 1 else source.context.static.type
                if source.steps and owner is not None:
                    elements[id(source.variable)] = (owner, source.steps[-1].name)
            for target in rule.targets:
                if target.context is None and target.variable is not None and target.transform is not None:
                    transforms[id(target.variable)] = target.transform
        return cls(checked, elements, transforms)

    def followed(self, leaf: Produced, before: list[Produced]) -> Iterator[Written]:
        """Codes that reach ``leaf`` through the variable that it copies or sends."""
        transform = leaf.target.transform if leaf.target else None
        if transform is None:
            return
        if transform.name in ("cc", "c") and len(transform.arguments) > 1:
            system, code = transform.arguments[0].literal, transform.arguments[1].variable
            if system is not None and code is not None:
                related = (Related(transform.arguments[0].span, Text("labels.sent_here")),)
                for written in self._codes_of(code, before):
                    yield replace(written, related=related, sent=str(system.value))
        elif transform.name == "copy" and transform.arguments[0].variable is not None:
            yield from self._codes_of(transform.arguments[0].variable, before)

    def _codes_of(self, variable: Variable, before: list[Produced]) -> Iterator[Written]:
        yield from _translated(self.transforms.get(id(variable)), self.checked)
        owner, name = self.elements.get(id(variable), (None, ""))
        if owner is None:
            return
        for node in (node for root in before for node in root.walk() if node.type == owner):
            for made in node.children.get(name, ()):
                yield from _own(made, self.checked)
