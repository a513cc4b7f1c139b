"""FM301: a code that the value set bound to its element does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fhirmap.analysis.production import Produced, production
from fhirmap.analysis.typed import Checked, Transform, Unit
from fhirmap.diagnostics import Diagnostic, Related, Span, did_you_mean
from fhirmap.language.nodes import ConceptMapDeclaration
from fhirmap.model.definition import Binding, Definitions, TypeRef
from fhirmap.model.terminology import Membership, expand_partly, membership

NO_MATCH = ("!=", "--")


@dataclass(frozen=True, slots=True)
class Written:
    """A code that a map writes. ``system`` None: the place gives none. ``related``: the rule that uses it."""

    system: str | None
    code: str
    span: Span
    system_span: Span
    related: tuple[Related, ...] = ()


def code_outside_value_set(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each code that a required binding excludes (FM301): literals and concept map targets.

    A code may pass through a model from one stage to the next: it is told where it is written.
    """
    made = [production(checked, stage) for stage in checked.stages]
    origins = _origins(checked)
    for order, root in enumerate(made):
        for node in root.walk():
            for leaf in (leaf for leaves in node.children.values() for leaf in leaves):
                binding = _binding(node, leaf, checked)
                if binding is None or binding.strength != "required":
                    continue
                for written in (*_written(leaf, checked), *_handed_on(leaf, made[:order], origins, checked)):
                    yield from _outside(written, binding, checked.definitions)


Origins = Mapping[int, tuple[TypeRef, str]]
"""Which element, of which type, a source variable (by identity) holds."""


def _origins(checked: Checked) -> Origins:
    found: dict[int, tuple[TypeRef, str]] = {}
    for _, rule in checked.rules():
        for source in rule.sources:
            if source.steps:
                owner = source.steps[-2].static.type if len(source.steps) > 1 else source.context.static.type
                if owner is not None:
                    found[id(source.variable)] = (owner, source.steps[-1].name)
    return found


def _handed_on(leaf: Produced, before: list[Produced], origins: Origins, checked: Checked) -> Iterator[Written]:
    """Codes that earlier stages write into the model's element which this leaf is made of."""
    transform = leaf.target.transform if leaf.target else None
    if transform is None or not transform.arguments:
        return
    system = None
    if transform.name in ("cc", "c") and len(transform.arguments) > 1:
        system = transform.arguments[0].literal
        if system is None:
            return
    elif transform.name != "copy":
        return
    code = transform.arguments[1 if system is not None else 0].variable
    owner, name = origins.get(id(code), (None, "")) if code is not None else (None, "")
    related = (Related(transform.span, "used here"),)
    for node in (node for root in before for node in root.walk() if owner is not None and node.type == owner):
        for made in node.children.get(name, ()):
            for written in _written(made, checked):
                url = str(system.value) if system is not None else written.system
                yield replace(written, system=url, system_span=written.span, related=related)


def _binding(node: Produced, leaf: Produced, checked: Checked) -> Binding | None:
    """The binding of ``leaf``: that of the slice which ``node``'s literals choose, else of its element."""
    found = node.slice()
    if found is not None and leaf.element is not None and len(found.element.types) == 1:
        element = checked.definitions.children(found.element.types[0]).get(leaf.element.name)
        if element is not None:
            return element.binding
    return leaf.element.binding if leaf.element else None


def _written(leaf: Produced, checked: Checked) -> Iterator[Written]:
    """The codes that a node may hold, as far as the map says them."""
    if leaf.literal is not None and isinstance(leaf.literal.value, str):
        yield Written(None, leaf.literal.value, leaf.literal.span, leaf.literal.span)
    codings = leaf.children.get("coding", [leaf] if "code" in leaf.children else [])
    for coding in codings:
        system, code = coding.child("system"), coding.child("code")
        if code is not None and code.literal is not None and system is not None and system.literal is not None:
            span = code.literal.span
            yield Written(str(system.literal.value), str(code.literal.value), span, system.literal.span)
    transform = leaf.target.transform if leaf.target else None
    if transform is None:
        return
    if transform.name in ("cc", "c") and len(transform.arguments) > 1:
        system_at, code_at = transform.arguments[0].literal, transform.arguments[1].literal
        if system_at is not None and code_at is not None:
            yield Written(str(system_at.value), str(code_at.value), code_at.span, system_at.span)
    if transform.name == "translate":
        yield from _translated(transform, checked)


def _translated(transform: Transform, checked: Checked) -> Iterator[Written]:
    related = (Related(transform.span, "translated here"),)
    found = declaration_of(transform, checked)
    if found is not None:
        yield from targets(*found, related=related)


def declaration_of(transform: Transform, checked: Checked) -> tuple[Unit, ConceptMapDeclaration] | None:
    """The concept map in a map's text that a `translate` names; None for one from a resource."""
    if transform.concept_map is None:
        return None
    for unit in checked.program.units:
        for table in unit.tree.concept_maps:
            if transform.concept_map.url == f"{unit.tree.url or unit.name}#{table.id}":
                return unit, table
    return None


def targets(unit: Unit, table: ConceptMapDeclaration, *, related: tuple[Related, ...] = ()) -> Iterator[Written]:
    """The target codes of a concept map, those of its file and its `unmapped code` included."""
    systems = {prefix.name: prefix for prefix in table.prefixes}
    for code in (*table.codes, *unit.tables.get(table.id, ())):
        prefix = systems.get(code.target_prefix)
        if prefix is not None and code.target_code and code.relation not in NO_MATCH:
            yield Written(prefix.url, code.target_code, code.target_span, prefix.span, related)
    for unmapped in table.unmapped:
        if unmapped.code is not None and (prefix := systems.get(unmapped.code[0])) is not None:
            span = unmapped.code_span or unmapped.span
            yield Written(prefix.url, unmapped.code[1], span, prefix.span, related)


def _outside(written: Written, binding: Binding, definitions: Definitions) -> Iterator[Diagnostic]:
    name = binding.value_set.rpartition("/")[2]
    if written.system is None or binding.codes is not None:
        allowed = _plain_codes(binding, definitions)
        if allowed and written.code not in allowed:
            hint = did_you_mean(written.code, allowed, most=16)
            args = {"code": written.code, "value_set": name}
            yield Diagnostic("FM301", written.span, args, hint, "" if name else "list", related=written.related)
        return
    if membership(definitions, binding.value_set, written.system, written.code) is not Membership.NO:
        return
    known = sorted(expand_partly(definitions, binding.value_set))
    systems = sorted({system for system, _ in known})
    if written.system not in systems and systems:
        args = {"system": written.system, "value_set": name}
        hint = did_you_mean(written.system, systems)
        yield Diagnostic("FM301", written.system_span, args, hint, "system", related=written.related)
        return
    args = {"code": written.code, "value_set": name}
    hint = did_you_mean(written.code, (code for system, code in known if system == written.system), most=16)
    yield Diagnostic("FM301", written.span, args, hint, related=written.related)


def _plain_codes(binding: Binding, definitions: Definitions) -> list[str]:
    """Codes of a binding without their systems; empty where they are not all known."""
    if binding.codes is not None:
        return sorted(binding.codes)
    if membership(definitions, binding.value_set, "", "") is not Membership.NO:
        return []
    return sorted({code for _, code in expand_partly(definitions, binding.value_set)})
