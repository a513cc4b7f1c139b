"""The pipeline, measured: `python -m benchmarks.pipeline [interventions]`.

Generated interventions from SQLite to validated NDJSON, through the journal, in a process of its own: records a second,
the peak memory of 100,000 against that of 10,000, and the CPU time of 10,000 against that of `hand_written_run`, which
writes the same bytes: of a project's first run, which compiles the map, and of one that finds it compiled. These run by
turns, and the shortest of some rounds counts: a ratio is the same on a busy machine. Then the 100,000 once more, of
which nothing has changed. What a run of one record takes, with and without compiling, is said apart.
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

from benchmarks.figures import Figure, code_of
from benchmarks.interventions import make_database

ROOT = Path(__file__).resolve().parent.parent
FEW, MANY = 10_000, 100_000
ROUNDS = 3
WANTED_MEMORY, BOUND_RATIO = 1.2, 1.25
"""How much higher the peak memory of the many may be: flat, but for the noise of the allocator."""
WANTED_CPU, BOUND_CPU = 1.9, 4.5
"""What `fhirmap run` may cost, in times of the loop that is written by hand."""
WANTED_AGAIN_US, BOUND_AGAIN_US = 60.0, 150.0
"""What a record costs that is what it was."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. ``cpu_s``: of its process; ``peak_mib``: the largest resident set."""

    records: int
    seconds: float
    cpu_s: float
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


def measure(place: Path, interventions: int, outcome: str = "accepted") -> Measured:
    """Run once; every record must have been read, and have come to ``outcome``; and each is written."""
    started = time.perf_counter()
    report = _run("benchmarks.measured_run", place, interventions, outcome)
    seconds = time.perf_counter() - started
    with (place / "declarations.ndjson").open(encoding="utf-8") as lines:
        assert sum(1 for _ in lines) == interventions
    return Measured(interventions, seconds, report["cpu_s"], report["peak_mib"])


def forget(place: Path) -> None:
    """Makes a project what it was before its first run, but for what is kept of its maps."""
    for path in (*place.glob("journal.db*"), place / "declarations.ndjson"):
        path.unlink()


def cpu_by_hand(place: Path, interventions: int) -> float:
    """The CPU time of the loop that is written by hand, after a run of the same project; its output is the same."""
    report = _run("benchmarks.hand_written_run", place, interventions)
    outputs = [(place / name).read_bytes() for name in ("declarations.ndjson", "by-hand.ndjson")]
    assert outputs[0] == outputs[1], "the pipeline and the yardstick disagree"
    return report["cpu_s"]


def _run(module: str, place: Path, interventions: int, outcome: str = "accepted") -> dict[str, float]:
    command = [sys.executable, "-m", module, str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    report: dict[str, float] = json.loads(done.stdout)
    assert report["read"] == report[outcome] == interventions, report
    return report


def figures(many: int = MANY) -> list[Figure]:
    """Measure few and many, print."""
    few = min(FEW, many // 2)
    runs: list[Measured] = []
    compiled: list[Measured] = []
    by_hand: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        for number in range(ROUNDS):
            place = project(Path(name) / str(number), few)
            runs.append(measure(place, few))
            by_hand.append(cpu_by_hand(place, few))
            forget(place)
            compiled.append(measure(place, few))
        place = project(Path(name), 1)
        first = measure(place, 1)
        forget(place)
        one = measure(place, 1)
        place = project(Path(name), many)
        much = measure(place, many)
        again = measure(place, many, "unchanged")
    least, again_compiled = (min(some, key=lambda run: run.cpu_s) for some in (runs, compiled))
    print("pipeline, SQLite to validated NDJSON through the journal, one process")
    for run in (least, again_compiled, much):
        print(
            f"  {run.records:>9,} records  {run.seconds:7.1f} s  {run.records / run.seconds:8,.0f}/s"
            f"  cpu {run.cpu_s:6.2f} s  peak {run.peak_mib:6.1f} MiB"
        )
    print(f"  {few:>9,} by hand  {' ' * 21}  cpu {min(by_hand):6.2f} s")
    spent = {
        title: (run.cpu_s - rest.cpu_s) / many * 1e6
        for title, run, rest in (("first", much, first), ("nothing changed", again, one))
    }
    for title, time_us in spent.items():
        print(f"  {title:>18}  {time_us:6.1f} us of CPU time a record")
    print(f"  a run of one record: cpu {one.cpu_s:.2f} s, the first time {first.cpu_s:.2f} s")
    size, hand = f"{few:,}", min(by_hand)
    return [
        Figure(f"a run of {size} interventions", least.cpu_s, "s", WANTED_CPU, BOUND_CPU, hand, "by hand"),
        Figure("the same, its maps compiled before", again_compiled.cpu_s, "s", WANTED_CPU, BOUND_CPU, hand, "by hand"),
        Figure("an unchanged record", spent["nothing changed"], "us", WANTED_AGAIN_US, BOUND_AGAIN_US),
        Figure(f"memory of {many:,}", much.peak_mib, "MiB", WANTED_MEMORY, BOUND_RATIO, least.peak_mib, size),
    ]


if __name__ == "__main__":
    raise SystemExit(code_of(figures(*map(int, sys.argv[1:]))))
