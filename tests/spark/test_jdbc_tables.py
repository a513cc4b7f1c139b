"""Tables of a server by JDBC, with the digits, days and instants that a run reads.

FHIRMAP_TEST_JDBC_JARS names drivers that are not where Debian has them.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'fhirmap[spark]'")

import sqlalchemy as sa

from fhirmap.errors import ConfigError
from fhirmap.spark import SparkProject
from fhirmap.spark.spark_session import spark_session
from tests.sources.conftest import Database
from tests.spark.conftest import JDBC_JARS
from tests.spark.test_spark_project import by_key, expected, here, said
from tests.spark.test_table_frames import project_of

pytestmark = pytest.mark.xdist_group("spark")

STAYS = """
model Stay from table '{prefix}STAY' key 'id' where "state <> 'X'" latest by 'rev' {{
  id     : string   1..1 from 'id'
  amount : decimal  0..1 from 'amount'
  any    : decimal  0..1 from 'anything'
  count  : integer  0..1 from 'count'
  day    : date     0..1 from 'day'
  moment : dateTime 0..1 from 'moment' zone 'Europe/Paris'
  names  : Name     0..* join '{prefix}name' on 'stay' = 'id' order by 'rank' desc
}}
model Name {{ rank : integer 0..1 from 'rank'  text : string 0..1 from 'text' }}
group row(source src : Stay, target tgt : Patient) {{
  src.id as v -> tgt.id = v "id";
  src.amount as v -> tgt.language = (%v.toString()) "amount";
  src.any as v -> tgt.implicitRules = (%v.toString()) "any";
  src.count as v -> tgt.multipleBirth = v "count";
  src.day as v -> tgt.birthDate = v "day";
  src.moment as v -> tgt.deceased = v "moment";
  src.names as n -> tgt.name as h then {{ n.text as v -> h.text = v "text"; }} "name";
}}
"""


def needs_driver(kind: str) -> None:
    if not any(kind in jar.name for jar in JDBC_JARS):
        pytest.skip(f"no jar of JDBC's driver for {kind} is here: FHIRMAP_TEST_JDBC_JARS may name it")


def fill(database: Database, prefix: str) -> None:
    amount = sa.Numeric(10, 2)
    anything = sa.Numeric() if database.kind == "postgresql" else sa.Numeric(12, 5)
    columns: list[sa.Column[Any]] = [
        sa.Column("id", sa.Integer),
        sa.Column("rev", sa.Integer),
        sa.Column("state", sa.String(10)),
        sa.Column("amount", amount),
        sa.Column("anything", anything),
        sa.Column("count", sa.SmallInteger),
        sa.Column("day", sa.Date),
        sa.Column("moment", sa.DateTime),
    ]
    moment = datetime(2025, 3, 15, 23, 30, 1, tzinfo=UTC).replace(tzinfo=None)
    rows = [
        (1, 1, "S", Decimal("1.5"), Decimal("2.50000"), 3, date(2025, 3, 15), moment),
        (1, 2, "S", Decimal("1.25"), Decimal("0.125"), 0, date(1899, 12, 31), moment),
        (2, 1, "X", None, None, None, None, None),
        (3, 1, "É", None, None, None, None, None),
    ]
    names = [column.name for column in columns]
    database.fill(f"{prefix}stay", columns, [dict(zip(names, row, strict=True)) for row in rows])
    columns = [sa.Column("stay", sa.Integer), sa.Column("rank", sa.Integer), sa.Column("text", sa.String(20))]
    people = [(1, 2, "deux"), (1, 10, "dix  "), (3, None, "é"), (9, 1, "Z")]
    database.fill(f"{prefix}name", columns, [dict(zip(("stay", "rank", "text"), row, strict=True)) for row in people])


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_rows_are_those_that_a_run_reads(spark: Any, database: Database, prefix: str, tmp_path: Path) -> None:
    needs_driver(database.kind)
    fill(database, prefix)
    engine = project_of(tmp_path, STAYS.format(prefix=prefix), database.url)
    project = SparkProject(engine)
    with spark_session(engine) as session:
        rows = said(project.results(project.source_frame(session)).collect())
    wanted = by_key([expected(engine, record) for record in here(engine)])
    assert by_key(rows) == wanted
    assert [(row["key"], row["verdict"]) for row in wanted][:2] == [("1", "sendable"), ("1", "superseded")]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_driver_that_spark_lacks(
    spark: Any, database: Database, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, prefix)
    monkeypatch.setattr("fhirmap.spark.jdbc_tables._DRIVERS", {"postgresql": ("org.example.Absent",)})
    engine = project_of(tmp_path, STAYS.format(prefix=prefix), database.url)
    with pytest.raises(ConfigError) as caught:
        SparkProject(engine).source_frame(spark)
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM710", "jdbc")
