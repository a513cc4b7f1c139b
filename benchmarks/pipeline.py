"""The pipeline, measured: `python -m benchmarks.pipeline [interventions]`.

Generated interventions from SQLite to validated NDJSON, through the journal, in a process of its own: records a second,
and the peak memory of 100,000 against that of 10,000.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.interventions import make_database

ROOT = Path(__file__).resolve().parent.parent
FEW, MANY = 10_000, 100_000
BOUND_RATIO = 1.25
"""How much higher the peak memory of the many may be: flat, but for the noise of the allocator."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. ``peak_mib``: largest resident set of the process."""

    records: int
    seconds: float
    peak_mib: float


def project(folder: Path, interventions: int) -> Path:
    """A copy of `ch-valmorel` that reads ``interventions`` generated ones and writes NDJSON."""
    place = folder / f"of-{interventions}"
    shutil.copytree(
        ROOT / "examples" / "ch-valmorel", place, ignore=shutil.ignore_patterns("data", "journal*", "reports")
    )
    make_database(place / "sih.sqlite", interventions)
    (place / "fhirmap.toml").write_text(
        """
[project]
name = "measured"
[map]
source = "valmorel.map"
target = "renacot"
[source]
url = "sqlite:///sih.sqlite"
[sink]
kind = "ndjson"
path = "declarations.ndjson"
[journal]
path = "journal.db"
""",
        encoding="utf-8",
    )
    return place


def measure(place: Path, interventions: int) -> Measured:
    """Run once; every record must have been read, accepted and written."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.measured_run", str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    report = json.loads(done.stdout)
    assert report["read"] == report["accepted"] == interventions, report
    with (place / "declarations.ndjson").open(encoding="utf-8") as lines:
        assert sum(1 for _ in lines) == interventions
    return Measured(interventions, seconds, report["peak_mib"])


def main(arguments: list[str]) -> int:
    """Measure few and many, print; 1 where memory is not flat."""
    many = int(arguments[0]) if arguments else MANY
    with tempfile.TemporaryDirectory() as name:
        few, much = (measure(project(Path(name), count), count) for count in (min(FEW, many // 2), many))
    ratio = much.peak_mib / few.peak_mib
    print("pipeline, SQLite to validated NDJSON through the journal, one process")
    for run in (few, much):
        print(
            f"  {run.records:>9,} records  {run.seconds:7.1f} s  {run.records / run.seconds:8,.0f}/s"
            f"  peak {run.peak_mib:6.1f} MiB"
        )
    print(f"  peak memory ratio {ratio:.2f} (bound {BOUND_RATIO})")
    return int(ratio > BOUND_RATIO)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
