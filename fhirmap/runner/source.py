"""A project's source, opened; and what its layout lacks, at the place of the map that names it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fhirmap.compilation.files import map_path, read_map
from fhirmap.diagnostics import Diagnostic, MapText, Span
from fhirmap.errors import ConfigError, ProjectError
from fhirmap.runner.done_settings import done_diagnostics
from fhirmap.runner.named_sources import other_addresses
from fhirmap.runner.project import Project
from fhirmap.runner.since_last import change_faults
from fhirmap.source_plan import SourcePlan
from fhirmap.sources import Source, open_source
from fhirmap.texts import Text

__all__ = ["located", "open_project_source", "open_unchecked", "require_other_place"]


def open_project_source(
    project: Project, plan: SourcePlan, warned: Callable[[Diagnostic], object] | None = None
) -> Source:
    """The project's source, its layout checked against the plan: no record of it has been read when this returns.

    ``warned`` is called with each warning, such as an attribute that no row has.

    Raises: ConfigError FM70x where it cannot be opened; ProjectError with everything that it lacks.
    """
    if refused := done_diagnostics(project, plan):
        raise ProjectError(refused)
    source = open_unchecked(project, plan)
    try:
        found = [located(entry) for entry in _checked(source)]
        if not any(entry.is_error for entry in found):
            found += change_faults(project, source)
        if any(entry.is_error for entry in found):
            raise ProjectError(found)
        if warned is not None:
            for entry in found:
                warned(entry)
    except BaseException:
        source.close()
        raise
    return source


def _checked(source: Source) -> list[Diagnostic]:
    try:
        return source.check()
    except ConfigError as error:
        if "position" not in error.diagnostic().args:
            raise
        return [error.diagnostic()]


def open_unchecked(project: Project, plan: SourcePlan) -> Source:
    """The project's source, whatever its layout.

    Raises: ConfigError FM70x where it cannot be opened.
    """
    return open_source(project.source_address(plan.source), plan, other_addresses(project, plan))


def located(entry: Diagnostic) -> Diagnostic:
    """The diagnostic at the place of the map that it names (``position``), so that it is shown with that line."""
    position = str(entry.args.get("position", ""))
    parts = position.rsplit(":", 2)
    if entry.span is not None or len(parts) != 3 or not (parts[1].isdecimal() and parts[2].isdecimal()):
        return entry
    try:
        text = MapText(parts[0], read_map(map_path(parts[0])))
    except ConfigError:
        return entry
    line, column = int(parts[1]), int(parts[2])
    if line > text.line_count:
        return entry
    start = text.line_start(line) + column - 1
    rest = text.line_text(line)[column - 1 :]
    return replace(entry, span=Span(text, start, start + _token_length(rest)))


def _token_length(rest: str) -> int:
    if rest[:1] in "'\"`":
        end = rest.find(rest[0], 1)
        return end + 1 if end > 0 else 1
    return max(1, next((n for n, letter in enumerate(rest) if not (letter.isalnum() or letter in "_-")), len(rest)))


def require_other_place(project: Project, plan: SourcePlan, results: Path | None) -> None:
    """Results may not be written where the project's sources are read: a file of the hospital's would grow by them.

    Raises: ConfigError FM791 where they would be.
    """
    if results is None:
        return
    from fhirmap.sources.files.source_files import FileSet

    for address in (project.source_address(), *other_addresses(project, plan).values()):
        if address.kind == "file" and FileSet(address).reads(results):
            reason = Text("reasons.is_source", {"source": address.shown})
            raise ConfigError("FM791", variant="source", what="path", reason=reason)
