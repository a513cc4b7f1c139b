"""Sketches as nodes of the language."""

from __future__ import annotations

from fhirmap.inspection.guess import Guess
from fhirmap.inspection.sketch import (
    ElementSketch,
    ModelSketch,
    child_element,
    column_element,
    joined_element,
    store_clause,
)


def test_a_column_has_what_was_found_of_its_values() -> None:
    local = column_element("d", Guess("dateTime", "yyyyMMdd", is_local=True), "D", "Europe/Paris", required=True)
    assert (local.type, local.minimum, local.column, local.format, local.zone) == (
        "dateTime", 1, "D", "yyyyMMdd", "Europe/Paris",
    )  # fmt: skip
    plain = column_element("t", Guess("string"), "T", "Europe/Paris")
    assert (plain.minimum, plain.maximum, plain.format, plain.zone) == (0, 1, None, None)


def test_a_join() -> None:
    joined = joined_element("acts", "Act", "ACT", [("stay", "id")], repeats=True)
    assert joined.join is not None
    assert (joined.join.table, joined.join.on, joined.maximum) == ("ACT", (("stay", "id"),), None)


def test_a_model_holds_what_is_not_only_proposed() -> None:
    sketch = ModelSketch("M", store_clause("csv", key=("id",), delimiter=";"))
    sketch.add(child_element("a", "string"))
    sketch.elements.append(ElementSketch(child_element("b", "string"), is_proposal=True))
    model = sketch.model()
    assert [element.name for element in model.elements] == ["a"]
    assert model.store is not None
    assert (model.store.kind, model.store.key, model.store.delimiter) == ("csv", ("id",), ";")
