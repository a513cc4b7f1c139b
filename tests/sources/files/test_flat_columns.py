"""Which column of a file the map means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhirmap.errors import ConfigError
from fhirmap.source_plan import Order
from fhirmap.sources.files.flat_columns import check_columns, column_named, column_places, columns_needed, trimmed
from tests.sources.exports import FLAT, STAYS


def test_the_columns_that_are_read_come_with_their_place_in_the_map() -> None:
    plan = replace(FLAT, latest=Order("maj"), fill=("id",))
    assert columns_needed(plan) == {"id": "a.map:1:3", "maj": "", "v": "a.map:2:3"}
    assert list(columns_needed(STAYS)) == ["N° séjour", "Côté", "Lot", "Qté"]


def test_an_element_leads_into_a_document_and_a_key_does_not() -> None:
    found = column_named("doc.lot", ["id", "doc"], FLAT)
    assert found is not None and (found.column, found.steps) == ("doc", ("lot",))
    assert column_named("doc.lot", ["id", "doc"], replace(FLAT, key=("doc.lot",))) is None


def test_what_is_missing_or_twice() -> None:
    found = check_columns("a.csv", {"id": "a.map:1:1", "v": "", "w": ""}, ["ID", "v", "v"], FLAT)
    assert [(entry.args["column"], entry.variant) for entry in found] == [("v", "double"), ("w", "")]


def test_the_places_of_columns_that_are_there_once() -> None:
    assert column_places("a.csv", ["v", "id"], ["ID", "x", "x", "v"], FLAT) == {"v": 3, "id": 0}
    assert column_places("a.csv", ["doc.lot"], ["id", "doc"], FLAT) == {"doc.lot": 1}
    for there, variant in ((["id", "w"], ""), (["id", "v", "v"], "double"), (["a", "b"], "none")):
        with pytest.raises(ConfigError) as caught:
            column_places("a.csv", ["id", "v"], there, replace(FLAT, position="a.map:9:9"))
        found = caught.value.diagnostic()
        place = "a.map:9:9" if variant == "none" else "a.map:2:3"
        assert (found.code, found.variant, found.args["position"]) == ("FM704", variant, place)


def test_a_cell_is_trimmed_of_a_mark_too() -> None:
    assert [trimmed(cell) for cell in (" \ufeff a ", None, "")] == ["a", "", ""]


def test_names_that_have_nothing_of_the_map_are_not_shown() -> None:
    (found,) = check_columns("a.csv", {"id": "a.map:1:1", "v": ""}, ["MARTIN", "LUC", "M"], FLAT)
    assert (found.code, found.variant) == ("FM704", "none")
    assert "MARTIN" not in f"{found.message} {found.hint_text} {found.known} {found.args}"
