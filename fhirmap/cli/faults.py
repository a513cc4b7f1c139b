"""How a fault reaches the person: diagnostics on standard error, JSON on standard output; and the exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from fhirmap.cli.screen import echo_folded, echo_json, screen_width
from fhirmap.diagnostics import Diagnostic
from fhirmap.diagnostics.catalog import page
from fhirmap.diagnostics.render import diagnostic_to_json, render_diagnostic
from fhirmap.errors import FhirmapError, InternalError, MapError, ProjectError
from fhirmap.texts import os_reason, text

EXIT_DONE = 0
EXIT_RECORDS = 1
EXIT_WRONG = 2
EXIT_UNREACHABLE = 3
EXIT_BUG = 70
EXIT_INTERRUPTED = 130


def exit_code(code: str) -> int:
    """The exit code that a fault's page states (``exit``), else the one of its family."""
    stated = page(code).fields.get("exit")
    if stated is not None:
        return int(stated)
    family = code[2]
    if family in "68":
        return EXIT_UNREACHABLE
    return EXIT_BUG if family == "9" else EXIT_WRONG


def show_diagnostics(diagnostics: Sequence[Diagnostic], *, as_json: bool) -> None:
    """Write diagnostics for people on standard error, or as one JSON document on standard output."""
    if as_json:
        echo_json({"diagnostics": [diagnostic_to_json(entry) for entry in diagnostics]})
        return
    colour, width = sys.stderr.isatty(), screen_width()
    for entry in diagnostics:
        click.echo(render_diagnostic(entry, colour=colour, width=width), err=True)


def show_warnings(project: Sequence[Diagnostic], maps: Sequence[Diagnostic], place: Path) -> None:
    """Write a project file's warnings, and the map's: more than one of these in a line, since `check` shows them."""
    show_diagnostics([*project, *(maps if len(maps) == 1 else ())], as_json=False)
    if len(maps) > 1:
        echo_folded(text("diagnostics.map_warnings", count=len(maps), place=place), err=True)


def show_warning(entry: Diagnostic) -> None:
    """Write one warning on standard error."""
    show_diagnostics([entry], as_json=False)


def show_lost_output(fault: OSError) -> int:
    """Show that standard output could not be written, and thus what was to be read there; the exit code it means."""
    args = {"path": text("reasons.standard_output"), "reason": os_reason(fault)}
    show_diagnostics([Diagnostic("FM744", None, args)], as_json=False)
    return exit_code("FM744")


def show_fault(fault: BaseException, *, as_json: bool) -> int:
    """Show what stopped a command; the exit code it means."""
    diagnostics, code = diagnose(fault)
    show_diagnostics(diagnostics, as_json=as_json)
    return code


def diagnose(fault: BaseException) -> tuple[Sequence[Diagnostic], int]:
    """What there is to say of what stopped a command, and the exit code it means."""
    if isinstance(fault, MapError | ProjectError):
        return fault.diagnostics, max(exit_code(entry.code) for entry in fault.diagnostics if entry.is_error)
    if isinstance(fault, FhirmapError):
        return [fault.diagnostic()], exit_code(fault.code)
    if isinstance(fault, OSError) and fault.filename:
        # What is read has its own faults: this is a file or folder that was to be written.
        reason = os_reason(fault)
        return [Diagnostic("FM744", None, {"path": fault.filename, "reason": reason})], exit_code("FM744")
    return [InternalError.of(fault).diagnostic()], EXIT_BUG
