"""Delivery over HTTP, measured: `python -m benchmarks.delivery [records] [another checkout of fhirmap]`, or with the
journal in a database of its own on a server: `python -m benchmarks.delivery [records] postgresql://…`.

`fhirmap run` as a whole process, from the source (SQLite) through the journal (SQLite) to a receiver on this machine
that answers at once, without a limit of calls a second, 8 at a time. With another checkout the two run by turns, and
the shortest of some rounds of each counts. With a server one, two and four runs begin together.
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

from benchmarks.kill import journal_at
from benchmarks.pipeline import project
from benchmarks.receiver import receiver

ROOT = Path(__file__).resolve().parent.parent
RECORDS = 10_000
ROUNDS = 3
CONCURRENCY = 8
WORKERS = (1, 2, 4)


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


def delivering(folder: Path, records: int, url: str, journal: str = "") -> Path:
    """A new project in ``folder`` that sends to ``url``. ``journal``: the URL of a database."""
    place = project(folder, records)
    settings = (place / "fhirmap.toml").read_text(encoding="utf-8")
    sink = f'url = "{url}"\n[limits]\nrate_per_s = 1000000\nconcurrency = {CONCURRENCY}'
    settings = settings.replace('kind = "ndjson"\npath = "declarations.ndjson"', sink)
    if journal:
        settings = settings.replace('path = "journal.db"', f'url = "{journal}"')
    archive = '[archive.table]\ntable = "RECU"\ncreate = true\nkey_column = "id"\nvalue_column = "v"\n'
    (place / "fhirmap.toml").write_text(settings + archive, encoding="utf-8")
    return place


def measure(folder: Path, records: int, checkout: Path = ROOT) -> Measured:
    """One run of a new project in ``folder``; each record must have been accepted, and each call answered."""
    with receiver() as at:
        place = delivering(folder, records, at.url)
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


def together(folder: Path, records: int, workers: int, server: str) -> float:
    """Seconds that so many runs of one project take that begin together, from an empty database to the last
    identifier; each record must have been sent once."""
    with receiver() as at, journal_at(server, folder) as (line, _):
        place = delivering(folder, records, at.url, line.split('"')[1])
        started = time.perf_counter()
        command = [sys.executable, "-m", "fhirmap", "run", str(place), "--json"]
        runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(workers)]
        codes = [process.wait() for process in runs]
        seconds = time.perf_counter() - started
    assert codes == [0] * workers, codes
    assert at.answered == records, at.answered
    return seconds


def main(arguments: list[str]) -> int:
    """Measure and print."""
    records = int(arguments[0]) if arguments else RECORDS
    if len(arguments) > 1 and "://" in arguments[1]:
        for workers in WORKERS:
            with tempfile.TemporaryDirectory() as folder:
                seconds = together(Path(folder), records, workers, arguments[1])
            print(
                f"  {workers} workers  {records:,} records  {seconds:6.1f} s  {records / seconds:7,.0f}/s", flush=True
            )
        return 0
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
