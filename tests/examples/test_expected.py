"""The three establishments on the full reference data: every expected line, for the columns that a user would read."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhirmap.records import Record
from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source
from fhirmap.runner.verdict import classify

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
VERDICTS = {
    "sendable": "ENVOI",
    "sendable-with-notes": "ENVOI_AVERT",
    "invalid": "REJET",
    "out-of-scope": "HORS_PERIMETRE",
    "superseded": "REMPLACE",
}
ESTABLISHMENTS = {
    "A": ("ch-valmorel", "sqlite:///{}/a_ch_valmorel.sqlite", 215),
    "B": ("clinique-sainte-aubierge", "{}/b_clinique.json", 52),
    "C": ("export-pharmacie", "{}/c_export_pharmacie.csv", 40),
}
COLUMNS = ("procedure", "laterality", "date", "implants", "pe_type")

Line = tuple[str, ...]


def expected(folder: Path, source: str) -> dict[str, list[Line]]:
    """Key -> the lines expected for it: verdict, then COLUMNS."""
    lines: dict[str, list[Line]] = defaultdict(list)
    with (folder / "attendus.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            if row["source"] == source:
                cells = (row["snomed"], row["lateralite"], row["date"], row["nb_implants"], row["pe_type"])
                lines[row["cle"]].append((row["verdict"], *cells))
    return lines


def got(example: str, url: str) -> Iterator[tuple[Record, Line]]:
    engine = build_engine(load_project(EXAMPLES / example, source=url))
    assert tuple(column.name for column in engine.columns) == COLUMNS
    with open_project_source(engine.project, engine.plan) as source:
        for record in source.records():
            result = engine.result(record)
            read = engine.read(record)
            verdict = classify(record, result).verdict
            yield record, (VERDICTS[verdict], *(column.text(result.resource, read) for column in engine.columns))


@pytest.mark.parametrize("source", ESTABLISHMENTS)
def test_every_expected_line(shared_dir: Path, source: str) -> None:
    example, url, count = ESTABLISHMENTS[source]
    folder = shared_dir / "renacot" / "sih"
    wanted = expected(folder, source)
    found: dict[str, list[Line]] = defaultdict(list)
    for record, line in got(example, url.format(folder)):
        found[record.key].append(line)
    assert sum(map(len, found.values())) == count
    wrong = {key: (lines, wanted[key]) for key, lines in found.items() if sorted(lines) != sorted(wanted[key])}
    assert not wrong
    assert found.keys() == wanted.keys()
