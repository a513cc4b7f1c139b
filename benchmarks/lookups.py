"""Look-ups in a large table, measured: `python -m benchmarks.lookups [table [lines]]`.

A table of the size and shape of national directories is joined to records: how long it takes to open it, what it keeps
in memory, and how many rows are found in a second; against a reader by hand that keeps all rows in a dict. Each in a
process of its own; CPU times, since other work would be in those of a clock.
"""

from __future__ import annotations

import csv
import io
import json
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, code_of
from benchmarks.measured_run import peak_mib

ROOT = Path(__file__).resolve().parent.parent
LINES, ASKED = 300_000, 50_000
ROUNDS = 3
BOUND_MIB, BOUND_OPEN_S = 60.0, 1.0
FIRST_KEY = 10_000_000_000


@dataclass(frozen=True, slots=True)
class Table:
    """The shape of a table. ``model``: its `from` in a map; ``key``: the place of the key's column, from 0."""

    file: str
    model: str
    delimiter: str
    columns: int
    key: int
    has_names: bool = True
    encoding: str = "utf-8"
    quote: str = ""


TABLES: Mapping[str, Table] = {
    "pipes": Table("people.txt", "csv delimiter '|'", "|", 56, 1),
    "zipped": Table("people.zip", "csv delimiter '|'", "|", 56, 1),
    "nameless": Table("places.csv", "csv delimiter ';' header none", ";", 32, 1, has_names=False),
    "quoted": Table("products.csv", "csv delimiter ';'", ";", 30, 0, quote='"'),
    "latin": Table("articles.csv", "csv delimiter ';' encoding 'cp1252'", ";", 30, 12, encoding="cp1252"),
}


def write(table: Table, path: Path, lines: int) -> None:
    """Make the file of a table."""
    chance, quote = random.Random(5), table.quote
    words = ["Hôpital", "Orthopédie", *("".join(chance.choices("ABCDEFGHIJ KLMNOPQRST", k=12)) for _ in range(400))]
    text = io.StringIO()
    if table.has_names:
        text.write(table.delimiter.join(f"{quote}c{place}{quote}" for place in range(table.columns)) + "\n")
    for number in range(lines):
        cells = chance.choices(words, k=table.columns)
        cells[::2] = [""] * len(cells[::2])
        cells[table.key] = str(FIRST_KEY + 7 * number)
        text.write(table.delimiter.join(f"{quote}{cell}{quote}" for cell in cells) + "\n")
    raw = text.getvalue().encode(table.encoding)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("people.txt", raw)
    else:
        path.write_bytes(raw)


def keys(lines: int) -> list[str]:
    """The keys that are asked for."""
    chance = random.Random(6)
    return [str(FIRST_KEY + 7 * chance.randrange(lines)) for _ in range(ASKED)]


@dataclass(frozen=True, slots=True)
class Cost:
    """``open_s``, ``asked_s``: CPU times; ``mib``: what the process needs more than before."""

    open_s: float
    asked_s: float
    mib: float


def by_index(table: Table, path: Path, lines: int) -> Cost:
    """What `join on` does: the table by its key, and its rows."""
    from fhirmap.compilation.maps import compile_map
    from fhirmap.sources import open_source
    from fhirmap.sources.store_rows import IndexedSource

    names = [str(place + 1) if not table.has_names else f"c{place}" for place in (table.key, table.key + 1)]
    elements = " ".join(f"{name} : string 0..1 from '{column}'" for name, column in zip("ab", names, strict=True))
    text = f"model Row from {table.model} key '{names[0]}' {{ {elements} }}"
    transformer = compile_map(text + "\ngroup g(source src : Row, target tgt) { src.a as v -> tgt.a = v; }\n")
    assert transformer.store is not None
    asked, before = keys(lines), peak_mib()
    with open_source(f"csv://{path}", transformer.store) as source:
        begin = time.process_time()
        assert isinstance(source, IndexedSource)
        index = source.joined_index(transformer.store.key)
        assert index is not None
        opened = time.process_time()
        for key in asked:
            assert len(index.rows((key,))) == 1
        done = time.process_time()
        index.close()
    return Cost(opened - begin, done - opened, peak_mib() - before)


def by_hand(table: Table, path: Path, lines: int) -> Cost:
    """What a programmer would write: the two columns of each line in a dict."""
    asked, before = keys(lines), peak_mib()
    begin = time.process_time()
    raw = zipfile.ZipFile(path).read("people.txt") if path.suffix == ".zip" else b""
    with io.StringIO(raw.decode()) if raw else path.open(encoding=table.encoding, newline="") as file:
        rows = {row[table.key]: row[table.key : table.key + 2] for row in csv.reader(file, delimiter=table.delimiter)}
    opened = time.process_time()
    for key in asked:
        assert len(rows[key]) == 2
    return Cost(opened - begin, time.process_time() - opened, peak_mib() - before)


def cost(name: str, way: str, path: Path, lines: int) -> Cost:
    """What one way costs, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.lookups", "--run", name, way, str(path), str(lines)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Cost(**json.loads(done.stdout))


def measure(name: str, lines: int) -> Iterator[Figure]:
    """Print what a table costs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / TABLES[name].file
        write(TABLES[name], path, lines)
        runs = {way: [cost(name, way, path, lines) for _ in range(ROUNDS)] for way in WAYS}
    found, hand = (min(costs, key=lambda entry: entry.open_s) for costs in runs.values())
    print(
        f"  {name:<9}{lines:>8,} lines  open {found.open_s:5.2f} s (bound {BOUND_OPEN_S}), by hand {hand.open_s:5.2f} s"
        f"  memory {found.mib:6.1f} MiB (bound {BOUND_MIB}), by hand {hand.mib:6.1f} MiB"
        f"  look-ups {ASKED / found.asked_s:>9,.0f}/s"
    )
    title = f"a table of {lines:,} lines, {name}"
    yield Figure(f"{title}: to open", found.open_s, "s", BOUND_OPEN_S, BOUND_OPEN_S)
    yield Figure(f"{title}: memory", found.mib, "MiB", BOUND_MIB, BOUND_MIB)


WAYS = {"index": by_index, "hand": by_hand}


def figures(names: Iterable[str] = TABLES, lines: int = LINES) -> list[Figure]:
    """Measure and print the tables of these names."""
    print("look-ups in a large table, one process")
    return [figure for name in names for figure in measure(name, lines)]


def main(arguments: list[str]) -> int:
    """Measure the tables, or the one that is named; 1 where one is over its bounds."""
    if arguments[:1] == ["--run"]:
        _, name, way, path, count = arguments
        found = WAYS[way](TABLES[name], Path(path), int(count))
        print(json.dumps({"open_s": found.open_s, "asked_s": found.asked_s, "mib": found.mib}))
        return 0
    return code_of(figures(arguments[:1] or TABLES, *map(int, arguments[1:])))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
