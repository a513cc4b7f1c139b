"""FM247: two values for an element that occurs at most once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fhirmap.analysis.checked import Checked
from fhirmap.analysis.meetings import apart, replaces_on_purpose
from fhirmap.analysis.single_writes import PLACING, Frame, Way, Write
from fhirmap.analysis.typed import TypedCall, TypedSource
from fhirmap.diagnostics import Diagnostic, Related, Span
from fhirmap.texts import Text


def two_values(checked: Checked) -> Iterator[Diagnostic]:
    """One diagnostic for each assignment that surely overwrites another one of the same record (FM247).

    Two targets of one rule, two rules that both fire without a condition, in whatever blocks and groups, or a source
    that gives several items where one value fits. Not where the map replaces on purpose (`single_writes`).

    Spec: FML, rules, target: assignments to an element; FHIR R4, conformance-rules.html#cardinality.
    """
    for node in (entry for group in checked.groups for entry in checked.meetings.writes.nodes(group)):
        places: dict[tuple[str, ...], list[Write]] = {}
        for write in node.writes:
            if write.target.transform is not None and write.target.transform.name != "create":
                places.setdefault(write.path, []).append(write)
        for entries in places.values():
            yield from map(_repeated, (entry for entry in entries if _surely_repeats(entry)))
            yield from _twice(entries)


def _repeated(write: Write) -> Diagnostic:
    source = next(entry for frame in write.way for entry in frame.sources if _has_several(entry))
    name = source.node.elements[-1] if source.node.elements else source.node.context
    args = {"element": _name(write), "source": name}
    is_apart = source not in write.rule.sources
    related = (Related(source.node.span, Text("labels.several_items_here")),) if is_apart else ()
    return Diagnostic("FM247", _span(write), args, variant="repeats", related=related)


def _surely_repeats(write: Write) -> bool:
    """Does a source on the way give several items, and nothing choose among them?"""
    held = any(source.where is not None or source.node.list_mode for frame in write.way for source in frame.sources)
    several = any(_has_several(source) for frame in write.way for source in frame.sources)
    return several and not held and not _chooses(write)


def _has_several(source: TypedSource) -> bool:
    known = all(step.element is not None for step in source.steps)
    return known and source.repeats and source.node.maximum != 1


def _twice(entries: Sequence[Write]) -> Iterator[Diagnostic]:
    """Of several writes of one element, those that come after another that nothing keeps from firing, too."""
    for index, write in enumerate(entries):
        for other in entries[:index]:
            own, its = apart(write, other)
            if _chooses(write) or _are_held_back(own) or _are_held_back(its):
                continue
            if write.target is other.target and not (_call(own) and _call(its)):
                continue  # A group that calls itself.
            if write.rule is not other.rule and replaces_on_purpose(write, other):
                continue
            yield _second(write, other, own)
            break


def _second(write: Write, other: Write, own: Way) -> Diagnostic:
    """The second assignment; the call that leads to it where both are one."""
    call = _call(own) if write.target is other.target else None
    span = call.node.span if call is not None else _span(write)
    related = (Related(_span(other), Text("labels.first_value_here")),)
    return Diagnostic("FM247", span, {"element": _name(write)}, related=related)


def _call(way: Way) -> TypedCall | None:
    return next((frame.call for frame in way if frame.call is not None), None)


def _are_held_back(way: Sequence[Frame]) -> bool:
    return any(frame.is_held_back for frame in way)


def _chooses(write: Write) -> bool:
    """Does the target say which value stays?"""
    return bool(PLACING & set(write.target.node.list_modes))


def _name(write: Write) -> str:
    """The element's name; of a target that names the node itself, `x = v`, what the node is called there."""
    target = write.target
    if target.steps:
        return target.steps[-1].name
    assert target.context is not None
    return write.path[-1] if write.path else target.context.name


def _span(write: Write) -> Span:
    target = write.target
    return target.steps[-1].span if target.steps else target.span
