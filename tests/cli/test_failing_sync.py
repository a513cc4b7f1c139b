"""A disk that answers `fsync` with an error, at each place that a run writes to: it is said by a code, nothing leaves
that is not recorded before, and the next run goes on."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import ROWS, Done, Receiver, Tiny, as_process, in_process
from tests.cli.failing_sync import compiled, failing

Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a library is loaded before the others")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = compiled(tmp_path_factory.mktemp("library"))
    if found is None:
        pytest.skip("no C compiler")
    return found


def nothing_is_lost(project: Tiny, received: list[bytes], first: Done) -> None:
    """After a run that failed: the next one sends what is not accepted, and who was asked twice is in doubt."""
    assert "Traceback" not in first.out + first.err, first
    before = Counter(received)
    assert set(before.values()) <= {1}, "nothing leaves twice in one run"
    done = in_process("run", project.folder)
    assert done.code in (0, 1), done
    status = json.loads(in_process("status", project.folder, "--json").out)
    assert status["states"] == {"accepted": 3}, status
    twice = [body for body, count in Counter(received).items() if count > 1]
    assert len(twice) <= len(status["possible_duplicates"])
    assert set(Counter(received).values()) <= {1, 2}
    assert json.loads(in_process("journal", "verify", project.folder, "--json").out) == {"findings": []}


@pytest.mark.parametrize("first", [1, 2, 4, 6, 8, 10, 12])
@pytest.mark.parametrize("times", [1, None])
def test_the_journal(tiny: Make, receiver: Receiving, library: Path, first: int, times: int | None) -> None:
    found = receiver()
    project = tiny().to(found.url, limits="rate_per_s = 500\nattempts = 1\nbackoff_s = 0\nconcurrency = 1")
    done = as_process("run", project.folder, env=failing(library, "journal.db", first, times))
    if done.code == 3:
        assert "FM800" in done.out + done.err, done
        assert "SQLITE_IOERR_FSYNC" in done.out + done.err, done
    else:
        # A log that SQLite cannot carry over into the file yet is carried over by the next who can.
        assert done.code in (0, 1), done
        assert times == 1 or first > 1
    nothing_is_lost(project, found.received, done)


def test_the_archive(tiny: Make, receiver: Receiving, library: Path) -> None:
    found = receiver()
    project = tiny().to(found.url, archive__csv='path = "archive.csv"')
    done = as_process("run", project.folder, env=failing(library, "archive.csv", 1))
    assert (done.code, "FM808" in done.out) == (3, True), done
    assert not (project.folder / "archive.csv").exists()
    assert in_process("run", project.folder).code == 0
    assert len((project.folder / "archive.csv").read_text(encoding="utf-8").splitlines()) == 4
    assert len(found.received) == 3
    nothing_is_lost(project, found.received, done)


def test_the_archive_that_was_there_stays_whole(tiny: Make, receiver: Receiving, library: Path) -> None:
    found = receiver()
    project = tiny().to(found.url, archive__csv='path = "archive.csv"').write(ROWS[:1])
    assert in_process("run", project.folder).code == 0
    before = (project.folder / "archive.csv").read_bytes()
    project.write(ROWS)
    assert as_process("run", project.folder, env=failing(library, "archive.csv", 1)).code == 3
    assert (project.folder / "archive.csv").read_bytes() == before
    assert [path.name for path in project.folder.iterdir() if "part" in path.name] == []


def test_the_report(tiny: Make, receiver: Receiving, library: Path) -> None:
    found = receiver()
    project = tiny().to(found.url)
    done = as_process("run", project.folder, env=failing(library, "/reports/", 1))
    assert (done.code, len(found.received)) == (0, 3), "a report that cannot be written does not undo the run"
    assert "report" in done.out
    assert list((project.folder / "reports").glob("*")) == []


def test_results_in_a_file(tiny: Make, library: Path) -> None:
    project = tiny()
    done = as_process("run", project.folder, env=failing(library, "out.ndjson", 1))
    assert done.code == 3, done
    assert "error[FM900]" not in done.out + done.err
    assert in_process("run", project.folder).code in (0, 1)
    assert len({entry["parameter"][0]["valueString"] for entry in project.sent}) == 3


def test_a_backup(tiny: Make, library: Path, tmp_path: Path) -> None:
    project = tiny()
    assert in_process("run", project.folder).code == 0
    done = as_process("journal", "backup", tmp_path / "copy.db", project.folder, env=failing(library, "copy.db", 1))
    assert (done.code, "FM800" in done.err) == (3, True), done
    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == []


def test_what_is_kept_of_maps(tiny: Make, library: Path) -> None:
    project = tiny()
    kept = os.environ["XDG_CACHE_HOME"]
    assert as_process("run", project.folder, env=failing(library, kept, 1)).code == 0
    assert in_process("run", project.folder).code == 0
