"""The exceptions as values: what they hold goes to another process and back."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest

import fhirmap
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import (
    ConfigError,
    DeliveryError,
    FhirmapError,
    InternalError,
    JournalError,
    MapError,
    ProjectError,
    TransformFailed,
    ValidationFailed,
)
from fhirmap.texts import Text

WRONG = "group g(source s : Nowhere, target t : Patient) { s.a -> t.b; }"


def wrong_map() -> MapError:
    with pytest.raises(MapError) as caught:
        fhirmap.compile_map(WRONG)
    return caught.value


def same(error: FhirmapError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (again.code, str(again), again.diagnostic().message) == (error.code, str(error), error.diagnostic().message)


@pytest.mark.parametrize(
    "kind", [ConfigError, DeliveryError, InternalError, JournalError, TransformFailed, ValidationFailed]
)
def test_an_exception_is_pickled(kind: type[FhirmapError]) -> None:
    same(kind("FM713", variant="line", line=3, source="rows.json"))


def test_an_exception_with_diagnostics_is_pickled() -> None:
    error = wrong_map()
    same(error)
    same(ProjectError(error.diagnostics))
    again = pickle.loads(pickle.dumps(error))
    assert [(entry.code, entry.span.position) for entry in again.diagnostics] == [
        (entry.code, entry.span.position) for entry in error.diagnostics if entry.span
    ]


def test_an_exception_of_a_diagnostic_has_all_that_it_says() -> None:
    found = Diagnostic("FM704", args={"table": "a.csv", "column": "w"}, hint=Text("reasons.not_parquet"), meant="v")
    error = ConfigError.of(found)
    assert (error.code, error.diagnostic()) == ("FM704", found)


def test_a_pool_of_processes_hands_the_exception_on() -> None:
    with ProcessPoolExecutor(1) as pool, pytest.raises(MapError, match="FM"):
        pool.submit(fhirmap.compile_map, WRONG).result(60)
