"""What a run would do, without doing it: nothing is sent, written, created or locked.

The same reading, classification and decisions as a run's (`ingest`, `journal.decision`), shown instead of carried out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import msgspec

from fhirmap.data import JsonValue
from fhirmap.diagnostics import Diagnostic
from fhirmap.journal import Decision, Entry, EntryState, ForeseenWithdrawals, Journal, Step, Withdrawal
from fhirmap.records import UncertainPolicy
from fhirmap.runner.engine import Engine
from fhirmap.runner.ingest import Ingested, MadeBatch, made_batches, maker_of
from fhirmap.runner.receiver_lines import withdrawal_text
from fhirmap.runner.run import look_into_journal, shrunk, unread
from fhirmap.runner.same_records import require_same_records
from fhirmap.runner.since_last import source_reading
from fhirmap.runner.source import open_project_source
from fhirmap.sinks.shown_answer import QUOTING_IDENTIFIER
from fhirmap.sources.readings import NOTHING
from fhirmap.texts import text
from fhirmap.texts.shown_keys import hide, shown_data, shown_key

__all__ = ["MapChange", "Plan", "differing_elements", "make_plan", "plan_lines", "plan_to_data"]

_CHUNK = 200
_KEYS_SHOWN = 8
_ELEMENTS_SHOWN = 12
_DECODER = msgspec.json.Decoder(float_hook=str)
"""Decimals as they are written: `1.50` is another value than `1.5`."""


@dataclass(frozen=True, slots=True)
class MapChange:
    """A record that the source did not change and that would be another one: the elements that differ, by path.
    ``held``: it was accepted, so it waits for `--resend`."""

    key: str
    elements: tuple[str, ...]
    held: bool


@dataclass(slots=True)
class Plan:
    """Records by what a run would do with them. Keys where something is to do, numbers where nothing is.

    ``sending``: a run that is going on, or was killed, has sent them, and no answer is recorded.
    ``withdrawn``: those that would wait for somebody after the run, the new ones first. ``in_doubt``: those that wait
    now, since an answer was lost. ``not_whole``: why nothing is taken for gone, where something could not be read.
    """

    read: int = 0
    new: list[str] = field(default_factory=list)
    changed_by_source: list[str] = field(default_factory=list)
    changed_by_map: list[MapChange] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    sending: list[str] = field(default_factory=list)
    withdrawn: list[Withdrawal] = field(default_factory=list)
    in_doubt: list[str] = field(default_factory=list)
    unchanged: int = 0
    invalid: int = 0
    out_of_scope: int = 0
    superseded: int = 0
    stopped_by: Diagnostic | None = None
    not_whole: Diagnostic | None = None

    @property
    def to_do(self) -> bool:
        """Would a run send something, or has somebody to decide?"""
        to_send = self.new or self.changed_by_source or self.changed_by_map or self.pending or self.sending
        return bool(to_send or self.withdrawn or self.in_doubt)

    @property
    def exit_code(self) -> int:
        """0 nothing to do, 1 something, 3 the source holds too few records for a run to send anything."""
        return 3 if self.stopped_by is not None else int(self.to_do)


def make_plan(  # noqa: PLR0913 - named settings
    engine: Engine,
    *,
    resend: bool = False,
    full: bool = False,
    progress: Callable[[int], None] | None = None,
    warned: Callable[[Diagnostic], object] | None = None,
    workers: int = 1,
) -> Plan:
    """Reads the source of a project as a run would, and compares with its journal. ``resend``, ``full``, ``workers``:
    as of `run`. ``warned`` is called with what the source's layout says against the map.

    Raises: ConfigError, ProjectError (project, source), JournalError.
    """
    project = engine.project
    plan = Plan()
    with open_project_source(project, engine.plan, warned) as source:
        journal = look_into_journal(project)
        try:
            if journal is not None:
                require_same_records(project, engine.plan, journal, source.records, resend=resend)
                resend = resend or project.limits.map_changes is UncertainPolicy.RESEND
                journal.begin(source=project.source_name(engine.plan.source), resend=resend)
            done = Ingested()
            withdrawals = journal.foreseen() if journal is not None else None
            with source_reading(engine, source, journal, is_whole=full or resend) as reading:
                made = made_batches(reading.records, maker_of(engine), done, batch=_CHUNK, workers=workers)
                with closing(made) as batches:
                    seen = _Counting(plan, journal, withdrawals).take(batches, progress)
            plan.read = done.read
            if journal is not None and withdrawals is not None:
                plan.in_doubt = list(dict.fromkeys(answer.key for answer in journal.doubts()))
                left_out = reading if reading.is_partial else unread(source)
                plan.stopped_by = None if reading.is_partial else shrunk(project, journal, done.declared)
                left_out = left_out if project.source.is_complete else NOTHING
                if left_out:
                    plan.not_whole = left_out.diagnostic()
                elif plan.stopped_by is None and project.source.is_complete:
                    _add_gone(journal, withdrawals, seen)
                plan.withdrawn = [
                    replace(entry, identifiers=journal.identifiers(entry.key)) for entry in withdrawals.waiting()
                ]
        finally:
            if journal is not None:
                hide(journal.unshown_identifiers(QUOTING_IDENTIFIER))
                journal.close()
    return _shown(plan)


def _shown(plan: Plan) -> Plan:
    """With keys and identifiers as they are shown."""
    for keys in (plan.new, plan.changed_by_source, plan.pending, plan.sending, plan.in_doubt):
        keys[:] = map(shown_key, keys)
    return replace(plan, changed_by_map=shown_data(plan.changed_by_map), withdrawn=shown_data(plan.withdrawn))


class _Counting:
    """The entries of a reading, each counted where a run would put it."""

    def __init__(self, plan: Plan, journal: Journal | None, withdrawals: ForeseenWithdrawals | None) -> None:
        self._plan = plan
        self._journal = journal
        self._withdrawals = withdrawals
        self._seen: set[str] = set()

    def take(self, batches: Iterable[MadeBatch], progress: Callable[[int], None] | None) -> set[str]:
        """All of them; the keys that were read."""
        number = 0
        for batch in batches:
            number += len(batch.entries)
            for item, decision in self._decided([item for item in batch.entries if self._is_wanted(item)]):
                self._count(item, decision)
            if progress is not None:
                progress(number)
        return self._seen

    def _is_wanted(self, item: Entry) -> bool:
        if item.state == EntryState.SUPERSEDED:
            self._plan.superseded += 1
            return True
        if item.key in self._seen:
            self._plan.superseded += 1
            return False
        self._seen.add(item.key)
        return True

    def _decided(self, items: list[Entry]) -> Iterable[tuple[Entry, Decision]]:
        if self._journal is not None and self._withdrawals is not None:
            return self._journal.decisions(items, self._withdrawals)
        ready = EntryState.READY
        wanted = [item for item in items if item.state != EntryState.SUPERSEDED]
        return [(item, Decision(Step.NEW if item.state == ready else Step.VERDICT)) for item in wanted]

    def _count(self, item: Entry, decision: Decision) -> None:
        plan = self._plan
        match decision.step:
            case Step.NEW:
                plan.new.append(item.key)
            case Step.HELD | Step.CHANGED if decision.by_map:
                plan.changed_by_map.append(
                    MapChange(item.key, self._differing(item, decision), decision.step == Step.HELD)
                )
            case Step.HELD | Step.CHANGED:
                plan.changed_by_source.append(item.key)
            case Step.PENDING if decision.same is not None and decision.same.state == EntryState.SENDING:
                plan.sending.append(item.key)
            case Step.PENDING:
                plan.pending.append(item.key)
            case Step.UNCHANGED:
                plan.unchanged += 1
            case Step.VERDICT if item.state == EntryState.INVALID:
                plan.invalid += 1
            case Step.VERDICT:
                plan.out_of_scope += 1

    def _differing(self, item: Entry, decision: Decision) -> tuple[str, ...]:
        assert self._journal is not None
        assert decision.base is not None
        before = self._journal.payload(decision.base.id)
        return () if before is None else differing_elements(before, item.payload)


def _add_gone(journal: Journal, withdrawals: ForeseenWithdrawals, seen: set[str]) -> None:
    gone = [Entry(key, EntryState.GONE) for key in journal.current_keys() if key not in seen]
    for start in range(0, len(gone), _CHUNK):
        journal.decisions(gone[start : start + _CHUNK], withdrawals)


# ---- what differs ------------------------------------------------------------------------------------------


def differing_elements(before: bytes, after: bytes) -> tuple[str, ...]:
    """The paths of elements that differ between two payloads, each once, without a value of either.

    Example:
        >>> differing_elements(b'{"resourceType":"A","b":[{"name":"x","valueCode":"1"}]}', b'{"resourceType":"A"}')
        ('A.b:x.value[x]',)
    """
    old, new = _DECODER.decode(before), _DECODER.decode(after)
    root = str(new.get("resourceType") or old.get("resourceType") or "")
    return tuple(dict.fromkeys(_differing(root, old, new)))


def _differing(path: str, old: JsonValue, new: JsonValue) -> Iterator[str]:
    if isinstance(old, dict) or isinstance(new, dict):
        before, after = (value if isinstance(value, dict) else {} for value in (old, new))
        if not any(isinstance(value, dict) or value is None for value in (old, new)):
            yield path
        for name in dict.fromkeys((*before, *after)):
            is_slice = name == "name" and ":" in path.rpartition(".")[2]
            if not is_slice:
                yield from _differing(f"{path}.{_step(name)}", before.get(name), after.get(name))
    elif isinstance(old, list) or isinstance(new, list):
        before_items, after_items = (_items(value) for value in (old, new))
        for place in dict.fromkeys((*before_items, *after_items)):
            slice_name = f":{place[0]}" if place[0] else ""
            yield from _differing(f"{path}{slice_name}", before_items.get(place), after_items.get(place))
    elif old != new:
        yield path


def _items(value: JsonValue) -> dict[tuple[str, int], JsonValue]:
    """The items of a list by name and number within the name: a parameter is compared with its namesake."""
    numbers: Counter[str] = Counter()
    found: dict[tuple[str, int], JsonValue] = {}
    for item in value if isinstance(value, list) else []:
        named = item.get("name") if isinstance(item, dict) else None
        name = named if isinstance(named, str) else ""
        found[name, numbers[name]] = item
        numbers[name] += 1
    return found


def _step(name: str) -> str:
    return "value[x]" if name.startswith("value") and name[5:6].isupper() else name


# ---- shown -------------------------------------------------------------------------------------------------


def plan_to_data(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values; ``elements``: how many records differ in each."""
    data = asdict(plan)
    for name in ("stopped_by", "not_whole"):
        entry = getattr(plan, name)
        data[name] = entry and {"code": entry.code, "message": entry.message, "hint": entry.hint_text}
    data["elements"] = _element_counts(plan)
    data["to_do"] = plan.to_do
    data["exit_code"] = plan.exit_code
    return data


def _element_counts(plan: Plan) -> Mapping[str, int]:
    counts = Counter(element for change in plan.changed_by_map for element in change.elements)
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def plan_lines(plan: Plan) -> list[str]:
    """The plan for people: what would be sent, what waits for somebody, what stays."""
    lines = [text("plan.read", count=plan.read)]
    lines += _keys("plan.new", plan.new)
    lines += _keys("plan.changed_by_source", plan.changed_by_source)
    lines += _keys("plan.changed_by_map", [change.key for change in plan.changed_by_map if not change.held])
    lines += _keys("plan.held", [change.key for change in plan.changed_by_map if change.held])
    counts = list(_element_counts(plan).items())
    lines += [
        f"      {text('plan.element', element=element, count=count)}" for element, count in counts[:_ELEMENTS_SHOWN]
    ]
    if len(counts) > _ELEMENTS_SHOWN:
        lines.append("      " + text("plan.more_elements", count=len(counts) - _ELEMENTS_SHOWN))
    lines += _keys("plan.pending", plan.pending)
    lines += _keys("plan.sending", plan.sending)
    lines += _keys("plan.withdrawn", [f"{entry.key} ({withdrawal_text(entry)})" for entry in plan.withdrawn])
    lines += _keys("plan.in_doubt", plan.in_doubt)
    for name in ("unchanged", "invalid", "out_of_scope", "superseded"):
        count = getattr(plan, name)
        if count:
            lines.append("  " + text(f"states.counted.{name}", count=count))
    if plan.not_whole is not None:
        entry = plan.not_whole
        lines.append(text("run.lines.warning", code=entry.code, message=entry.message, hint=entry.hint_text))
    if plan.stopped_by is not None:
        stop = plan.stopped_by
        lines.append(text("run.lines.stopped", code=stop.code, message=stop.message))
        lines.append(text("run.lines.hint", hint=stop.hint_text))
    elif not plan.to_do:
        lines.append(text("plan.nothing"))
    return lines


def _keys(title: str, keys: list[str]) -> list[str]:
    if not keys:
        return []
    shown, more = ", ".join(keys[:_KEYS_SHOWN]), len(keys) - _KEYS_SHOWN
    shown = text("plan.more_keys", names=shown, count=more) if more > 0 else shown
    return ["  " + text(title, count=len(keys), keys=shown)]
