"""FM245: a name that is no slice of its element: `p.name = 'dateIntervenion'`."""

from __future__ import annotations

from collections.abc import Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.production import Produced
from fhirmap.diagnostics import Diagnostic, Severity, Subject, SubjectKind, suggestion


def unknown_slice(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each literal where a slice is chosen that no slice has (FM245).

    An error where slicing is closed, and where a slice's name is nearly the same.

    Spec: FHIR R4, profiling.html#slicing: discriminators, `slicing.rules`.
    """
    for stage in checked.stages:
        for node in checked.produced(stage).walk():
            yield from _unknown(node)


def _unknown(node: Produced) -> Iterator[Diagnostic]:
    element = node.element
    if element is None or not element.slices or node.slice() is not None:
        return
    paths = {path for entry in element.slices for path, _ in entry.values}
    for path in sorted(paths):
        leaf = node.at(path)
        values = [str(value) for entry in element.slices for at, value in entry.values if at == path]
        if leaf is None or leaf.literal is None or leaf.literal.value in values:
            continue
        closed = element.slicing is not None and element.slicing.rules == "closed"
        name = str(leaf.literal.value)
        # Nearly the name of a slice is never an addition of one's own, whatever open slicing allows.
        found = suggestion(name, values)
        wrong = closed or found["meant"] is not None
        yield Diagnostic(
            "FM245",
            leaf.literal.span,
            {"name": name, "element": element.path},
            severity_override=Severity.ERROR if wrong else None,
            about=Subject(SubjectKind.SLICE, name, frozenset((element.path,))),
            **found,
        )
