"""Steps of expressions that belong to no rule are counted for the record whose faults are at hand."""

from __future__ import annotations

import pytest

from fhirmap.errors import TransformFailed
from fhirmap.records import Fault
from fhirmap.runtime.steps import MOST_STEPS, FaultList, StepCount, steps_of


def test_the_invariants_of_a_record_share_their_steps() -> None:
    faults = FaultList()
    steps_of(faults).spend(MOST_STEPS)
    with pytest.raises(TransformFailed) as raised:
        steps_of(faults).counted([])
    assert (raised.value.code, raised.value.diagnostic().variant) == ("FM414", "steps")
    assert steps_of(FaultList()).steps_left == MOST_STEPS
    plain: list[Fault] = []
    assert steps_of(plain) is not steps_of(plain)


def test_what_a_step_is() -> None:
    count = StepCount()
    for work in (
        lambda: count.counted([1, 2]),
        lambda: count.counted_text("x" * 300),
        lambda: count.counted_total(["x" * 2_000, *range(5)]),
    ):
        before = count.steps_left
        work()
        assert before - count.steps_left in (2, 3, 5)
