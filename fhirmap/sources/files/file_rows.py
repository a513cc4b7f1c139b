"""What a reader gives for each row of a file, and what it promises."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fhirmap.diagnostics import Diagnostic
from fhirmap.records import Fault
from fhirmap.source_plan import SourcePlan
from fhirmap.sources.files.source_files import SourceFile

__all__ = ["FileReader", "FileRow", "ReaderFactory"]


@dataclass(slots=True)
class FileRow:
    """One row of a flat file, or one entry of a document.

    ``cells``: of a flat row, the raw cells under the names that were asked for, None where there is none; of a
    document, its tree of dicts, lists and values. ``place``: where it is in its file, as an origin shows it: `:14`,
    `#/cases/3`. ``number``: of the row or entry, from 1. ``is_lost``: what was read may be another row's or column's
    (``faults`` say why), so that no value counts; ``pieces``: the texts in it, among which its key is, as far as they
    are known.
    """

    cells: Mapping[str, Any]
    place: str
    number: int
    faults: list[Fault] = field(default_factory=list)
    is_lost: bool = False
    pieces: Sequence[str] = ()


class FileReader(Protocol):
    """The rows of one file. It knows neither keys nor records; it converts nothing that the generated reader can."""

    def names(self) -> Collection[str]:
        """The columns that are there; of documents, every dotted path at which something is.

        Raises: ConfigError where the file cannot be read.
        """

    def check(self, needed: Mapping[str, str]) -> list[Diagnostic]:
        """What the file lacks of ``needed``, each name with the place of the map that names it (``position`` among the
        arguments of a diagnostic), and what the analyst should know of the file: FM704 (a column), FM726 (a path that
        no document has), FM753 (a line before the names).
        """

    def rows(self, needed: Collection[str]) -> Iterator[FileRow]:
        """Every row in the file's order, the same each time; the columns ``needed``, which may be spelt otherwise there
        (`naming.match`).

        What one row has wrong is a fault of it. Which columns are asked for says nothing of `FileRow.is_lost`.
        Raises: ConfigError where the file cannot be read, or not read on.
        """


ReaderFactory = Callable[[SourceFile, SourcePlan], FileReader]
"""What opens a file of one kind for a plan. Raises: nothing; `names`, `check` and `rows` do."""
