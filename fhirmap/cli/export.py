"""``fhirmap export``: a map as a StructureMap resource, its models as logical StructureDefinitions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from fhirmap.cli.localized import FilePath, WordChoice, argument, define, option
from fhirmap.texts import os_reason, text

if TYPE_CHECKING:
    from fhirmap.diagnostics import Diagnostic
    from fhirmap.language.nodes import Map
    from fhirmap.model.definition import Definitions


@define("export")
@argument("map_file", metavar="map", type=FilePath("file", exists=True))
@option("-o", "--output", type=FilePath("file"))
@option(
    "--fhir-version",
    type=WordChoice(["R4", "R4B", "R5"]),
    default="R4",
    show_default=True,
)
@option("--format", "form", type=WordChoice(["json", "xml"]))
@option("--json", "as_json", is_flag=True)
def command(map_file: Path, output: Path | None, fhir_version: str, form: str | None, as_json: bool) -> int:
    """Write MAP as a StructureMap resource, and each of its models as a StructureDefinition beside the output."""
    from fhirmap.cli.faults import EXIT_WRONG, show_diagnostics
    from fhirmap.compilation.program import installed_functions
    from fhirmap.diagnostics.render import diagnostic_to_json, ordered
    from fhirmap.interchange.formats import json_text, text_of
    from fhirmap.interchange.logical_models import model_to_structure_definition
    from fhirmap.interchange.packages import load_definitions
    from fhirmap.interchange.structure_map import write_structure_map
    from fhirmap.runner.atomic_file import write_atomically

    version: Any = fhir_version.upper()
    definitions, _ = load_definitions([], fhir_version=version)
    tree, found = read_any_map(map_file, definitions)
    if any(entry.is_error for entry in found):
        show_diagnostics(found, as_json=as_json)
        return EXIT_WRONG
    tables, missing = _tables(tree)
    written = write_structure_map(tree, version, tables=tables, functions=installed_functions())
    diagnostics = ordered([*found, *missing, *written.diagnostics])
    structures = [model_to_structure_definition(model, written.model_base, version) for model in tree.models]
    if as_json:
        shown = [diagnostic_to_json(entry) for entry in diagnostics]
        click.echo(json_text({"resource": written.resource, "structures": structures, "diagnostics": shown}), nl=False)
    else:
        show_diagnostics(diagnostics, as_json=False)
    chosen: Any = form or (output.suffix.removeprefix(".").lower() if output is not None else "json")
    suffix: Literal["json", "xml"] = "xml" if chosen == "xml" else "json"
    files = [(output, written.resource)]
    if output is not None:
        files += [(output.with_name(f"StructureDefinition-{entry['id']}.{suffix}"), entry) for entry in structures]
    elif structures and not as_json:
        names = ", ".join(f"`{entry['name']}`" for entry in structures)
        click.echo(text("output.export.models_not_written", count=len(structures), names=names), err=True)
    for path, resource in files:
        content = text_of(resource, suffix, definitions)
        if path is not None:
            write_atomically(path, content.encode(), mode=0o644)
            click.echo(f"{path}: {resource['resourceType']} {resource['url']}", err=True)
        elif not as_json:
            sys.stdout.buffer.write(content.encode())
            sys.stdout.buffer.flush()
    return 0


def read_any_map(path: Path, definitions: Definitions) -> tuple[Map, tuple[Diagnostic, ...]]:
    """The tree of a map's text, or of a StructureMap resource, and what is wrong with either."""
    from fhirmap.compilation.files import read_map
    from fhirmap.interchange.structure_map import read_structure_map
    from fhirmap.language.parser import parse

    resource = structure_map_of(path, definitions)
    if resource is None:
        return parse(read_map(path), str(path))
    return read_structure_map(resource, str(path))


def structure_map_of(path: Path, definitions: Definitions) -> dict[str, Any] | None:
    """The resource that a file holds; None for the text of a map.

    Raises: ``MapError`` where the document is broken; ``ConfigError`` FM760 where the file cannot be read.
    """
    from fhirmap.bounded_files import MOST_DEFINITION_BYTES, read_bounded
    from fhirmap.diagnostics import Diagnostic
    from fhirmap.errors import ConfigError, MapError
    from fhirmap.interchange.formats import read_document

    try:
        content = read_bounded(path, MOST_DEFINITION_BYTES)
    except OSError as error:
        raise ConfigError("FM760", file=str(path), reason=os_reason(error, "cannot_be_read")) from None
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"<", b"[", b"\xff\xfe", b"\xfe\xff")):
        return None
    found = read_document(content, str(path), definitions)
    if isinstance(found, Diagnostic):
        raise MapError([found])
    return found


def _tables(tree: Map) -> tuple[dict[str, Any], list[Diagnostic]]:
    """The codes of the map's CSV files, and what is wrong with those files."""
    from fhirmap.analysis.workspace import load
    from fhirmap.compilation.files import read_beside

    if not any(entry.table is not None for entry in tree.concept_maps):
        return {}, []
    program = load([(tree, ())], read=read_beside)
    wrong = [entry for entry in program.stages[0].faults if entry.code in ("FM101", "FM102")]
    failed = {entry.span.start for entry in wrong if entry.span is not None}
    tables = {
        entry.id: program.stages[0].tables[entry.id]
        for entry in tree.concept_maps
        if entry.table is not None and entry.table.span.start not in failed
    }
    return tables, wrong
