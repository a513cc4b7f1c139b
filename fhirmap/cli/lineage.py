"""``fhirmap lineage``: for each element of the result, where it comes from and which rules write it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fhirmap.analysis.lineage import Lineage, Origin
    from fhirmap.analysis.typed import Checked
    from fhirmap.diagnostics import Diagnostic

_TITLES = ("element", "from", "rules")


@click.command(
    epilog="""\b
Examples:
  fhirmap lineage examples/ch-valmorel                    every element, its columns, the rules of both stages
  fhirmap lineage hospital | grep POSE_DMI.num_lot        where a column goes
  fhirmap lineage order.fml --definitions structures/     a map without models: source elements
  fhirmap lineage hospital --json                         as data"""
)
@click.argument("place", type=click.Path(exists=True, path_type=Path), default=".")
@click.option(
    "--import",
    "imports",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="For a single map: further maps, files or folders, that it may import.",
)
@click.option(
    "--definitions",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="For a single map: structure definitions, files, folders or a package.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(place: Path, imports: tuple[Path, ...], definitions: tuple[Path, ...], as_json: bool) -> int:
    """For each element that the map or project PLACE (default: this folder) writes: source columns and map lines.

    Nothing is read and nothing run: it is told from the maps alone. A slice is named behind its element,
    `parameter:nir`; of several stages, each rule is shown behind those it builds on. Exit code 2 if the map is wrong.
    """
    from fhirmap.analysis.lineage import as_json as lineage_data
    from fhirmap.analysis.lineage import lineage
    from fhirmap.cli.faults import show_diagnostics
    from fhirmap.errors import MapError

    checked, diagnostics = _checked(place, imports, definitions)
    if any(entry.is_error for entry in diagnostics):
        raise MapError(diagnostics)
    found = lineage(checked)
    if as_json:
        click.echo(json.dumps({"elements": lineage_data(found)}, ensure_ascii=False, indent=2))
        return 0
    show_diagnostics(diagnostics, as_json=False)
    _show(found)
    return 0


def _checked(
    place: Path, imports: tuple[Path, ...], definitions: tuple[Path, ...]
) -> tuple[Checked, tuple[Diagnostic, ...]]:
    """The program of a project, a map's text, or a StructureMap resource."""
    from fhirmap.runner.program import check_maps, check_project
    from fhirmap.runner.project import load_project

    if place.is_dir() or place.suffix == ".toml":
        maps = check_project(load_project(place))
    elif place.suffix in (".json", ".xml"):
        from fhirmap.mapset import MapSet

        runnable = MapSet([*imports, *definitions]).runnable(place)
        return runnable.checked, runnable.diagnostics
    else:
        maps = check_maps([place], imports=[*imports, place.parent], definitions=definitions)
    return maps.checked, maps.diagnostics


def _show(found: Lineage) -> None:
    rows = list(_rows(found))
    if not sys.stdout.isatty():
        # One line an origin and nothing cut, so that it can be searched.
        widths = [max(map(len, column)) for column in zip(*rows, _TITLES, strict=True)][:2] if rows else [0, 0]
        for element, source, rules in [_TITLES, *rows]:
            click.echo(f"{element:<{widths[0]}}  {source:<{widths[1]}}  {rules}")
        return
    from shutil import get_terminal_size

    from fhirmap.cli.table import table_lines

    for line in table_lines([_TITLES, *rows], get_terminal_size().columns):
        click.echo(line)


def _rows(found: Lineage) -> Iterator[tuple[str, str, str]]:
    for path, origins in found.elements.items():
        for origin in origins:
            yield path, ", ".join(origin.sources) or "-", _rules(origin)


def _rules(origin: Origin) -> str:
    """`valmorel.map:41 lot -> renacot.map:60 lot`: the first stage's rules, then those that build on them."""
    own = f"{origin.span.name.rpartition('/')[2]}:{origin.span.line} {origin.rule}"
    before = list(dict.fromkeys(_rules(entry) for entry in origin.before))
    return f"{', '.join(before)} -> {own}" if before else own
