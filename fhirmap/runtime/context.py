"""One record's run: what rules note, what goes wrong, and where in the map that is.

A rule that fails is this record's fault and no more: the generated code catches it (`RecordRun.fail`), the other rules
go on, and the record reports all its faults at once. What no rule raises is caught, too (`RecordRun.abandon`). A strict
run catches nothing, which is how a traceback shows the map's line.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from json import dumps
from types import CodeType, FrameType, MappingProxyType, TracebackType
from typing import Any, Generic, NamedTuple, Self, TypeVar

from fhirmap.data import JsonValue, MapValue, RawValue
from fhirmap.errors import FhirmapError, RecordError, TransformFailed
from fhirmap.records import Fault, Note, Result, Unmapped
from fhirmap.runtime.fhirpath.environment import EvaluationContext
from fhirmap.runtime.fhirpath.raw import RawLookup, found, look_down
from fhirmap.runtime.shown_code import shown_code
from fhirmap.runtime.steps import FaultList, StepCount
from fhirmap.runtime.transforms.text import shown
from fhirmap.runtime.unread import asked_faults

Places = Mapping[str, tuple[str, tuple[str, ...]]]
"""Element path -> position of the rule that produces it, source columns."""


Shares = dict[tuple[int, str], tuple[Any, Any]]
"""Identity of a list or node, name that rules share -> what it is the identity of, the item they share."""


_STEPS_OF_FAILURE = 100
"""What a failure counts for: it has to be kept."""

_Held = TypeVar("_Held")


class Inputs(dict[str, Any]):
    """Several inputs of one call, by the names of the entry group's sources."""


class WrittenElement(NamedTuple):
    """A write of a single element that another may meet: where, what, and the rule and position that wrote it."""

    node: dict[str, Any]
    key: str
    value: Any
    rule: str
    position: str


@dataclass(frozen=True, slots=True)
class PlacedItem:
    """An item that a rule wants at an end (``first``, ``last``) of ``items``, the list ``key`` of ``node``.

    ``rank``: its place there.
    """

    node: dict[str, Any]
    key: str
    items: list[Any]
    rank: int
    value: MapValue
    end: str


class WhenAsked(Generic[_Held]):
    """What a run holds from the first time that a rule asks for it: few records need it."""

    def __init__(self, make: Callable[[], _Held]) -> None:
        self.make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, run: RecordRun, owner: type) -> _Held:
        made: _Held = self.make()
        setattr(run, self.name, made)
        return made


class TooManyRuleSteps(BaseException):
    """A record takes more steps of its rules than any record should. No rule catches it: it is the record's end."""


class RecordRun(StepCount):
    """What one call of a transformer gathers. It is made for each record, and what few need is made when asked for."""

    module: Mapping[str, Any] = MappingProxyType({})
    """The generated module's globals, which hold its marks."""
    caught: tuple[type[Exception], ...] = (Exception,)
    """What becomes a fault: nothing in a strict run."""
    is_silent = True
    """Was nothing said but faults of the reader and the validator?"""
    faults = WhenAsked[list[Fault]](FaultList)
    misses: Any = ()
    failed = False
    resource: Any = None
    notes: Any = ()
    referred: Any = ()
    """Resources that got an id because something refers to them: the id, and the position in the map."""
    _environment: EvaluationContext | None = None
    given: Any = None
    """What the call was given, where rules may refer to a resource of it: it is only read."""
    _given_parts: frozenset[int] | None = None
    """The identities of all objects of ``given``, from the first question about one: it may have many."""
    made_ids = WhenAsked[dict[int, str]](dict)
    """Ids of resources of ``given`` that have none, by their identity."""
    # Known by identity, so what they are known by is kept: a new node must not take the place of one let go.
    _constants = WhenAsked[dict[str, Any]](dict)
    shares = WhenAsked[Shares](dict)
    claims = WhenAsked[dict[tuple[int, str], tuple[Any, str]]](dict)
    lookups = WhenAsked[dict[tuple[int, str], dict[str, list[dict[str, Any]]]]](dict)
    endings = WhenAsked[list[PlacedItem]](list)
    written = WhenAsked[dict[tuple[int, str], tuple[dict[str, Any], str, Any, str, str]]](dict)
    """Writes that others may meet, each the fields of a `WrittenElement`: most of them meet none."""

    @classmethod
    def of(cls, module: Mapping[str, Any]) -> type[Self]:
        """The runs of one generated module. ``module``: its globals."""
        return type(cls.__name__, (cls,), {"module": module})

    @property
    def environment(self) -> EvaluationContext:
        """What FHIRPath functions like `now()` see: one moment for the whole run."""
        if self._environment is None:
            self._environment = EvaluationContext(self.resource)
        return self._environment

    def exceed(self) -> None:
        """End the record: no rule catches it.

        Raises: ``TooManyRuleSteps``, always.
        """
        raise TooManyRuleSteps

    def input(self, row: RawValue, name: str) -> RawValue:
        """The input for source ``name``: one of several, or the only one, which is what every source then is.

        Raises: ``TransformFailed`` FM458 where there are several and none of that name.
        """
        if not isinstance(row, Inputs):
            return row
        if name not in row:
            raise TransformFailed("FM458", name=name)
        return row[name]

    def note(self, text: object, position: str) -> None:
        """Keep what a rule's `log` says; nothing where it says nothing."""
        if text is not None and text != "":
            said = Note(text if isinstance(text, str) else _note_text(text), position)
            if not self.notes:
                self.notes = []
                self.is_silent = False
            self.notes.append(said)

    def unmapped(self, concept_map: str, value: object, longest: int) -> None:
        """Keep a code that ``concept_map`` does not hold, as far as it may be shown; nothing where there is none.

        ``longest``: length of the longest code that it holds.
        """
        if value is not None:
            if not self.misses:
                self.misses = []
                self.is_silent = False
            self.misses.append(Unmapped(concept_map, shown_code(value, longest)))

    def repaired(self, variant: str, caller: FrameType) -> None:
        """Keep that a function mended a value, once for each rule and repair; nothing where no rule called it."""
        frame: FrameType | None = caller
        linked = self.module.get("_linked")
        while frame is not None and frame.f_globals is not self.module and frame.f_globals is not linked:
            frame = frame.f_back
        if frame is None:
            return
        position = _position(frame.f_code, frame.f_lineno, frame.f_lasti, frame.f_globals)
        where = self._written_at(position)
        fault = Fault("FM470", "warning", variant=variant, position=position, rule="rule", **where)
        if fault not in self.faults:
            self.is_silent = False
            self.faults.append(fault)

    def found(self, held: Mapping[str, Any], lookup: RawLookup, text: str) -> Sequence[dict[str, Any]]:
        """The items of a list that have one text (`raw.found`): what is found out of the list is kept."""
        return found(held, lookup, text, self.lookups)

    def is_given(self, resource: dict[str, Any]) -> bool:
        """Is the resource, and not one like it, what the call was given or anywhere in it?"""
        if self._given_parts is None:
            self._given_parts = frozenset(_objects_in(self.given))
        return id(resource) in self._given_parts

    def refer(self, resource: dict[str, Any], made: str, position: str) -> None:
        """Keep that ``resource`` got the id ``made`` because something refers to it."""
        if not self.referred:
            self.referred = []
            self.is_silent = False
        self.referred.append((resource, made, position))

    def constant(self, name: str, compute: Callable[[RecordRun], Any]) -> MapValue:
        """A `let` constant: computed at first use, once per run."""
        if name not in self._constants:
            self._constants[name] = compute(self)
        return self._constants[name]

    def search(self, query: object) -> list[Any]:
        """What a `search(…)` source finds: nothing can be searched here.

        Raises: ``TransformFailed`` FM455, always.
        """
        raise TransformFailed("FM455", length=len(str(query)))

    def fail(self, error: Exception, *lists: tuple[Any, ...]) -> None:
        """Make ``error`` a fault of the record, at the place of the rule that raised it.

        ``lists``: what the rule goes through without looking at it first: an object of the record, and the elements
        that lead down from it to a list.
        """
        self.failed = True
        self.is_silent = False
        self.spend(_STEPS_OF_FAILURE)
        position = position_of(error.__traceback__, self.module)
        where = self._written_at(position)
        if lists and _is_misshapen(error):
            error = _named(lists) or error
        if isinstance(error, RecordError):
            found = error.diagnostic()
            fault = Fault(error.code, args=found.args, variant=found.variant, position=position, rule="rule", **where)
        else:
            # A function of somebody else's: its text may quote a patient, so only its kind is reported.
            kind = error.code if isinstance(error, FhirmapError) else type(error).__name__
            code, args = ("FM438", {}) if _is_misshapen(error) else ("FM400", {"kind": kind})
            fault = Fault(code, args=args, position=position, rule="rule", **where)
        self.faults.append(fault)

    def abandon(self, error: Exception) -> None:
        """Make ``error`` a fault of the record where no rule raised it: a reader, a stage as a whole, the validator.

        That the record itself is to blame is known for a `RecordError` alone: all else is FM414, which says so.
        """
        if isinstance(error, RecordError):
            self.fail(error)
            return
        self.failed = True
        kind = error.code if isinstance(error, FhirmapError) else type(error).__name__
        position = position_of(error.__traceback__, self.module)
        if _is_misshapen(error):
            self.faults.append(Fault("FM438", position=position, rule="record"))
            return
        self.faults.append(Fault("FM414", args={"kind": kind}, position=position, rule="record"))

    def leave(self, error: Exception) -> None:
        """Say in the log of steps that the one pass ends here, and the record goes its way step by step.

        The kind of ``error`` and the place in the map are said: its text may quote a patient.
        """
        from fhirmap.events import LeftToSteps, emit

        emit(LeftToSteps(type(error).__name__, position_of(error.__traceback__, self.module)))

    def nothing(self, source: MapValue = None) -> Result:
        """The outcome of a record that is out of scope, unless rules asked for what could not be read of it: then its
        scope is not known, and these faults are the reason. What no rule asked for does not matter.

        ``source``: the record as it was read.
        """
        faults = asked_faults(source, self.faults) if self.faults else ()
        return Result(None, tuple(self.notes), faults, tuple(self.misses))

    def result(self, resource: dict[str, Any] | None, places: Places) -> Result:
        """The outcome, each fault of the validator with the rule and the columns its element comes from."""
        if self.is_silent and not self.faults:
            return Result(resource)
        for node, made, position in self.referred:
            if node.get("id") != made:
                # What refers to it would mean nothing.
                kind = str(node.get("resourceType", ""))
                where = self._written_at(position)
                self.faults.append(
                    Fault("FM415", args={"type": kind}, variant="referred", position=position, rule="rule", **where)
                )
        faults = tuple(
            fault if fault.position or not fault.element else located(fault, places) for fault in self.faults
        )
        return Result(resource, tuple(self.notes), faults, tuple(self.misses))

    def _written_at(self, position: str) -> dict[str, Any]:
        """The element that the map writes at ``position``, and the columns it comes from, where that is known."""
        rules: Mapping[str, tuple[str, tuple[str, ...]]] = self.module.get("_rules", {})
        places: Places = self.module.get("_places", {})
        found = rules.get(position)
        if found is None:
            found = next(((path, columns) for path, (place, columns) in places.items() if place == position), None)
        if found is None and "_linked" in self.module:
            found = self.module["_linked"]["_rules"].get(position)
        return {"path": found[0], "element": found[0], "columns": found[1]} if found is not None else {}


def _objects_in(value: JsonValue) -> Iterator[int]:
    """The identities of all objects in a value, itself among them."""
    left = [value]
    while left:
        held = left.pop()
        if isinstance(held, dict):
            yield id(held)
            left.extend(held.values())
        elif isinstance(held, list):
            left.extend(held)


def _note_text(value: object) -> str:
    """A value as FHIR writes it: `true`, `1.50`, a complex one as JSON."""
    return dumps(value, ensure_ascii=False, default=shown) if isinstance(value, dict | list) else shown(value)


def located(fault: Fault, places: Places) -> Fault:
    """``fault`` with the rule and the columns of its element, or of the nearest element around it that a rule makes."""
    path = fault.element
    while path:
        found = places.get(path)
        if found is not None:
            return Fault(
                fault.code, fault.severity, fault.path, fault.element, fault.rule, fault.args, fault.variant, *found
            )
        path = path.rpartition(".")[0]
    return fault


def _named(lists: Iterable[tuple[Any, ...]]) -> TransformFailed | None:
    """The first of the elements that is of another shape than its type."""
    try:
        for held, *elements in lists:
            look_down(held, elements)
    except TransformFailed as found:
        return found
    return None


def _is_misshapen(error: Exception) -> bool:
    """Did code meet data of another shape than its type has: a text where it reads an object?"""
    is_other_type = isinstance(error, AttributeError) and isinstance(error.obj, str | int | Decimal | list | dict)
    if not is_other_type and not isinstance(error, TypeError):
        return False
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    # A function of somebody else's may fail so, too: that is not the data's fault.
    module = trace.tb_frame.f_globals if trace is not None else {}
    if not is_other_type:
        # A number where generated code goes through a list.
        return "_marks" in module
    return "_marks" in module or str(module.get("__name__", "")).startswith("fhirmap.runtime")


def position_of(trace: TracebackType | None, module: Mapping[str, Any]) -> str:
    """``file:line:col`` of the map where the innermost generated frame of ``trace`` was; empty without one.

    A frame is the module's own, or one of a group that it shares with other maps.
    """
    found = ""
    linked = module.get("_linked")
    while trace is not None:
        held = trace.tb_frame.f_globals
        if held is module or held is linked:
            found = _position(trace.tb_frame.f_code, trace.tb_lineno, trace.tb_lasti, held) or found
        trace = trace.tb_next
    return found


def _position(code: CodeType, at_line: int, instruction: int, module: Mapping[str, Any]) -> str:
    """Where in the map a frame is. ``at_line``: of the generated text; ``instruction``: the last one of its code."""
    marks: Mapping[int, str] = module["_marks"]
    files: Mapping[str, str] | None = module.get("_files")
    shown = files.get(code.co_filename) if files is not None else None
    if shown is None:
        before = [line for line in marks if line <= at_line]
        return marks[before[-1]] if before else ""
    places = list(code.co_positions())
    line, _, column, _ = places[instruction // 2]
    text = linecache.getline(code.co_filename, line or 0).encode()
    characters = len(text[: column or 0].decode(errors="replace"))
    return f"{shown}:{line}:{characters + 1}"


def check_failed(condition: str, message: str = "") -> TransformFailed:
    """The failure of a rule's `check`: its condition and its message, as the map has them."""
    if message:
        return TransformFailed("FM401", variant="message", condition=condition, message=message)
    return TransformFailed("FM401", condition=condition)
