"""What a run would send, without sending: every record's verdict as a CSV, or one record from column to element."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from fhirmap.compilation.executed import transformer_from
from fhirmap.data import JsonValue
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.part_files import part_of, remove_left, remove_part
from fhirmap.records import Fault, Note, Record, Result, Unmapped
from fhirmap.runner.columns import RecordsColumn, shown
from fhirmap.runner.engine import Engine, paths_up
from fhirmap.runner.fault_data import fault_to_data
from fhirmap.runner.result_maker import ResultMaker
from fhirmap.runner.unmapped import UnmappedCodes
from fhirmap.runner.verdict import Classified, Verdict, classify, mapped, note_reason, reason
from fhirmap.runtime import trace as steps
from fhirmap.runtime.origins import Provenance, SourceCell, leaves
from fhirmap.sinks.element import element_of
from fhirmap.sources import Source
from fhirmap.texts import os_reason, text
from fhirmap.texts.shown_keys import shown_key, shown_words

__all__ = [
    "PreviewMaker",
    "Previewed",
    "PreviewedReason",
    "PreviewedRecord",
    "RowPreview",
    "RowTrace",
    "TracedElement",
    "counted_previews",
    "preview_all",
    "preview_row",
    "row_to_data",
    "row_trace_to_data",
    "trace_row",
]

_SHOWN_VALUES = 6
_KEYS_KEPT = 20


@dataclass(slots=True)
class PreviewedReason:
    """Records of one verdict that share a reason and its words: how many, and the keys of the first.

    One without a key is there as in the journal, by its place: `? export.csv:7`.
    """

    reason: str
    words: str
    """What it says: a fault with its columns, a note as the map has it; empty where there is nothing to say."""
    count: int = 0
    keys: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Previewed:
    """How many records were read, by verdict and by reason, and the codes that concept maps lack."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    listed: dict[Verdict, dict[tuple[str, str], PreviewedReason]] = field(default_factory=dict)
    """By verdict, its reasons; one that says different things of different records is there once for each."""
    explained: Counter[Verdict] = field(default_factory=Counter)
    """By verdict, the records that have a reason."""
    reasons: Counter[str] = field(default_factory=Counter)
    unmapped: UnmappedCodes = field(default_factory=UnmappedCodes)

    @property
    def read(self) -> int:
        """Records read."""
        return self.verdicts.total()

    def keys(self) -> dict[str, list[str]]:
        """By reason, the keys of the first records that have it."""
        found: dict[str, dict[str, None]] = {}
        for line in self._lines():
            found.setdefault(line.reason, {}).update(dict.fromkeys(line.keys))
        return {word: list(keys)[:_KEYS_KEPT] for word, keys in found.items()}

    def words(self) -> dict[str, str]:
        """By reason, all that it says of one record or another."""
        found: dict[str, dict[str, None]] = {}
        for line in self._lines():
            found.setdefault(line.reason, {})[line.words] = None
        return {word: "; ".join(filter(None, said)) for word, said in found.items()}

    def _lines(self) -> Iterator[PreviewedReason]:
        return (line for lines in self.listed.values() for line in lines.values())

    def add(self, key: str, classified: Classified, words: Mapping[str, Iterable[str]]) -> None:
        """One record. ``words``: what each of its reasons says of it."""
        verdict = classified.verdict
        self.verdicts[verdict] += 1
        self.reasons.update(classified.reasons)
        self.explained[verdict] += bool(classified.reasons)
        held = self.listed.setdefault(verdict, {})
        for word in classified.reasons:
            for said in words.get(word, ("",)):
                line = held.setdefault((word, said), PreviewedReason(word, said))
                line.count += 1
                if len(line.keys) < _KEYS_KEPT:
                    line.keys.append(key)


@dataclass(frozen=True, slots=True)
class TracedElement:
    """One value of the result: the columns and cells it is made of, the rule that wrote it, where it is.

    ``conditions``: columns and cells that only decided that it is there, or which value it is. ``before``: name and
    position of the rules of earlier stages that it went through.
    """

    columns: tuple[str, ...]
    cells: tuple[str, ...]
    conditions: tuple[str, ...]
    deciding_cells: tuple[str, ...]
    rule: str
    position: str
    before: tuple[tuple[str, str], ...]
    path: str
    element: str
    value: str


@dataclass(frozen=True, slots=True)
class RowPreview:
    """One record and what becomes of it. Holds values: for the screen of who asked, never for a log."""

    key: str
    origin: str
    verdict: Verdict
    reasons: tuple[str, ...]
    notes: tuple[Note, ...]
    faults: tuple[Fault, ...]
    traces: tuple[TracedElement, ...]
    resource: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class RowTrace:
    """One record's way through the maps. Holds no value but where they were asked for: those of the trace."""

    key: str
    origin: str
    verdict: Verdict
    reasons: tuple[str, ...]
    faults: tuple[Fault, ...]
    trace: steps.Trace


class PreviewedRecord(NamedTuple):
    """What a run would make of one record. ``words``: by reason, what it says of it; ``unmapped``: of the current
    revision; ``cells``: of the columns of ``[records]``, where they are wanted."""

    key: str
    origin: str
    verdict: Verdict
    reasons: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]
    unmapped: tuple[Unmapped, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PreviewMaker:
    """What makes the previews of records: a value that other processes can have. ``note_words``: see
    `Engine.note_words`; ``columns``: those of ``[records]``, where they are wanted."""

    result_of: ResultMaker
    rules: Mapping[str, str]
    note_words: Mapping[str, str]
    columns: tuple[RecordsColumn, ...] = ()

    @classmethod
    def of(cls, engine: Engine, *, with_columns: bool) -> Self:
        """That of a project.

        Raises: ProjectError FM743 (a column is no FHIRPath).
        """
        columns = engine.columns
        return cls(engine.result, engine.rules, engine.note_words, columns if with_columns else ())

    def __call__(self, record: Record) -> PreviewedRecord:
        """The preview of a record."""
        result = self.result_of(record)
        found = classify(record, result, self.rules)
        read = self.result_of.transformer.read(record.values).values if self.columns else {}
        cells = tuple(column.text(result.resource, read) for column in self.columns)
        unmapped = () if record.superseded else result.unmapped
        words = self._words(result)
        return PreviewedRecord(record.key, record.origin, found.verdict, found.reasons, words, unmapped, cells)

    def _words(self, result: Result) -> dict[str, tuple[str, ...]]:
        """By reason, what it says of a record: each message once."""
        found: dict[str, dict[str, None]] = {}
        for fault in result.faults:
            message = Diagnostic(fault.code, args=fault.args, variant=fault.variant).message
            said = f"{message} ({', '.join(fault.columns)})" if fault.columns else message
            found.setdefault(reason(fault, self.rules), {})[said] = None
        for note in result.notes:
            found.setdefault(note_reason(note, self.rules), {})[self.note_words.get(note.position, "")] = None
        return {word: tuple(said) for word, said in found.items()}


def preview_all(
    engine: Engine,
    records: Iterable[Record],
    file: Path | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> Previewed:
    """Map and classify every record; with ``file`` write `key;verdict;reasons;<columns of [records]>`, a line
    each.

    The file is UTF-8 and there whole or as it was before.
    Raises: ConfigError FM744 (cannot be written), FM70x-72x (source); ProjectError FM743 (a column is no FHIRPath).
    """
    maker = PreviewMaker.of(engine, with_columns=file is not None)
    return counted_previews(map(maker, records), file, [column.name for column in maker.columns], progress)


def counted_previews(
    previews: Iterable[PreviewedRecord],
    file: Path | None,
    columns: Sequence[str],
    progress: Callable[[int], None] | None = None,
) -> Previewed:
    """What the previews of records come to, each a line of ``file``: see `preview_all`. ``columns``: the names of their
    cells."""
    found = Previewed()
    with _lines(file) as write:
        write(("key", "verdict", "reasons", *columns))
        for entry in previews:
            key = shown_key(entry.key)
            found.add(key or f"? {shown_words(entry.origin)}", Classified(entry.verdict, entry.reasons), entry.words)
            found.unmapped.add(entry.unmapped)
            write((key, entry.verdict, ",".join(entry.reasons), *entry.cells))
            if progress is not None:
                progress(found.read)
    return found


@contextmanager
def _lines(file: Path | None) -> Iterator[Callable[[Sequence[str]], object]]:
    """Writes lines to a file beside ``file`` and moves it there at the end; nowhere where there is none."""
    if file is None:
        yield lambda _: None
        return
    beside = part_of(file)
    remove_left(file.parent)
    try:
        with _opened(beside, file) as stream:
            yield csv.writer(stream, delimiter=";", lineterminator="\n").writerow
        beside.replace(file)
    except OSError as error:
        raise _unwritable(file, error) from None
    finally:
        remove_part(beside)


def _opened(beside: Path, file: Path) -> IO[str]:
    try:
        # The result of a record may identify a patient: for its owner alone.
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        return os.fdopen(descriptor, "w", encoding="utf-8", newline="")
    except OSError as error:
        raise _unwritable(file, error) from None


def _unwritable(file: Path, error: OSError) -> ConfigError:
    return ConfigError("FM744", path=str(file), reason=os_reason(error, "not_writable"))


# --- one record -------------------------------------------------------------------------------------------------------


def preview_row(engine: Engine, source: Source, key: str) -> RowPreview:
    """The record of ``key``, each value of its result traced back to columns and rule.

    Where several revisions share the key, the current one. The project's maps are run again, compiled for tracing: each
    value then carries the cells it is made of. Raises: ConfigError FM745 where there is none.
    """
    record = _record(engine, source, key)
    result = engine.result(record)
    classified = classify(record, result, engine.rules)
    resource = result.resource
    traces: tuple[TracedElement, ...] = ()
    if resource:
        tracer = steps.Tracer(transformer_from(engine.traced.map), with_values=True, with_steps=False)
        mapped(record, tracer)
        origins = tracer.trace.origins
        traces = tuple(_trace(engine, origins, path, value, resource) for path, value in leaves(resource))
    key, origin = shown_key(record.key), shown_words(record.origin)
    return RowPreview(
        key, origin, classified.verdict, classified.reasons, result.notes, result.faults, traces, resource
    )


def trace_row(engine: Engine, source: Source, key: str, *, with_values: bool = False) -> RowTrace:
    """The execution of the record of ``key``, step by step, by the project's maps compiled for tracing.

    Raises: ConfigError FM745 where there is none.
    """
    record = _record(engine, source, key)
    tracer = steps.Tracer(transformer_from(engine.traced.map), with_values=with_values)
    result = mapped(record, tracer)
    classified = classify(record, result, engine.rules)
    key, origin = shown_key(record.key), shown_words(record.origin)
    return RowTrace(key, origin, classified.verdict, classified.reasons, result.faults, tracer.trace)


def row_trace_to_data(row: RowTrace) -> dict[str, Any]:
    """The trace of a record as plain data, for `--json`."""
    return {
        "key": row.key,
        "origin": row.origin,
        "verdict": row.verdict,
        "reasons": list(row.reasons),
        "faults": [fault_to_data(fault) for fault in row.faults],
        "trace": steps.trace_to_data(row.trace),
    }


def _record(engine: Engine, source: Source, key: str) -> Record:
    """The record of ``key``, the current one of several revisions; of several, the one that is known to be a double."""
    records = list(source.records([key]))
    if not records:
        columns = engine.plan.key if engine.plan else ()
        form = "|".join(columns)
        raise ConfigError("FM745", key=key, variant="columns" if len(columns) > 1 else "", form=form)
    current = [entry for entry in records if not entry.superseded]
    return current[-1] if current else records[0]


def _trace(
    engine: Engine, origins: Mapping[str, Provenance], path: str, value: JsonValue, resource: Mapping[str, Any]
) -> TracedElement:
    element = element_of(path, resource)
    origin = origins.get(path)
    if origin is None:
        # What a value of no kind that can carry its cells comes from is known of its element, not of this record.
        return _untraced(engine, path, element, shown(value))
    columns, deciding = _cells(origin.cells), _cells(origin.conditions)
    *before, (rule, position) = origin.rules or (("", ""),)
    return TracedElement(
        tuple(columns),
        tuple(columns.values()),
        tuple(column for column in deciding if column not in columns),
        tuple(cell for column, cell in deciding.items() if column not in columns),
        rule,
        position,
        tuple(before),
        path,
        element,
        shown(value),
    )


def _untraced(engine: Engine, path: str, element: str, value: str) -> TracedElement:
    # A result that is no resource does not say its type, with which lineage begins.
    lineage = engine.traced.lineage
    place = element or next(iter(lineage), "").partition(".")[0] + re.sub(r"\[\d+\]", "", path)
    known = next((above for above in paths_up(place) if above in lineage), "")
    found = lineage.get(known, ())
    rule = ", ".join(dict.fromkeys(origin.rule for origin in found if origin.rule))
    position = found[0].position if found else ""
    columns = tuple(dict.fromkeys(column for origin in found for column in origin.columns))
    return TracedElement(columns, ("",) * len(columns), (), (), rule, position, (), path, element, value)


def _cells(cells: Iterable[SourceCell]) -> dict[str, str]:
    """Columns with the cells of each."""
    found: dict[str, list[str]] = {}
    for cell in cells:
        held = found.setdefault(cell.column, [])
        if cell.text not in held:
            held.append(cell.text)
    return {column: _listed(texts) for column, texts in found.items()}


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - _SHOWN_VALUES
    shown_texts = " | ".join(texts[:_SHOWN_VALUES])
    return text("lists.names_and_more", names=shown_texts, count=more) if more > 0 else shown_texts


def row_to_data(row: RowPreview) -> dict[str, Any]:
    """The preview of a record as plain data, for `--json`."""
    return {
        "key": row.key,
        "origin": row.origin,
        "verdict": row.verdict,
        "reasons": list(row.reasons),
        "notes": [{"text": note.text, "position": note.position} for note in row.notes],
        "faults": [fault_to_data(fault) for fault in row.faults],
        "elements": [
            {
                "path": trace.path,
                "element": trace.element,
                "value": trace.value,
                "rule": trace.rule,
                "position": trace.position,
                "before": [{"rule": rule, "position": position} for rule, position in trace.before],
                "columns": dict(zip(trace.columns, trace.cells, strict=True)),
                "conditions": dict(zip(trace.conditions, trace.deciding_cells, strict=True)),
            }
            for trace in row.traces
        ],
        "resource": row.resource,
    }
