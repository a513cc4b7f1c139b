"""Other programs that run maps of the FHIR Mapping Language: `python -m benchmarks.peers`.

The questionnaire jobs of `benchmarks.questionnaire`, from JSON text to JSON text as each program reads and writes it,
and from tree to tree where it has trees of its own. Each program does each job in a process of its own, which says the
time to its first result (start, with what it compiles), the time of each after that, and its memory. They are optional:
malac-hd and fhircraft are in the extra `bench`, @medplum/core comes with `npm install --prefix benchmarks`. What is not
installed, fails, or gives another result is said, and not compared.
"""

from __future__ import annotations

import json
import resource
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, code_of
from benchmarks.measured_run import peak_mib

_SCRIPT = Path(__file__).with_name("peers.js")
_ROUNDS = 12
_BUSY = 20_000
"""Microseconds that a round takes about."""
_LONGEST = 600
"""Seconds after which a program is given up."""


@dataclass(frozen=True, slots=True)
class Run:
    """A job as a program runs it: JSON text to JSON text, and tree to tree where it has trees of its own."""

    text: Callable[[], bytes | str]
    trees: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What a program said of a job. ``start``: seconds to the first result; ``text``, ``trees``: microseconds of one
    after that, 0 where it has none; ``memory``: MiB; ``problem``: why there is nothing of this."""

    result: Any = None
    start: float = 0.0
    text: float = 0.0
    trees: float = 0.0
    memory: float = 0.0
    problem: str = ""


def _fhirmap(map_text: str, content: bytes) -> Run:
    import msgspec

    import fhirmap

    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    transform, tree = fhirmap.compile_map(map_text, validate=False), decode(content)
    return Run(lambda: encode(transform(decode(content)).resource), lambda: transform(tree))


def _malac(map_text: str, content: bytes) -> Run:
    """Its compiler writes a module; what reads JSON keeps what it is given, so that each call has its own."""
    with tempfile.TemporaryDirectory() as folder:
        file, made = Path(folder) / "job.map", Path(folder) / "job.py"
        file.write_text(map_text, encoding="utf-8")
        compiler = shutil.which(Path(sys.executable).with_name("malac-hd")) or "malac-hd"
        subprocess.run([compiler, "-s", "-m", str(file), "-co", str(made)], check=True, capture_output=True)
        main = runpy.run_path(str(made))["main"]
    models, utils = import_module("malac.models.fhir.r4"), import_module("malac.models.fhir.utils")

    def filled(source: Any) -> Any:
        patient = models.Patient()
        main(source, patient)
        return patient

    def text() -> str:
        return json.dumps(filled(utils.parse_json(models, json.loads(content))).exportJson())

    return Run(text, partial(filled, utils.parse_json(models, json.loads(content))))


def _fhircraft(map_text: str, content: bytes) -> Run:
    import warnings

    warnings.simplefilter("ignore")
    mapper = import_module("fhircraft.fhir.mapper").FHIRStructureMapper(fhir_release="R4")
    parsed = mapper.parse(map_text)

    def text() -> str:
        (patient,) = mapper.map(parsed, json.loads(content))
        return str(patient.model_dump_json(exclude_none=True))

    return Run(text)


PROGRAMS: Mapping[str, Callable[[str, bytes], Run]] = {
    "fhirmap": _fhirmap,
    "malac-hd": _malac,
    "fhircraft": _fhircraft,
}
_MODULES = {"malac-hd": "malac", "fhircraft": "fhircraft"}
_WANTED = {"malac-hd": 1 / 15}
"""What part of a program's time ours is to take, from text to text; no more than it where nothing is said."""
_MEDPLUM = "@medplum/core"


def _jobs() -> Mapping[str, tuple[str, bytes, Any]]:
    """Job -> map, JSON text of the response, what is to come out."""
    from benchmarks import questionnaire

    said = questionnaire.answers()
    return {
        label: (text, json.dumps(said).encode(), by_hand(said))
        for label, (text, by_hand, _) in questionnaire.AS_TEXT.items()
    }


def _best(action: Callable[[], object]) -> float:
    """Microseconds of one call."""
    from benchmarks.timing import fastest

    first = fastest({"": action}, 2, 3)[""]
    return fastest({"": action}, _ROUNDS, max(1, int(_BUSY / (first + 0.01))))[""]


def measure(program: str, job: str) -> None:
    """Do a job in this process, and print what it took."""
    map_text, content, _ = json.loads(sys.stdin.read())[job]
    run = PROGRAMS[program](map_text, content.encode())
    result = json.loads(run.text())
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.process_time() + children.ru_utime + children.ru_stime
    found = {"result": result, "start": start, "text": _best(run.text)}
    found["trees"] = _best(run.trees) if run.trees is not None else 0.0
    print(json.dumps({**found, "memory": peak_mib()}))


def _asked(command: list[str], given: str) -> Measured:
    """What a process says of a job."""
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=_LONGEST)
    except subprocess.TimeoutExpired:
        return Measured(problem=f"could not run: no result in {_LONGEST} s")
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if "Error" in line or "[" in line[:4]] or lines
        return Measured(problem=f"could not run: {errors[-1].strip()[:90] if errors else done.returncode}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def figures() -> Iterator[Figure]:
    """Measure and print."""
    jobs = _jobs()
    given = json.dumps({job: (text, content.decode(), None) for job, (text, content, _) in jobs.items()})
    commands = {name: [sys.executable, "-m", "benchmarks.peers", "--measure", name] for name in PROGRAMS}
    absent = {name for name, module in _MODULES.items() if find_spec(module) is None}
    commands[_MEDPLUM] = ["node", str(_SCRIPT)]
    absent |= {_MEDPLUM} if shutil.which("node") is None else set()
    print("maps by other programs, JSON text to JSON text; start: CPU to the first result")
    for job, (_, _, wanted) in jobs.items():
        ours = Measured()
        for name, command in commands.items():
            found = Measured(problem="not installed") if name in absent else _asked([*command, job], given)
            if not found.problem and found.result != wanted:
                found = Measured(problem=f"another result: {json.dumps(found.result)[:70]}")
            if found.problem:
                print(f"  {job:12} {name:14} {found.problem}")
                continue
            trees = f"{found.trees:9.1f} us from tree to tree" if found.trees else ""
            print(
                f"  {job:12} {name:14} {found.text:9.1f} us {found.start:6.2f} s start {found.memory:6.0f} MiB {trees}"
            )
            if name == "fhirmap":
                ours = found
                continue
            yield Figure(f"{job} as text, {name}", ours.text, "us", _WANTED.get(name, 1.0), 1.0, found.text, name)
            if found.trees:
                yield Figure(f"{job}, {name}", ours.trees, "us", 1.0, 1.0, found.trees, name)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        raise SystemExit(code_of(list(figures())))
