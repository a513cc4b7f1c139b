"""Writing an XML file, and reading what a plan reads of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fhirmap.records import TreeText
from fhirmap.source_plan import RowLayout, SourceColumn, SourceKind, SourcePlan
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.sources.files.xml_reader import XmlReader


def document(folder: Path, text: str | bytes, encoding: str = "utf-8") -> SourceFile:
    path = folder / "a.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return SourceFile(path, "a.xml", "data/a.xml")


def plan_of(name: str, *columns: str, encoding: str = "", **prefixes: str) -> SourcePlan:
    layout = RowLayout("M", tuple(SourceColumn(column, f"m.map:2:{place}") for place, column in enumerate(columns)))
    return SourcePlan(
        SourceKind.XML, name, (), layout, encoding=encoding, prefixes=tuple(prefixes.items()), position="m.map:1:1"
    )


def everything(file: SourceFile, plan: SourcePlan) -> SourcePlan:
    """The plan with all paths that the records of the file have."""
    names = XmlReader(file, plan).names()
    return replace(plan, shape=RowLayout("M", tuple(SourceColumn(name) for name in names if not name.startswith(".."))))


def read(file: SourceFile, plan: SourcePlan) -> list[FileRow]:
    return list(XmlReader(file, plan).rows(plan.shape.column_names))


def trees(file: SourceFile, plan: SourcePlan) -> list[Any]:
    """The trees of the records without their ancestors, in plain dicts and lists; a text with members as both of
    them."""
    rows = read(file, everything(file, plan))
    return [{name: plain(value) for name, value in row.cells.items() if name != ".."} for row in rows]


def plain(value: object) -> Any:
    if isinstance(value, TreeText):
        return (str(value), {name: plain(member) for name, member in value.members.items()})
    if isinstance(value, Mapping):
        return {name: plain(member) for name, member in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value
