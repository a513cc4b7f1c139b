"""Kills ``fhirmap run`` with SIGKILL at random points against a simulator that fails often, then lets it finish, and
checks that

- nothing is lost: every record ends accepted, and the registry holds each of them;
- nothing is sent after its acceptance was recorded: once the journal says accepted, no further call bears that payload;
- whatever the registry was sent twice is on the journal's list of possible duplicates;
- no call of a killed run is overlapped by another of the same request;
- the archive is what the registry gave, each identifier once, and no half-written file is left.

    python benchmarks/kill.py [--kills 200] [--records 2000] [--seed 1] [--journal postgresql://…]

A process is killed at any moment: while it starts, reads, sends, or writes back. The journal is a file, or in a
database of its own on the server that `--journal` names.

The simulator runs in this process, so it outlives every kill and remembers each call.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from fhirmap.registry import Client, InjectedFault, InjectedKind, RegistryConfig, RegistryServer

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "clinique-sainte-aubierge"
KINDS = ("500", "503", "reset", "reset-before", "truncated", "html", "empty", "html-503", "429", "slow")
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


class Overlaps:
    """Which requests were being answered when they came again: between a call's arrival and the end of its answer."""

    def __init__(self, server: RegistryServer) -> None:
        self.keys: list[str] = []
        self._under_way: Counter[str] = Counter()
        self._answer = server.simulator._answer
        server.simulator._answer = self._noted  # type: ignore[assignment, method-assign]

    async def _noted(self, request: Any, *given: Any) -> Any:
        key = request.headers["x-request-id"]
        if self._under_way[key]:
            self.keys.append(key)
        self._under_way[key] += 1
        try:
            return await self._answer(request, *given)
        finally:
            self._under_way[key] -= 1


class JournalTables:
    """The journal's tables, seen from outside. ``place``: the URL of a database, a file's with ``sqlite://``."""

    def __init__(self, place: str) -> None:
        self._engine = create_engine(place, poolclass=NullPool)

    def column(self, statement: str) -> list[Any]:
        """The first column; nothing before the tables are there."""
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(text(statement)).scalars())
        except (OperationalError, ProgrammingError):
            return []

    def acknowledged(self) -> set[str]:
        """Digests of the payloads whose acceptance the journal has recorded."""
        return set(self.column("SELECT digest FROM fhirmap_entry WHERE state = 'accepted'"))

    def doubtful(self) -> set[str]:
        """Digests of those that are in doubt."""
        return set(self.column("SELECT digest FROM fhirmap_entry WHERE in_doubt"))

    def make_due(self) -> None:
        """Two minutes pass."""
        with self._engine.begin() as connection:
            connection.execute(text("UPDATE fhirmap_entry SET not_before = 0"))


@contextmanager
def journal_at(server: str, folder: Path) -> Iterator[tuple[str, JournalTables]]:
    """A line of `[journal]` and the tables: in a file, or in a new database of ``server``."""
    if not server:
        yield 'path = "journal.db"', JournalTables(f"sqlite:///{folder / 'journal.db'}")
        return
    name = f"killed_{uuid.uuid4().hex[:12]}"
    at = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with at.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        place = make_url(server).set(database=name).render_as_string(hide_password=False)
        yield f'url = "{place}"', JournalTables(place)
    finally:
        with at.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def make_project(folder: Path, server: RegistryServer, records: int, journal: str) -> None:
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
        f'url = "{server.url}"\ntimeout_s = 2\n[sink.auth]\nkind = "client_credentials"\nclient_id = "kill"\n'
        f'client_secret = "{SECRET}"\ntoken_url = "{server.token_url}"\nscope = "implant"\n'
        "[limits]\nrate_per_s = 200\nconcurrency = 8\nattempts = 20\nbackoff_s = 0.02\n"
    )
    assert 'url = "simulator"' in settings
    settings = settings.replace('url = "simulator"', sink)
    assert 'path = "journal.db"' in settings
    (folder / "fhirmap.toml").write_text(settings.replace('path = "journal.db"', journal), encoding="utf-8")


def start(folder: Path) -> subprocess.Popen[bytes]:
    """``fhirmap run`` as a process of its own."""
    command = [sys.executable, "-m", "fhirmap", "run", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def kill_often(kills: int, records: int, seed: int, journal_server: str = "") -> Findings:
    """Runs, kills ``kills`` times, runs to the end, and looks."""
    rng = random.Random(seed)
    faults = tuple(InjectedFault(InjectedKind(kind), rate=0.02, after_s=0.5) for kind in KINDS)
    config = RegistryConfig(clients=(Client("kill", SECRET),), faults=faults, rate_per_s=0, seed=seed)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as place, RegistryServer(config) as server:
        folder = Path(place) / "project"
        overlaps = Overlaps(server)
        with journal_at(journal_server, folder) as (line, journal):
            make_project(folder, server, records, line)
            calls = server.simulator.registry.calls
            done = 0
            while done < kills:
                known, before = journal.acknowledged(), len(calls)
                process = start(folder)
                # As many calls are left to each as make them last for all kills, so that each part is met by some.
                _wait_for_a_moment(process, calls, before, rng, most=2 * records // kills)
                process.send_signal(signal.SIGKILL)
                process.communicate()
                done += 1
                wrong += _sent_again(known, calls[before:])
            for _ in range(20):
                known, before = journal.acknowledged(), len(calls)
                process = start(folder)
                _, output = process.communicate(timeout=600)
                wrong += _sent_again(known, calls[before:])
                if process.returncode not in (0, 1, 3):
                    wrong.append(f"exit code {process.returncode}: {output.decode()[-500:]}")
                if len(journal.acknowledged()) == records:
                    break
                journal.make_due()
            wrong += _look(folder, server, records, len(journal.acknowledged()))
            doubtful = journal.doubtful()
        wrong += [f"two calls at once of {key}" for key in overlaps.keys]
        repeated = {call.digest for call in calls if call.is_repeat}
        wrong += [f"sent twice and not listed: {digest[:12]}" for digest in repeated - doubtful]
        return Findings(done, len(calls), records, len(repeated), len(doubtful), tuple(wrong))


def _wait_for_a_moment(
    process: subprocess.Popen[bytes], calls: Sequence[object], before: int, rng: random.Random, most: int
) -> None:
    """Any moment: before anything is sent, within the first calls or some more, or when there are no more."""
    enough = before + rng.choice([0, 1, 2, 3, 5, 8, most, 2 * most])
    deadline = time.monotonic() + 20
    while len(calls) < enough and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(rng.uniform(0, 0.05) if enough > before else rng.uniform(0, 3))


def _sent_again(known: set[str], calls: Sequence[object]) -> list[str]:
    return [f"sent after its acceptance was recorded: {c.digest[:12]}" for c in calls if c.digest in known]  # type: ignore[attr-defined]


def _look(folder: Path, server: RegistryServer, records: int, taken: int) -> list[str]:
    wrong = []
    registry = server.simulator.registry
    if taken != records:
        wrong.append(f"{records - taken} of {records} records are not accepted")
    if registry.associated != records:
        wrong.append(f"the registry holds {registry.associated} of {records} operations")
    with (folder / "renacot.csv").open(encoding="utf-8", newline="") as file:
        archived = {row["key"]: row["value"] for row in csv.DictReader(file, delimiter=";")}
    given = {call.identifier for call in registry.calls if call.identifier}
    if len(archived) != records or len(set(archived.values())) != records or not set(archived.values()) <= given:
        wrong.append(f"{len(archived)} identifiers archived, {len(set(archived.values()))} of them distinct")
    wrong += [f"left: {path.name}" for path in folder.rglob(".*.part")]
    return wrong


def main() -> int:
    """Exit code 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--journal", default="")
    given = parser.parse_args()
    started = time.monotonic()
    found = kill_often(given.kills, given.records, given.seed, given.journal)
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
