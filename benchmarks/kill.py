"""Kills ``fhirmap run`` with SIGKILL at random points against a simulator that fails often, then lets it finish, and
checks that

- nothing is lost: every record ends accepted, and the registry holds each of them;
- nothing is sent after its acceptance was recorded: once the journal says accepted, no further call bears that payload;
- whatever the registry was sent twice is on the journal's list of possible duplicates;
- the identifiers are archived, each once.

    python benchmarks/kill.py [--kills 50] [--records 400] [--seed 1]

The simulator runs in this process, so it outlives every kill and remembers each call.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fhirmap.registry import Client, InjectedFault, InjectedKind, RegistryConfig, RegistryServer

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "clinique-sainte-aubierge"
KINDS = ("500", "503", "reset", "reset-before", "truncated", "html", "empty", "html-503", "429")
SECRET = "kill-test"


@dataclass(frozen=True, slots=True)
class Findings:
    """What the killing came to; ``wrong`` is empty where every promise was kept."""

    kills: int
    calls: int
    records: int
    repeats: int
    possible_duplicates: int
    wrong: tuple[str, ...]


def make_project(folder: Path, server: RegistryServer, records: int) -> None:
    """A copy of an example with ``records`` operations, each on a day of its own, sent to ``server`` as fast as it
    can."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("journal*", "reports", "*.csv"))
    data = json.loads((EXAMPLE / "data" / "cases.json").read_text(encoding="utf-8"))
    model = data["cases"][0]
    data["cases"] = [
        {**model, "caseId": f"KILL-{number:05d}", "startedAt": f"{1990 + number // 336}-{number // 28 % 12 + 1:02d}"
         f"-{number % 28 + 1:02d}T08:30:00Z"}
        for number in range(records)
    ]  # fmt: skip
    (folder / "data" / "cases.json").write_text(json.dumps(data), encoding="utf-8")
    settings = (folder / "fhirmap.toml").read_text(encoding="utf-8")
    sink = (
        f'url = "{server.url}"\n[sink.auth]\nkind = "client_credentials"\nclient_id = "kill"\n'
        f'client_secret = "{SECRET}"\ntoken_url = "{server.token_url}"\nscope = "implant"\n'
        "[limits]\nrate_per_s = 200\nattempts = 20\nbackoff_s = 0.02\n"
    )
    assert 'url = "simulator"' in settings
    (folder / "fhirmap.toml").write_text(settings.replace('url = "simulator"', sink), encoding="utf-8")


def start(folder: Path) -> subprocess.Popen[bytes]:
    """``fhirmap run`` as a process of its own."""
    command = [sys.executable, "-m", "fhirmap", "run", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def acknowledged(journal: Path) -> set[str]:
    """Digests of the payloads whose acceptance the journal has recorded."""
    if not journal.exists():
        return set()
    connection = sqlite3.connect(journal, timeout=30)
    try:
        return {row[0] for row in connection.execute("SELECT digest FROM fhirmap_entry WHERE state = 'accepted'")}
    except sqlite3.OperationalError:  # killed before its tables were made
        return set()
    finally:
        connection.close()


def kill_often(kills: int, records: int, seed: int) -> Findings:
    """Runs, kills ``kills`` times, runs to the end, and looks."""
    rng = random.Random(seed)
    faults = tuple(InjectedFault(InjectedKind(kind), rate=0.02) for kind in KINDS)
    config = RegistryConfig(clients=(Client("kill", SECRET),), faults=faults, rate_per_s=0, seed=seed)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as place, RegistryServer(config) as server:
        folder = Path(place) / "project"
        make_project(folder, server, records)
        journal = folder / "journal.db"
        calls = server.simulator.registry.calls
        done = 0
        while done < kills:
            known, before = acknowledged(journal), len(calls)
            process = start(folder)
            _wait_for_a_moment(process, calls, before, rng)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            done += 1
            wrong += _sent_again(known, calls[before:])
        for _ in range(20):
            known, before = acknowledged(journal), len(calls)
            process = start(folder)
            _, output = process.communicate(timeout=300)
            wrong += _sent_again(known, calls[before:])
            if process.returncode not in (0, 1, 3):
                wrong.append(f"exit code {process.returncode}: {output.decode()[-500:]}")
            if len(acknowledged(journal)) == records:
                break
            _make_due(journal)
        wrong += _look(folder, server, records)
        doubtful = _doubtful(journal)
        repeated = {call.digest for call in calls if call.is_repeat}
        wrong += [f"sent twice and not listed: {digest[:12]}" for digest in repeated - doubtful]
        return Findings(done, len(calls), records, len(repeated), len(doubtful), tuple(wrong))


def _wait_for_a_moment(
    process: subprocess.Popen[bytes], calls: Sequence[object], before: int, rng: random.Random
) -> None:
    """Any moment: before anything is sent, within the first calls, or a little later."""
    enough = before + rng.choice([0, 1, 2, 3, 5, 8])
    deadline = time.monotonic() + 20
    while len(calls) < enough and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(rng.uniform(0, 0.05) if enough > before else rng.uniform(0, 1.5))


def _sent_again(known: set[str], calls: Sequence[object]) -> list[str]:
    return [f"sent after its acceptance was recorded: {c.digest[:12]}" for c in calls if c.digest in known]  # type: ignore[attr-defined]


def _make_due(journal: Path) -> None:
    """Two minutes pass."""
    with sqlite3.connect(journal, timeout=30) as connection:
        connection.execute("UPDATE fhirmap_entry SET not_before = 0")
    connection.close()


def _doubtful(journal: Path) -> set[str]:
    connection = sqlite3.connect(journal, timeout=30)
    try:
        return {row[0] for row in connection.execute("SELECT digest FROM fhirmap_entry WHERE in_doubt")}
    finally:
        connection.close()


def _look(folder: Path, server: RegistryServer, records: int) -> list[str]:
    wrong = []
    taken = len(acknowledged(folder / "journal.db"))
    if taken != records:
        wrong.append(f"{records - taken} of {records} records are not accepted")
    if server.simulator.registry.associated != records:
        wrong.append(f"the registry holds {server.simulator.registry.associated} of {records} operations")
    with (folder / "renacot.csv").open(encoding="utf-8", newline="") as file:
        archived = [row["key"] for row in csv.DictReader(file, delimiter=";")]
    if len(archived) != len(set(archived)) or len(archived) != records:
        wrong.append(f"{len(archived)} identifiers archived, {len(set(archived))} of them distinct, {records} wanted")
    return wrong


def main() -> int:
    """Exit code 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--records", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    started = time.monotonic()
    found = kill_often(given.kills, given.records, given.seed)
    print(
        f"{found.kills} kills, {found.records} records, {found.calls} calls in {time.monotonic() - started:.0f} s: "
        f"{found.repeats} sent twice, {found.possible_duplicates} listed as possible duplicates"
    )
    for line in found.wrong:
        print(f"WRONG  {line}")
    print("nothing lost, nothing sent after its acceptance was recorded" if not found.wrong else "promises broken")
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
