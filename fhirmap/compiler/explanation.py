"""Why generated code is as it is: what the compiler could not do as well as elsewhere, and where in the map that is.

These values are made where it is decided, by what decides it. `fhirmap compile --explain` shows them, and comments of
the generated code say the same of values that go by items.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from fhirmap.diagnostics import Span


class CodeReason(Enum):
    """Why a map, a group, a record between groups, or a value is not compiled in the shortest way."""

    # A map that is not one pass.
    NO_MODEL = "no-model"
    TOO_LARGE = "too-large"
    NO_RECORD_OF_ITS_OWN = "no-record-of-its-own"
    # A group, or the reader of a model, that stays a function.
    CALLED_AGAIN = "called-again"
    CALLS_ITSELF = "calls-itself"
    RETURNS_EARLY = "returns-early"
    TOO_DEEP = "too-deep"
    # A record that is made whole between groups.
    GIVEN_TO_GROUP = "given-to-group"
    IN_EXPRESSION = "in-expression"
    WRITTEN_AGAIN = "written-again"
    WRITTEN_LATE = "written-late"
    NAMED_AGAIN = "named-again"
    OTHER_VALUE = "other-value"
    # A value that goes by items, of which each knows its type and its extensions.
    NO_BARE_VALUE = "no-bare-value"
    KEEPS_TYPE = "keeps-type"
    IS_ITEM = "is-item"
    NOT_DECIDED = "not-decided"
    TYPE_UNKNOWN = "type-unknown"
    SEVERAL_TYPES = "several-types"
    ANY_TYPE = "any-type"
    HAS_EXTENSIONS = "has-extensions"
    NUMBER_AS_TEXT = "number-as-text"
    READ_FROM_ITEM = "read-from-item"


BY_ITEMS = {
    CodeReason.NO_BARE_VALUE: "there is no value, or it has extensions, or another shape or type",
    CodeReason.KEEPS_TYPE: "what is read keeps its type and its extensions",
    CodeReason.IS_ITEM: "{what} is an item",
    CodeReason.NOT_DECIDED: "{what} is not decided by types",
    CodeReason.TYPE_UNKNOWN: "the type of {what} is not known",
    CodeReason.SEVERAL_TYPES: "{what} may be of several types",
    CodeReason.ANY_TYPE: "{what} may be of any type",
    CodeReason.HAS_EXTENSIONS: "{what} may have extensions",
    CodeReason.NUMBER_AS_TEXT: "{what} may be a number written as a text",
    CodeReason.READ_FROM_ITEM: "{what} is read from an item",
}
"""What comments of generated code say of a value that goes by items."""


@dataclass(frozen=True, slots=True)
class CodeCause:
    """Why, and the name or the part of an expression that is the cause."""

    reason: CodeReason
    what: str = ""

    @property
    def comment(self) -> str:
        """What generated code says of a value that goes by items."""
        return f"by items: {BY_ITEMS[self.reason].format(what=self.what)}"


@dataclass(frozen=True, slots=True)
class ExplainedPlace:
    """A place of a map, and why its code is not the shortest. ``of``: the group, or the record, that it is about."""

    span: Span
    cause: CodeCause
    of: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a program became code.

    ``stages``: what each stage begins with, and at the end what the last one makes. ``groups``: the names of those
    that are part of the one pass, none where there is no such pass. ``whole``: what is not in it, or not in names of
    its own. ``by_items``: values that go by items.
    """

    stages: tuple[str, ...]
    groups: tuple[str, ...]
    whole: tuple[ExplainedPlace, ...]
    by_items: tuple[ExplainedPlace, ...]


def in_order(places: Iterable[ExplainedPlace]) -> tuple[ExplainedPlace, ...]:
    """Places once each, in the order of the texts of maps."""
    found = dict.fromkeys(places)
    return tuple(sorted(found, key=lambda place: (place.span.name, place.span.line, place.span.column)))
