"""A diagnostic is a value: a code, where, the arguments of its message template, and what may have been meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fhirmap.diagnostics.catalog import page
from fhirmap.diagnostics.nearest import listed
from fhirmap.diagnostics.span import Span
from fhirmap.diagnostics.subject import Cause, Subject
from fhirmap.texts import Listing, Text


class Severity(StrEnum):
    """How grave a diagnostic is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that explains the first: `declared here`."""

    span: Span
    text: Text

    @property
    def label(self) -> str:
        """What is at that place, in the current language."""
        return str(self.text)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault. Its texts come from the code's page in the current language, filled with ``args``.

    ``variant`` chooses one of the page's ``[variants.NAME]`` texts. ``hint`` replaces the page's hint where the place
    knows better. ``meant``: the right name for the wrong one; ``known``: the names that would be right here; they are
    the hint where there is no other. ``about``: the name that is unknown, unused or declared twice.
    """

    code: str
    span: Span | None = None
    args: Mapping[str, object] = field(default_factory=dict)
    hint: Text | Listing | None = None
    variant: str = ""
    severity_override: Severity | None = None
    related: tuple[Related, ...] = ()
    meant: str | None = None
    known: tuple[str, ...] = ()
    about: Subject | None = None

    @property
    def severity(self) -> Severity:
        """Severity of the page, unless the place overrides it."""
        return self.severity_override or Severity(page(self.code).severity)

    @property
    def message(self) -> str:
        """What is wrong, names in backticks."""
        return page(self.code).text("message", self.variant, self.args)

    @property
    def label(self) -> str:
        """A word or two next to the caret."""
        return page(self.code).text("label", self.variant, self.args)

    @property
    def hint_text(self) -> str:
        """What to do, or an empty string."""
        shown = self.hint_shown
        return page(self.code).text("hint", self.variant, self.args) if shown is None else str(shown)

    @property
    def hint_shown(self) -> Text | Listing | None:
        """The hint that this place knows, in no language yet; None where the page's is shown."""
        if self.hint is None and self.meant is not None:
            return Text("hints.did_you_mean", {"name": self.meant})
        if self.hint is None and self.known:
            return Text("hints.known_here", {"names": listed(self.known)})
        return self.hint

    @property
    def follows_from(self) -> frozenset[Cause]:
        """What this may only follow from: it is not reported where that is."""
        return page(self.code).follows_from

    @property
    def is_error(self) -> bool:
        """Does this stop the map from running?"""
        return self.severity is Severity.ERROR
