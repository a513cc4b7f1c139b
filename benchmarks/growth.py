"""Growth, measured: `python -m benchmarks.growth [job [largest size]]`.

Ten times the input may cost about ten times the time, whatever grows: children of a record, rules of a group, codes of
a map, items of a form, lines of records far apart, records of one document, records of a run. Each size in a process of
its own: the CPU time of the work, what ten times the size cost more, and the peak of the process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measured_run, pipeline, questionnaire
from benchmarks.figures import Figure, code_of
from benchmarks.measured_run import peak_mib

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3
BOUND_RATIO = 13.0
"""What ten times the size may cost in times of the smaller: ten, and a margin for caches that are too small."""
_NOISE = 1.6
"""How much longer a time may be on a slower or a busy machine."""

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Job:
    """What grows. ``sizes``: each ten times the last; ``write``: makes the files of a size, if it needs any; ``begin``:
    what comes before the work that is measured, which it gives.

    Bounds, where there are any: ``cpu_s`` and ``mib`` are of the largest size, ``memory`` is its peak in times of that
    of the smallest.
    """

    unit: str
    sizes: tuple[int, ...]
    begin: Callable[[Path, int], Work]
    write: Callable[[Path, int], None] | None = None
    cpu_s: float | None = None
    mib: float | None = None
    memory: float | None = None


# --- children of one record -------------------------------------------------------------------------------------------


def children(_: Path, size: int) -> Work:
    """An intervention of the example with so many pieces, all of one article; validated by the registry's contract."""
    from fhirmap.compilation.maps import compile_map

    target = ROOT / "maps" / "renacot"
    texts = (ROOT / "examples" / "ch-valmorel" / "valmorel.map", target / "renacot.map")
    transform = compile_map(*texts, definitions=[target / "definitions"])
    article = {"ref_fabricant": "REF-CUP", "libelle": "Cupule", "gtin": "02999000000029", "famille": "CUP"}
    article["fournisseur"] = [{"raison_sociale": "Orthofictif"}]  # type: ignore[assignment]

    def piece(number: int) -> dict[str, object]:
        code = f"01029990000000291729063010L{number:06}"
        lot = {"num_lot": f"L{number:06}", "date_peremption": "2029-06-30", "code_barre": code}
        return {"id_article": 2, "num_serie": None, "qte": 1, "rang": 1 + number, "article": [article], **lot}

    record = {
        "id_intervention": 1,
        "statut": "R",
        "date_debut": "20250218080010",
        "cote": "G",
        "typ_pe": None,
        "patient": [{"nir": "2400372951001", "cle_nir": "08"}],
        "operateur": [{"rpps": "10999000028"}],
        "site": [{"finess_geo": "990000127"}],
        "actes": [{"code_ccam": "NEKA020"}],
        "poses": [piece(number) for number in range(size)],
    }

    def work() -> None:
        result = transform(record)
        assert result.resource is not None
        assert sum(entry["name"] == "implants" for entry in result.resource["parameter"]) == size
        # More pieces than the registry takes: the only fault, of the record as a whole.
        assert {fault.rule for fault in result.faults} <= {"ph-requires-implants-count"}, result.faults[:3]

    return work


# --- rules, codes -----------------------------------------------------------------------------------------------------


def rules(_: Path, size: int) -> Work:
    """A group of so many rules: one parameter each of a FHIR resource, every third on a condition."""
    from fhirmap.compilation.maps import compile_map

    def rule(number: int) -> str:
        is_plain = number % 3 > 0
        source = f"src.{'abc'[number % 3]} as v" if is_plain else f"src where (b != 'x{number}')"
        value = "v" if is_plain else "src.a"
        return f"  {source} -> tgt.parameter as p, p.name = 'n{number}', p.value = {value} \"r{number}\";\n"

    text = (
        'uses "http://hl7.org/fhir/StructureDefinition/Parameters" alias Parameters as target\n'
        "model Row from csv key 'a' { a : string 0..1 b : string 0..1 c : string 0..1 }\n"
        "group main(source src : Row, target tgt : Parameters) {\n" + "".join(map(rule, range(size))) + "}\n"
    )
    return lambda: compile_map(text)


def codes(_: Path, size: int) -> Work:
    """A map with a concept map of so many codes in its text."""
    from fhirmap.compilation.maps import compile_map

    rows = "".join(f"  s:A{number} - t:B{number}\n" for number in range(size))
    text = f'conceptmap "codes" {{\n  prefix s = "urn:x:s"\n  prefix t = "urn:x:t"\n{rows}}}\n{_TRANSLATED}'
    return lambda: compile_map(text)


def table(folder: Path, _: int) -> Work:
    """The same from a table beside the map."""
    from fhirmap.compilation.maps import compile_map

    text = (
        "conceptmap \"codes\" from 'codes.csv' columns 'source', 'target' delimiter ',' {\n"
        '  prefix s = "urn:x:s"\n  prefix t = "urn:x:t"\n}\n' + _TRANSLATED
    )
    return lambda: compile_map(text, folder=folder)


def write_table(folder: Path, size: int) -> None:
    """The table of codes."""
    rows = "".join(f"A{number},B{number}\n" for number in range(size))
    (folder / "codes.csv").write_text(f"source,target\n{rows}", encoding="utf-8")


_TRANSLATED = """
model Row from csv key 'a' { a : code 0..1 }
model Copy { a : code 0..1 }
group main(source src : Row, target tgt : Copy) { src.a as v -> tgt.a = translate(v, '#codes', 'code'); }
"""


# --- items of one document --------------------------------------------------------------------------------------------


def items(_: Path, size: int) -> Work:
    """A questionnaire response of so many items."""
    from fhirmap.compilation.maps import compile_map

    transform, content = compile_map(questionnaire.MAP), questionnaire.response(size)
    return lambda: transform(content)


def read_all(map_text: str, address: str, size: int) -> Work:
    """All records of a file through a map, none of them kept."""
    from fhirmap.compilation.maps import compile_map
    from fhirmap.sources import open_source

    transform = compile_map(map_text)
    assert transform.store is not None
    plan = transform.store

    def work() -> None:
        count = 0
        with open_source(address, plan) as source:
            for record in source.records():
                result = transform(record.values)
                assert not record.faults and not result.faults
                count += 1
        assert count == size, count

    return work


_LINES = """
model Record from csv key 'id' { id : string 1..1  pieces : Piece 1..* lines }
model Piece { lot : string 0..1  text : string 0..1 }
model Copy { id : string 0..1  lot : string 0..* }
group main(source src : Record, target tgt : Copy) { src.id as v -> tgt.id = v; src.pieces as p -> tgt.lot = p.lot; }
"""


def lines(folder: Path, size: int) -> Work:
    """So many records of four lines each, the lines of a record as far apart as they can be."""
    return read_all(_LINES, f"csv://{folder / 'lines.csv'}", size)


def write_lines(folder: Path, size: int) -> None:
    """The file of lines: the first of every record, then the second, and so on."""
    with (folder / "lines.csv").open("w", encoding="utf-8") as file:
        file.write("id,lot,text\n")
        for line in range(4):
            file.writelines(f"S{number:07},L{number}X{line},Tige\n" for number in range(size))


_BUNDLE = """
model Record from json path 'entry' key 'resource.id' {
  id : string 1..1 from 'resource.id'  text : string 0..1 from 'resource.text'
}
model Copy { id : string 0..1  text : string 0..1 }
group main(source src : Record, target tgt : Copy) { src.id as v -> tgt.id = v; src.text as v -> tgt.text = v; }
"""


def document(folder: Path, size: int) -> Work:
    """One document of so many records, 200 bytes each."""
    return read_all(_BUNDLE, f"json://{folder / 'bundle.json'}", size)


def write_document(folder: Path, size: int) -> None:
    """The document."""
    with (folder / "bundle.json").open("w", encoding="utf-8") as file:
        file.write('{"resourceType": "Bundle", "type": "collection", "entry": [')
        for number in range(size):
            resource = {"resourceType": "Basic", "id": f"S{number:07}", "text": "Tige", "code": {"text": "x" * 90}}
            entry = {"fullUrl": f"urn:x:{number:07}", "resource": resource}
            file.write((", " if number else "") + json.dumps(entry))
        file.write("]}")


# --- records of a run -------------------------------------------------------------------------------------------------


def interventions(folder: Path, size: int) -> Work:
    """A run of so many interventions from SQLite to NDJSON, through the journal."""

    def work() -> None:
        ledger = measured_run.run(str(folder / f"of-{size}"))
        assert ledger["read"] == ledger["accepted"] == size, ledger

    return work


def write_interventions(folder: Path, size: int) -> None:
    """The project and its database."""
    pipeline.project(folder, size)


JOBS: Mapping[str, Job] = {
    "children": Job("pieces of one record", (1_000, 10_000, 100_000), children),
    "rules": Job("rules of a group", (50, 500, 5_000), rules, cpu_s=5.0),
    "codes": Job("codes in the map", (3_000, 30_000, 300_000), codes),
    "table": Job("codes in a table", (3_000, 30_000, 300_000), table, write_table),
    "items": Job("items of a form", (1_000, 10_000, 100_000), items),
    "lines": Job("records of lines apart", (2_500, 25_000, 250_000), lines, write_lines),
    "document": Job("records of a document", (9_000, 90_000, 900_000), document, write_document, mib=150.0),
    "interventions": Job(
        "interventions of a run", (10_000, 100_000, 1_000_000), interventions, write_interventions, memory=1.2
    ),
}


@dataclass(frozen=True, slots=True)
class Spent:
    """``cpu_s``: of the work; ``peak_mib``: the largest resident set of its process."""

    cpu_s: float
    peak_mib: float


def least(name: str, size: int) -> Spent:
    """What one size costs: the least of some rounds, the largest size measured once."""
    rounds = [spent(name, size) for _ in range(1 if size == JOBS[name].sizes[-1] else ROUNDS)]
    return min(rounds, key=lambda entry: entry.cpu_s)


def spent(name: str, size: int) -> Spent:
    """What one size costs, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        write = JOBS[name].write
        if write is not None:
            write(Path(folder), size)
        command = [sys.executable, "-m", "benchmarks.growth", "--run", name, str(size), folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Spent(**json.loads(done.stdout))


def measure(name: str, largest: int) -> Iterator[Figure]:
    """Print what each size costs."""
    job, found = JOBS[name], {size: least(name, size) for size in JOBS[name].sizes if size <= largest}
    sizes = list(found)
    for number, size in enumerate(sizes):
        cpu, peak = found[size].cpu_s, found[size].peak_mib
        line = f"  {name:<14}{size:>10,} {job.unit:<23} cpu {cpu:8.2f} s  peak {peak:7.1f} MiB"
        if number:
            before = sizes[number - 1]
            title = f"{size:,} {job.unit}"
            yield Figure(title, cpu, "s", size / before, BOUND_RATIO, found[before].cpu_s, f"{before:,}")
        print(line, flush=True)
    first, last, title = found[sizes[0]], found[sizes[-1]], f"{sizes[-1]:,} {job.unit}"
    if job.cpu_s is not None:
        yield Figure(f"{title}: time", last.cpu_s, "s", job.cpu_s, job.cpu_s * _NOISE)
    if job.mib is not None:
        yield Figure(f"{title}: memory", last.peak_mib, "MiB", job.mib, job.mib)
    if job.memory is not None:
        few = f"{sizes[0]:,}"
        yield Figure(f"{title}: memory", last.peak_mib, "MiB", job.memory, job.memory, first.peak_mib, few)


def figures(names: Iterable[str] = JOBS, largest: int = sys.maxsize) -> list[Figure]:
    """Measure and print the jobs of these names."""
    print("growth, each size in a process of its own")
    return [figure for name in names for figure in measure(name, largest)]


def main(arguments: list[str]) -> int:
    """Measure the jobs, or the one that is named; 1 where one is over its bounds."""
    if arguments[:1] == ["--run"]:
        _, name, size, folder = arguments
        work = JOBS[name].begin(Path(folder), int(size))
        before = time.process_time()
        work()
        print(json.dumps({"cpu_s": time.process_time() - before, "peak_mib": peak_mib()}))
        return 0
    return code_of(figures(arguments[:1] or JOBS, *map(int, arguments[1:])))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
