"""``fhirmap compile``: the generated Python, to read or to ship."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.release import release_option
from fhirmap.texts import text


@define("compile")
@argument("place", type=FilePath(exists=True))
@option("-o", "--output", type=FilePath("file"))
@option("--import", "imports", multiple=True, type=FilePath(exists=True))
@option("--definitions", multiple=True, type=FilePath(exists=True))
@release_option()
@option("--json", "as_json", is_flag=True)
def command(
    place: Path,
    output: Path | None,
    imports: tuple[Path, ...],
    definitions: tuple[Path, ...],
    fhir_version: str | None,
    as_json: bool,
) -> None:
    """Write the Python generated from PLACE, a map or a project folder."""
    from fhirmap.cli.faults import show_diagnostics
    from fhirmap.compilation.maps import check, compile_map
    from fhirmap.runner.atomic_file import write_atomically
    from fhirmap.runner.engine import build_engine
    from fhirmap.runner.project_file import load_project

    if place.is_dir() or place.suffix == ".toml":
        engine = build_engine(load_project(place), fhir_version)
        transformer, warnings = engine.transformer, engine.diagnostics
    else:
        imported = [*imports, place.parent]
        warnings = check(place, imports=imported, definitions=definitions, fhir_version=fhir_version)
        transformer = compile_map(place, imports=imported, definitions=definitions, fhir_version=fhir_version)
    if not as_json:
        show_diagnostics(warnings, as_json=False)
    source = transformer.source
    if output is not None:
        write_atomically(output, source.encode())
        lines = len(source.splitlines())
        shown = text("output.compile.written", file=output, count=lines, digest=transformer.digest[:12])
        click.echo(shown, err=True)
    if as_json:
        found = {"source": source} if output is None else {"output": str(output)}
        click.echo(json.dumps({**found, "digest": transformer.digest, "columns": dict(transformer.columns)}))
    elif output is None:
        click.echo(source, nl=False)
