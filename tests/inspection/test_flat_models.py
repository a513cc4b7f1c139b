"""Columns of any flat file: their kinds, the key, what belongs to the record and what to its lines."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from fhirmap.errors import ConfigError
from fhirmap.inspection.flat_models import FlatColumns, flat_models
from fhirmap.inspection.guess import TEXT, Guess
from fhirmap.inspection.names import UniqueNames
from fhirmap.inspection.sketch import ModelSketch, store_clause
from fhirmap.sources.address import parse_address

ADDRESS = parse_address("a.csv")


def typed(**cells: list[Any]) -> FlatColumns:
    return FlatColumns([*cells], cells, is_typed=True)


def sketched(columns: FlatColumns) -> list[ModelSketch]:
    key = columns.key()
    return flat_models(ADDRESS, "M", store_clause("csv", key=(key,)), columns, "Europe/Paris", UniqueNames())


def names_of(model: ModelSketch) -> list[str]:
    return [entry.element.name for entry in model.elements]


DAY, MOMENT = date(2025, 3, 17), datetime(2025, 3, 17, 8, 15)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([12, 7, None], Guess("integer")),
        ([10999000010, 10999000028], TEXT),
        ([2.5, 3], Guess("decimal")),
        ([Decimal("389.500")], Guess("decimal")),
        (["12", "7"], TEXT),
        ([12, "7A"], TEXT),
        ([True, False], Guess("boolean")),
        (["true"], TEXT),
        ([DAY, None], Guess("date")),
        ([DAY, "30/06/2030"], Guess("date", "dd/MM/yyyy")),
        ([DAY, MOMENT], Guess("dateTime", is_local=True)),
        ([datetime(2025, 3, 17, tzinfo=UTC)], Guess("dateTime")),
        ([DAY, "17/03/2025 08:15"], Guess("dateTime", "dd/MM/yyyy HH:mm", is_local=True)),
        ([time(8, 15), None], Guess("time")),
        ([time(8, 15), DAY], TEXT),
        ([DAY] * 9 + ["en mars"], Guess("date")),
        (["A213", "B7", DAY], TEXT),
        ([], TEXT),
    ],
)
def test_kinds_of_a_file_that_knows_numbers_and_days(cells: list[Any], kind: Guess) -> None:
    assert typed(c=cells).kind("c") == kind


def test_kinds_of_a_file_of_texts() -> None:
    columns = FlatColumns(["n", "d"], {"n": ["12", "7"], "d": ["30/06/2030", ""]})
    assert (columns.kind("n").type, columns.kind("d").format) == ("integer", "dd/MM/yyyy")


def test_what_only_first_lines_have_is_the_record_s() -> None:
    columns = typed(
        num=[601, 601, 602, 602, 603],
        day=[DAY, None, DAY, None, None],
        surgeon=["A", None, "B", None, "C"],
        side=["G", None, None, None, None],
        lot=["x", "y", "x", "z", "x"],
        note=["n", None, None, "m", None],
    )
    record, line = sketched(columns)
    assert names_of(record) == ["num", "day", "surgeon", "lines"]
    assert names_of(line) == ["side", "lot", "note"]


def test_columns_with_objects_and_lists_have_models_below() -> None:
    columns = typed(id=["1", "2"], site=[{"nom": "A"}, None], poses=[[{"lot": "x"}], []], tags=[["a"], ["b", "c"]])
    record, pose = sketched(columns)
    found = [(entry.element.name, entry.element.column, entry.element.maximum) for entry in record.elements]
    assert found == [("id", "id", 1), ("siteNom", "site.nom", 1), ("poses", "poses", None), ("tags", "tags", None)]
    assert names_of(pose) == ["lot"]


def test_columns_without_a_name_or_named_twice() -> None:
    columns = FlatColumns.of(ADDRESS, ["id", "", "lot", "lot"], [{"id": "1", "lot": "x"}])
    (model,) = sketched(columns)
    assert (names_of(model), "'lot'" in str(model.remark)) == (["id"], True)
    with pytest.raises(ConfigError) as caught:
        FlatColumns.of(ADDRESS, ["", ""], [])
    assert caught.value.code == "FM750"


def test_names_that_look_like_values_are_left_out() -> None:
    number = "149113897061759"
    columns = FlatColumns.of(ADDRESS, ["id", number], [{"id": "1", number: "x"}])
    (model,) = sketched(columns)
    assert (names_of(model), model.hidden) == (["id"], 1)
    with pytest.raises(ConfigError) as caught:
        FlatColumns.of(ADDRESS, [number], [])
    assert (caught.value.code, number in str(caught.value)) == ("FM750", False)
