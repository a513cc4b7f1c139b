"""Instructions of the processor that the main jobs take: `python -m benchmarks.instructions [job]`.

Where valgrind is installed, its callgrind counts them: the same on a busy machine, and nearly the same each time. A job
is done some times, and twice as many, each in a process of its own that counts from when it begins: the difference is
what it takes. Counted are our own way and no other.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from itertools import cycle, islice
from pathlib import Path

from benchmarks import measured_run, pipeline, questionnaire, sources, transformer, validator
from fhirmap.compilation.maps import compile_map

ROOT = Path(__file__).resolve().parent.parent

Work = Callable[[], object]


def _rows(_: Path, times: int) -> Work:
    transform, records = transformer.generated(), transformer.rows()
    return lambda: [transform(record) for record in islice(cycle(records), times)]


def _valid(_: Path, times: int) -> Work:
    validate, resource = validator.validators()["with our rules"], validator.build()
    return lambda: [validate(resource, []) for _ in range(times)]


def _name(_: Path, times: int) -> Work:
    text, _hand, others, *_bounds = questionnaire.BY_HAND["a name"]
    transform, content = compile_map(text, validate=False), questionnaire.answers(others)
    return lambda: [transform(content) for _ in range(times)]


def _csv(folder: Path, times: int) -> Work:
    kind, path = sources.kind_named("csv"), folder / "poses.csv"
    kind.write(path, times)
    return lambda: sources.by_model(kind, path, folder / "out.ndjson")


def _run(folder: Path, times: int) -> Work:
    measured_run.run(str(pipeline.project(folder, 1)))
    place = pipeline.project(folder, times)
    return lambda: measured_run.run(str(place))


JOBS: Mapping[str, tuple[Callable[[Path, int], Work], int]] = {
    "a row to Parameters": (_rows, 300),
    "the validator, with our rules": (_valid, 500),
    "questionnaire, a name": (_name, 1000),
    "100,000 records, csv": (_csv, 3000),
    "a run of 10,000 interventions": (_run, 500),
}
"""The five main jobs under their names in the table, and how often they are done."""


def counted(jobs: Iterable[str] = JOBS) -> dict[str, int]:
    """Thousands of instructions of a job, done once; of none where there is no valgrind."""
    if shutil.which("valgrind") is None:
        return {}
    return {job: _of(job, JOBS[job][1]) for job in jobs}


def _of(job: str, times: int) -> int:
    return round((_counted(job, 2 * times) - _counted(job, times)) / times / 1000)


def _counted(job: str, times: int) -> int:
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={os.devnull}"]
    command += [sys.executable, "-m", "benchmarks.instructions", "--run", job, str(times)]
    seeded = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=ROOT, env=seeded, capture_output=True, text=True, check=True)
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    assert found is not None, done.stderr
    return int(found[1])


def _count(state: str) -> None:
    """Let callgrind count, or count no more."""
    subprocess.run(["callgrind_control", "--instr=" + state, str(os.getpid())], check=True, stdout=subprocess.DEVNULL)


def main(arguments: list[str]) -> int:
    """Count and print; or do a job, which is counted from outside."""
    if arguments[:1] == ["--run"]:
        begin, times = JOBS[arguments[1]][0], int(arguments[2])
        with tempfile.TemporaryDirectory() as folder:
            work = begin(Path(folder), times)
            _count("on")
            work()
            _count("off")
        return 0
    found = counted(arguments or JOBS)
    print("instructions, by callgrind" if found else "valgrind is not installed: no instructions are counted")
    for job, count in found.items():
        print(f"  {job:<32}{count:>8,} k")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
