"""A small share of `benchmarks/mutations.py`: broken maps are parsed and checked without an exception or a hang."""

from __future__ import annotations

from benchmarks import mutations


def test_broken_maps_are_reported_never_raised() -> None:
    outcome = mutations.run(seed=11, numbers=range(500))
    assert outcome.faults == []
    assert outcome.count == 500 and outcome.checked == 5
    assert outcome.diagnostics["FM001"] > 100, "the texts are broken indeed"


def test_a_seed_and_a_number_are_one_text() -> None:
    texts = mutations.corpus()
    first, again, other = (mutations.mutated(texts, 5, number) for number in (3, 3, 4))
    assert first == again != other
