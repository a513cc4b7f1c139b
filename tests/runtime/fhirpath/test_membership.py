"""Items are found by keys, as `=` finds them equal; the work grows with their number and no faster."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import product

import pytest

from fhirmap.data import FhirpathItem
from fhirmap.runtime.fhirpath import collections
from fhirmap.runtime.fhirpath.item import FhirNode, Items
from fhirmap.runtime.fhirpath.membership import Pool, Seen, distinct, key_of, union
from fhirmap.runtime.fhirpath.operators import same
from fhirmap.runtime.fhirpath.quantity import Quantity
from fhirmap.runtime.fhirpath.temporal import parse_date, parse_date_time, parse_time
from tests.work import calls

ITEMS: list[FhirpathItem] = [
    *("a", "A", "", True, False, 0, 1, 5, Decimal("5.0"), Decimal("0.05"), Decimal("3.1415")),
    *map(parse_date, ("2020", "2020-01", "2020-01-01", "2020-01-02")),
    *map(parse_date_time, ("2020-01-01", "2020-01-01T10:00", "2020-01-01T10:00:00", "2020-01-01T10:00:00.000")),
    *map(parse_date_time, ("2020-01-01T10:00:00Z", "2020-01-01T11:00:00+01:00", "2020-01-01T10:00:00.000Z")),
    *map(parse_time, ("10:00", "10:00:00", "10:00:00.0")),
    *(Quantity(Decimal(value)) for value in ("5", "1")),
    *(Quantity(Decimal(value), unit) for value, unit in (("5", "%"), ("500", "%"), ("1", "[pi]"), ("2", "[pi]"))),
    *(Quantity(Decimal(value), unit) for value, unit in (("1", "g"), ("1000", "mg"), ("0.001", "kg"), ("1", "mg"))),
    *(Quantity(Decimal(7), unit) for unit in ("d", "day", "days", "wk", "year", "a", "{score}", "no such unit")),
    *(Quantity(Decimal(1), unit) for unit in ("wk", "week", "weeks", "Cel", "K", "no such unit")),
    *(Quantity(Decimal(1), "g", system) for system in ("", "urn:other")),
    *({"a": "b"}, {"a": "c"}, {"a": {"b": [1, "c"]}}, {"a": {"b": [Decimal("1.0"), "c"]}}),
    *(FhirNode("a", "code"), FhirNode("2020-01-01", "date"), FhirNode("2020-01", "dateTime"), FhirNode(None, "string")),
    FhirNode({"value": Decimal(1), "code": "g", "system": "http://unitsofmeasure.org"}, "Quantity"),
]


@pytest.mark.parametrize(("left", "right"), list(product(range(len(ITEMS)), repeat=2)))
def test_items_are_equal_where_their_keys_are(left: int, right: int) -> None:
    one, two = ITEMS[left], ITEMS[right]
    alike = key_of(one) is not None and key_of(one) == key_of(two)
    assert alike == (same(one, two) is True)


def test_each_item_once_and_what_is_in_both() -> None:
    dates = [parse_date("2020-01-01"), parse_date("2020-01-02"), parse_date("2020-01-01")]
    assert distinct(dates) == dates[:2]
    assert union(["a", "b"], ["b", "c"]) == ["a", "b", "c"]
    assert parse_date_time("2020-01-01") in Pool(dates) and parse_date("2020-01-03") not in Pool(dates)
    seen = Seen()
    assert [seen.is_new(item) for item in (1, Quantity(Decimal(1)), Quantity(Decimal(100), "%"))] == [
        True,
        False,
        False,
    ]
    without = FhirNode(None, "string")
    assert without not in Pool([without]) and distinct([without, without]) == [without, without]


def _dates(count: int) -> Items:
    return [parse_date(f"{1000 + number}-01-01") for number in range(count)]


def _quantities(count: int) -> Items:
    return [Quantity(Decimal(number), "mg" if number % 2 else "g") for number in range(count)]


def _objects(count: int) -> Items:
    return [FhirNode({"family": "same", "period": {"start": str(number)}}, "HumanName") for number in range(count)]


@pytest.mark.parametrize("make", [_dates, _quantities, _objects])
@pytest.mark.parametrize("function", ["intersect", "exclude", "subset_of", "superset_of", "is_distinct", "union"])
def test_the_work_grows_with_the_number_of_items(function: str, make: Callable[[int], Items]) -> None:
    def work(count: int) -> int:
        one, two = make(count), make(2 * count)[count:]
        if function == "is_distinct":
            return calls(lambda: collections.is_distinct(one))
        if function == "union":
            return calls(lambda: union(one, two))
        return calls(lambda: getattr(collections, function)(one, two))

    work(10)
    assert work(800) < 3 * work(400)
