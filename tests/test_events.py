"""Events: each kind is known by its name, to `logging` as to a person."""

from __future__ import annotations

import logging
from dataclasses import fields
from pathlib import Path

import pytest

from fhirmap import events
from fhirmap.events import Event, RunEnded, TokenFetched, emit

KINDS = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)]


def test_names_are_distinct() -> None:
    names = [kind.name for kind in KINDS if kind is not Event]
    assert len(names) == len(set(names)) > 10
    assert all(name.replace("_", "").isalpha() and name.islower() for name in names)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_field_takes_the_place_of_what_every_line_has(kind: type[Event]) -> None:
    assert not {"ts", "level", "event"} & {field.name for field in fields(kind)}


def test_an_embedding_program_gets_the_value(caplog: pytest.LogCaptureFixture) -> None:
    event = TokenFetched("idp.example", 2, 300.0)
    with caplog.at_level(logging.INFO, logger=events.LOGGER):
        emit(event)
    [record] = caplog.records
    assert record.__dict__["event"] is event
    assert record.getMessage() == "token_fetched {'host': 'idp.example', 'number': 2, 'life_s': 300.0}"


def test_values_are_those_of_the_fields() -> None:
    counts = {"read": 3}
    assert RunEnded(1, 2.5, 3, counts).values() == {
        "exit_code": 1,
        "duration_s": 2.5,
        "sent": 3,
        "counts": counts,
        "audit_head": "",
    }


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Event], ids=lambda kind: kind.name)
def test_the_page_has_each_event_with_its_level_and_fields(kind: type[Event]) -> None:
    page = Path(__file__).resolve().parents[1] / "docs" / "operations" / "monitoring.md"
    [row] = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{kind.name}` |")]
    _, _, level, _, named, _ = row.split("|")
    assert level.strip() == logging.getLevelName(kind.level).lower()
    assert [name.strip(" `") for name in named.split(",")] == [
        field.name for field in fields(kind) if field.name != "run"
    ]
