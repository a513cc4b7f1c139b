"""A preview on Spark: the counts and the lines of a preview on this machine, in the order of the keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'fhirmap[spark]'")

from fhirmap.runner.engine import build_engine
from fhirmap.runner.preview import Previewed, preview_all
from fhirmap.runner.project_file import load_project
from fhirmap.runner.verdict import Verdict
from fhirmap.spark import preview_on_spark
from tests.cli.conftest import in_process
from tests.spark.test_spark_project import here

pytestmark = pytest.mark.xdist_group("spark")


def listed(found: Previewed) -> dict[Verdict, list[tuple[Any, ...]]]:
    return {
        verdict: sorted((line.reason, line.words, line.count, sorted(line.keys)) for line in lines.values())
        for verdict, lines in found.listed.items()
    }


def test_counts_and_lines_are_those_of_a_preview_here(spark: Any, example: Any, tmp_path: Path) -> None:
    engine = build_engine(load_project(example("ch-valmorel")))
    found = preview_on_spark(engine, spark, tmp_path / "there.csv")
    wanted = preview_all(engine, here(engine), tmp_path / "here.csv")
    assert (found.verdicts, found.reasons, found.explained) == (wanted.verdicts, wanted.reasons, wanted.explained)
    assert listed(found) == listed(wanted)
    assert found.unmapped.tables() == wanted.unmapped.tables()
    names, *lines = (tmp_path / "there.csv").read_text(encoding="utf-8").splitlines()
    same, *others = (tmp_path / "here.csv").read_text(encoding="utf-8").splitlines()
    assert names == same
    assert sorted(lines) == sorted(others) != []
    keys = [line.partition(";")[0] for line in lines]
    assert keys == sorted(keys)


def test_the_command_shows_it(spark: Any, example: Any) -> None:
    folder = example("export-pharmacie")
    there = in_process("preview", folder, "--engine", "spark", "--json")
    here = in_process("preview", folder, "--json")
    assert (there.code, sorted(there.out.split())) == (here.code, sorted(here.out.split()))


def test_one_record_is_looked_at_without_spark(example: Any) -> None:
    done = in_process("preview", example("ch-valmorel"), "--row", "1", "--engine", "spark")
    assert done.code == 2
    assert "leave out `--engine spark`" in done.err
