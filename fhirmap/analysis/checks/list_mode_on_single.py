"""FM231: a list mode where there is never a list."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.single_writes import PLACING
from fhirmap.analysis.typed import TypedTarget
from fhirmap.diagnostics import Diagnostic


def list_mode_on_single(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each `first`, `last`… on an element that occurs at most once (FM231).

    A target that another write may meet says by its mode which value stays (`single_writes`).

    Spec: FML, rules, list modes of sources and targets.
    """
    guarded: Collection[TypedTarget] | None = None
    for _, rule in checked.rules():
        for source in rule.sources:
            step = source.steps[-1] if source.steps else None
            if source.node.list_mode and step and step.element is not None and not step.element.is_repeating:
                args = {"mode": source.node.list_mode, "element": step.name}
                yield Diagnostic("FM231", source.node.span, args)
        for target in rule.targets:
            if target.steps and target.steps[-1].repeats is False:
                modes = set(target.node.list_modes)
                if modes & PLACING:
                    guarded = guarded if guarded is not None else checked.meetings.guards(checked.groups)
                    modes -= PLACING if target in guarded else set()
                for mode in sorted(modes):
                    yield Diagnostic("FM231", target.span, {"mode": mode, "element": target.steps[-1].name})
