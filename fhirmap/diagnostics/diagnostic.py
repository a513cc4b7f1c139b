"""A diagnostic is a value: a code, where, and the arguments of the code's message template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fhirmap.diagnostics.catalog import page
from fhirmap.diagnostics.span import Span


class Severity(StrEnum):
    """How grave a diagnostic is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that explains the first: `declared here`."""

    span: Span
    label: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault: its texts come from the code's page (``codes/FMnnn.md``), filled with ``args``.

    ``hint`` replaces the page's hint where the place knows better (a nearest name);
    ``variant`` chooses one of the page's ``[variants.NAME]`` texts.
    """

    code: str
    span: Span | None = None
    args: Mapping[str, object] = field(default_factory=dict)
    hint: str | None = None
    variant: str = ""
    severity_override: Severity | None = None
    related: tuple[Related, ...] = ()

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
        """A word or two that stand beside the caret."""
        return page(self.code).text("label", self.variant, self.args)

    @property
    def hint_text(self) -> str:
        """What to do, or an empty string."""
        return self.hint if self.hint is not None else page(self.code).text("hint", self.variant, self.args)

    @property
    def is_error(self) -> bool:
        """Does this stop the map from running?"""
        return self.severity is Severity.ERROR
