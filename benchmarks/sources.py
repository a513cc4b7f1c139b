"""Each kind of source, measured: `python -m benchmarks.sources [kind [records]]`.

Generated records from a file to NDJSON, by a model and a map, against a reader that is written by hand with the same
library and writes the same lines; each in a process of its own. CPU times, which are the same on a busy machine, and
the peak memory of many records against that of few.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, code_of
from benchmarks.measured_run import peak_mib

ROOT = Path(__file__).resolve().parent.parent
FEW, MANY = 10_000, 100_000
ROUNDS = 3
WANTED_CPU, BOUND_CPU, BOUND_MEMORY = 2.0, 2.2, 1.35
"""In times of the reader by hand, the bound with some noise; memory in times of that of few records: it holds a small
entry for each key, and nothing else that grows."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of source. ``file``: a name for its file; ``models``: its models, the record's first, with the elements
    that the target has, too; ``write``: makes a file of so many records; ``read``: what a programmer would write, one
    dict a record; ``is_whole``: is a file of it in memory as a whole, whatever reads it?"""

    file: str
    models: str
    write: Callable[[Path, int], None]
    read: Callable[[Path], Iterator[dict[str, Any]]]
    is_whole: bool = False


KINDS: Mapping[str, str] = {
    "csv": "benchmarks.source_csv",
    "json": "benchmarks.source_json",
    "hl7": "benchmarks.source_hl7",
    "fixed": "benchmarks.source_fixed",
    "xml": "benchmarks.source_xml",
    "sheet": "benchmarks.source_sheet",
    "parquet": "benchmarks.source_parquet",
}
"""Where the `KIND` of each is."""


def kind_named(name: str) -> Kind:
    """The kind that is measured under a name."""
    found: Kind = import_module(KINDS[name]).KIND
    return found


@contextmanager
def few_records(kind: Kind) -> Iterator[Path]:
    """A file of some records, while it is used."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / kind.file
        kind.write(path, 10)
        yield path


def by_model(kind: Kind, path: Path, out: Path) -> float:
    """Write the records as a map reads them; the CPU time before the first one, in s."""
    from fhirmap.compilation.maps import compile_map
    from fhirmap.language.parser import parse
    from fhirmap.sources import open_source

    elements = parse(kind.models, "measured.map")[0].models[0].elements
    names = "".join(f"  {e.name} : {e.type} 0..{'*' if e.maximum is None else 1}\n" for e in elements)
    rules = "".join(f"  src.{e.name} as v -> tgt.{e.name} = v;\n" for e in elements)
    target = f"model Copy {{\n{names}}}\ngroup copy(source src : Record, target tgt : Copy) {{\n{rules}}}\n"
    transformer = compile_map(kind.models + target)
    assert transformer.store is not None
    # What a reader imports is loaded when the clock starts, either way.
    with few_records(kind) as few, open_source(f"{transformer.store.kind}://{few}", transformer.store) as source:
        assert all(transformer(record.values).valid for record in source.records())
    before = time.process_time()
    with (
        open_source(f"{transformer.store.kind}://{path}", transformer.store) as source,
        out.open("w", encoding="utf-8") as lines,
    ):
        for record in source.records():
            result = transformer(record.values)
            assert not record.faults and not result.faults
            lines.write(_line(result.resource))
    return before


def by_hand(kind: Kind, path: Path, out: Path) -> float:
    """Write the records as the program by hand reads them; the CPU time before the first one, in s."""
    with few_records(kind) as few:
        assert all(kind.read(few))
    before = time.process_time()
    with out.open("w", encoding="utf-8") as lines:
        for record in kind.read(path):
            lines.write(_line(record))
    return before


def _line(record: object) -> str:
    return json.dumps(record, ensure_ascii=False, default=str) + "\n"


@dataclass(frozen=True, slots=True)
class Spent:
    """``cpu_s``: of reading and writing; ``peak_mib``: the largest resident set."""

    cpu_s: float
    peak_mib: float


def spent(name: str, way: str, path: Path, out: Path) -> Spent:
    """What one way costs, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.sources", "--run", name, way, str(path), str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Spent(**json.loads(done.stdout))


def measure(name: str, many: int) -> Iterator[Figure]:
    """Print what a kind costs."""
    kind, few = kind_named(name), min(FEW, many // 2)
    with tempfile.TemporaryDirectory() as folder:
        path, small = Path(folder) / "many" / kind.file, Path(folder) / "few" / kind.file
        for place, count in ((path, many), (small, few)):
            place.parent.mkdir()
            kind.write(place, count)
        product, yardstick = Path(folder) / "by-model.ndjson", Path(folder) / "by-hand.ndjson"
        runs: dict[str, list[Spent]] = {"model": [], "hand": []}
        for _ in range(ROUNDS):
            runs["model"].append(spent(name, "model", path, product))
            runs["hand"].append(spent(name, "hand", path, yardstick))
        assert product.read_bytes() == yardstick.read_bytes(), "the model and the program by hand disagree"
        assert product.read_bytes().count(b"\n") == many
        flat = runs["model"][0].peak_mib / spent(name, "model", small, product).peak_mib
    model, hand = (min(entry.cpu_s for entry in runs[way]) for way in ("model", "hand"))
    print(
        f"  {name:<8} {many:>8,} records  cpu {model:6.2f} s  by hand {hand:6.2f} s  ratio {model / hand:.2f}"
        f" (wanted {WANTED_CPU})  peak {runs['model'][0].peak_mib:6.1f} MiB,"
        + (" read as a whole" if kind.is_whole else f" ratio {flat:.2f} (bound {BOUND_MEMORY})")
    )
    yield Figure(f"{many:,} records, {name}", model, "s", WANTED_CPU, BOUND_CPU, hand, "by hand")
    if not kind.is_whole:
        few_mib = runs["model"][0].peak_mib / flat
        title = f"memory of {many:,} records, {name}"
        yield Figure(title, runs["model"][0].peak_mib, "MiB", BOUND_MEMORY, BOUND_MEMORY, few_mib, f"{few:,}")


def figures(names: Iterable[str] = KINDS, many: int = MANY) -> list[Figure]:
    """Measure and print the kinds of these names."""
    print("sources, a file to NDJSON, one process")
    return [figure for name in names for figure in measure(name, many)]


def main(arguments: list[str]) -> int:
    """Measure the kinds, or the one that is named; 1 where one is over its bounds."""
    if arguments[:1] == ["--run"]:
        _, name, way, path, out = arguments
        before = {"model": by_model, "hand": by_hand}[way](kind_named(name), Path(path), Path(out))
        print(json.dumps({"cpu_s": time.process_time() - before, "peak_mib": peak_mib()}))
        return 0
    return code_of(figures(arguments[:1] or KINDS, *map(int, arguments[1:])))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
