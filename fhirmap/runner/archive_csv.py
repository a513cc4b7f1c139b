"""Identifiers in a CSV file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fhirmap.bounded_files import open_regular
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError, JournalError
from fhirmap.runner.archive_row import COLUMNS, Unwritten, row_values
from fhirmap.runner.atomic_file import write_atomically
from fhirmap.texts import Text, os_reason, text

if TYPE_CHECKING:
    from fhirmap.journal import Accepted, ArchivedIdentifier

__all__ = ["CsvArchive"]


class CsvArchive:
    """A ``;``-separated UTF-8 file with the columns of `COLUMNS`; replaced as a whole, so never half-written."""

    keeps_earlier = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, dict[str, str]] | None = None
        """As it was before this run wrote to it."""

    @property
    def name(self) -> str:
        """The path."""
        return str(self._path)

    def check(self) -> None:
        """Raises: JournalError FM808; ConfigError FM796 for a file with other columns."""
        with self._translated():
            self._read()

    def diagnostics(self, keys: Iterable[str]) -> Iterator[Diagnostic]:  # noqa: ARG002 - a CSV takes any key
        """FM796 for a file with other columns, FM808 for one that cannot be written."""
        try:
            self.check()
        except (ConfigError, JournalError) as error:
            yield error.diagnostic()
            return
        folder = self._path.parent
        if not os.access(folder, os.W_OK):
            reason = Text("run.archive.folder")
            yield Diagnostic("FM808", args={"archive": self.name, "place": str(folder), "reason": reason})

    def identifiers(self, keys: Sequence[str]) -> Mapping[str, ArchivedIdentifier]:
        """What it has of these records.

        Raises: JournalError FM808; ConfigError FM796 for a file with other columns.
        """
        from fhirmap.journal import ArchivedIdentifier

        with self._translated():
            if self._known is None:
                self._known = self._read()
        found = {key: self._known[key] for key in keys if key in self._known}
        return {
            key: ArchivedIdentifier(row["system"], row["value"], tuple(row["previous"].split()))
            for key, row in found.items()
            if row["value"]
        }

    def write(self, rows: Sequence[Accepted]) -> list[Unwritten]:
        """Writes them; those whose key is there already take its place.

        Raises: JournalError FM808; ConfigError FM796 for a file with other columns.
        """
        unwritten = [Unwritten(row.key, self.name, text("run.archive.no_text")) for row in rows if not _is_text(row)]
        with self._translated():
            known = self._read()
            known.update((row.key, row_values(row)) for row in rows if _is_text(row))
            self._replace(known)
        return unwritten

    def _read(self) -> dict[str, dict[str, str]]:
        if not self._path.exists():
            return {}
        with io.TextIOWrapper(open_regular(self._path), encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=";")
            if reader.fieldnames is not None and tuple(reader.fieldnames) != COLUMNS:
                raise ConfigError(
                    "FM796",
                    table=str(self._path),
                    reason=Text("run.archive.other_columns", {"columns": "; ".join(COLUMNS)}),
                )
            found = list(reader)
            # A line of more or fewer cells than there are columns: somebody has written by hand, or by another program.
            if any(None in row or None in row.values() for row in found):
                raise ConfigError("FM796", table=str(self._path), reason=Text("run.archive.other_cells"))
            return {row["key"]: row for row in found}

    def _replace(self, rows: Mapping[str, Mapping[str, str]]) -> None:
        content = io.StringIO(newline="")
        writer = csv.DictWriter(content, COLUMNS, delimiter=";", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.values())
        write_atomically(self._path, content.getvalue().encode())

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            reason = os_reason(error) if isinstance(error, OSError) else type(error).__name__
            raise JournalError("FM808", archive=str(self._path), place=str(self._path.parent), reason=reason) from None


def _is_text(row: Accepted) -> bool:
    """Can it be written as UTF-8?"""
    try:
        "".join(row_values(row).values()).encode()
    except UnicodeEncodeError:
        return False
    return True
