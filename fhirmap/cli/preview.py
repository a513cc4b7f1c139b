"""``fhirmap preview``: what a run would send, without sending."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirmap.cli.localized import ENGINES, SPARK, FilePath, WordChoice, argument, define, option
from fhirmap.cli.screen import echo_folded, echo_json, screen_width
from fhirmap.texts import text

if TYPE_CHECKING:
    from fhirmap.runner.engine import Engine
    from fhirmap.runner.preview import Previewed, RowPreview, RowTrace, TracedElement
    from fhirmap.runner.verdict import Verdict

_REASONS_SHOWN = 12
_KEYS_SHOWN = 5
_NOTHING = "-"
_WIDEST_REASON = 30
_TITLES = ("column", "cell", "", "rule", "", "element", "value")


@define("preview")
@argument("project", type=FilePath(exists=True), default=".")
@option("--all", "every", is_flag=True)
@option("--row", "key")
@option("--trace", is_flag=True)
@option("--values", is_flag=True)
@option("--records", type=FilePath("file"))
@option("--engine", type=WordChoice(ENGINES), default=ENGINES[0])
@option("--source", multiple=True)
@option("--json", "as_json", is_flag=True)
def command(
    project: Path,
    every: bool,
    key: str | None,
    trace: bool,
    values: bool,
    records: Path | None,
    engine: str,
    source: tuple[str, ...],
    as_json: bool,
) -> int:
    """Map and validate the records of PROJECT (default: this folder), send nothing."""
    from fhirmap.cli.faults import show_warnings
    from fhirmap.runner.engine import build_engine
    from fhirmap.runner.meant_keys import meant_key, show_keys_of
    from fhirmap.runner.project_file import load_project

    if key is not None and (every or records):
        raise click.UsageError(text("preview.row_or_all"))
    if (trace and key is None) or (values and not trace):
        raise click.UsageError(text("preview.trace_needs_row"))
    if key is not None and engine == SPARK:
        raise click.UsageError(text("preview.row_without_spark"))
    ready = build_engine(load_project(project, source=source))
    show_keys_of(ready.project)
    if not as_json:
        show_warnings(ready.project.warnings, ready.diagnostics, project)
    if key is None:
        found = _on_spark(ready, records) if engine == SPARK else _here(ready, records, as_json)
        return _show_all(found, records, as_json)
    key = meant_key(ready.project, key)
    return _traced(ready, key, values, as_json) if trace else _one(ready, key, as_json)


def _here(engine: Engine, records: Path | None, as_json: bool) -> Previewed:
    from fhirmap.cli.faults import show_warning
    from fhirmap.cli.progress import ProgressBar
    from fhirmap.runner.preview import preview_all
    from fhirmap.runner.source import open_project_source

    with (
        open_project_source(engine.project, engine.plan, None if as_json else show_warning) as source,
        ProgressBar(text("preview.reading"), source.count()) as progress,
    ):
        return preview_all(engine, source.records(), records, progress=progress.update)


def _on_spark(engine: Engine, records: Path | None) -> Previewed:
    from fhirmap.spark import preview_on_spark, spark_session

    with spark_session(engine) as session:
        return preview_on_spark(engine, session, records)


def _show_all(found: Previewed, records: Path | None, as_json: bool) -> int:
    from fhirmap.runner.verdict import Verdict

    if as_json:
        shown = {
            "read": found.read,
            "verdicts": found.verdicts,
            "reasons": found.reasons,
            "words": found.words(),
            "keys": found.keys(),
            "unmapped": [asdict(table) for table in found.unmapped.tables()],
        }
        echo_json(shown, 2)
    else:
        for line in _summary(found):
            click.echo(line)
        if records is not None:
            click.echo(text("preview.records_at", file=records))
    return 1 if found.verdicts[Verdict.INVALID] else 0


def _summary(found: Previewed) -> Iterator[str]:
    """Verdicts, then the reasons of each in words and with keys, then the codes that concept maps lack."""
    from fhirmap.diagnostics.render import folded
    from fhirmap.runner.unmapped import unmapped_lines
    from fhirmap.runner.verdict import Verdict

    screen = screen_width()
    counts = found.verdicts.most_common()
    verdicts = "   ".join(text(f"states.verdicts_counted.{verdict}", count=count) for verdict, count in counts)
    yield from folded(f"{text('preview.read', count=found.read)}   {verdicts}", screen)
    words = [reason for reasons in found.listed.values() for reason, _ in reasons]
    width = min(max(map(len, words), default=0), _WIDEST_REASON)
    for verdict in (Verdict.INVALID, Verdict.NOTED, Verdict.OUT_OF_SCOPE, Verdict.SUPERSEDED):
        for line in _reasons(found, verdict, width):
            yield from folded(line, screen, 12 + width)
    for line in unmapped_lines(found.unmapped.tables()):
        yield from folded(f"  {line}", screen)


def _reasons(found: Previewed, verdict: Verdict, width: int) -> Iterator[str]:
    """The reasons of one verdict, the most frequent first; the counts add up to the first line, or it says why not."""
    reasons = sorted(found.listed.get(verdict, {}).values(), key=lambda entry: -entry.count)
    if not reasons:
        return
    given, explained = sum(entry.count for entry in reasons), found.explained[verdict]
    counted = text(f"states.verdicts_counted.{verdict}", count=found.verdicts[verdict])
    said = "   " + text("run.lines.reasons", reasons=given, count=explained) if given > explained else ""
    yield f"  {counted}{said}"
    for entry in reasons[:_REASONS_SHOWN]:
        shown, more = ", ".join(entry.keys[:_KEYS_SHOWN]), entry.count - _KEYS_SHOWN
        keys = text("lists.names_and_more", names=shown, count=more) if more > 0 else shown
        yield f"  {entry.count:>6}  {entry.reason:<{width}}  {entry.words}   ({keys})"
    rest = reasons[_REASONS_SHOWN:]
    if rest:
        yield "          " + text("preview.more_reasons", count=len(rest), sum=sum(entry.count for entry in rest))
    if unexplained := found.verdicts[verdict] - explained:
        yield f"  {unexplained:>6}  {text('preview.without_reason')}"


def _one(engine: Engine, key: str, as_json: bool) -> int:
    from fhirmap.runner.preview import preview_row, row_to_data
    from fhirmap.runner.source import open_project_source
    from fhirmap.runner.verdict import Verdict

    with open_project_source(engine.project, engine.plan) as source:
        row = preview_row(engine, source, key)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.Encoder(decimal_format="number").encode(row_to_data(row))).decode())
    else:
        _show(row, has_target=engine.project.map.target is not None)
    return 1 if row.verdict is Verdict.INVALID else 0


def _traced(engine: Engine, key: str, with_values: bool, as_json: bool) -> int:
    from fhirmap.diagnostics.render import fault_to_lines
    from fhirmap.runner.preview import row_trace_to_data, trace_row
    from fhirmap.runner.source import open_project_source
    from fhirmap.runner.verdict import Verdict
    from fhirmap.runtime.trace import trace_lines

    with open_project_source(engine.project, engine.plan) as source:
        row = trace_row(engine, source, key, with_values=with_values)
    if as_json:
        import msgspec

        encoded = msgspec.json.Encoder(decimal_format="number").encode(row_trace_to_data(row))
        click.echo(msgspec.json.format(encoded).decode())
        return 1 if row.verdict is Verdict.INVALID else 0
    click.echo(f"{row.origin or row.key}")
    for line in trace_lines(row.trace):
        click.echo(line)
    for fault in row.faults:
        click.echo("\n".join(fault_to_lines(fault, screen_width(), 2, colour=sys.stdout.isatty())))
    echo_folded(_verdict(row))
    return 1 if row.verdict is Verdict.INVALID else 0


def _show(row: RowPreview, *, has_target: bool) -> None:
    """Columns and cells on the left, rule in the middle, element and value on the right; then what to say of it.

    ``has_target``: what the target's own map says whatever the record is, is left out.
    """
    from fhirmap.cli.table import table_lines, table_width
    from fhirmap.diagnostics.render import fault_to_lines, note_to_lines

    colour, width = sys.stdout.isatty(), screen_width()
    click.echo(f"{row.origin or row.key}")
    rows: list[tuple[str, ...]] = [tuple(title and text(f"preview.{title}") for title in _TITLES)]
    ranks: dict[str, list[str]] = {}
    for trace in row.traces:
        if _is_shown(trace, has_target=has_target):
            rows += _rows(trace, ranks)
    if table_width(rows) <= width:
        for line in table_lines(rows, width) if len(rows) > 1 else ():
            click.echo(line)
    else:
        _show_stacked(rows[1:])
    for fault in row.faults:
        click.echo("\n".join(fault_to_lines(fault, width, 2, colour=colour)))
    for note in row.notes:
        click.echo("\n".join(note_to_lines(note, width, 2, colour=colour)))
    echo_folded(_verdict(row))


def _show_stacked(rows: Sequence[tuple[str, ...]]) -> None:
    """The table where it is too wide: an element, its value and rule, then the columns it comes from."""
    below: list[tuple[str, str]] = []
    for column, cell, _, rule, _, element, value in rows:
        if element:
            _echo_columns(below)
            below = []
            echo_folded(f"{element} = {value}   ({rule})")
        below.append((column, cell))
    _echo_columns(below)


def _echo_columns(columns: Sequence[tuple[str, str]]) -> None:
    width = max((len(column) for column, _ in columns), default=0)
    for column, cell in (entry for entry in columns if entry[0] != _NOTHING):
        echo_folded(f"    <- {column:<{width}}   {cell}", 10)


def _is_shown(trace: TracedElement, *, has_target: bool) -> bool:
    if trace.columns:
        return True
    *_, parent, name = ("", *trace.element.split("."))
    if name == "name" and ":" in parent:
        return False  # it is in the element's name
    is_own = bool(trace.before) or not has_target
    return is_own or (bool(trace.conditions) and name != "system")


def _verdict(row: RowPreview | RowTrace) -> str:
    verdict = text(f"states.verdicts.{row.verdict}")
    return text("preview.verdict", verdict=verdict, reasons=", ".join(row.reasons)) if row.reasons else verdict


def _rows(trace: TracedElement, ranks: dict[str, list[str]]) -> list[tuple[str, ...]]:
    """A line for each column, so that a long cell moves no other; rule and element are on the first."""
    said = list(zip(trace.columns, trace.cells, strict=True))
    if not said:
        pairs = zip(trace.conditions, trace.deciding_cells, strict=True)
        said = [(text("preview.if", column=column), cell) for column, cell in pairs] or [(_NOTHING, "")]
    said = [(column, cell if len(cell) <= 48 else cell[:47] + "…") for column, cell in said]
    line = trace.position.rpartition("/")[2].rpartition(":")[0]
    rule = trace.rule.partition(",")[0]
    of_rule = ("->", f"{line} {rule}".strip(), "->", _short_name(trace, ranks), trace.value)
    return [(*said[0], *of_rule), *((*pair, "", "", "", "", "") for pair in said[1:])]


def _short_name(trace: TracedElement, ranks: dict[str, list[str]]) -> str:
    """`implants[2].lot` for `Parameters.parameter:implants.part:lot.value[x]`: slices by name, counted from 1."""
    steps = trace.element.split(".")[1:]
    names = [step.partition(":")[2] or step for step in steps if step not in ("value[x]", "coding")]
    if not names:
        return trace.path
    place = trace.path.split(".")[1] if "." in trace.path else trace.path
    known = ranks.setdefault(names[0], [])
    if place not in known:
        known.append(place)
    if (len(names) > 1 and names[-1] not in ("code", "display")) or len(names) > 2:
        names[0] = f"{names[0]}[{known.index(place) + 1}]"
    return ".".join(names)
