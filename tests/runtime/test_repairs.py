"""What functions mended reaches the record that is being mapped, and no other."""

from __future__ import annotations

import sys
from threading import Thread
from types import FrameType

from fhirmap.runtime.repairs import begin, report_repair


class Kept:
    """A run that keeps what it is given."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def repaired(self, variant: str, caller: FrameType) -> None:
        self.found.append((variant, caller.f_code.co_name))


def test_a_repair_goes_to_the_last_run_of_its_thread() -> None:
    first, second, other = Kept(), Kept(), Kept()
    begin(first)
    report_repair("zero")
    begin(second)
    report_repair("letter")

    def elsewhere() -> None:
        report_repair("exponent")  # no run has begun here
        begin(other)
        report_repair("wrapped")

    thread = Thread(target=elsewhere)
    thread.start()
    thread.join()
    report_repair("decimals")
    here = sys._getframe().f_code.co_name
    assert first.found == [("zero", here)]
    assert second.found == [("letter", here), ("decimals", here)]
    assert other.found == [("wrapped", "elsewhere")]
