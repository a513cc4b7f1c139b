"""Invented messages of HL7 v2, for the tests of their reader."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fhirmap.source_plan import RowLayout, SourceColumn, SourceKind, SourcePlan
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.hl7_reader import Hl7Reader
from fhirmap.sources.files.source_files import SourceFile

SEPARATORS = "|^~\\&"


def header(number: str = "1", *, charset: str = "", separators: str = SEPARATORS, kind: str = "ORU^R01") -> str:
    """An MSH: message ``number`` of a ``kind``."""
    bar = separators[0]
    fields = ["A", "B", "C", "D", "20250317081500", "", kind, number, "P", "2.5"]
    fields += ["", "", "", "", "FRA", charset] if charset else []
    return f"MSH{separators}{bar}{bar.join(fields)}"


def message(*segments: str, end: str = "\r", **names: str) -> str:
    """A message of these segments."""
    return "".join(segment + end for segment in (header(**names), *segments))


def plan(*names: str, path: str = "", key: str = "MSH.10", encoding: str = "") -> SourcePlan:
    """A plan that reads ``names`` as texts, each in a line of its own."""
    columns = tuple(SourceColumn(name, f"a.map:{line}:3", f"A.{line}", "string") for line, name in enumerate(names, 1))
    return SourcePlan(SourceKind.HL7, path, (key,), RowLayout("A", columns), encoding=encoding, position="a.map:9:1")


def reader(path: Path, content: str | bytes, plan_of: SourcePlan) -> Hl7Reader:
    """The reader of a file with ``content``."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Hl7Reader(SourceFile(path, path.name, path.name), plan_of)


def rows(path: Path, content: str | bytes, plan_of: SourcePlan) -> list[FileRow]:
    """The rows of a file with ``content``."""
    needed = (*plan_of.key, *plan_of.shape.column_names)
    return list(reader(path, content, plan_of).rows(needed))


def faults(found: Sequence[FileRow]) -> list[str]:
    """The faults of rows: place, code, variant, columns."""
    return [
        " ".join((row.place, fault.code, fault.variant, *fault.columns)).replace("  ", " ").strip()
        for row in found
        for fault in row.faults
    ]
