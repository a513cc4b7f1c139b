"""``fhirmap fmt``: maps in their canonical text."""

from __future__ import annotations

import codecs
import difflib
import json
import sys
from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  fhirmap fmt renacot.map lib/           in place; folders are searched for .map and .fml
  fhirmap fmt --check .                  exit code 1 if a file would change, for pipelines
  fhirmap fmt --diff renacot.map
  cat renacot.map | fhirmap fmt -"""
)
@click.argument("places", nargs=-1, required=True, type=click.Path(allow_dash=True, path_type=Path))
@click.option("--stdout", "to_stdout", is_flag=True, help="Write to standard output, leave the files.")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit code 1 if a file would change.")
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--json", "as_json", is_flag=True, help="Each file and whether its text changes, as JSON.")
def command(places: tuple[Path, ...], to_stdout: bool, only_check: bool, show_diff: bool, as_json: bool) -> int:
    """Format maps: two spaces, one rule a line, every comment kept.

    A map with a syntax error is reported and left alone (exit code 2).
    """
    from fhirmap.embedding import read_map

    if as_json and (to_stdout or show_diff):
        raise click.UsageError("--json tells of files: it goes with --check or alone")
    would_change = False
    wrong = False
    told: list[dict[str, object]] = []
    for place in places:
        for path in _files(place):
            text = sys.stdin.read() if path is None else read_map(path)
            formatted = _formatted(text, "<stdin>" if path is None else str(path))
            told.append({"file": str(path or "<stdin>"), "changed": formatted not in (None, text)})
            if formatted is None:
                wrong = True
                told[-1]["error"] = True
            elif show_diff:
                would_change |= _diff(text, formatted, str(path or "<stdin>"))
            elif only_check:
                if formatted != text:
                    would_change = True
                    click.echo(f"would change {path or '<stdin>'}", err=as_json)
            elif (path is None or to_stdout) and not as_json:
                click.echo(formatted, nl=False)
            elif formatted != text and path is not None:
                _write(path, formatted)
    if as_json:
        click.echo(json.dumps({"files": told}, ensure_ascii=False))
    return 2 if wrong else int(would_change and (only_check or show_diff))


def _files(place: Path) -> list[Path | None]:
    if str(place) == "-":
        return [None]
    if place.is_dir():
        return [*sorted([*place.rglob("*.map"), *place.rglob("*.fml")])]
    return [place]


def _formatted(text: str, name: str) -> str | None:
    from fhirmap.cli.faults import show_diagnostics
    from fhirmap.language.format import format_map
    from fhirmap.language.parser import parse

    tree, diagnostics = parse(text, name)
    if any(entry.is_error for entry in diagnostics):
        show_diagnostics(diagnostics, as_json=False)
        return None
    return format_map(tree, text)


def _diff(before: str, after: str, name: str) -> bool:
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, f"{name} (formatted)")
    shown = "".join(lines)
    click.echo(shown, nl=False)
    return bool(shown)


def _write(path: Path, text: str) -> None:
    """The file with its new text; line ends, byte order mark and mode stay as they were."""
    from fhirmap.runner.whole_file import write_whole

    before = path.read_bytes()
    if before.partition(b"\n")[0].endswith(b"\r"):
        text = text.replace("\n", "\r\n")
    mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
    write_whole(path, mark + text.encode(), mode=path.stat().st_mode & 0o777)
    click.echo(f"formatted {path}", err=True)
