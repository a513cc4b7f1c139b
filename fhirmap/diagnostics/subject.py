"""What a diagnostic is about, and what it may follow from: values that analysis compares, never texts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SubjectKind(StrEnum):
    """Kinds of names that a map declares or uses."""

    GROUP = "group"
    MODEL = "model"
    ELEMENT = "element"
    SLICE = "slice"
    VARIABLE = "variable"
    CONSTANT = "constant"
    PARAMETER = "parameter"
    CONCEPT_MAP = "concept map"
    PREFIX = "prefix"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class Subject:
    """The name that a diagnostic is about: the unknown one, the unused one, the one declared twice.

    ``owners``: what declares it or was searched for it: URLs of structures for an element, the path of the sliced
    element for a slice, the concept map for a prefix; empty for names of a whole map.
    """

    kind: SubjectKind
    name: str
    owners: frozenset[str] = frozenset()

    def is_like(self, other: Subject) -> bool:
        """Is it a name of the same kind and of one owner, so that one may be meant by the other?"""
        return self.kind is other.kind and bool(self.owners & other.owners or not (self.owners or other.owners))


class Cause(StrEnum):
    """What a diagnostic of a code may only follow from: ``follows_from`` in the front matter of the code's page."""

    MISSPELLING = "misspelling"
    """Its name is the one that a misspelt name meant, or is used in a rule with an error."""
    NO_START = "no start"
    """Its map has no group to start with."""
    MISSING_IMPORT = "missing import"
    """Its map imports a map that was not found."""
    DECLARED_TWICE = "declared twice"
    """Its name, or the group it is in, is one of two declarations with the same name."""
    UNREAD_TEXT = "unread text"
    """Some part of its map could not be read."""
    UNREAD_DECLARATION = "unread declaration"
    """Its name is declared where the map could not be read as it was meant."""
    UNREAD_CLAUSE = "unread clause"
    """Its line could not be read as it was meant."""
    EXCLUDED_CODE = "excluded code"
    """Its code, or the system that it is about, is one that a value set excludes (FM301)."""
