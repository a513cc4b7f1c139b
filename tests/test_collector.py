"""`collecting_later`: nothing is collected during a call, and afterwards all is as it was. Commands collect seldom
while they compile, and often while they read records, but not what was there before."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhirmap.cli import main
from fhirmap.collector import collecting_later
from fhirmap.compilation.maps import compile_map
from tests.pace import without_limit

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "ch-valmorel"


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(*before)


@collecting_later
def state(fails: bool = False) -> bool:
    if fails:
        raise ValueError
    return gc.isenabled()


def test_nothing_is_collected_during_a_call() -> None:
    assert not state()
    assert gc.isenabled()


def test_it_goes_on_after_a_failure() -> None:
    with pytest.raises(ValueError):
        state(fails=True)
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off() -> None:
    gc.disable()
    assert not state()
    assert not gc.isenabled()


def test_a_record_is_transformed_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    transform, seen = compile_map("group main(source src, target tgt) { src.a as v -> tgt.b = v; }"), []
    monkeypatch.setattr(transform, "_transform", lambda *_: seen.append(gc.isenabled()))
    transform({"a": 1})
    assert seen == [False]
    assert gc.isenabled()
    gc.disable()
    transform({"a": 1})
    assert not gc.isenabled()


@pytest.mark.parametrize("command", ["run", "plan"])
def test_commands_collect_often_while_they_read_records(command: str, tmp_path: Path) -> None:
    project = str(without_limit(Path(shutil.copytree(EXAMPLE, tmp_path / "project"))))
    with pytest.raises(SystemExit):
        main(["check", project])
    seldom = gc.get_threshold()[0]
    assert gc.get_freeze_count() == 0
    with pytest.raises(SystemExit):
        main([command, project])
    assert gc.get_threshold()[0] < seldom / 10
    assert gc.get_freeze_count() > 10_000  # modules and the compiled map
