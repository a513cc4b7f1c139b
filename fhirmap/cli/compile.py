"""``fhirmap compile``: the generated Python, to read or to ship."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.release import release_option
from fhirmap.cli.screen import echo_folded
from fhirmap.texts import text

if TYPE_CHECKING:
    from fhirmap.compiler.explanation import ExplainedPlace, Explanation


@define("compile")
@argument("place", type=FilePath(exists=True))
@option("-o", "--output", type=FilePath("file"))
@option("--import", "imports", multiple=True, type=FilePath(exists=True))
@option("--definitions", multiple=True, type=FilePath(exists=True))
@release_option()
@option("--explain", "explains", is_flag=True)
@option("--json", "as_json", is_flag=True)
def command(
    place: Path,
    output: Path | None,
    imports: tuple[Path, ...],
    definitions: tuple[Path, ...],
    fhir_version: str | None,
    explains: bool,
    as_json: bool,
) -> None:
    """Write the Python generated from PLACE, a map or a project folder."""
    if explains and output is not None:
        raise click.UsageError(text("output.compile.explain_alone"))
    if explains:
        _explain(place, imports, definitions, fhir_version, as_json=as_json)
        return
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


def _explain(
    place: Path,
    imports: tuple[Path, ...],
    definitions: tuple[Path, ...],
    fhir_version: str | None,
    *,
    as_json: bool,
) -> None:
    """How the map becomes Python, instead of the Python."""
    from fhirmap.cli.checked_place import checked_place
    from fhirmap.cli.faults import show_warnings
    from fhirmap.compiler.build import explained

    checked, diagnostics = checked_place(place, imports, definitions, fhir_version)
    found = explained(checked)
    if as_json:
        click.echo(json.dumps(_explanation_data(found), ensure_ascii=False, indent=2))
        return
    show_warnings((), diagnostics, place)
    _show_explanation(found)


def _explanation_data(found: Explanation) -> dict[str, Any]:
    return {
        "stages": found.stages,
        "one_pass": found.groups,
        "whole": [_place_data(entry) for entry in found.whole],
        "by_items": [_place_data(entry) for entry in found.by_items],
    }


def _place_data(entry: ExplainedPlace) -> dict[str, str]:
    cause = entry.cause
    return {"position": entry.span.position, "of": entry.of, "reason": cause.reason.value, "cause": cause.what}


def _show_explanation(found: Explanation) -> None:
    """The stages, the groups of the one pass, then a line for each place; those of rare values are counted."""
    from fhirmap.compiler.explanation import CodeReason

    stages = " -> ".join(found.stages)
    echo_folded(text(f"output.compile.{'one_pass' if found.groups else 'step_by_step'}", stages=stages))
    if found.groups:
        echo_folded(text("output.compile.groups", count=len(found.groups), names=", ".join(found.groups)))
    rare = 0
    for entry in (*found.whole, *found.by_items):
        if entry.cause.reason is CodeReason.NO_BARE_VALUE:
            rare += 1
            continue
        why = text(f"output.compile.because.{entry.cause.reason.value}", of=entry.of, what=entry.cause.what)
        echo_folded(f"{entry.span.position}: {why}")
    if rare:
        echo_folded(text("output.compile.rare", count=rare))
