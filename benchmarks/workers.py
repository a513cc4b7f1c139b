"""Several processes, measured: `python -m benchmarks.workers [interventions]`.

Generated interventions from SQLite to the journal, mapped by one process and by two: seconds, and the CPU time of the
process that reads and keeps the journal beside that of the workers. The first bounds what any number of workers can
gain, on a busy machine, too; seconds say something on quiet processors only. Then a map as a program has it, dict to
dict, whose records and results go from process to process.
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, code_of
from benchmarks.pipeline import project

ROOT = Path(__file__).resolve().parent.parent
INTERVENTIONS = 20_000
ROUNDS = 3
WORKERS = 2
WANTED = 1 / 1.7
"""Of the time of one process, on two processors that do nothing else."""
BOUND_OWN = 0.65
"""The part of one process's CPU time that its own share may be where others map: at a half, no number of workers makes
more than twice of it. The faster the maps are, the larger it is."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One work. ``own_s``: CPU time of the process itself; ``workers_s``: of the processes that it started."""

    seconds: float
    own_s: float
    workers_s: float


def measure(work: Callable[[], object]) -> Measured:
    """One work in this process, which has started no other before."""
    started, own = time.perf_counter(), cpu_s(resource.RUSAGE_SELF)
    work()
    return Measured(time.perf_counter() - started, cpu_s(resource.RUSAGE_SELF) - own, cpu_s(resource.RUSAGE_CHILDREN))


def cpu_s(who: int) -> float:
    """User and system time."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def plan(place: Path, workers: int) -> Measured:
    """All that `fhirmap plan` does after the maps are compiled: reading, mapping, classifying."""
    from fhirmap.runner.engine import build_engine
    from fhirmap.runner.planned_run import make_plan
    from fhirmap.runner.project_file import load_project

    engine = build_engine(load_project(place))
    return measure(lambda: make_plan(engine, workers=workers))


def transform(place: Path, workers: int) -> Measured:
    """`Transformer.map` over records that are in memory."""
    from fhirmap.runner.engine import build_engine
    from fhirmap.runner.project_file import load_project
    from fhirmap.runner.source import open_project_source

    engine = build_engine(load_project(place))
    with open_project_source(engine.project, engine.plan) as source:
        records = [record.values for record in source.records()]
    return measure(lambda: sum(result.valid for result in engine.transformer.map(records, workers=workers)))


def reading(place: Path, workers: int) -> Measured:
    """The part of a run that workers share in: from the source to the journal."""
    from fhirmap.runner.engine import build_engine
    from fhirmap.runner.ingest import ingest, maker_of
    from fhirmap.runner.project_file import load_project
    from fhirmap.runner.run import open_journal
    from fhirmap.runner.source import open_project_source

    for file in place.glob("journal.db*"):
        file.unlink()
    engine = build_engine(load_project(place))
    with open_project_source(engine.project, engine.plan) as source, open_journal(engine.project) as journal:
        journal.start_run(engine.digest)
        return measure(lambda: ingest(source.records(), maker_of(engine), journal, workers=workers))


WORKS: dict[str, Callable[[Path, int], Measured]] = {"reading": reading, "plan": plan, "transform": transform}


def in_process(place: Path, work: str, workers: int) -> Measured:
    """One work in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.workers", work, str(place), str(workers)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Measured(*json.loads(done.stdout))


def figures(count: int = INTERVENTIONS) -> list[Figure]:
    """Measure and print each work with one process and with two, by turns.

    Seconds have no bound: other work on the machine is in them.
    """
    runs: dict[tuple[str, int], list[Measured]] = {}
    with tempfile.TemporaryDirectory() as name:
        place = project(Path(name), count)
        for _ in range(ROUNDS):
            for work in WORKS:
                for workers in (1, WORKERS):
                    runs.setdefault((work, workers), []).append(in_process(place, work, workers))
    print(f"workers, {count:,} interventions: the least of {ROUNDS} rounds")
    found = []
    for work in WORKS:
        alone, shared = (least(runs[work, workers]) for workers in (1, WORKERS))
        for title, run in (("1 process", alone), (f"{WORKERS} workers", shared)):
            print(f"  {work:>9}  {title}  {run.seconds:6.2f} s  cpu {run.own_s:6.2f} s + {run.workers_s:6.2f} s")
        job = f"{work}, {WORKERS} workers"
        found.append(Figure(f"{job}, time", shared.seconds, "s", WANTED, math.inf, alone.seconds, "1 process"))
        bound = BOUND_OWN if work == "reading" else math.inf
        found.append(Figure(f"{job}, own CPU", shared.own_s, "s", bound, bound, alone.own_s, "1 process"))
    return found


def least(runs: Sequence[Measured]) -> Measured:
    """The least of each."""
    return Measured(
        min(run.seconds for run in runs), min(run.own_s for run in runs), min(run.workers_s for run in runs)
    )


def main(arguments: list[str]) -> int:
    """Measure and print; 1 where the reading's own share is over its bound. Or one work, for `in_process`."""
    if len(arguments) > 1:
        work, place, workers = arguments
        found = WORKS[work](Path(place), int(workers))
        print(json.dumps([found.seconds, found.own_s, found.workers_s]))
        return 0
    return code_of(figures(*map(int, arguments)))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
