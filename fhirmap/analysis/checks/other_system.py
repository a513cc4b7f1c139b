"""FM307: codes that a concept map takes from one code system and a rule sends as codes of another."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.written_codes import written_codes
from fhirmap.diagnostics import Diagnostic, Span, Subject, SubjectKind


def other_system(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each prefix whose codes `cc` or `c` sends under another system (FM307).

    Spec: FML, transforms, translate and cc.
    """
    seen: set[tuple[Span, ...]] = set()
    for _, _, written in written_codes(checked):
        place = (written.system_span, *(entry.span for entry in written.related))
        if written.sent is None or written.system in (None, written.sent) or place in seen:
            continue
        seen.add(place)
        args = {"system": written.system, "sent": written.sent}
        about = Subject(SubjectKind.CONCEPT_MAP, "")
        yield Diagnostic("FM307", written.system_span, args, related=written.related, meant=written.sent, about=about)
