"""Models of Parquet files: types as the file has them, what it nests as models below."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fhirmap.errors import ConfigError
from tests.inspection.written import inspected, models_of, round_trip


def test_types_and_nested_objects(tmp_path: Path) -> None:
    path = tmp_path / "ops.parquet"
    table = pa.table(
        {
            "id_op": ["0012", "0013"],
            "le": [date(2025, 3, 17), None],
            "debut": [datetime(2025, 3, 17, 8, 15), datetime(2025, 3, 18)],
            "poids": [Decimal("71.50"), Decimal("80.00")],
            "poses": [[{"lot": "A1", "qte": 1}, {"lot": "A2", "qte": 2}], []],
            "site": [{"code": "X"}, {"code": "Y"}],
        }
    )
    pq.write_table(table, path)
    text = inspected(str(path))
    assert text.splitlines()[0] == "model Ops from parquet key 'id_op' {"
    record, pose = models_of(text)
    assert [(e.name, e.type) for e in record.elements] == [
        ("idOp", "string"),
        ("le", "date"),
        ("debut", "dateTime"),
        ("poids", "decimal"),
        ("poses", "Pose"),
        ("siteCode", "string"),
    ]
    assert [(e.name, e.type) for e in pose.elements] == [("lot", "string"), ("qte", "integer")]
    first, second = round_trip(str(path), text)
    assert (first["idOp"], first["debut"], str(first["poids"])) == ("0012", "2025-03-17T08:15:00+01:00", "71.50")
    assert ([x["lot"] for x in first["poses"]], second.get("poses"), second["siteCode"]) == (["A1", "A2"], None, "Y")


def test_a_file_without_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({}), path)
    with pytest.raises(ConfigError) as caught:
        inspected(str(path))
    assert caught.value.code == "FM750"
