"""A run on Spark: the folder of results, and a report with the counts and the words of a run on this machine."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'fhirmap[spark]'")

from fhirmap.errors import ConfigError
from fhirmap.runner.engine import Engine, build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.report import FaultLine
from fhirmap.runner.report_lines import report_lines
from fhirmap.runner.run import run
from fhirmap.spark import run_on_spark
from fhirmap.spark.output_folder import OutputFolder
from fhirmap.spark.worker import RESULTS
from tests.cli.conftest import in_process
from tests.spark.test_spark_project import by_key, expected, here, said

pytestmark = pytest.mark.xdist_group("spark")

MAP = """uses "http://hl7.org/fhir/StructureDefinition/Patient" as target
model Row from csv key 'id' delimiter ',' { id : string 1..1 from 'id'  text : string 0..1 from 'text' }
group row(source src : Row, target tgt : Patient) {
  src.id as v -> tgt.id = v "id";
  src.text as v -> tgt.language = v "text";
}
"""


def to_folder(folder: Path, kind: str, place: str) -> Engine:
    """The engine of an example whose results go to a file or folder. ``place``: its line of the project file."""
    file = folder / "fhirmap.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    at = lines.index('url = "simulator"')
    lines[at : at + 1] = [f'kind = "{kind}"', place]
    file.write_text("\n".join(lines), encoding="utf-8")
    return build_engine(load_project(folder))


def of_rows(folder: Path, rows: str, sink: str = 'kind = "ndjson"\npath = "out"') -> Path:
    """A project over a file of rows."""
    (folder / "own.map").write_text(MAP, encoding="utf-8")
    (folder / "rows.csv").write_text(f"id,text\n{rows}", encoding="utf-8")
    (folder / "fhirmap.toml").write_text(
        f'[project]\nname = "p"\n[map]\nsource = "own.map"\n[source]\nurl = "rows.csv"\n[sink]\n{sink}\n',
        encoding="utf-8",
    )
    return folder


def lines_of(folder: Path) -> list[bytes]:
    return [line for file in folder.glob("part-*") for line in file.read_bytes().splitlines(keepends=True)]


def by_code(lines: Iterable[FaultLine]) -> list[FaultLine]:
    """The lines with their keys in order: a frame has no other."""
    return sorted((replace(line, keys=tuple(sorted(line.keys))) for line in lines), key=str)


@pytest.mark.parametrize(
    "name, kind, by_url",
    [
        ("ch-valmorel", "parquet", False),
        ("clinique-sainte-aubierge", "ndjson", True),
        ("export-pharmacie", "parquet", False),
    ],
)
def test_results_and_report_are_those_of_a_run_here(
    spark: Any, example: Any, name: str, kind: str, by_url: bool
) -> None:
    folder = example(name)
    place = f'url = "file://{folder}/out"' if by_url else 'path = "out"'
    found = run_on_spark(engine := to_folder(folder, kind, place), spark)
    wanted = [expected(engine, record) for record in here(engine)]
    if kind == "parquet":
        frame = spark.read.parquet(str(folder / "out"))
        assert frame.columns == RESULTS.names
        assert by_key(said(frame.collect())) == by_key(wanted)
    else:
        payloads = [row["resource"].encode() + b"\n" for row in wanted if row["resource"]]
        assert sorted(lines_of(folder / "out" / "payloads")) == sorted(payloads)
        rows = [json.loads(line) for line in lines_of(folder / "out" / "records")]
        for row in wanted:
            del row["resource"]
        shown = [{name: row.get(name) for name in wanted[0]} for row in rows]  # null is absent
        assert by_key(shown) == by_key(wanted)
    assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o700
    assert not list(folder.glob("out.*"))
    file = folder / "fhirmap.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(f'"{kind}"\n{place}', '"ndjson"\npath = "here"'))
    alone = run(build_engine(load_project(folder))).report
    assert (found.ledger, found.exit_code) == (alone.ledger, alone.exit_code)
    assert (found.to_check, found.explained, found.unmapped) == (alone.to_check, alone.explained, alone.unmapped)
    for part in ("invalid", "notes", "out_of_scope"):
        assert by_code(getattr(found, part)) == by_code(getattr(alone, part))
    assert all(line.code and line.args for line in found.invalid) and found.invalid
    assert "fhirmap status" not in "\n".join(report_lines(found))


def test_the_command_says_what_a_run_says_and_where_the_results_are(spark: Any, tmp_path: Path) -> None:
    folder = of_rows(tmp_path, "a,fr\nb,\n")
    done = in_process("run", folder, "--engine", "spark")
    assert done.code == 0, done
    assert "read 2 = accepted 2 + refused 0 + invalid 0" in done.out
    assert f"results: {folder / 'out'}" in done.out
    again = in_process("run", folder, "--engine", "SPARK", "--json")  # replaces what Spark itself has written
    assert json.loads(again.out)["ledger"]["accepted"] == 2
    assert len(lines_of(folder / "out" / "payloads")) == 2


def test_what_something_else_has_written_is_not_replaced(spark: Any, tmp_path: Path) -> None:
    folder = of_rows(tmp_path, "a,fr\n")
    (folder / "out").mkdir()
    (folder / "out" / "kept").write_text("kept")
    with pytest.raises(ConfigError) as caught:
        run_on_spark(build_engine(load_project(folder)), spark)
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM744", "results")
    assert (folder / "out" / "kept").read_text() == "kept"


def test_a_folder_that_the_source_is_in_is_not_replaced(spark: Any, tmp_path: Path) -> None:
    project = of_rows(tmp_path, "a,fr\n", 'kind = "parquet"\npath = "lake"')
    lake = tmp_path / "lake"
    lake.mkdir()
    (lake / "_SUCCESS").touch()  # as in a folder that Spark has written
    (tmp_path / "rows.csv").rename(lake / "rows.csv")
    engine = build_engine(load_project(project, source=str(lake / "rows.csv")))
    with pytest.raises(ConfigError) as raised:
        run_on_spark(engine, spark)
    assert raised.value.code == "FM791"
    assert (lake / "rows.csv").exists()


def test_a_run_that_fails_leaves_the_folder_as_it_was(spark: Any, tmp_path: Path) -> None:
    folder = of_rows(tmp_path, "a,fr\n")
    run_on_spark(build_engine(load_project(folder)), spark)
    before = sorted(path.name for path in (folder / "out").rglob("*"))
    of_rows(tmp_path, "a,fr\nDURAND,fr,fr,fr\n")
    done = in_process("run", folder, "--engine", "spark")
    assert done.code == 3, done
    assert "error[FM787]: Spark has ended the work (" in done.err
    assert "DURAND" not in done.err
    assert sorted(path.name for path in (folder / "out").rglob("*")) == before
    assert not list(folder.glob("out.*"))


def test_what_a_killed_run_has_left_is_removed_and_what_may_be_written_is_named(spark: Any, tmp_path: Path) -> None:
    folder = of_rows(tmp_path, "a,fr\n")
    killed, unknown, not_ours = (folder / f"out.{name}" for name in ("0123abcd.part", "4567cdef.part", "old.part"))
    for path in (killed, unknown, not_ours):
        path.mkdir()
    (killed / "results").mkdir()
    (killed / "run.lock").touch()
    with OutputFolder(spark, f"file://{folder}/out", "out"):  # another run, which goes on
        (going,) = set(folder.glob("out.*")) - {killed, unknown, not_ours}
        done = in_process("run", folder, "--engine", "spark", "--json")
        assert set(folder.glob("out.*")) == {going, unknown, not_ours}
    assert not going.exists()
    report = json.loads(done.out)
    assert [entry["code"] for entry in report["warnings"]] == ["FM744", "FM744"]
    shown = "\n".join(report["lines"])
    assert going.name in shown and unknown.name in shown and killed.name not in shown


def test_a_file_system_that_is_not_there(spark: Any, tmp_path: Path) -> None:
    folder = of_rows(tmp_path, "DURAND,fr\n", 'kind = "ndjson"\nurl = "hdfs://127.0.0.1:1/out"')
    done = in_process("run", folder, "--engine", "spark")
    assert done.code == 2, done
    assert "error[FM744]: `hdfs://127.0.0.1:1/out` cannot be written (ConnectException)" in done.err
    assert "check `[sink] url`" in done.err
    assert "Traceback" not in done.err and "java" not in done.err and "DURAND" not in done.err


@pytest.mark.parametrize(
    "sink, code, words",
    [
        ('url = "https://registry.example/r"\nkind = "fhir-operation"', "FM791", "Spark sends nothing"),
        ('kind = "stdout"', "FM791", "Spark sends nothing"),
        ('kind = "parquet"', "FM791", "a file needs a path"),
    ],
)
def test_sinks_that_are_no_folder_are_refused(tmp_path: Path, sink: str, code: str, words: str) -> None:
    done = in_process("run", of_rows(tmp_path, "a,fr\n", sink), "--engine", "spark")
    assert done.code == 2
    assert f"error[{code}]" in done.err and words in done.err


@pytest.mark.parametrize("more", [["--workers", "2"], ["--resend"], ["--dry-run"], ["--reports", "."]])
def test_what_spark_has_no_use_for_is_refused(tmp_path: Path, more: list[str]) -> None:
    done = in_process("run", of_rows(tmp_path, "a,fr\n"), "--engine", "spark", *more)
    assert done.code == 2
    assert "`--engine spark` goes without" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="the session of Spark is not tested on Windows")
def test_without_java_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    folder = of_rows(tmp_path, "a,fr\n")
    environment = {**os.environ, "JAVA_HOME": str(tmp_path / "none")}
    command = [sys.executable, "-m", "fhirmap", "run", str(folder), "--engine", "spark"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "error[FM797]: Spark cannot be started" in done.stderr
