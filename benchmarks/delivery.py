"""Delivery over HTTP, measured: `python -m benchmarks.delivery [records] [another checkout of fhirmap]`.

`fhirmap run` as a whole process, from the source (SQLite) through the journal (SQLite) to a receiver on this machine
that answers at once, without a limit of calls a second, 8 at a time. With another checkout the two run by turns, and
the shortest of some rounds of each counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pipeline import project
from benchmarks.receiver import receiver

ROOT = Path(__file__).resolve().parent.parent
RECORDS = 10_000
ROUNDS = 3
CONCURRENCY = 8


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. ``cpu_s``: of its process; ``receiver_s``: CPU time of the receiver; ``peak_mib``: the largest resident
    set."""

    records: int
    seconds: float
    cpu_s: float
    receiver_s: float
    peak_mib: float

    def line(self) -> str:
        """As it is printed."""
        return (
            f"{self.records:>8,} records  {self.seconds:6.1f} s  {self.records / self.seconds:7,.0f}/s"
            f"  cpu {self.cpu_s:6.2f} s  receiver {self.receiver_s:5.2f} s  peak {self.peak_mib:6.1f} MiB"
        )


def measure(folder: Path, records: int, checkout: Path = ROOT) -> Measured:
    """One run of a new project in ``folder``; each record must have been accepted, and each call answered."""
    place = project(folder, records)
    with receiver() as at:
        settings = (place / "fhirmap.toml").read_text(encoding="utf-8")
        sink = f'url = "{at.url}"\n[limits]\nrate_per_s = 1000000\nconcurrency = {CONCURRENCY}'
        settings = settings.replace('kind = "ndjson"\npath = "declarations.ndjson"', sink)
        (place / "fhirmap.toml").write_text(
            settings
            + '[archive.table]\ntable = "RECU"\ncreate = true\nkey_column = "id"\nvalue_column = "identifier"\n',
            encoding="utf-8",
        )
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.measured_run", str(place)],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        seconds = time.perf_counter() - started
    report = json.loads(done.stdout)
    assert report["read"] == report["accepted"] == at.answered == records, (report, at.answered)
    return Measured(records, seconds, report["cpu_s"], at.cpu_s, report["peak_mib"])


def main(arguments: list[str]) -> int:
    """Measure and print."""
    records = int(arguments[0]) if arguments else RECORDS
    checkouts = {"this": ROOT, **({"other": Path(arguments[1]).resolve()} if len(arguments) > 1 else {})}
    runs: dict[str, list[Measured]] = {name: [] for name in checkouts}
    for _ in range(ROUNDS if len(checkouts) > 1 else 1):
        for name, checkout in checkouts.items():
            with tempfile.TemporaryDirectory() as folder:
                runs[name].append(measure(Path(folder), records, checkout))
            print(f"  {name:>5}  {runs[name][-1].line()}", flush=True)
    least = {name: min(found, key=lambda run: run.seconds) for name, found in runs.items()}
    if len(least) > 1:
        print(f"  {least['other'].seconds / least['this'].seconds:.2f} times the records a second")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
