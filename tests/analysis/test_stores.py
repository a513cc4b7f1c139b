"""Which store the rows of a model come from, and what it is called."""

from __future__ import annotations

import pytest

from fhirmap.analysis.stores import joined_name, models_joined_by_their_store, own_name, store_kinds
from fhirmap.language.nodes import Model
from fhirmap.language.parser import parse


def read(text: str) -> dict[str, Model]:
    tree, found = parse(text)
    assert not found
    return {model.name: model for model in tree.models}


TEXT = """
model A from csv key 'id' {
  lines  : L 0..* lines
  cell   : C 0..1 from 'cell'
  parts  : P 0..* from 'p' split ';'
  joined : J 0..* join on 'id'
}
model L { deep : D 0..* }
model C { deep : D 0..* }
model P { x : string }
model J from table 'T' source 'base' { more : M 0..* join 'U' on 'id' }
model M { x : string }
model D { again : D 0..1 }
model Alone { x : string }
"""


def test_a_model_has_the_stores_of_those_that_lead_to_it() -> None:
    assert store_kinds(read(TEXT)) == {
        "A": {"csv"}, "L": {"csv"}, "C": {"json"}, "P": frozenset(), "J": {"table"}, "M": {"table"}, "D": {"json"},
        "Alone": frozenset(),
    }  # fmt: skip


def test_what_joined_rows_are_called() -> None:
    models = read(TEXT)
    joins = [element.join for element in (models["A"].elements[3], models["J"].elements[0])]
    assert [join and joined_name(join, models["J"]) for join in joins] == ["T", "U"]
    assert models_joined_by_their_store(models.values()) == {"J"}


@pytest.mark.parametrize(
    ("store", "name"),
    [
        ("from table 'T' source 's'", "T"),
        ("from csv source 's'", "s"),
        ("from sheet 'S'", "S"),
        ("from sheet 'S' source 's'", "s"),
        ("from csv", "A"),
        ("", "A"),
    ],
)
def test_the_name_of_a_store(store: str, name: str) -> None:
    assert own_name(read(f"model A {store} {{ x : string }}")["A"]) == name
