"""May the files of a source be moved when their records are settled? What the settings and the map say against it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fhirmap.diagnostics import Diagnostic
from fhirmap.runner.project import Project
from fhirmap.source_plan import ChildKind, RowLayout, SourcePlan

__all__ = ["done_diagnostics", "shown_folder"]


def done_diagnostics(project: Project, plan: SourcePlan) -> list[Diagnostic]:
    """FM799 where the files of the project's source may not be moved: it is none of several files, a record may be in
    two of them, other records need them, or they would be read again where they go.

    Raises: ConfigError FM700, FM734, FM736, FM738.
    """
    done = project.done_folder
    if done is None:
        return []
    from fhirmap.sources.files.source_files import FileSet

    address = project.source_address()
    files = FileSet(address) if address.kind == "file" else None
    is_one = files is None or (files.root is None and address.path is not None and address.path.exists())
    reasons = {
        "kind": is_one,
        "lines": any(child.kind == ChildKind.LINES for child in plan.shape.children),
        "joined": any(store.source == "" for store in _stores(plan.shape)),
        "inside": files is not None and files.may_list(done),
    }
    args = {"done": shown_folder(project, done), "source": address.shown, "model": plan.shape.model}
    span = project.source.done_span
    return [Diagnostic("FM799", span, args, variant=variant) for variant, is_so in reasons.items() if is_so]


def _stores(layout: RowLayout) -> Iterator[SourcePlan]:
    """The places whose rows are joined to those of a layout, and to theirs in turn."""
    for shape in layout.walk():
        for child in shape.children:
            if child.store is not None:
                yield child.store


def shown_folder(project: Project, done: Path) -> str:
    """The folder as the project file names it, from the project's own."""
    return str(done.relative_to(project.folder) if done.is_relative_to(project.folder) else done)
