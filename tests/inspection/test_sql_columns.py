"""What a column is read as, where its cells decide; the types of each database are in `test_sql_models`."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from fhirmap.inspection.sql_columns import column_reading

PARIS = "Europe/Paris"


@pytest.mark.parametrize(
    ("cells", "kind", "is_read"),
    [
        ([1] * 9 + ["x"], "integer", True),
        ([1] * 8 + ["x"] * 2, "string", True),
        ([1.5] * 9 + ["x"], "decimal", True),
        (["L1"] * 9 + [b"\xff"], "string", True),
        ([b"\xff"] * 9 + ["L1"], "string", False),
        (["2025-03-12"] * 9 + [5], "date", True),
        (["L1"] * 9 + [5], "string", True),
        ([2**31], "string", True),
        ([None], "string", True),
    ],
)
def test_cells_of_sqlite_decide(cells: list[Any], kind: str, is_read: bool) -> None:
    found = column_reading(sa.types.NullType(), cells, "sqlite", PARIS)
    assert (found.guess.type, found.is_read) == (kind, is_read)


def test_an_enumeration_has_its_codes_of_the_database() -> None:
    found = column_reading(mysql.ENUM("G", "D"), ["G"], "mysql", PARIS)
    assert (found.guess.type, found.codes) == ("code", ("G", "D"))


def test_a_key_is_a_text() -> None:
    assert column_reading(sa.Integer(), [1, 2], "postgresql", PARIS, is_key=True).guess.type == "string"
    assert not column_reading(sa.LargeBinary(), [b"1"], "postgresql", PARIS, is_key=True).is_read
