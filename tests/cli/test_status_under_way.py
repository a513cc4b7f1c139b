"""What `fhirmap status` says of a run that has not ended: it goes on, or was interrupted."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

from tests.cli.conftest import Answer, Receiver, Tiny, accepted, in_process, start, unfolded


def test_a_run_goes_on_until_its_process_is_gone(tiny: Callable[..., Tiny], receiver: Callable[..., Receiver]) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def answer(number: int, _body: bytes) -> Answer:
        asked.set()
        go_on.wait(60)
        return accepted(number)

    project = tiny().to(receiver(answer).url)
    process = start("run", project.folder)
    try:
        assert asked.wait(60)
        under_way = in_process("status", project.folder)
        said = json.loads(in_process("status", project.folder, "--json").out)
        assert said["last_run"]["is_under_way"] is True
    finally:
        process.kill()
        process.communicate(timeout=60)
        go_on.set()
    after = in_process("status", project.folder)
    assert (under_way.code, after.code) == (0, 0)
    assert "under way" in unfolded(under_way.out)
    assert "under way" not in unfolded(after.out)
    assert "interrupted" in unfolded(after.out)
