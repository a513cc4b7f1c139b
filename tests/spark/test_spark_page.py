"""The page about clusters: its program runs, and writes what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'fhirmap[spark]'")

import pyarrow.parquet as pq

from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.spark.worker import RESULTS
from tests.spark.test_spark_project import database_tables, expected, here

pytestmark = pytest.mark.xdist_group("spark")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations" / "spark.md"


def test_the_program_of_the_page_runs(spark: Any, example: Any, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    engine = build_engine(load_project(example("ch-valmorel")))
    for name, table in database_tables(engine).items():
        (tmp_path / "lake" / name).mkdir(parents=True)
        pq.write_table(table, tmp_path / "lake" / name / "part.parquet")
    monkeypatch.chdir(tmp_path)
    # Java has its folder since it began.
    program = program.replace('"lake/', f'"{tmp_path}/lake/').replace('"out/', f'"{tmp_path}/out/')
    exec(compile(program, str(PAGE), "exec"), {})
    wanted = [expected(engine, record)["resource"] for record in here(engine)]
    lines = [line for file in (tmp_path / "out" / "payloads").glob("*.txt") for line in file.read_text().splitlines()]
    assert sorted(lines) == sorted(filter(None, wanted))
    assert pq.read_table(tmp_path / "out" / "results").num_rows == len(wanted)
    assert "sendable" in capsys.readouterr().out


def test_every_column_of_the_results_is_on_the_page() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| column of the results |")[2].partition("\n\n")[0]
    named = [name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert sorted(named) == sorted(RESULTS.names)
