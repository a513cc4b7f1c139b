"""What is listed and what is counted add up: where names are left out, the line says how many."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from fhirmap.runner.receiver_lines import receiver_lines
from fhirmap.texts import first_names, language_of
from tests.cli.conftest import Receiver, Tiny, accepted, in_process, receiver, tiny, unfolded

__all__ = ["receiver", "tiny"]

MANY = [(str(number), "151024610204372", "DURAND", "1951-02-03", f"L{number}") for number in range(1, 31)]
QUICK = "rate_per_s = 500\nattempts = 1\nbackoff_s = 0"


@pytest.mark.parametrize(("given", "count", "more"), [(3, None, 0), (6, 6, 0), (7, None, 1), (20, 30, 24)])
def test_names_that_are_left_out_are_counted(given: int, count: int | None, more: int) -> None:
    names = [f"k{number}" for number in range(given)]
    for code, words in (("en", " more"), ("fr", " autre")):
        with language_of(code):
            shown = first_names(names, count)
        assert len(re.findall(r"k\d+", shown)) + more == (count or given)
        assert (f"{more}{words}" in shown) == (more > 0)


def test_held_records(tiny: Callable[..., Tiny], receiver: Callable[..., Receiver]) -> None:
    project = tiny().write(MANY).to(receiver().url, limits=QUICK)
    assert in_process("run", project.folder).code == 0
    path = project.folder / "tiny.map"
    path.write_text(path.read_text(encoding="utf-8").replace("p.name = 'lot'", "p.name = 'batch'"), encoding="utf-8")
    for shown in (in_process("plan", project.folder), in_process("run", project.folder)):
        assert re.search(r"and 2[24] more", unfolded(shown.out)), shown
    assert "and 24 more" in unfolded(in_process("report", project.folder).out)
    assert ", …" not in receiver_lines([], ["1"] * 6, 30)[0][2]


def test_records_that_are_not_archived_and_records_in_doubt(
    tiny: Callable[..., Tiny], receiver: Callable[..., Receiver]
) -> None:
    def lose(number: int, _body: bytes) -> tuple[int, bytes, str]:
        return (200, b"{", "fhir+json") if number % 3 == 0 else accepted(number)

    archive = 'table = "RECU"\nkey_column = "id"\nvalue_column = "v"'
    project = tiny().write(MANY).to(receiver(lose).url, limits=QUICK, archive__table=archive)
    with closing(sqlite3.connect(project.data)) as source:
        source.execute("CREATE TABLE RECU (id TEXT PRIMARY KEY, v TEXT CHECK (v IS NULL))")
    shown = unfolded(in_process("run", project.folder).out)
    assert "and 14 more" in shown, "20 rows that the archive refuses"
    assert "and 4 more" in shown, "10 in doubt"
    assert "and 4 more" in unfolded(in_process("status", project.folder).out)
    listed = in_process("status", project.folder, "--in-doubt").out
    assert len(re.findall(r"^\d+ ", listed, re.MULTILINE)) == 10
