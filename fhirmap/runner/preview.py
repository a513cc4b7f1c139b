"""What a run would send, without sending: every record's verdict as a CSV, or one record from column to element."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from fhirmap.analysis.lineage import Origin
from fhirmap.compilation.transformers import transformer_of
from fhirmap.data import JsonValue, RawValue
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Fault, Note, Record
from fhirmap.runner.columns import shown
from fhirmap.runner.contract import project_contract
from fhirmap.runner.engine import Engine, paths_up
from fhirmap.runner.unmapped import UnmappedCodes
from fhirmap.runner.verdict import Verdict, classify, mapped
from fhirmap.runtime import trace as steps
from fhirmap.sinks.element import element_of
from fhirmap.source_plan import Child, ChildKind, RowLayout, SourceKind
from fhirmap.sources import Source
from fhirmap.texts import os_reason

__all__ = [
    "Previewed",
    "RowPreview",
    "RowTrace",
    "TracedElement",
    "preview_all",
    "preview_row",
    "row_to_data",
    "row_trace_to_data",
    "trace_row",
]

_SHOWN_VALUES = 6


@dataclass(slots=True)
class Previewed:
    """How many records were read, by verdict and by reason, and the codes that concept maps lack."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    unmapped: UnmappedCodes = field(default_factory=UnmappedCodes)

    @property
    def read(self) -> int:
        """Records read."""
        return self.verdicts.total()


@dataclass(frozen=True, slots=True)
class TracedElement:
    """One value of the result: the columns and cells it comes from, the rule that wrote it, where it is."""

    columns: tuple[str, ...]
    cells: tuple[str, ...]
    rule: str
    position: str
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
    found = Previewed()
    columns = engine.columns
    with _lines(file) as write:
        write(("key", "verdict", "reasons", *(column.name for column in columns)))
        for record in records:
            result = engine.result(record)
            classified = classify(record, result, engine.rules)
            found.verdicts[classified.verdict] += 1
            found.reasons.update(classified.reasons)
            if result.unmapped and not record.superseded:
                found.unmapped.add(result.unmapped)
            if file is not None:
                read = engine.read(record)
                cells = [column.text(result.resource, read) for column in columns]
                write((record.key, classified.verdict, ",".join(classified.reasons), *cells))
            if progress is not None:
                progress(found.read)
    return found


@contextmanager
def _lines(file: Path | None) -> Iterator[Callable[[Sequence[str]], object]]:
    """Writes lines to a file beside ``file`` and moves it there at the end; nowhere where there is none."""
    if file is None:
        yield lambda _: None
        return
    beside = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with _opened(beside, file) as stream:
            yield csv.writer(stream, delimiter=";", lineterminator="\n").writerow
        beside.replace(file)
    except OSError as error:
        raise _unwritable(file, error) from None
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


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

    Where several revisions share the key, the current one. Raises: ConfigError FM745 where there is none.
    """
    record = _record(source, key)
    result = engine.result(record)
    classified = classify(record, result, engine.rules)
    resource = result.resource
    traces = (
        tuple(_trace(engine, record, path, value, resource) for path, value in leaves(resource)) if resource else ()
    )
    return RowPreview(
        record.key, record.origin, classified.verdict, classified.reasons, result.notes, result.faults, traces, resource
    )


def trace_row(engine: Engine, source: Source, key: str, *, with_values: bool = False) -> RowTrace:
    """The execution of the record of ``key``, step by step: the project's maps are compiled again, for tracing.

    Raises: ConfigError FM745 where there is none.
    """
    record = _record(source, key)
    traced = transformer_of(
        engine.maps,
        contract=project_contract(engine.project, engine.maps),
        trace=True,
    )
    tracer = steps.Tracer(traced, with_values=with_values)
    result = mapped(record, tracer)
    classified = classify(record, result, engine.rules)
    return RowTrace(record.key, record.origin, classified.verdict, classified.reasons, result.faults, tracer.trace)


def row_trace_to_data(row: RowTrace) -> dict[str, Any]:
    """The trace of a record as plain data, for `--json`."""
    return {
        "key": row.key,
        "origin": row.origin,
        "verdict": row.verdict,
        "reasons": list(row.reasons),
        "faults": [_fault_to_data(fault) for fault in row.faults],
        "trace": steps.trace_to_data(row.trace),
    }


def _record(source: Source, key: str) -> Record:
    """The record of ``key``, the current one of several revisions."""
    records = list(source.records([key]))
    if not records:
        raise ConfigError("FM745", key=key)
    return next((entry for entry in records if not entry.superseded), records[0])


def leaves(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every primitive of a resource with its indexed path, in document order; the type itself is not one."""

    def below(node: JsonValue, path: str) -> Iterator[tuple[str, Any]]:
        if isinstance(node, Mapping):
            for name, value in node.items():
                if name != "resourceType":
                    yield from below(value, f"{path}.{name}")
        elif isinstance(node, list):
            for index, item in enumerate(node):
                yield from below(item, f"{path}[{index}]")
        elif node is not None:
            yield path, node

    yield from below(resource, str(resource.get("resourceType", "")))


def _trace(engine: Engine, record: Record, path: str, value: JsonValue, resource: Mapping[str, Any]) -> TracedElement:
    element = element_of(path, resource)
    origin = engine.origin_of(element)
    position, columns = origin if origin is not None else ("", ())
    origins = _origins_of(engine, element)
    text = shown(value)
    table = engine.plan.name if engine.plan.kind == SourceKind.TABLE else ""
    cells = tuple(_cells(engine.plan.shape, table, record.values, columns, text))
    if element not in engine.lineage and any(_agree(cell, text) for cell in cells):
        # several rules write this element, distinguished by their values alone
        agreeing = [(column, cell) for column, cell in zip(columns, cells, strict=True) if _agree(cell, text)]
        columns, cells = (tuple(part) for part in zip(*agreeing, strict=True))
        origins = [origin for origin in origins if set(origin.columns) & set(columns)]
        position = next((origin.span.position for origin in origins), position)
    rules = ", ".join(dict.fromkeys(origin.rule for origin in origins if origin.rule))
    return TracedElement(columns, cells, rules, position, path, element, text)


def _agree(cell: str, text: str) -> bool:
    return bool(cell.strip()) and (cell.strip() in text or text in cell)


def _origins_of(engine: Engine, element: str) -> list[Origin]:
    path = next((path for path in paths_up(element) if path in engine.lineage), "")
    return list(engine.lineage.get(path, ()))


def _cells(shape: RowLayout, table: str, values: Mapping[str, Any], columns: Sequence[str], text: str) -> Iterator[str]:
    """The cells of ``columns``, as the source holds them. Of several rows, those that say what the result says."""
    for column in columns:
        found = list(dict.fromkeys(str(cell) for cell in _held(shape, table, values, column) if cell is not None))
        said = [cell for cell in found if _agree(cell, text)]
        yield " | ".join((said or found)[:_SHOWN_VALUES])


def _held(shape: RowLayout, table: str, values: Mapping[str, Any], column: str) -> Iterator[Any]:
    prefix = f"{table}." if table else ""
    name = column.removeprefix(prefix)
    if column.startswith(prefix) and any(entry.name == name for entry in shape.columns):
        yield from _at(values, name)
    for child in shape.children:
        for row in values.get(child.key) or ():
            yield from _held(child.shape, _table_of(child, table), row, column)
    if not shape.children and "." in name:
        yield from _at(values, name)


def _table_of(child: Child, table: str) -> str:
    return child.table if child.kind == ChildKind.JOIN else table


def _at(values: RawValue, path: str) -> Iterator[Any]:
    """What is at a column's name, or at a dotted JSON path, lists looked through."""
    if isinstance(values, Mapping) and path in values:
        found = values[path]
        if not isinstance(found, list | Mapping):
            yield found
        return
    head, _, rest = path.partition(".")
    below = values.get(head) if isinstance(values, Mapping) else None
    if rest:
        for item in below if isinstance(below, list) else [below]:
            yield from _at(item, rest)


def row_to_data(row: RowPreview) -> dict[str, Any]:
    """The preview of a record as plain data, for `--json`."""
    return {
        "key": row.key,
        "origin": row.origin,
        "verdict": row.verdict,
        "reasons": list(row.reasons),
        "notes": [{"text": note.text, "position": note.position} for note in row.notes],
        "faults": [_fault_to_data(fault) for fault in row.faults],
        "elements": [
            {
                "path": trace.path,
                "element": trace.element,
                "value": trace.value,
                "rule": trace.rule,
                "position": trace.position,
                "columns": dict(zip(trace.columns, trace.cells, strict=True)),
            }
            for trace in row.traces
        ],
        "resource": row.resource,
    }


def _fault_to_data(fault: Fault) -> dict[str, Any]:
    shown_fault = Diagnostic(fault.code, args=fault.args, variant=fault.variant)
    return {
        "code": fault.code,
        "severity": fault.severity,
        "rule": fault.rule,
        "path": fault.path,
        "element": fault.element,
        "message": shown_fault.message,
        "position": fault.position,
        "columns": list(fault.columns),
    }
