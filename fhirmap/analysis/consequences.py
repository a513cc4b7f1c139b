"""Which diagnostics only follow from another one, so that each fault is reported once.

A name that is misspelt where it is used leaves the right one without use; a rule that is wrong does not produce what
it was written for; a missing import takes its names along; what comes after a syntax error was not read, or not as it
was meant. The fault itself is reported, these are not. What a code may follow from is in the front matter of its page
(`Cause`); what a diagnostic is about and what was meant are its own values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.disjoint import Disjoint, holds
from fhirmap.analysis.typed import Unit
from fhirmap.diagnostics import Cause, Diagnostic, Span, Subject, SubjectKind
from fhirmap.diagnostics.catalog import page
from fhirmap.language.nodes import ConceptMapDeclaration, FPLiteral, Group, Rule
from fhirmap.language.visit import walk

_NO_START = "FM114"
_DECLARED_TWICE = "FM105"
_EXCLUDED = "FM301"
_LOCAL = (SubjectKind.VARIABLE, SubjectKind.PARAMETER)
"""Kinds of names that are known in one group alone."""
_SAME_NAME = {SubjectKind.CONSTANT: SubjectKind.VARIABLE}
"""What is declared, and the kind of name that its uses are reported as where that is another one."""


@dataclass(slots=True)
class _Doubles:
    """What is declared twice in one text. ``owners``: of elements; ``groups``: with such a parameter, by identity, that
    of None outside all groups; ``kinds``: of all else; ``blocks``: names of groups and concept maps."""

    owners: set[str] = field(default_factory=set)
    groups: set[int] = field(default_factory=set)
    kinds: set[SubjectKind] = field(default_factory=set)
    blocks: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Consequences:
    """What the errors of a program explain. ``found``: of analysis; ``syntax``: where a text could not be read."""

    checked: Checked
    found: tuple[Diagnostic, ...]
    syntax: tuple[Span, ...]

    @classmethod
    def of(cls, checked: Checked, found: Sequence[Diagnostic], syntax: Iterable[Diagnostic]) -> Consequences:
        """What ``found`` and the errors of ``syntax`` explain."""
        broken = tuple(entry.span for entry in syntax if entry.is_error and entry.span is not None)
        return cls(checked, tuple(found), broken)

    def explain(self, entry: Diagnostic) -> bool:
        """Does ``entry`` only follow from an error that is reported?"""
        if entry.span is None:
            return False
        tests = {
            Cause.NO_START: self._has_no_start,
            Cause.MISSING_IMPORT: self._misses_import,
            Cause.DECLARED_TWICE: self._is_declared_twice,
            Cause.MISSPELLING: self._was_misspelt,
            Cause.UNREAD_TEXT: self._is_in_unread_text,
            Cause.UNREAD_DECLARATION: self._was_not_declared,
            Cause.UNREAD_CLAUSE: self._is_on_unread_line,
            Cause.EXCLUDED_CODE: self._is_excluded,
        }
        return (
            any(tests[cause](entry, entry.span) for cause in entry.follows_from)
            or self._is_inside_double(entry, entry.span)
            or self._was_not_read(entry.span)
        )

    # --- one cause each -----------------------------------------------------------------------------------------------

    def _has_no_start(self, _entry: Diagnostic, span: Span) -> bool:
        return span.name in self._without_start

    def _misses_import(self, _entry: Diagnostic, span: Span) -> bool:
        return span.name in self._lacking

    def _is_declared_twice(self, entry: Diagnostic, span: Span) -> bool:
        """May its name be the one that something declared twice was meant to have?"""
        doubles = self._doubles.get(id(span.text))
        if doubles is None:
            return False
        about = entry.about
        named = about is not None and (about.kind in doubles.kinds or not about.owners.isdisjoint(doubles.owners))
        return named or id(self._group_of(span)) in doubles.groups

    def _was_misspelt(self, entry: Diagnostic, span: Span) -> bool:
        """Is it unused or not produced because its name is misspelt elsewhere, or in a rule with an error?"""
        about = entry.about
        if about is None:
            return False
        if about.kind is SubjectKind.SLICE and about.name in self._texts:
            return True
        rule = self._rules.around(span)
        return (rule is not None and id(rule) in self._wrong_rules) or any(
            self._means(other, about, span) for other in self._meaning.get(about.name, ())
        )

    def _means(self, other: Diagnostic, about: Subject, span: Span) -> bool:
        """Is ``about`` what was meant by the wrong name of ``other``?"""
        if other.about is None or other.span is None:
            return False
        used = replace(about, kind=_SAME_NAME.get(about.kind, about.kind))
        if not other.about.is_like(used):
            return False
        return about.kind not in _LOCAL or self._in_one_group(other.span, span)

    def _is_in_unread_text(self, _entry: Diagnostic, span: Span) -> bool:
        return bool(self._errors_in(span))

    def _was_not_declared(self, entry: Diagnostic, span: Span) -> bool:
        """May its name be declared where a syntax error of the same text kept it from being read?"""
        about, errors = entry.about, self._errors_in(span)
        if about is None or not errors:
            return False
        is_there = (id(span.text), about.kind, about.name) in self._declared
        return is_there or self._has_unread_owner(about, errors)

    def _has_unread_owner(self, about: Subject, errors: Sequence[Span]) -> bool:
        """Could an element of the model that it was looked for in not be read?"""
        return about.kind is SubjectKind.ELEMENT and any(
            use.ref.structure in about.owners and any(holds(use.node.span, error) for error in errors)
            for use in self.checked.declared_models()
        )

    def _is_on_unread_line(self, _entry: Diagnostic, span: Span) -> bool:
        return any(error.line == span.line for error in self._errors_in(span))

    def _is_excluded(self, entry: Diagnostic, span: Span) -> bool:
        places = (span, *(related.span for related in entry.related))
        return not self._excluded.isdisjoint(places)

    # --- causes of any code -------------------------------------------------------------------------------------------

    def _is_inside_double(self, entry: Diagnostic, span: Span) -> bool:
        """Is it about the inside of a group or concept map that is declared twice?"""
        if entry.code == _DECLARED_TWICE:
            return False
        block = self._blocks.around(span) if id(span.text) in self._doubles else None
        return block is not None and _name_of(block) in self._doubles[id(span.text)].blocks

    def _was_not_read(self, span: Span) -> bool:
        """Is it in the same rule as a syntax error before it, or on a line with one?"""
        return any(error.start <= span.end and self._are_together(error, span) for error in self._errors_in(span))

    def _are_together(self, left: Span, right: Span) -> bool:
        if left.line <= right.line <= left.end_line:
            return True
        rule = self._rules.around(left)
        return rule is not None and holds(rule.span, right)

    # --- what is known of the program ---------------------------------------------------------------------------------

    def _errors_in(self, span: Span) -> list[Span]:
        return self._errors.get(id(span.text), [])

    def _in_one_group(self, left: Span, right: Span) -> bool:
        """Are both in one group, or both outside all groups?"""
        return self._group_of(left) is self._group_of(right)

    def _group_of(self, span: Span) -> Group | None:
        return self._groups.around(span)

    @cached_property
    def _errors(self) -> dict[int, list[Span]]:
        """Of each text, by its identity, where it could not be read."""
        found: dict[int, list[Span]] = {}
        for error in self.syntax:
            found.setdefault(id(error.text), []).append(error)
        return found

    @cached_property
    def _without_start(self) -> frozenset[str]:
        return frozenset(entry.span.name for entry in self.found if entry.code == _NO_START and entry.span)

    @cached_property
    def _excluded(self) -> frozenset[Span]:
        return frozenset(entry.span for entry in self.found if entry.code == _EXCLUDED and entry.span)

    @cached_property
    def _meaning(self) -> dict[str, list[Diagnostic]]:
        """What has a wrong name, by the right one."""
        found: dict[str, list[Diagnostic]] = {}
        for entry in self.found:
            if entry.meant is not None:
                found.setdefault(entry.meant.removeprefix("#"), []).append(entry)  # `#id` refers to `id`
        return found

    @cached_property
    def _declared(self) -> frozenset[tuple[int, SubjectKind, str]]:
        """What texts with errors declare: the text's identity, kind and name."""
        units = self.checked.program.units
        return frozenset((id(unit.text), entry.kind, entry.name) for unit in units for entry, _ in unit.tree.declared)

    @cached_property
    def _doubles(self) -> dict[int, _Doubles]:
        """What is declared twice in each text, by the text's identity."""
        found: dict[int, _Doubles] = {}
        for entry in self.found:
            if entry.code != _DECLARED_TWICE or entry.about is None or entry.span is None:
                continue
            doubles = found.setdefault(id(entry.span.text), _Doubles())
            kind = entry.about.kind
            if kind is SubjectKind.ELEMENT:
                doubles.owners.update(entry.about.owners)
            elif kind is SubjectKind.PARAMETER:
                doubles.groups.add(id(self._group_of(entry.span)))
            else:
                doubles.kinds.add(_SAME_NAME.get(kind, kind))
            if kind in (SubjectKind.GROUP, SubjectKind.CONCEPT_MAP):
                doubles.blocks.add(entry.about.name)
        return found

    @cached_property
    def _groups(self) -> Disjoint[Group]:
        return Disjoint(group for unit in self.checked.program.units for group in unit.tree.groups)

    @cached_property
    def _rules(self) -> Disjoint[Rule]:
        """Every outermost rule."""
        return Disjoint(rule for group in self._groups for rule in group.rules)

    @cached_property
    def _wrong_rules(self) -> dict[int, Rule]:
        """Rules with an error, by their identity."""
        errors = [*self.syntax, *(entry.span for entry in self.found if entry.is_error and entry.span is not None)]
        return {id(rule): rule for rule in map(self._rules.around, errors) if rule is not None}

    @cached_property
    def _texts(self) -> frozenset[str]:
        """Texts in wrong rules: they name what the rule was to produce."""
        nodes = (node for rule in self._wrong_rules.values() for node in walk(rule))
        return frozenset(node.value for node in nodes if isinstance(node, FPLiteral) and isinstance(node.value, str))

    @cached_property
    def _lacking(self) -> frozenset[str]:
        """Maps with an import that was not found or not read."""
        units = self.checked.program.units
        return frozenset(unit.name for unit in units if unit.unresolved_imports or self._has_broken_import(unit))

    def _has_broken_import(self, unit: Unit) -> bool:
        lines = {error.line for error in self.syntax if error.text is unit.text}
        return any(entry.kind is SubjectKind.IMPORT and span.line in lines for entry, span in unit.tree.declared)

    @cached_property
    def _blocks(self) -> Disjoint[Group | ConceptMapDeclaration]:
        trees = [unit.tree for unit in self.checked.program.units]
        blocks: list[Group | ConceptMapDeclaration] = [group for tree in trees for group in tree.groups]
        return Disjoint([*blocks, *(table for tree in trees for table in tree.concept_maps)])


def _name_of(block: Group | ConceptMapDeclaration) -> str:
    return block.name if isinstance(block, Group) else block.id


def reported_once(found: Sequence[Diagnostic], checked: Checked) -> list[Diagnostic]:
    """``found`` without repetitions: an unknown name that nothing is like is reported once in each group, or in the
    whole map, as its page says (``once``).
    """
    groups = Disjoint(group for unit in checked.program.units for group in unit.tree.groups)
    kept: list[Diagnostic] = []
    once: set[tuple[object, ...]] = set()
    for entry in sorted(found, key=lambda each: each.span.start if each.span else 0):
        scope = page(entry.code).once
        if not scope or entry.span is None or entry.meant is not None:
            kept.append(entry)
            continue
        group = groups.around(entry.span)
        if scope == "map" or group is not None:
            start = group.span.start if group is not None and scope == "group" else None
            place: tuple[object, ...] = (entry.code, entry.span.name, start)
            # What is shown alike is the same.
            place = (*place, *((name, str(value)) for name, value in sorted(entry.args.items())))
            if place in once:
                continue
            once.add(place)
        kept.append(entry)
    return kept
