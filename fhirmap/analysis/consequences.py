"""Which diagnostics only follow from another one, so that each fault is told once.

A name that is misspelt where it is used leaves the right one without use; a rule that is wrong does not produce what
it was written for; a missing import takes its names along; what stands behind a syntax error was not read, or not as it
was meant. The fault itself is told, these are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fhirmap.analysis.typed import Checked
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.language.nodes import FPLiteral, Map, Model, Rule
from fhirmap.language.visit import walk

_MEANT = re.compile(r"did you mean `#?([^`]+)`")
_NEVER = {
    "FM152": "variable",
    "FM153": "url",
    "FM154": "group",
    "FM155": "model",
    "FM156": "conceptmap",
    "FM240": "name",
    "FM241": "element",
    "FM305": "prefix",
}
"""Warnings that something is never used or never produced, and the argument that names it."""
_UNKNOWN = {
    "FM103": ("name", r"\bgroup\s+{}\b"),
    "FM107": ("name", r"\bmodel\s+{}\b|\balias\s+{}\b"),
    "FM108": ("name", r"\bconceptmap\s+[\"']#?{}[\"']"),
    "FM157": ("type", r"\bmodel\s+{}\b"),
    "FM303": ("prefix", r"\bprefix\s+{}\b"),
    "FM204": ("name", r"(?m)(?:^|[{{;,])\s*{}\s*:"),
    "FM250": ("name", r"(?m)(?:^|[{{;,])\s*{}\s*:"),
}
"""Unknown names: the argument that holds the name, and what its declaration looks like in a map's text."""
_DOUBLES = {
    "group": ("FM103",),
    "model": ("FM107", "FM157"),
    "concept map": ("FM108", "FM307"),
    "constant": ("FM254",),
}
"""Unknown names that are one of two declarations of one name, by what was declared twice."""
_ONCE = ("FM104", "FM107", "FM204", "FM250", "FM254")
_OF_MODELS = ("FM157", "FM160", "FM162", "FM234")
"""Faults of a model's element that a clause which could not be read may explain."""
_OF_IMPORTS = ("FM103", "FM107", "FM108", "FM157")
"""Unknown names that a missing import may have declared."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What the errors of a program explain.

    ``meant``: right names that hints give. ``rules``: outermost rules with an error in them; ``texts``: the texts in
    those rules, which name what they were to produce. ``lacking``: maps with an import that was not found. ``syntax``:
    what could not be read; ``all_rules``: every outermost rule; ``models``: every model; ``idle``: maps without
    a start; ``groups``: groups and concept maps with their names; ``doubles``: what is declared twice.
    """

    meant: frozenset[str]
    rules: tuple[Span, ...]
    texts: frozenset[str]
    lacking: frozenset[str]
    syntax: tuple[Span, ...]
    all_rules: tuple[Span, ...]
    models: tuple[Model, ...]
    idle: frozenset[str]
    groups: tuple[tuple[Span, str], ...]
    doubles: tuple[Diagnostic, ...]

    @classmethod
    def of(cls, checked: Checked, found: Sequence[Diagnostic], syntax: Iterable[Diagnostic]) -> Consequences:
        """What ``found`` and the errors of ``syntax`` explain."""
        broken = tuple(entry.span for entry in syntax if entry.is_error and entry.span is not None)
        errors = [*broken, *(entry.span for entry in found if entry.is_error and entry.span is not None)]
        rules = [rule for unit in checked.program.units for group in unit.tree.groups for rule in group.rules]
        wrong = [rule for rule in rules if any(_holds(rule.span, error) for error in errors)]
        return cls(
            frozenset(match for entry in found for match in _MEANT.findall(entry.hint_text)),
            tuple(rule.span for rule in wrong),
            frozenset(text for rule in wrong for text in _texts(rule)),
            frozenset(
                (
                    *(unit.name for unit in checked.program.units if unit.unresolved_imports),
                    *(span.name for span in broken if span.text.line_text(span.line).startswith("imports")),
                )
            ),
            broken,
            tuple(rule.span for rule in rules),
            tuple(use.node for use in checked.models.values()),
            frozenset(entry.span.name for entry in found if entry.code == "FM114" and entry.span is not None),
            tuple((block, name) for unit in checked.program.units for block, name in _named_blocks(unit.tree)),
            tuple(entry for entry in found if entry.code == "FM105"),
        )

    def explain(self, entry: Diagnostic) -> bool:
        """Does ``entry`` only follow from an error that is told?"""
        span = entry.span
        if span is None:
            return False
        if entry.code in _NEVER and span.name in self.idle:
            return True
        if entry.code in _OF_IMPORTS and span.name in self.lacking:
            return True
        if self._explained_by_double(entry, span):
            return True
        if entry.code in _NEVER and self._explains_lack(str(entry.args[_NEVER[entry.code]]), span):
            return True
        before = [error for error in self.syntax if error.text is span.text]
        return bool(before) and self._was_not_read(entry, span, before)

    def _explains_lack(self, name: str, span: Span) -> bool:
        """Is ``name`` never used or produced because of a misspelling, or of an error in the rule that would?"""
        return name in self.meant or name in self.texts or any(_holds(rule, span) for rule in self.rules)

    def _explained_by_double(self, entry: Diagnostic, span: Span) -> bool:
        """Is it about a name that something declared twice was meant to have, or about the inside of that?"""
        for double in self.doubles:
            kind, name, place = str(double.args["kind"]), str(double.args["name"]), double.span
            if place is None or place.text is not span.text or entry is double:
                continue
            if entry.code in _DOUBLES.get(kind, ()):
                return True
            if kind == "element" and entry.code in ("FM204", "FM250"):
                return any(model.name == entry.args.get("type") and _holds(model.span, place) for model in self.models)
            if kind == "parameter" and entry.code in ("FM104", "FM118", "FM111", "FM254", "FM250", "FM204"):
                return any(_holds(group, place) and _holds(group, span) for group, _ in self.groups)
            if kind in ("group", "concept map") and entry.code != "FM105":
                return any(_holds(block, span) for block, called in self.groups if called == name)
        return False

    def _was_not_read(self, entry: Diagnostic, span: Span, syntax: list[Span]) -> bool:
        """Is it about what a syntax error of the same text kept from being read as it was meant?"""
        if entry.code in _NEVER or entry.code == "FM114":
            return True
        if entry.code in ("FM204", "FM250") and self._lies_in_model(str(entry.args.get("type", "")), syntax):
            return True
        if entry.code in _UNKNOWN:
            argument, declaration = _UNKNOWN[entry.code]
            name = re.escape(str(entry.args.get(argument, "")).lstrip("#"))
            if re.search(declaration.format(*(name,) * declaration.count("{}")), span.text.text):
                return True
        if entry.code in _OF_MODELS and any(error.line == span.line for error in syntax):
            return True
        return any(error.start <= span.end and self._stand_together(error, span) for error in syntax)

    def _lies_in_model(self, name: str, syntax: list[Span]) -> bool:
        """Could an element of the model ``name`` not be read?"""
        return any(model.name == name and any(_holds(model.span, error) for error in syntax) for model in self.models)

    def _stand_together(self, left: Span, right: Span) -> bool:
        if left.line <= right.line <= left.end_line:
            return True
        return any(_holds(rule, left) and _holds(rule, right) for rule in self.all_rules)


def _named_blocks(tree: Map) -> list[tuple[Span, str]]:
    groups = [(group.span, group.name) for group in tree.groups]
    return [*groups, *((entry.span, entry.id) for entry in tree.concept_maps)]


def told_once(found: Sequence[Diagnostic], checked: Checked) -> list[Diagnostic]:
    """``found`` without repetitions: a name that nothing here is like is told where a group, or for a type the map,
    uses it first.
    """
    groups = [group.span for unit in checked.program.units for group in unit.tree.groups]
    kept: list[Diagnostic] = []
    seen: set[tuple[object, ...]] = set()
    for entry in sorted(found, key=lambda each: each.span.start if each.span else 0):
        group = next((span for span in groups if entry.span is not None and _holds(span, entry.span)), None)
        if entry.code == "FM107" and entry.span is not None:
            group = Span(entry.span.text, 0, 0)  # the whole map
        if entry.code in _ONCE and group is not None and not _MEANT.search(entry.hint_text):
            key = (entry.code, group.name, group.start, *sorted(map(str, entry.args.items())))
            if key in seen:
                continue
            seen.add(key)
        kept.append(entry)
    return kept


def _holds(outer: Span, inner: Span) -> bool:
    return outer.text is inner.text and outer.start <= inner.start and inner.end <= outer.end


def _texts(rule: Rule) -> Iterable[str]:
    for node in walk(rule):
        if isinstance(node, FPLiteral) and isinstance(node.value, str):
            yield node.value
