"""Which diagnostics only follow from another one, so that each fault is told once.

A name that is misspelt where it is used leaves the right one without use; a rule that is wrong does not produce what it
was written for; a missing import takes its names along. The fault itself is told, these are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fhirmap.analysis.typed import Checked
from fhirmap.diagnostics import Diagnostic, Span
from fhirmap.language.nodes import FPLiteral, Rule
from fhirmap.language.visit import walk

_MEANT = re.compile(r"did you mean `#?([^`]+)`")
_OF_IMPORTS = ("FM103", "FM107", "FM108", "FM157")
"""Unknown names that a missing import may have declared."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What the errors of a program explain.

    ``meant``: right names that hints give. ``rules``: outermost rules with an error in them; ``texts``: the texts in
    those rules, which name what they were to produce. ``lacking``: maps with an import that was not found.
    """

    meant: frozenset[str]
    rules: tuple[Span, ...]
    texts: frozenset[str]
    lacking: frozenset[str]

    @classmethod
    def of(cls, checked: Checked, found: Iterable[Diagnostic]) -> Consequences:
        """What ``found`` explains."""
        entries = tuple(found)
        errors = [entry.span for entry in entries if entry.is_error and entry.span is not None]
        rules = [
            rule
            for unit in checked.program.units
            for group in unit.tree.groups
            for rule in group.rules
            if any(_holds(rule.span, error) for error in errors)
        ]
        return cls(
            frozenset(match for entry in entries for match in _MEANT.findall(entry.hint_text)),
            tuple(rule.span for rule in rules),
            frozenset(text for rule in rules for text in _texts(rule)),
            frozenset(unit.name for unit in checked.program.units if unit.unresolved_imports),
        )

    def explain(self, warning: Diagnostic, name: str) -> bool:
        """Is ``name`` never used or produced because of an error that is told?"""
        if name in self.meant or name in self.texts:
            return True
        span = warning.span
        return span is not None and any(_holds(rule, span) for rule in self.rules)

    def is_lacking(self, entry: Diagnostic) -> bool:
        """Is it a name that a missing import may have declared?"""
        return entry.code in _OF_IMPORTS and entry.span is not None and entry.span.name in self.lacking


def _holds(outer: Span, inner: Span) -> bool:
    return outer.text is inner.text and outer.start <= inner.start and inner.end <= outer.end


def _texts(rule: Rule) -> Iterable[str]:
    for node in walk(rule):
        if isinstance(node, FPLiteral) and isinstance(node.value, str):
            yield node.value
