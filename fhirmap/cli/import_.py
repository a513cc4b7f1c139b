"""``fhirmap import``: a StructureMap resource as the text of a map."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.texts import Text, os_reason, text

_R5_ONLY = re.compile(
    rb"<(?:const|versionAlgorithm\w+|copyrightLabel|defaultValue)[\s>]|<dependent>(?:(?!</dependent>)[\s\S])*<parameter>"
)
"""What only R5 has in the XML of a StructureMap; JSON says for itself what repeats."""


@define("import")
@argument("file", type=FilePath("file", exists=True))
@option("-o", "--output", type=FilePath("file"))
@option("--json", "as_json", is_flag=True)
def command(file: Path, output: Path | None, as_json: bool) -> int:
    """Write the StructureMap in FILE (JSON or XML, of R4, R4B, R5 or R6) as the text of a map."""
    from fhirmap.bounded_files import MOST_DEFINITION_BYTES, read_bounded
    from fhirmap.cli.export import structure_map_of
    from fhirmap.cli.faults import EXIT_WRONG, show_diagnostics
    from fhirmap.diagnostics.render import diagnostic_to_json
    from fhirmap.errors import ConfigError
    from fhirmap.interchange.packages import load_definitions
    from fhirmap.interchange.structure_map import read_structure_map
    from fhirmap.runner.atomic_file import write_atomically

    try:
        version = "R5" if _R5_ONLY.search(read_bounded(file, MOST_DEFINITION_BYTES)) else "R4"
    except OSError as error:
        raise ConfigError("FM760", file=str(file), reason=os_reason(error, "cannot_be_read")) from None
    definitions, _ = load_definitions([], fhir_version=version)
    resource = structure_map_of(file, definitions)
    if resource is None or resource.get("resourceType") != "StructureMap":
        raise ConfigError("FM760", file=str(file), reason=Text("output.import.no_structure_map"))
    tree, found = read_structure_map(resource, str(file))
    written = tree.span.text.text
    is_wrong = any(entry.is_error for entry in found)
    if as_json:
        shown = [diagnostic_to_json(entry) for entry in found]
        click.echo(json.dumps({"text": None if is_wrong else written, "diagnostics": shown}, ensure_ascii=False))
    else:
        show_diagnostics(found, as_json=False)
    if is_wrong:
        return EXIT_WRONG
    if output is not None:
        write_atomically(output, written.encode(), mode=0o644)
        click.echo(text("output.import.written", file=output, count=len(written.splitlines())), err=True)
    elif not as_json:
        click.echo(written, nl=False)
    return 0
