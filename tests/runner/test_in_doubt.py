"""Records of which an answer was lost: listed with what to do, until somebody has settled what became of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import ROWS, Answer, Receiver, Tiny, accepted, in_process, receiver, tiny, unfolded

__all__ = ["receiver", "tiny"]

Receiving = Callable[..., Receiver]


def loses(*numbers: int) -> Callable[[int, bytes], Answer]:
    """A receiver whose answers of these numbers cannot be read."""
    return lambda number, _body: (
        (200, b'{"resourceType": "Param', "fhir+json") if number in numbers else accepted(number)
    )


def status(project: Tiny, *words: str) -> Any:
    return json.loads(in_process("status", project.folder, *words, "--json").out)


@pytest.fixture
def project(tiny: Callable[..., Tiny], receiver: Receiving) -> Tiny:
    return tiny().to(receiver(loses(2)).url, limits="rate_per_s = 500\nconcurrency = 1\nattempts = 1\nbackoff_s = 0")


def test_it_is_listed_with_what_to_do_until_it_is_acknowledged(project: Tiny) -> None:
    first = in_process("run", project.folder)
    assert first.code == 1
    assert "an answer was lost" in unfolded(first.out)
    assert "fhirmap status --in-doubt" in first.out
    listed = unfolded(in_process("status", project.folder, "--in-doubt").out)
    assert listed.startswith("2 uncertain")
    assert "fhirmap acknowledge KEY" in listed
    assert "retry --uncertain" in listed
    assert "in doubt 1" in unfolded(in_process("plan", project.folder).out)

    assert "released 1" in in_process("retry", project.folder, "--uncertain").out
    second = in_process("run", project.folder)
    assert second.code == 1, "sent again, and the receiver may have it twice"
    assert [entry["key"] for entry in status(project, "--in-doubt")] == ["2"]
    assert status(project)["possible_duplicates"][0]["state"] == "accepted"

    done = in_process("acknowledge", "2", "--why", "the registry has it once", "--project", project.folder)
    assert done.code == 0
    assert status(project)["possible_duplicates"] == status(project, "--in-doubt") == []
    assert "no record is in doubt" in in_process("status", project.folder, "--in-doubt").out
    assert "the registry has it once" in in_process("status", project.folder, "--key", "2").out
    third = in_process("run", project.folder)
    assert third.code == 0
    assert "doubt" not in third.out
    assert in_process("plan", project.folder).code == 0
    again = in_process("acknowledge", "2", "--why", "x", "--project", project.folder)
    again.reported("FM666", 2, "`2`")


def test_another_lost_answer_is_another_doubt(tiny: Callable[..., Tiny], receiver: Receiving) -> None:
    limits = "rate_per_s = 500\nconcurrency = 1\nattempts = 1\nbackoff_s = 0"
    project = tiny().to(receiver(loses(2, 4)).url, limits=limits)
    in_process("run", project.folder)
    assert in_process("acknowledge", "2", "--why", "not there", "--project", project.folder).code == 0
    in_process("retry", project.folder, "--uncertain")
    assert in_process("run", project.folder).code == 3, "nothing that it sent was answered"
    assert [entry["key"] for entry in status(project)["possible_duplicates"]] == ["2"]


def test_all_in_doubt_and_all_withdrawn_are_two_things(project: Tiny) -> None:
    in_process("run", project.folder)
    project.write([row for row in ROWS if row[0] != "1"])
    in_process("run", project.folder)
    assert in_process("acknowledge", "--all", "--why", "x", "--project", project.folder).code == 0
    found = status(project)
    assert (found["withdrawn"], [entry["key"] for entry in found["possible_duplicates"]]) == ([], ["2"])
    assert in_process("acknowledge", "--in-doubt", "--why", "x", "--project", project.folder).code == 0
    assert status(project)["possible_duplicates"] == []
