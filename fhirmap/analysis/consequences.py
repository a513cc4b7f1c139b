"""Which diagnostics only follow from another one, so that each fault is reported once.

A name that is misspelt where it is used leaves the right one without use; a rule that is wrong does not produce what
it was written for; a missing import takes its names along; what comes after a syntax error was not read, or not as it
was meant. The fault itself is reported, these are not. What a code may follow from is in the front matter of its page
(`Cause`); what a diagnostic is about and what was meant are its own values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.typed import Unit
from fhirmap.diagnostics import Cause, Diagnostic, Span, Subject, SubjectKind
from fhirmap.diagnostics.catalog import page
from fhirmap.language.nodes import FPLiteral, Group, Rule
from fhirmap.language.visit import walk

_NO_START = "FM114"
_DECLARED_TWICE = "FM105"
_EXCLUDED = "FM301"
_LOCAL = (SubjectKind.VARIABLE, SubjectKind.PARAMETER)
"""Kinds of names that are known in one group alone."""
_SAME_NAME = {SubjectKind.CONSTANT: SubjectKind.VARIABLE}
"""What is declared, and the kind of name that its uses are reported as where that is another one."""


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
        return any(other.code == _NO_START and other.span and other.span.name == span.name for other in self.found)

    def _misses_import(self, _entry: Diagnostic, span: Span) -> bool:
        return span.name in self._lacking

    def _is_declared_twice(self, entry: Diagnostic, span: Span) -> bool:
        """May its name be the one that something declared twice was meant to have?"""
        return any(self._explained_by(double, place, entry, span) for double, place in self._doubles(span))

    def _explained_by(self, double: Subject, place: Span, entry: Diagnostic, span: Span) -> bool:
        if double.kind is SubjectKind.ELEMENT:
            return entry.about is not None and bool(entry.about.owners & double.owners)
        if double.kind is SubjectKind.PARAMETER:
            return self._in_one_group(place, span)
        return entry.about is not None and entry.about.kind is _SAME_NAME.get(double.kind, double.kind)

    def _was_misspelt(self, entry: Diagnostic, span: Span) -> bool:
        """Is it unused or not produced because its name is misspelt elsewhere, or in a rule with an error?"""
        about = entry.about
        if about is None:
            return False
        if about.kind is SubjectKind.SLICE and about.name in self._texts:
            return True
        return any(_holds(rule.span, span) for rule in self._wrong_rules) or any(
            self._means(other, about, span) for other in self.found
        )

    def _means(self, other: Diagnostic, about: Subject, span: Span) -> bool:
        """Is ``about`` what was meant by the wrong name of ``other``?"""
        if other.meant is None or other.about is None or other.span is None:
            return False
        used = replace(about, kind=_SAME_NAME.get(about.kind, about.kind))
        if not other.about.is_like(used) or other.meant.removeprefix("#") != about.name:  # `#id` refers to `id`
            return False
        return about.kind not in _LOCAL or self._in_one_group(other.span, span)

    def _is_in_unread_text(self, _entry: Diagnostic, span: Span) -> bool:
        return bool(self._errors_in(span))

    def _was_not_declared(self, entry: Diagnostic, span: Span) -> bool:
        """May its name be declared where a syntax error of the same text kept it from being read?"""
        about, errors = entry.about, self._errors_in(span)
        if about is None or not errors:
            return False
        declared = next((unit.tree.declared for unit in self.checked.program.units if unit.text is span.text), ())
        is_there = any(entry.kind is about.kind and entry.name == about.name for entry, _ in declared)
        return is_there or self._has_unread_owner(about, errors)

    def _has_unread_owner(self, about: Subject, errors: Sequence[Span]) -> bool:
        """Could an element of the model that it was looked for in not be read?"""
        return about.kind is SubjectKind.ELEMENT and any(
            use.ref.structure in about.owners and any(_holds(use.node.span, error) for error in errors)
            for use in self.checked.declared_models()
        )

    def _is_on_unread_line(self, _entry: Diagnostic, span: Span) -> bool:
        return any(error.line == span.line for error in self._errors_in(span))

    def _is_excluded(self, entry: Diagnostic, span: Span) -> bool:
        places = (span, *(related.span for related in entry.related))
        return any(other.code == _EXCLUDED and other.span in places for other in self.found)

    # --- causes of any code -------------------------------------------------------------------------------------------

    def _is_inside_double(self, entry: Diagnostic, span: Span) -> bool:
        """Is it about the inside of a group or concept map that is declared twice?"""
        if entry.code == _DECLARED_TWICE:
            return False
        blocks = (SubjectKind.GROUP, SubjectKind.CONCEPT_MAP)
        names = {double.name for double, _ in self._doubles(span) if double.kind in blocks}
        return bool(names) and any(name in names and _holds(block, span) for block, name in self._blocks)

    def _was_not_read(self, span: Span) -> bool:
        """Is it in the same rule as a syntax error before it, or on a line with one?"""
        return any(error.start <= span.end and self._are_together(error, span) for error in self._errors_in(span))

    def _are_together(self, left: Span, right: Span) -> bool:
        if left.line <= right.line <= left.end_line:
            return True
        return any(_holds(rule.span, left) and _holds(rule.span, right) for rule in self._rules)

    # --- what is known of the program ---------------------------------------------------------------------------------

    def _errors_in(self, span: Span) -> list[Span]:
        return [error for error in self.syntax if error.text is span.text]

    def _doubles(self, span: Span) -> list[tuple[Subject, Span]]:
        """What is declared twice in the text of ``span``, and where."""
        return [
            (entry.about, entry.span)
            for entry in self.found
            if entry.code == _DECLARED_TWICE and entry.about and entry.span and entry.span.text is span.text
        ]

    def _in_one_group(self, left: Span, right: Span) -> bool:
        """Are both in one group, or both outside all groups?"""
        return self._group_of(left) is self._group_of(right)

    def _group_of(self, span: Span) -> Group | None:
        return next((group for group in self._groups if _holds(group.span, span)), None)

    @cached_property
    def _groups(self) -> tuple[Group, ...]:
        return tuple(group for unit in self.checked.program.units for group in unit.tree.groups)

    @cached_property
    def _rules(self) -> tuple[Rule, ...]:
        """Every outermost rule."""
        return tuple(rule for group in self._groups for rule in group.rules)

    @cached_property
    def _wrong_rules(self) -> tuple[Rule, ...]:
        errors = [*self.syntax, *(entry.span for entry in self.found if entry.is_error and entry.span is not None)]
        return tuple(rule for rule in self._rules if any(_holds(rule.span, error) for error in errors))

    @cached_property
    def _texts(self) -> frozenset[str]:
        """Texts in wrong rules: they name what the rule was to produce."""
        nodes = (node for rule in self._wrong_rules for node in walk(rule))
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
    def _blocks(self) -> tuple[tuple[Span, str], ...]:
        tables = (table for unit in self.checked.program.units for table in unit.tree.concept_maps)
        return (*((group.span, group.name) for group in self._groups), *((table.span, table.id) for table in tables))


def reported_once(found: Sequence[Diagnostic], checked: Checked) -> list[Diagnostic]:
    """``found`` without repetitions: an unknown name that nothing is like is reported once in each group, or in the
    whole map, as its page says (``once``).
    """
    groups = {unit.name: [group.span for group in unit.tree.groups] for unit in checked.program.units}
    kept: list[Diagnostic] = []
    once: dict[object, list[Diagnostic]] = {}
    for entry in sorted(found, key=lambda each: each.span.start if each.span else 0):
        scope = page(entry.code).once
        if not scope or entry.span is None or entry.meant is not None:
            kept.append(entry)
            continue
        group = next((span for span in groups.get(entry.span.name, ()) if _holds(span, entry.span)), None)
        if scope == "map" or group is not None:
            place = (entry.code, entry.span.name, group.start if group is not None and scope == "group" else None)
            before = once.setdefault(place, [])
            if any(other.args == entry.args for other in before):
                continue
            before.append(entry)
        kept.append(entry)
    return kept


def _holds(outer: Span, inner: Span) -> bool:
    return outer.text is inner.text and outer.start <= inner.start and inner.end <= outer.end
