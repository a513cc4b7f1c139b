"""``fhirmap import``: a StructureMap resource as the text of a map."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

_R5_ONLY = re.compile(
    rb"<(?:const|versionAlgorithm\w+|copyrightLabel|defaultValue)[\s>]|<dependent>(?:(?!</dependent>)[\s\S])*<parameter>"
)
"""What only R5 has in the XML of a StructureMap; JSON says for itself what repeats."""


@click.command(
    name="import",
    epilog="""\b
Examples:
  fhirmap import StructureMap-patient.json                   on standard output
  fhirmap import StructureMap-patient.xml -o patient.map
  fhirmap import patient.json -o patient.map && fhirmap check patient.map""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.option("--json", "as_json", is_flag=True, help="Text and diagnostics as one JSON document.")
def command(file: Path, output: Path | None, as_json: bool) -> int:
    """Write the StructureMap in FILE (JSON or XML, of R4, R4B, R5 or R6) as the text of a map.

    What a text has no words for is told on standard error. Exit code 0 with the text; 2 where the resource is wrong,
    and nothing is written then.
    """
    from fhirmap.cli.export import structure_map_of
    from fhirmap.cli.faults import EXIT_WRONG, show_diagnostics
    from fhirmap.diagnostics.render import diagnostic_to_json
    from fhirmap.errors import ConfigError
    from fhirmap.language.parser import parse
    from fhirmap.language.structuremap import structure_map_to_text
    from fhirmap.model.packages import load_definitions
    from fhirmap.runner.whole_file import write_whole

    version = "R5" if _R5_ONLY.search(file.read_bytes()) else "R4"
    definitions, _ = load_definitions([], fhir_version=version)
    resource = structure_map_of(file, definitions)
    if resource is None or resource.get("resourceType") != "StructureMap":
        raise ConfigError("FM760", file=str(file), reason="no StructureMap resource")
    text, told = structure_map_to_text(resource, str(file))
    told = (*told, *(entry for entry in parse(text, f"{file} (as text)")[1] if entry.is_error))
    is_wrong = any(entry.is_error for entry in told)
    if as_json:
        shown = [diagnostic_to_json(entry) for entry in told]
        click.echo(json.dumps({"text": None if is_wrong else text, "diagnostics": shown}, ensure_ascii=False))
    else:
        show_diagnostics(told, as_json=False)
    if is_wrong:
        return EXIT_WRONG
    if output is not None:
        write_whole(output, text.encode(), mode=0o644)
        click.echo(f"{output}: {len(text.splitlines())} lines", err=True)
    elif not as_json:
        click.echo(text, nl=False)
    return 0
