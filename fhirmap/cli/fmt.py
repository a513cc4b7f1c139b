"""``fhirmap fmt``: maps in their canonical text."""

from __future__ import annotations

import codecs
import difflib
import sys
from pathlib import Path

import click

from fhirmap.cli.localized import FilePath, argument, define, option
from fhirmap.cli.release import release_option
from fhirmap.cli.screen import echo_json
from fhirmap.texts import text

_STDIN = "<stdin>"


@define("fmt")
@argument("places", nargs=-1, required=True, type=FilePath(dash=True))
@option("--stdout", "to_stdout", is_flag=True)
@option("--check", "only_check", is_flag=True)
@option("--diff", "show_diff", is_flag=True)
@release_option()
@option("--json", "as_json", is_flag=True)
def command(
    places: tuple[Path, ...],
    to_stdout: bool,
    only_check: bool,
    show_diff: bool,
    fhir_version: str | None,  # noqa: ARG001 - the form of a text is the same in every release
    as_json: bool,
) -> int:
    """Format maps: two spaces, one rule a line, every comment kept."""
    from fhirmap.compilation.files import read_map

    if as_json and (to_stdout or show_diff):
        raise click.UsageError(text("output.fmt.json_alone"))
    would_change = False
    wrong = False
    files: list[dict[str, object]] = []
    for place in places:
        for path in _files(place):
            before = sys.stdin.read() if path is None else read_map(path)
            name = _STDIN if path is None else str(path)
            formatted = _formatted(before, name)
            files.append({"file": name, "changed": formatted not in (None, before)})
            if formatted is None:
                wrong = True
                files[-1]["error"] = True
            elif show_diff:
                would_change |= _diff(before, formatted, name)
            elif only_check:
                if formatted != before:
                    would_change = True
                    click.echo(text("output.fmt.would_change", file=name), err=as_json)
            elif (path is None or to_stdout) and not as_json:
                click.echo(formatted, nl=False)
            elif formatted != before and path is not None:
                _write(path, formatted)
    if as_json:
        echo_json({"files": files})
    return 2 if wrong else int(would_change and (only_check or show_diff))


def _files(place: Path) -> list[Path | None]:
    if str(place) == "-":
        return [None]
    if place.is_dir():
        return [*sorted([*place.rglob("*.map"), *place.rglob("*.fml")])]
    return [place]


def _formatted(written: str, name: str) -> str | None:
    from fhirmap.cli.faults import show_diagnostics
    from fhirmap.language.format import format_map
    from fhirmap.language.parser import parse

    tree, diagnostics = parse(written, name)
    if any(entry.is_error for entry in diagnostics):
        show_diagnostics(diagnostics, as_json=False)
        return None
    return format_map(tree, written)


def _diff(before: str, after: str, name: str) -> bool:
    lines = difflib.unified_diff(
        before.splitlines(True), after.splitlines(True), name, f"{name} ({text('output.fmt.after')})"
    )
    shown = "".join(lines)
    click.echo(shown, nl=False)
    return bool(shown)


def _write(path: Path, formatted: str) -> None:
    """The file with its new text; line ends, byte order mark and mode stay as they were."""
    from fhirmap.runner.atomic_file import write_atomically

    before = path.read_bytes()
    if before.partition(b"\n")[0].endswith(b"\r"):
        formatted = formatted.replace("\n", "\r\n")
    mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
    write_atomically(path, mark + formatted.encode(), mode=path.stat().st_mode & 0o777)
    click.echo(text("output.fmt.formatted", file=path), err=True)
