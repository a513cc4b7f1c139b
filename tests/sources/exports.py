"""CSV files and plans that the tests of CSV share."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.records import Record
from fhirmap.sources import open_source
from fhirmap.stores import Child, Shape, StorePlan
from tests.sources.conftest import columns

LINES = Child("lines", "lines", "lines", Shape("Line", columns("Lot", "Qté")))
STAYS = StorePlan("csv", "", ("N° séjour",), Shape("Stay", columns("N° séjour", "Côté"), (LINES,)), delimiter=";")
FLAT = StorePlan("csv", "", ("id",), Shape("Row", columns("id", "v")))
HEAD = "N° séjour;Côté;Lot;Qté\r\n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def read(path: Path, plan: StorePlan) -> list[Record]:
    with open_source(str(path), plan) as source:
        return list(source.records())


def fails(path: Path, plan: StorePlan) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(path, plan)
    return caught.value
