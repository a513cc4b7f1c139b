"""FM171: a password or token written into a map."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.diagnostics import Diagnostic, Span

_IN_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"]+:(?P<secret>[^\s/@'\"]+)@", re.IGNORECASE)
_NAMED = re.compile(
    r"\b(?:password|passwd|pwd|mot_?de_?passe|client_?secret|api_?key|access_?token|bearer)\b\s*[=: ]\s*['\"]?"
    r"(?P<secret>[^\s'\";,)]{6,})",
    re.IGNORECASE,
)


def secret_in_map(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each text that looks like a secret, comments included (FM171). The secret is never shown."""
    for unit in checked.program.stages:
        for pattern in (_IN_URL, _NAMED):
            for match in pattern.finditer(unit.text.text):
                yield Diagnostic("FM171", Span(unit.text, *match.span("secret")))
