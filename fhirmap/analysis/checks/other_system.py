"""FM307: codes that a concept map takes from one code system and a rule sends as codes of another."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.checks.code_outside_value_set import code_outside_value_set
from fhirmap.analysis.written_codes import written_codes
from fhirmap.diagnostics import Diagnostic, Span, Subject, SubjectKind


def other_system(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each prefix whose codes `cc` or `c` sends under another system (FM307).

    Where the system that is sent is the wrong one, FM301 is reported already.

    Spec: FML, transforms, translate and cc.
    """
    reported: set[Span] = {entry.span for entry in code_outside_value_set(checked) if entry.span is not None}
    for _, _, written in written_codes(checked):
        if written.sent is None or written.system in (None, written.sent) or written.system_span in reported:
            continue
        if any(related.span in reported for related in written.related):
            continue
        reported.add(written.system_span)
        args = {"system": written.system, "sent": written.sent}
        about = Subject(SubjectKind.CONCEPT_MAP, "")
        yield Diagnostic("FM307", written.system_span, args, related=written.related, meant=written.sent, about=about)
