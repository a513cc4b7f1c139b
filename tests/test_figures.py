"""The table of what is measured: ratios against what is wanted, and against the last release."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import figures
from benchmarks.figures import Figure, code_of, table, write

FAST = Figure("a row", 28.0, "us", 1.4, 2.8, 20.0, "an expert")
SLOW = Figure("a table: to open", 2.5, "s", 1.0, 2.0)


def test_without_a_reference_our_own_cost_is_held_against_what_is_wanted() -> None:
    assert (FAST.ratio, SLOW.ratio) == (1.4, 2.5)
    assert (FAST.is_over, SLOW.is_over) == (False, True)
    assert (code_of([FAST]), code_of([FAST, SLOW])) == (0, 1)


def test_the_table_says_what_is_missed_and_what_is_slower_than_it_was() -> None:
    _, fast, slow = table([FAST, SLOW], {"a row": 1200}, {"a row": 1.1, "a table: to open": 2.4}).splitlines()
    assert " ".join(fast.split()) == "a row 28 us 20 us an expert 1.40 1.4 1.10 slower 1,200 k"
    assert " ".join(slow.split()) == "a table: to open 2.5 s 1 missed 2.40"


def test_what_is_kept_is_what_the_next_release_is_compared_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "figures.json"
    monkeypatch.setattr(figures, "RELEASED", file)
    assert figures.released() == {}
    write(file, "1.2.0", [FAST, SLOW], {"a row": 1200})
    assert figures.released() == {"a row": 1.4, "a table: to open": 2.5}
    assert json.loads(file.read_text(encoding="utf-8"))["jobs"]["a row"]["instructions_k"] == 1200
