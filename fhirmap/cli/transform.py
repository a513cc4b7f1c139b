"""``fhirmap transform``: any map on any input."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirmap.cli.localized import FilePath, WordChoice, argument, define, option
from fhirmap.cli.release import release_option
from fhirmap.cli.screen import screen_width
from fhirmap.texts import os_reason, text

if TYPE_CHECKING:
    from fhirmap.compilation.mapset import MapSet, Runnable
    from fhirmap.diagnostics import Diagnostic
    from fhirmap.records import Result
    from fhirmap.runner.unmapped import UnmappedTable

_STREAM = Path("-")


@define("transform")
@argument("map_file", metavar="map", type=FilePath("file", exists=True))
@argument("input_file", metavar="input", type=FilePath("file", exists=True, dash=True))
@option("-o", "--output", type=FilePath("file"))
@option(
    "--import",
    "imports",
    multiple=True,
    type=FilePath(exists=True),
)
@option(
    "--definitions",
    multiple=True,
    type=FilePath(exists=True),
)
@release_option()
@option("--format", "form", type=WordChoice(["json", "xml"]))
@option("--source", "sources", multiple=True, metavar="name_file")
@option(
    "--trace",
    type=FilePath("file", dash=True),
)
@option("--values", is_flag=True)
@option("--json", "as_json", is_flag=True)
def command(
    map_file: Path,
    input_file: Path,
    output: Path | None,
    imports: tuple[Path, ...],
    definitions: tuple[Path, ...],
    fhir_version: str | None,
    form: str | None,
    sources: tuple[str, ...],
    trace: Path | None,
    values: bool,
    as_json: bool,
) -> int:
    """Run MAP, the text of a map or a StructureMap resource, on INPUT (JSON or XML; `-` for standard input)."""
    from fhirmap.analysis.calculations import calculations
    from fhirmap.cli.faults import EXIT_RECORDS, show_diagnostics
    from fhirmap.compilation.mapset import MapSet, run
    from fhirmap.diagnostics import Diagnostic

    if values and trace is None:
        raise click.UsageError(text("output.transform.values_need_trace"))
    known = MapSet([*imports, *definitions], fhir_version=fhir_version, map_file=map_file)
    runnable = known.runnable(map_file)
    if not as_json:
        show_diagnostics(runnable.diagnostics, as_json=False)
    content = _content(input_file, known)
    named = {name: _content(file, known) for name, file in map(_named, sources)}
    unreadable = [entry for entry in (content, *named.values()) if isinstance(entry, Diagnostic)]
    if isinstance(content, Diagnostic) or unreadable:
        show_diagnostics(unreadable, as_json=as_json)
        return EXIT_RECORDS
    result = run(runnable, content, named) if trace is None else _traced(runnable, content, named, trace, values)
    if any(fault.code == "FM400" for fault in result.faults):
        from fhirmap.runner.failed_calculation import with_calculation

        known_calculations = calculations(runnable.checked)
        result = replace(result, faults=tuple(with_calculation(fault, known_calculations) for fault in result.faults))
    has_failed = any(fault.severity == "error" for fault in result.faults)
    if as_json:
        click.echo(_as_json(result, runnable, known), nl=False)
    else:
        _show(result)
    if has_failed:
        return EXIT_RECORDS
    if not as_json or output is not None:
        return _write(result, runnable, known, output, form)
    return 0


def _named(written: str) -> tuple[str, Path]:
    name, equals, file = written.partition("=")
    if not name or not equals or not file:
        raise click.UsageError(text("output.transform.source_form", written=written))
    return name, Path(file)


def _content(file: Path, known: MapSet) -> dict[str, Any] | Diagnostic:
    """The tree of an input, or what is wrong with it."""
    from fhirmap.bounded_files import MOST_DEFINITION_BYTES, read_bounded
    from fhirmap.diagnostics import Diagnostic
    from fhirmap.interchange.formats import read_document

    if file == _STREAM:
        return read_document(sys.stdin.buffer.read(), text("output.transform.stdin"), known.definitions)
    try:
        return read_document(read_bounded(file, MOST_DEFINITION_BYTES), str(file), known.definitions)
    except OSError as error:
        return Diagnostic("FM350", None, {"file": str(file), "reason": os_reason(error, "cannot_be_read")})


def _show(result: Result) -> None:
    from fhirmap.diagnostics.render import fault_to_lines, folded, note_to_lines
    from fhirmap.runner.unmapped import unmapped_lines

    colour, width = sys.stderr.isatty(), screen_width()
    lines = [line for note in result.notes for line in note_to_lines(note, width, colour=colour)]
    lines += [line for fault in result.faults for line in fault_to_lines(fault, width, colour=colour)]
    lines += [piece for line in unmapped_lines(_unmapped(result)) for piece in folded(line, width)]
    if result.resource is None and not any(fault.severity == "error" for fault in result.faults):
        lines.append(text("output.transform.out_of_scope"))
    for line in lines:
        click.echo(line, err=True)


def _traced(
    runnable: Runnable, content: Mapping[str, Any], named: dict[str, Any], place: Path, with_values: bool
) -> Result:
    """The result, each step of its making written to ``place``."""
    import msgspec

    from fhirmap.compilation.mapset import traced
    from fhirmap.runner.atomic_file import write_atomically
    from fhirmap.runtime.trace import trace_lines, trace_to_data

    result, trace = traced(runnable, content, named, with_values=with_values)
    if place.suffix == ".json":
        shown = msgspec.json.format(msgspec.json.Encoder(decimal_format="number").encode(trace_to_data(trace))).decode()
    else:
        shown = "\n".join(trace_lines(trace))
    if place == _STREAM:
        click.echo(shown, err=True)
    else:
        write_atomically(place, f"{shown}\n".encode())
    return result


def _unmapped(result: Result) -> tuple[UnmappedTable, ...]:
    from fhirmap.runner.unmapped import UnmappedCodes

    codes = UnmappedCodes()
    codes.add(result.unmapped)
    return codes.tables()


def _write(result: Result, runnable: Runnable, known: MapSet, output: Path | None, form: str | None) -> int:
    """The result, written; the exit code."""
    from fhirmap.cli.faults import EXIT_RECORDS, show_diagnostics
    from fhirmap.errors import ConfigError
    from fhirmap.interchange.formats import text_of
    from fhirmap.runner.atomic_file import write_atomically

    if result.resource is None:
        return 0
    chosen = form or (output.suffix.removeprefix(".").lower() if output is not None else "")
    target = runnable.target
    if chosen not in ("json", "xml"):
        # A logical model with a name space of its own, CDA above all, has no other form than XML.
        chosen = "xml" if target is not None and target.kind == "logical" and target.namespace else "json"
    try:
        content = text_of(result.resource, "xml" if chosen == "xml" else "json", known.definitions, target)
    except ConfigError as fault:
        show_diagnostics([fault.diagnostic()], as_json=False)
        return EXIT_RECORDS
    if output is None:
        click.echo(content, nl=False)
    else:
        write_atomically(output, content.encode())
    return 0


def _as_json(result: Result, runnable: Runnable, known: MapSet) -> str:
    from fhirmap.diagnostics.render import diagnostic_to_json, fault_to_json, note_to_json
    from fhirmap.interchange.formats import in_order, json_text

    target = runnable.target
    root = target.root if target is not None else None
    shown = {
        "result": in_order(result.resource, known.definitions, root) if result.resource is not None else None,
        "notes": [note_to_json(note) for note in result.notes],
        "faults": [fault_to_json(fault) for fault in result.faults],
        "unmapped": [asdict(table) for table in _unmapped(result)],
        "diagnostics": [diagnostic_to_json(entry) for entry in runnable.diagnostics],
    }
    return json_text(shown)
