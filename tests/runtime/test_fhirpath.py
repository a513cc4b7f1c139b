"""The runtime by itself: precision, units, text, and what is left open."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhirmap.errors import TransformFailed
from fhirmap.runtime import fhirpath as fp
from fhirmap.runtime.fhirpath import temporal
from fhirmap.runtime.fhirpath.quantity import Quantity, scale


def moment(text: str) -> fp.Temporal:
    found = fp.parse_date_time(text) if "T" in text else fp.parse_date(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        ("2025-03-15", "2025-03-16", -1),
        ("2025-03-15", "2025-03", None),
        ("2025-04", "2025-03-15", 1),
        ("2025-03-15T10:00:00Z", "2025-03-15T12:00:00+02:00", 0),
        ("2025-03-15T23:30:00-05:00", "2025-03-16T04:30:00Z", 0),
        ("2025-03-15T10:00:00", "2025-03-15T10:00:00Z", None),
        ("2025-03-15T10:00:00", "2025-03-20T10:00:00Z", -1),
        ("2025-03-15T10:00", "2025-03-15T10:00:30", None),
        ("2025-03-15T10:00:30.5", "2025-03-15T10:00:30.50", 0),
    ],
)
def test_dates_compare_as_far_as_they_are_written(left: str, right: str, order: int | None) -> None:
    assert temporal.compare(moment(left), moment(right)) == order


@pytest.mark.parametrize(
    ("start", "amount", "unit", "end"),
    [
        ("2024-01-31", "1", "month", "2024-02-29"),
        ("2024-02-29", "1", "year", "2025-02-28"),
        ("2024-02-29", "-1", "years", "2023-02-28"),
        ("2025-03", "2", "months", "2025-05"),
        ("2025", "24", "months", "2027"),
        ("2025-12-31T23:59:59Z", "1", "second", "2026-01-01T00:00:00Z"),
        ("2025-03-15T10:00:00+01:00", "36", "hours", "2025-03-16T22:00:00+01:00"),
        ("2025-03-15", "1.9", "days", "2025-03-16"),
        ("2025-03-15T10:00:00Z", "0.25", "s", "2025-03-15T10:00:00.25Z"),
    ],
)
def test_date_arithmetic(start: str, amount: str, unit: str, end: str) -> None:
    found = temporal.add(moment(start), Decimal(amount), unit)
    assert found is not None and found.text == end


@pytest.mark.parametrize(
    "text", ["2025-13", "2025-02-30", "25", "2025-3-1", "20250301", "", "abcd", "2025-03-15T25:00"]
)
def test_what_is_no_date(text: str) -> None:
    assert fp.parse_date_time(text) is None


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        (("1", "kg"), ("1000", "g"), 0),
        (("1", "[lb_av]"), ("453.59237", "g"), 0),
        (("1", "mmol/L"), ("1000", "umol/L"), 0),
        (("120", "mm[Hg]"), ("16", "kPa"), -1),
        (("1", "week"), ("7", "days"), 0),
        (("1", "year"), ("12", "months"), 0),
        (("1", "year"), ("1", "a"), None),
        (("1", "kg"), ("1", "m"), None),
        (("1", "{tablet}"), ("1", "{pill}"), 0),
        (("1", "foo"), ("1", "foo"), 0),
        (("1", "foo"), ("1", "kg"), None),
    ],
)
def test_quantities_compare_by_exact_factors(left: tuple[str, str], right: tuple[str, str], order: int | None) -> None:
    one, two = (Quantity(Decimal(value), unit) for value, unit in (left, right))
    assert fp.equal([one], [two]) == ([] if order is None else [order == 0])
    if order:
        assert fp.less([one], [two]) == [order < 0]


def test_an_unknown_unit_is_no_guess() -> None:
    assert scale("furlong") is None
    assert scale("m/s2") == scale("m.s-2")


def test_several_values_are_a_fault_without_their_values() -> None:
    with pytest.raises(TransformFailed) as caught:
        fp.substring(["secret-1", "secret-2"], [0])
    assert caught.value.code == "FM430"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: fp.add(["a"], [1]), "FM431"),
        (lambda: fp.less([1], ["a"]), "FM431"),
        (lambda: fp.add([moment("2025-03-15")], [Quantity(Decimal(1), "mo")]), "FM431"),
        (lambda: fp.upper([1]), "FM432"),
        (lambda: fp.all_true([True, "x"]), "FM432"),
        (lambda: fp.matches(["a"], ["(["]), "FM433"),
        (lambda: fp.matches(["a"], ["a"], ["x"]), "FM433"),
        (lambda: fp.decode(["%%"], ["base64"]), "FM433"),
        (lambda: fp.member_of(["a"], fp.EvaluationContext(), ["http://x"]), "FM434"),
        (lambda: fp.defined({}, "x"), "FM435"),
    ],
)
def test_faults_have_codes_and_pages(call: Any, code: str) -> None:
    with pytest.raises(TransformFailed) as caught:
        call()
    assert caught.value.code == code
    assert caught.value.diagnostic().message
    assert "{" not in caught.value.diagnostic().message


@pytest.mark.parametrize(
    ("left", "right", "both", "either", "then"),
    [
        ([True], [True], [True], [True], [True]),
        ([True], [False], [False], [True], [False]),
        ([True], [], [], [True], []),
        ([False], [True], [False], [True], [True]),
        ([False], [], [False], [], [True]),
        ([], [True], [], [True], [True]),
        ([], [False], [False], [], []),
        ([], [], [], [], []),
    ],
)
def test_logic_has_three_values(
    left: list[Any], right: list[Any], both: list[Any], either: list[Any], then: list[Any]
) -> None:
    assert (fp.and_(left, right), fp.or_(left, right), fp.implies(left, right)) == (both, either, then)


def test_children_of_data_without_types() -> None:
    data = {"valueQuantity": {"value": 1}, "given": ["a", None], "_birthDate": {"id": "x"}}
    assert [node.type for node in fp.child(data, "value")] == ["Quantity"]
    assert fp.child(data, "given") == ["a"]
    assert fp.has_value(fp.child(data, "birthDate")) == [False]
    assert len(fp.children([data])) == 3


def test_decimals_and_dates_come_back_as_written() -> None:
    node = fp.FhirNode({"value": Decimal("1.50")}, "Quantity", fp.TypeTable({"Quantity": {"value": "decimal"}}))
    assert str(fp.value(fp.child(node, "value"))) == "1.50"
    assert fp.values([moment("2025-03"), fp.FhirNode("2025-03-15T10:00:00+01:00", "dateTime")]) == [
        "2025-03",
        "2025-03-15T10:00:00+01:00",
    ]


def test_pattern_ends_at_the_very_end() -> None:
    assert fp.matches(["a\n"], ["^a$"]) == [False]
    assert fp.matches(["a$b"], ["a[$]b"]) == [True]
    assert fp.matches(["a$b"], [r"a\$b"]) == [True]
    assert fp.matches(["ab\nC"], ["^c$"], ["im"]) == [True]
    assert fp.replace_matches(["12-34"], [r"(\d+)-(\d+)"], ["$2-$1"]) == ["34-12"]


def test_distinct_takes_time_in_line_with_size() -> None:
    items = [{"a": number, "b": [number]} for number in range(20_000)]
    assert len(fp.distinct(items + items)) == 20_000


@pytest.mark.parametrize("left", [None, "a", "A ", "a b", "A  B", "b"])
@pytest.mark.parametrize("right", [None, "a", "A ", "a b", "A  B", "b"])
def test_texts_are_alike_that_have_one_likeness(left: str | None, right: str | None) -> None:
    assert fp.alike_texts(left, right) == (fp.likeness(left) == fp.likeness(right))


def test_items_are_kept_by_what_is_compared_once_a_run() -> None:
    environment, asked = fp.EvaluationContext(), []
    items = [{"a": f"A{number % 10}", "rank": number} for number in range(40)]

    def key(item: dict[str, Any]) -> tuple[Any, ...]:
        asked.append(item["rank"])
        return (item["a"],)

    assert [item["rank"] for item in fp.alike_items(environment, items, key, ("A3",))] == [3, 13, 23, 33]
    assert list(fp.alike_items(environment, items, key, ("B",))) == []
    assert list(fp.alike_items(environment, items, key, (None,))) == []
    assert asked == list(range(40))
    # Of few items the condition itself is asked; another list is another search.
    assert fp.alike_items(environment, items[:5], key, ("A3",)) == items[:5]
    assert [item["rank"] for item in fp.alike_items(environment, items[20:], key, ("A3",))] == [23, 33]


_DAYS = [
    "1984-05-10",
    "2007-03-15",
    "2007-03-16",
    "2007-03",
    "2007",
    "2007-02-30",
    "20070315",
    "2007-W01-1",
    "",
    "٢007-03-15",
]
_INSTANTS = [
    "2007-03-15T00:00:00Z",
    "2007-03-15T01:00:00.5+01:00",
    "2007-03-15T01:00:00+01:00",
    "2007-03-14T23:59:59.9999999Z",
    "2007-03-14T23:59:60Z",
    "2007-03-15T00:00:00,5Z",
    "2007-03-15 00:00:00Z",
    "2007-03-15T24:00:00Z",
    "2007-03-15T00:00:00+99:00",
    "2007-03-15T00:00",
    "2007-03-15T00:00:00",
    *_DAYS,
]


@pytest.mark.parametrize(
    "limit", ["2007-03-15", "2007-03", "2007-03-15T00:00:00Z", "2007-03-15T01:00:00+01:00", "2007-03-15T00:00"]
)
@pytest.mark.parametrize("text", _INSTANTS)
def test_a_limit_knows_no_more_than_the_comparison_of_items(text: str, limit: str) -> None:
    compared = {"<": fp.less, "<=": fp.less_or_equal, ">": fp.greater, ">=": fp.greater_or_equal}
    for order, compare in compared.items():
        known = fp.within_limit({"at": text}, "at", fp.Limit(order, limit))
        if known:
            assert known == compare(fp.nodes(text, "dateTime"), [fp.parse_date_time(limit)])


def test_a_limit_knows_days_and_instants_that_are_written_in_full() -> None:
    day, instant = fp.Limit("<=", "2007-03-15"), fp.Limit(">", "2007-03-15T00:00:00Z")
    assert fp.within_limit({"at": "2007-03-15"}, "at", day) == [True]
    assert fp.within_limit({"at": "2007-03-16"}, "at", day) == [False]
    assert fp.within_limit({"at": "2007-03-15T00:30:00+01:00"}, "at", instant) == [False]
    for closer in ({"at": "2007-03-15", "_at": {"id": "i"}}, {"at": ["2007-03-15"]}, {}, ["2007-03-15"]):
        assert fp.within_limit(closer, "at", day) == []


def test_texts_of_any_type_are_one_where_they_are_the_same() -> None:
    code, uri, date = fp.FhirNode("a", "code"), fp.FhirNode("a", "uri"), fp.FhirNode("2025", "date")
    assert fp.distinct([code, "b", uri, "a", "b"]) == [code, "b"]
    assert fp.distinct(["a", 1, code, True, Decimal("1.0"), date, "2025"]) == ["a", 1, True, date, "2025"]


def test_objects_that_have_the_same_texts_may_differ_below() -> None:
    first, other, alike = ({"code": "a", "part": [{"rank": rank}]} for rank in (1, 2, 1))
    assert fp.distinct([first, other, alike, {"code": "b"}, other]) == [first, other, {"code": "b"}]
    assert fp.repeat([{"sub": [first, other, alike]}], lambda item: fp.child(item, "sub")) == [first, other]


def test_children_are_in_the_order_of_their_type_and_not_of_the_object() -> None:
    table = fp.TypeTable({"Part": {"code": "code", "value": ("string", "boolean"), "sub*": "Part"}})
    part = {"_code": {"id": "i"}}
    held = {"odd": 1, "sub": [part], "valueBoolean": True, "code": "a"}
    below = fp.descendants([fp.node(held, "Part", table)])
    assert [item.type for item in below] == ["code", "boolean", "Part", "code", "string"]
    assert fp.values(below) == ["a", True, part, "i"]
