"""The files of an address, opened for a plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.source_plan import SourceKind, SourcePlan
from fhirmap.sources.address import Address
from fhirmap.sources.files.plan_files import PlanFiles
from tests.sources.exports import FLAT, write


def files(path: Path, plan: SourcePlan = FLAT) -> PlanFiles:
    return PlanFiles(Address("csv", str(path), path=path), plan)


def test_rows_are_those_for_which_the_condition_holds(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;v\n1;a\n2;b\n3;a\n")
    assert [row.cells["id"] for _, row in files(path, replace(FLAT, where="v = 'a'")).all_rows()] == ["1", "3"]


def test_one_of_several_that_cannot_be_read_is_passed_over_and_alone_it_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id;v\n1;a\n")
    broken = write(tmp_path / "b.csv", "other;v\n2;b\n")
    assert [row.cells["id"] for _, row in files(tmp_path).all_rows()] == ["1"]
    with pytest.raises(ConfigError):
        list(files(broken).all_rows())


@pytest.mark.parametrize(
    ("path", "held", "found"),
    [
        ("a.b", {"a": {"b": "x"}}, "x"),
        ("a.b", {"a": [{"b": "x"}]}, ["x"]),
        ("a[k='1'].b", {"a": [{"k": "1", "b": "x"}, {"k": "2", "b": "y"}]}, "x"),
        ("a[k='1'].b", {"a": [{"k": "1", "b": "x"}, {"k": "1", "b": "y"}]}, ["x", "y"]),
    ],
)
def test_one_value_of_a_document(tmp_path: Path, path: str, held: dict[str, object], found: object) -> None:
    assert files(tmp_path / "a.json", replace(FLAT, kind=SourceKind.JSON)).cell_reader(path)(held) == found
