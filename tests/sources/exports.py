"""Writing and reading a file, for the tests of CSV and JSON; the plans of the CSV files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.records import Record
from fhirmap.source_plan import Child, ChildKind, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from tests.sources.conftest import columns

LINES = Child(ChildKind.LINES, "lines", "lines", RowLayout("Line", columns("Lot", "Qté")))
STAYS = SourcePlan(
    SourceKind.CSV, "", ("N° séjour",), RowLayout("Stay", columns("N° séjour", "Côté"), (LINES,)), delimiter=";"
)
FLAT = SourcePlan(SourceKind.CSV, "", ("id",), RowLayout("Row", columns("id", "v")))
HEAD = "N° séjour;Côté;Lot;Qté\r\n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def settle(folder: Path) -> None:
    """Make files look old, so that no reading waits for them."""
    for path in folder.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))


def read(path: Path, plan: SourcePlan) -> list[Record]:
    with open_source(str(path), plan) as source:
        return list(source.records())


def fails(path: Path, plan: SourcePlan) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(path, plan)
    return caught.value
