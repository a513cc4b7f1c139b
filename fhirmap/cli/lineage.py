"""``fhirmap lineage``: for each element of the result, where it comes from and which rules write it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.release import release_option
from fhirmap.cli.screen import echo_folded, echo_json, screen_width
from fhirmap.texts import text

if TYPE_CHECKING:
    from fhirmap.analysis.lineage import Lineage, Origin

_TITLES = ("element", "source", "rules")
_NOTHING = "-"


@define("lineage")
@argument("place", type=FilePath(exists=True), default=".")
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
@option("--json", "as_json", is_flag=True)
def command(
    place: Path, imports: tuple[Path, ...], definitions: tuple[Path, ...], fhir_version: str | None, as_json: bool
) -> int:
    """For each element that the map or project PLACE (default: this folder) writes: source columns and map lines."""
    from fhirmap.analysis.lineage import as_json as lineage_data
    from fhirmap.analysis.lineage import lineage
    from fhirmap.cli.checked_place import checked_place
    from fhirmap.cli.faults import show_warnings

    checked, diagnostics = checked_place(place, imports, definitions, fhir_version)
    found = lineage(checked)
    if as_json:
        echo_json({"elements": lineage_data(found)}, 2)
        return 0
    show_warnings((), diagnostics, place)
    _show(found)
    return 0


def _show(found: Lineage) -> None:
    rows = list(_rows(found))
    titles = tuple(text(f"output.lineage.{title}") for title in _TITLES)
    from fhirmap.cli.table import table_lines, table_width

    if table_width([titles, *rows]) <= screen_width():
        for line in table_lines([titles, *rows], screen_width()):
            click.echo(line)
        return
    shown = ""
    for element, source, rules in rows:
        if element != shown:
            echo_folded(element)
        shown = element
        if source != _NOTHING:
            echo_folded(f"    <- {source}", 7)
        echo_folded(f"    {rules}", 7)


def _rows(found: Lineage) -> Iterator[tuple[str, str, str]]:
    for path, origins in found.elements.items():
        for origin in origins:
            yield path, _sources(origin), _rules(origin)


def _sources(origin: Origin) -> str:
    """What a value is made of, then what only decides about it."""
    made = ", ".join(origin.sources) or _NOTHING
    return text("output.lineage.if", made=made, decided=", ".join(origin.conditions)) if origin.conditions else made


def _rules(origin: Origin) -> str:
    """`valmorel.map:41 lot -> message.map:60 lot`: the first stage's rules, then those that build on them."""
    own = f"{origin.span.name.rpartition('/')[2]}:{origin.span.line} {origin.rule}"
    before = list(dict.fromkeys(_rules(entry) for entry in origin.before))
    return f"{', '.join(before)} -> {own}" if before else own
