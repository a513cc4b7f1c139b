"""What Spark does not read as a project's own source does is refused, and nothing of it is read otherwise."""

from __future__ import annotations

import gzip
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'fhirmap[spark]'")

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from fhirmap.errors import ConfigError, ProjectError
from fhirmap.spark import SparkProject
from tests.spark.test_spark_project import by_key, expected, here, said
from tests.spark.test_table_frames import project_of

pytestmark = pytest.mark.xdist_group("spark")

ROW = """
model Row from {store} key 'id' {{ id : string 1..1 from 'id'  text : string 0..1 from 'text' }}
group row(source src : Row, target tgt : Patient) {{
  src.id as v -> tgt.id = v "id";
  src.text as v -> tgt.language = v "text";
}}
"""
CSV = "id,text\na, fr\nb,\n"


def csv(folder: Path, name: str = "rows.csv", text: str = CSV) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def packed(folder: Path) -> str:
    with gzip.open(folder / "rows.csv.gz", "wt") as stream:
        stream.write(CSV)
    return "rows.csv.gz"


def several(folder: Path) -> str:
    (folder / "in").mkdir()
    csv(folder / "in", "rows [1].csv")
    csv(folder / "in", "more{a}.csv", "id,text\nc,de\n")
    return "csv://in"


def parquet(folder: Path) -> str:
    pq.write_table(pa.table({"id": ["a", "b"], "text": ["fr", None]}), folder / "rows.parquet")
    return "rows.parquet"


def lines(folder: Path) -> str:
    return csv(folder, "rows.ndjson", '{"id": "a", "text": 1.50}\n{"id": "b"}\n')


def database(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "rows.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE T (id, text)")
        connection.executemany("INSERT INTO T VALUES (?, ?)", [("a", 1), ("b", None), (3, "fr"), ("c", 2.5)])
    return "rows.sqlite"


@pytest.mark.parametrize(
    "store, made",
    [
        ("csv delimiter ','", csv),
        ("csv delimiter ','", packed),
        ("csv delimiter ','", several),
        ("parquet", parquet),
        ("json", lines),
        ("table 't'", database),
        ("query 'rows.sql'", database),
    ],
)
def test_rows_are_those_of_the_own_source(spark: Any, tmp_path: Path, store: str, made: Any) -> None:
    (tmp_path / "rows.sql").write_text("select id, text from T where id <> 'b';\n", encoding="utf-8")
    engine = project_of(tmp_path, ROW.format(store=store), made(tmp_path))
    project = SparkProject(engine)
    rows = said(project.results(project.source_frame(spark)).collect())
    wanted = by_key([expected(engine, record) for record in here(engine)])
    assert by_key(rows) == wanted and len(wanted) > 1


def titled(folder: Path) -> str:
    return csv(folder, text=f"Export,\n{CSV}")


def archive(folder: Path) -> str:
    with zipfile.ZipFile(folder / "rows.zip", "w") as stream:
        stream.writestr("rows.csv", CSV)
    return "rows.zip"


def sheet(folder: Path) -> str:
    with xlsxwriter.Workbook(folder / "rows.xlsx") as book:
        page = book.add_worksheet()
        for number, line in enumerate(CSV.splitlines()):
            page.write_row(number, 0, line.split(","))
    return "rows.xlsx"


def damaged(folder: Path) -> str:
    database(folder)
    with closing(sqlite3.connect(folder / "rows.sqlite")) as connection, connection:
        connection.execute("UPDATE T SET text = cast(x'e9' as text) WHERE id = 'a'")
    return "rows.sqlite"


def broken_text(folder: Path) -> str:
    path = folder / csv(folder)
    path.write_bytes(path.read_bytes().replace(b" fr", b"fr \xe9t\xe9"))
    return path.name


@pytest.mark.parametrize(
    "store, made, variant",
    [
        ("csv delimiter ',' encoding 'utf-8'", broken_text, "bytes_of_file"),
        ("csv names line 2 delimiter ','", titled, "lines_of_file"),
        ("csv delimiter ','", archive, "archive"),
        ("table 'T'", damaged, "bytes"),
        ("sheet", sheet, "files"),
    ],
)
def test_what_spark_would_read_otherwise_is_refused(
    spark: Any, tmp_path: Path, store: str, made: Any, variant: str
) -> None:
    engine = project_of(tmp_path, ROW.format(store=store), made(tmp_path))
    with pytest.raises((ConfigError, ProjectError)) as caught:
        SparkProject(engine).source_frame(spark)
    error = caught.value
    found = error.diagnostics[0] if isinstance(error, ProjectError) else error.diagnostic()
    assert (found.code, found.variant) == ("FM768", variant)
