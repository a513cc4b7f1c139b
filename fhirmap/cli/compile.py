"""``fhirmap compile``: the generated Python, to read or to ship."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  fhirmap compile examples/ch-valmorel -o valmorel.py     project: both stages and the contract's validator
  fhirmap compile patient.map --definitions profiles/     one map
  python -c 'import valmorel; print(valmorel.transform({...}))'"""
)
@click.argument("place", type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: standard output."
)
@click.option("--import", "imports", multiple=True, type=click.Path(exists=True, path_type=Path), help="Further maps.")
@click.option(
    "--definitions", multiple=True, type=click.Path(exists=True, path_type=Path), help="Structure definitions."
)
@click.option("--json", "as_json", is_flag=True, help="Source, digest and columns as JSON.")
def command(
    place: Path, output: Path | None, imports: tuple[Path, ...], definitions: tuple[Path, ...], as_json: bool
) -> None:
    """Write the Python generated from PLACE, a map or a project folder.

    The module needs Python and `fhirmap.runtime` alone (and the functions it names); the same map gives the same bytes.
    """
    from fhirmap.cli.faults import show_diagnostics
    from fhirmap.embedding import check, compile_map
    from fhirmap.runner.engine import build_engine
    from fhirmap.runner.project import load_project
    from fhirmap.runner.whole_file import write_whole

    if place.is_dir() or place.suffix == ".toml":
        engine = build_engine(load_project(place))
        transformer, warnings = engine.transformer, engine.maps.diagnostics
    else:
        imported = [*imports, place.parent]
        warnings = check(place, imports=imported, definitions=definitions)
        transformer = compile_map(place, imports=imported, definitions=definitions)
    if not as_json:
        show_diagnostics(warnings, as_json=False)
    text = transformer.source
    if output is not None:
        write_whole(output, text.encode())
        click.echo(f"{output}: {len(text.splitlines())} lines, map digest {transformer.digest[:12]}", err=True)
    if as_json:
        told = {"source": text} if output is None else {"output": str(output)}
        click.echo(json.dumps({**told, "digest": transformer.digest, "columns": dict(transformer.columns)}))
    elif output is None:
        click.echo(text, nl=False)
