"""Columns of Arrow as cells; every type is in the tests of Parquet files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from fhirmap.sources.arrow_cells import cell_values


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (pa.array(["0012", None]), ["0012", None]),
        (pa.array(["a", "a"]).dictionary_encode(), ["a", "a"]),
        (pa.array([Decimal("1.50")]), [Decimal("1.50")]),
        (pa.array([0.1], pa.float32()), [0.1]),
        (pa.array([date(2025, 3, 15)]), [date(2025, 3, 15)]),
        (pa.array([0], pa.timestamp("us", "UTC")), [datetime(1970, 1, 1, tzinfo=UTC)]),
        (pa.array([[{"lot": "A"}], None, []]), [[{"lot": "A"}], None, []]),
    ],
)
def test_cells_are_what_readers_take(column: pa.Array, wanted: list[object]) -> None:
    assert cell_values(column) == wanted


def test_a_day_of_another_age_is_one_cell_that_cannot_be_read() -> None:
    found = cell_values(pa.array([0, 10**8], pa.int32()).cast(pa.date32()))
    assert found[0] == date(1970, 1, 1)
    assert isinstance(found[1], bytes)
