"""``fhirmap transform``: any map on any input."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fhirmap.mapset import MapSet, Runnable
    from fhirmap.records import Result
    from fhirmap.runner.unmapped import UnmappedTable


@click.command(
    epilog="""\b
Examples:
  fhirmap transform patient.map patient.json                      the result on standard output
  fhirmap transform order.fml order.xml -o order.json             XML in, JSON out
  fhirmap transform cda.map qr.json --definitions cda/ --format xml
  fhirmap transform 4to5.map - --import xver/ --fhir-version R5 < patient.json
  fhirmap transform cda.map qr.json --trace -                     what it does, step by step
  fhirmap transform merge.map a.json --source other=b.json        a map with two sources"""
)
@click.argument("map_file", metavar="MAP", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("input_file", metavar="INPUT", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.option(
    "--import",
    "imports",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Further maps, concept maps and structures: file, folder or package.",
)
@click.option(
    "--definitions",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Structures, value sets and concept maps: file, folder or package.",
)
@click.option(
    "--fhir-version",
    type=click.Choice(["R4", "R4B", "R5"], case_sensitive=False),
    default="R4",
    show_default=True,
    help="Release whose base types hold.",
)
@click.option("--format", "form", type=click.Choice(["json", "xml"]), help="Default: the output's suffix, else JSON.")
@click.option("--source", "sources", multiple=True, metavar="NAME=FILE", help="A further source, by its name.")
@click.option(
    "--trace",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Write each step of the run there, `-` for standard error; .json for JSON.",
)
@click.option("--values", is_flag=True, help="With --trace: with the values of the variables.")
@click.option("--json", "as_json", is_flag=True, help="Result, notes and faults as one JSON document.")
def command(
    map_file: Path,
    input_file: str,
    output: Path | None,
    imports: tuple[Path, ...],
    definitions: tuple[Path, ...],
    fhir_version: str,
    form: str | None,
    sources: tuple[str, ...],
    trace: str | None,
    values: bool,
    as_json: bool,
) -> int:
    """Run MAP, the text of a map or a StructureMap resource, on INPUT (JSON or XML; `-` for standard input).

    Notes of `log`, warnings, faults and codes that no concept map holds go to standard error. Exit code 0 with the
    result; 1 where the input cannot be read or a rule fails on it; 2 where the map is wrong. Nothing is written then.
    """
    from fhirmap.cli.faults import EXIT_RECORDS, show_diagnostics
    from fhirmap.diagnostics import Diagnostic
    from fhirmap.mapset import MapSet, run

    if values and trace is None:
        raise click.UsageError("--values goes with --trace")
    known = MapSet([*imports, *definitions], fhir_version=fhir_version.upper())
    runnable = known.runnable(map_file)
    if not as_json:
        show_diagnostics(runnable.diagnostics, as_json=False)
    content = _content(input_file, known)
    named = {name: _content(file, known) for name, file in map(_named, sources)}
    unreadable = [entry for entry in (content, *named.values()) if isinstance(entry, Diagnostic)]
    if unreadable:
        show_diagnostics(unreadable, as_json=as_json)
        return EXIT_RECORDS
    result = run(runnable, content, named) if trace is None else _traced(runnable, content, named, trace, values)
    has_failed = any(fault.severity == "error" for fault in result.faults)
    if as_json:
        click.echo(_as_json(result, runnable, known), nl=False)
    else:
        _tell(result)
    if has_failed:
        return EXIT_RECORDS
    if not as_json or output is not None:
        _write(result, runnable, known, output, form)
    return 0


def _named(written: str) -> tuple[str, str]:
    name, equals, file = written.partition("=")
    if not name or not equals or not file:
        raise click.UsageError(f"--source takes NAME=FILE, not `{written}`")
    return name, file


def _content(file: str, known: MapSet) -> Any:
    """The tree of an input, or what is wrong with it."""
    from fhirmap.diagnostics import Diagnostic
    from fhirmap.model.formats import read_document

    if file == "-":
        return read_document(sys.stdin.buffer.read(), "standard input", known.definitions)
    try:
        return read_document(Path(file).read_bytes(), file, known.definitions)
    except OSError as error:
        return Diagnostic("FM350", None, {"file": file, "reason": error.strerror or "cannot be read"})


def _tell(result: Result) -> None:
    from fhirmap.diagnostics.render import fault_to_line, note_to_line
    from fhirmap.runner.unmapped import unmapped_lines

    colour = sys.stderr.isatty()
    for note in result.notes:
        click.echo(note_to_line(note, colour=colour), err=True)
    for fault in result.faults:
        click.echo(fault_to_line(fault, colour=colour), err=True)
    for line in unmapped_lines(_unmapped(result)):
        click.echo(line, err=True)
    if result.resource is None:
        click.echo("out of scope: no rule of the map fired", err=True)


def _traced(runnable: Runnable, content: Any, named: dict[str, Any], place: str, with_values: bool) -> Result:
    """The result, each step of its making written to ``place``."""
    import msgspec

    from fhirmap.mapset import traced
    from fhirmap.runner.whole_file import write_whole
    from fhirmap.runtime.trace import trace_lines, trace_to_data

    result, trace = traced(runnable, content, named, with_values=with_values)
    if place.endswith(".json"):
        text = msgspec.json.format(msgspec.json.encode(trace_to_data(trace))).decode()
    else:
        text = "\n".join(trace_lines(trace))
    if place == "-":
        click.echo(text, err=True)
    else:
        write_whole(Path(place), f"{text}\n".encode())
    return result


def _unmapped(result: Result) -> tuple[UnmappedTable, ...]:
    from fhirmap.runner.unmapped import UnmappedCodes

    codes = UnmappedCodes()
    codes.add(result.unmapped)
    return codes.tables()


def _write(result: Result, runnable: Runnable, known: MapSet, output: Path | None, form: str | None) -> None:
    from fhirmap.model.formats import text_of
    from fhirmap.runner.whole_file import write_whole

    if result.resource is None:
        return
    told = form or (output.suffix.removeprefix(".").lower() if output is not None else "")
    target = runnable.target
    if told not in ("json", "xml"):
        # A logical model with a name space of its own, CDA above all, has no other form than XML.
        told = "xml" if target is not None and target.kind == "logical" and target.namespace else "json"
    text = text_of(result.resource, "xml" if told == "xml" else "json", known.definitions, target)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_whole(output, text.encode())


def _as_json(result: Result, runnable: Runnable, known: MapSet) -> str:
    from fhirmap.diagnostics.render import diagnostic_to_json, fault_to_json, note_to_json
    from fhirmap.model.formats import in_order, json_text

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
