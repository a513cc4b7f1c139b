"""The execution of one record, step by step: what a map that was compiled for tracing reports while it runs.

The shape is the mapping guide's debug trace: events `enter`, `step` and `exit` with their depth, the place in the map,
and the variables in scope. Values of variables, and the cells that values come from, are kept where they are asked for
and nowhere else; without them a trace holds nothing of the record.

Spec: FHIR Mapping Language, debug trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from fhirmap.data import JsonValue, MapValue
from fhirmap.records import Result
from fhirmap.runtime.context import RecordRun, WhenAsked
from fhirmap.runtime.fhirpath.item import plain
from fhirmap.runtime.nodes import TargetSlot
from fhirmap.runtime.origins import Provenance, Read, bare, bared, deciding_values, leaves, provenance_of
from fhirmap.runtime.transformer import Transformer

Phase = Literal["enter", "step", "exit"]
Point = tuple[str, str, str, str, tuple[tuple[str, str, str], ...]]
"""A place of the map as the generated table `_points` has it: kind, name, `file:line:col`, StructureMap path, and the
variables in scope: name, input or output, type."""


@dataclass(frozen=True, slots=True)
class TraceVariable:
    """A variable in scope. ``context``: input or output. ``value`` is None unless values were asked for."""

    name: str
    context: str
    type: str
    is_bound: bool
    value: Any = None


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One event. ``kind``: group, rule, source, where, target, dependent, log, fault.

    ``position``: `file:line:col`; ``element``: the same place as a path into the map's StructureMap. ``outcome``: what
    there is to say of it, `false` for a condition, the code of a fault.
    """

    phase: Phase
    depth: int
    kind: str
    name: str
    position: str
    element: str
    variables: tuple[TraceVariable, ...] = ()
    outcome: str = ""


@dataclass(slots=True)
class Trace:
    """The events of one record's run, in order. ``with_steps``: with each group, rule and call that it goes through;
    who asks where values come from needs none of them."""

    with_values: bool = False
    with_steps: bool = True
    events: list[TraceEvent] = field(default_factory=list)
    origins: dict[str, Provenance] = field(default_factory=dict)
    """Path in the result, with indexes -> where that value comes from. Holds cells, where values were asked for."""

    @property
    def status(self) -> str:
        """`failed` where a rule failed, else `completed`."""
        return "failed" if any(event.kind == "fault" for event in self.events) else "completed"


class TraceRun(RecordRun):
    """A run that reports where it is. What an exception skipped is left when something around it is."""

    trace = WhenAsked[Trace](Trace)
    _open = WhenAsked[list[int]](list)
    decided = WhenAsked[list[MapValue]](list)
    """What decided that the current group is called, as values that know their cells."""

    def deciding(self, reads: Sequence[Read]) -> list[MapValue]:
        """What was read decides about a call, too; what decided before it, for `decided_as_before`."""
        before = self.decided
        self.decided = [*before, *deciding_values(reads)]
        return before

    def decided_as_before(self, before: list[MapValue]) -> None:
        """A call is over."""
        self.decided = before

    def enter(self, point: int, values: Sequence[Any]) -> None:
        """A group, rule or call begins."""
        self._add("enter", point, values)
        self._open.append(point)

    def step(self, point: int, values: Sequence[Any], written: object = True) -> None:
        """A source's item got through, or a target was seen to; ``written``: had it a value?"""
        self._add("step", point, values, "" if written else "nothing")

    def test(self, point: int, values: Sequence[Any], truth: object) -> bool:
        """A condition was evaluated; what it came to."""
        self._add("step", point, values, "true" if truth else "false")
        return bool(truth)

    def exit(self, point: int, values: Sequence[Any]) -> None:
        """What was entered at ``point`` ends, and all that was entered in it and did not come to its end."""
        while self._open.pop() != point:
            pass
        self._add("exit", point, values)

    def settled(self, resource: MapValue) -> MapValue:
        """The result as a run without a trace has it; where its values come from is kept where values are."""
        if self.trace.with_values and isinstance(resource, dict):
            found = ((path, provenance_of(value)) for path, value in leaves(resource))
            self.trace.origins = {path: origin for path, origin in found if origin is not None}
        return bared(resource)

    def note(self, text: object, position: str) -> None:
        """As without a trace. The words of a note may be made of the record's values."""
        count = len(self.notes)
        super().note(bare(text), position)
        if len(self.notes) > count:
            said = self.notes[-1].text if self.trace.with_values else ""
            self.trace.events.append(TraceEvent("step", len(self._open), "log", "", position, "", (), said))

    def fail(self, error: Exception, *lists: tuple[Any, ...]) -> None:
        """As without a trace."""
        super().fail(error, *lists)
        fault = self.faults[-1]
        self.trace.events.append(TraceEvent("step", len(self._open), "fault", "", fault.position, "", (), fault.code))

    def _add(self, phase: Phase, point: int, values: Sequence[Any], outcome: str = "") -> None:
        if not self.trace.with_steps:
            return
        points: Sequence[Point] = self.module["_points"]
        kind, name, position, element, variables = points[point]
        with_values = self.trace.with_values
        held = tuple(
            TraceVariable(*variable, value is not None, _shown(value) if with_values else None)
            for variable, value in zip(variables, values, strict=True)
        )
        self.trace.events.append(TraceEvent(phase, len(self._open), kind, name, position, element, held, outcome))


def _shown(value: MapValue) -> JsonValue:
    """A copy of what a variable holds, as JSON has it: it may change later."""
    if isinstance(value, TargetSlot):
        return bared(value.node.get(value.key))
    if isinstance(value, list):
        return [_shown(item) for item in value]
    held = plain(value)
    return bared(held) if held is None or isinstance(held, dict | str | int | Decimal) else str(held)


class Tracer:
    """A transformer compiled for tracing, as a transformer that keeps the trace of its last record. For one thread."""

    def __init__(self, transformer: Transformer, *, with_values: bool = False, with_steps: bool = True) -> None:
        self.transformer = transformer
        self.with_values = with_values
        self.with_steps = with_steps
        self.trace = Trace(with_values, with_steps)

    def __call__(self, record: Mapping[str, Any], *, strict: bool = False) -> Result:
        """The result for one record; `trace` then holds how it came about."""
        self.trace = Trace(self.with_values, self.with_steps)
        return self.transformer.traced(record, self.trace, strict=strict)


# --- shown ------------------------------------------------------------------------------------------------------------

_VALUE_LENGTH = 60


def trace_to_data(trace: Trace) -> dict[str, Any]:
    """A trace as JSON values, in the words of the guide: phase, depth, source, position, variables, messages."""
    return {"status": trace.status, "events": [_event_to_data(event) for event in trace.events]}


def _event_to_data(event: TraceEvent) -> dict[str, Any]:
    parts = event.position.rsplit(":", 2)
    source, line, column = parts if len(parts) == 3 else (event.position, "0", "0")
    found: dict[str, Any] = {
        "phase": event.phase,
        "depth": event.depth,
        "kind": event.kind,
        "name": event.name,
        "source": source,
        "line": int(line),
        "column": int(column),
        "position": event.element,
        "variables": [_variable_to_data(entry) for entry in event.variables],
    }
    return {**found, "outcome": event.outcome} if event.outcome else found


def _variable_to_data(variable: TraceVariable) -> dict[str, Any]:
    found: dict[str, Any] = {"name": variable.name, "contextType": variable.context, "bound": variable.is_bound}
    if variable.type:
        found["dataType"] = variable.type
    if variable.value is not None:
        found["value"] = variable.value
    return found


def trace_lines(trace: Trace) -> list[str]:
    """A line an event: phase, what it is about, indented by its depth, where it is, variables in scope."""
    titles = [(event, f"{event.phase:<5}  {'  ' * event.depth}{_title(event)}") for event in trace.events]
    width = min(max((len(text) for _, text in titles), default=0), 80)
    return [f"{text:<{width}}  {_place(event)}  {_scope(event)}".rstrip() for event, text in titles]


def _title(event: TraceEvent) -> str:
    return " ".join(part for part in (event.kind, event.name, f"-> {event.outcome}" if event.outcome else "") if part)


def _place(event: TraceEvent) -> str:
    return event.position.rpartition("/")[2]


def _scope(event: TraceEvent) -> str:
    parts = []
    for context in ("input", "output"):
        names = [_variable(entry) for entry in event.variables if entry.context == context]
        if names:
            parts.append(f"{context}: {', '.join(names)}")
    return "  ".join(parts)


def _variable(variable: TraceVariable) -> str:
    if not variable.is_bound:
        return f"{variable.name} (nothing)"
    if variable.value is None:
        return variable.name
    text = " ".join(str(variable.value).split())
    return f"{variable.name} = {text if len(text) <= _VALUE_LENGTH else text[: _VALUE_LENGTH - 1] + '…'}"
