"""FM307: codes that a concept map takes from one code system and a rule sends as codes of another."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.typed import Checked
from fhirmap.analysis.written_codes import written_codes
from fhirmap.diagnostics import Diagnostic, Span


def other_system(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each prefix whose codes `cc` or `c` sends under another system (FM307)."""
    told: set[Span] = set()
    for _, _, written in written_codes(checked):
        if written.sent is None or written.system in (None, written.sent) or written.system_span in told:
            continue
        told.add(written.system_span)
        args = {"system": written.system, "sent": written.sent}
        hint = f"did you mean `{written.sent}`?"
        yield Diagnostic("FM307", written.system_span, args, hint, related=written.related)
