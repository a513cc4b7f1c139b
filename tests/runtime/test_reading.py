"""Cells become values; what does not convert is a fault that names the column and never the value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from fhirmap.data import PathSteps
from fhirmap.records import Fault, TreeText
from fhirmap.runtime import reading
from fhirmap.runtime.reading import Cell

CANARY = "CANARY-284051012345678"


def cell(type_name: str, **options: Any) -> Cell:
    return Cell("Op.x", "T.c", type_name, "m.map:1:1", "c", **options)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (" x ", "x"),
        ("\u00a0\u2009x\u202f", "x"),
        (None, ""),
        (7, "7"),
        (True, "true"),
        (Decimal("1.50"), "1.50"),
        (12.0, "12"),
        (date(2025, 3, 20), "2025-03-20"),
    ],
)
def test_text(raw: object, text: str) -> None:
    faults: list[Fault] = []
    assert reading.as_text(raw, cell("string"), faults) == text
    assert not faults


@pytest.mark.parametrize("raw", [0.1 + 0.2, 1.23457e20, float("nan"), {"a": 1}, [1], Decimal("NaN")])
def test_what_is_no_text(raw: object) -> None:
    faults: list[Fault] = []
    assert reading.as_text(raw, cell("string"), faults) == ""
    assert [fault.code for fault in faults] == ["FM410"]


@pytest.mark.parametrize(
    ("raw", "type_name", "value"),
    [
        ("5", "integer", 5),
        ("+5", "integer", 5),
        (5, "positiveInt", 5),
        (" ", "integer", None),
        ("-1", "integer", -1),
        ("0", "unsignedInt", 0),
    ],
)
def test_integers(raw: object, type_name: str, value: int | None) -> None:
    faults: list[Fault] = []
    assert reading.as_integer(raw, cell(type_name), faults) == value
    assert not faults


@pytest.mark.parametrize(
    ("raw", "type_name"), [("5.0", "integer"), ("٣", "integer"), (0, "positiveInt"), (1.5, "integer")]
)
def test_what_is_no_integer(raw: object, type_name: str) -> None:
    faults: list[Fault] = []
    assert reading.as_integer(raw, cell(type_name), faults) is None
    assert len(faults) == 1


def test_decimals_keep_their_digits() -> None:
    faults: list[Fault] = []
    assert str(reading.as_decimal("1.50", cell("decimal"), faults)) == "1.50"
    assert str(reading.as_decimal(0.1, cell("decimal"), faults)) == "0.1"
    assert reading.as_decimal("1,50", cell("decimal"), faults) is None
    assert len(faults) == 1


def test_booleans() -> None:
    faults: list[Fault] = []
    values = [reading.as_boolean(raw, cell("boolean"), faults) for raw in (True, 0, "1", "FALSE", "", None)]
    assert values == [True, False, True, False, None, None]
    assert reading.as_boolean("maybe", cell("boolean"), faults) is None
    assert len(faults) == 1


@pytest.mark.parametrize(
    ("raw", "type_name", "options", "value"),
    [
        ("20250320003000", "date", {"format": "yyyyMMddHHmmss", "zone": "Europe/Paris"}, "2025-03-20"),
        (
            "20250720003000",
            "dateTime",
            {"format": "yyyyMMddHHmmss", "zone": "Europe/Paris"},
            "2025-07-20T00:30:00+02:00",
        ),
        ("2025-05-26T22:30:00Z", "date", {"zone": "Europe/Paris"}, "2025-05-27"),
        ("2025-05-26 22:30:00", "dateTime", {"zone": "Europe/Paris"}, "2025-05-26T22:30:00+02:00"),
        ("12/2028", "date", {"format": "MM/yyyy"}, "2028-12"),
        ("5/1/25", "date", {"format": "d/M/yy"}, "2025-01-05"),
        ("2025", "dateTime", {}, "2025"),
        ("10h15", "time", {"format": "HH'h'mm".replace("'", "")}, None),
        (date(2025, 3, 20), "date", {"format": "yyyyMMdd"}, "2025-03-20"),
        (datetime(2025, 3, 20, 23, 30), "date", {"zone": "Europe/Paris"}, "2025-03-20"),
        ("00000000", "date", {"format": "yyyyMMdd", "nulls": frozenset(("00000000",))}, None),
        ("", "date", {}, None),
    ],
)
def test_dates(raw: object, type_name: str, options: dict[str, Any], value: str | None) -> None:
    faults: list[Fault] = []
    assert reading.date_reader(cell(type_name, **options))(raw, faults) == value


@pytest.mark.parametrize(
    ("raw", "options"),
    [
        ("20250231", {"format": "yyyyMMdd"}),
        ("20250320250000", {"format": "yyyyMMddHHmmss"}),
        ("2025032", {"format": "yyyyMMdd"}),
        ("٢٠٢٥٠٣٢٠", {"format": "yyyyMMdd"}),
        ("31/02/2025", {"format": "dd/MM/yyyy"}),
        ("2025-13-01", {}),
        (CANARY, {}),
    ],
)
def test_days_that_do_not_exist(raw: object, options: dict[str, Any]) -> None:
    faults: list[Fault] = []
    assert reading.date_reader(cell("date", **options))(raw, faults) is None
    (fault,) = faults
    assert (fault.code, fault.columns, fault.position) == ("FM410", ("T.c",), "m.map:1:1")


def test_no_fault_shows_a_value() -> None:
    faults: list[Fault] = []
    reading.as_integer(CANARY, cell("integer"), faults)
    reading.as_decimal(CANARY, cell("decimal"), faults)
    reading.as_boolean(CANARY, cell("boolean"), faults)
    reading.date_reader(cell("date"))(CANARY, faults)
    reading.disagreeing([{"c": CANARY}, {"c": "other"}], (cell("string"),), faults)
    reading.one([CANARY, CANARY], cell("string"), faults)
    reading.rows(CANARY, cell("Pose"), faults)
    assert len(faults) == 7
    assert CANARY not in repr(faults)


def test_a_path_goes_through_lists() -> None:
    row = {"a": [{"b": {"c": 1}}, {"b": {"c": [2, 3]}}, {"b": None}, {}]}
    assert reading.at(row, ("a", "b", "c")) == [1, 2, 3]
    assert reading.at(row, ("a", "x")) == []
    assert reading.at({"a": "text"}, ("a", "b")) == reading.UnreadDocument(b"text")
    assert reading.at({"a": [" ", None, 7]}, ("a", "b", "c")) == [reading.UnreadDocument(b"7")]


@pytest.mark.parametrize(
    ("path", "value"), [(("a", 0, "b"), 1), (("a", 1, "b"), None), (("c", 0), "x"), (("d", 0), None)]
)
def test_an_item_alone_is_a_list_of_one(path: tuple[str | int, ...], value: object) -> None:
    assert reading.at({"a": {"b": 1}, "c": "x", "d": None}, path) == value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("a", (("k",), "x"), "v"), [1, 4]),
        (("a", (("k",), "x"), 1, "v"), 4),
        (("a", (("k",), "7"), "v"), [2]),
        (("a", (("k",), "1.50"), "v"), [3]),
        (("a", (("k",), "true"), "v"), [5]),
        (("a", (("k",), "none"), "v"), []),
        (("one", (("in", "k"), "x"), "v"), 8),
        (("one", (("in", "k"), "y"), "v"), None),
        (("plain", (("k",), "x")), None),
        (("absent", (("k",), "x"), "v"), None),
    ],
)
def test_a_filter_keeps_the_items_with_this_text_at_its_path(path: PathSteps, value: object) -> None:
    listed = [
        {"k": " x ", "v": 1},
        {"k": 7, "v": 2},
        {"k": Decimal("1.50"), "v": 3},
        {"k": ["y", "x"], "v": 4},
        {"k": True, "v": 5},
        {"k": None, "v": 6},
        {"k": {"x": "x"}, "v": 7},
        "x",
    ]
    row = {"a": listed, "one": {"in": [{"k": "x"}, {"k": "z"}], "v": 8}, "plain": "x"}
    assert reading.at(row, path) == value


def test_a_filter_leaves_a_text_that_is_no_document_as_it_is() -> None:
    shut = reading.UnreadDocument(b"{")
    assert reading.at({"a": shut}, ("a", (("k",), "x"), "v")) == shut


def test_a_row_leads_to_its_parent_and_to_the_root() -> None:
    root = {"id": "r", "same": 1}
    row = {"id": "c", "..": {"id": "p", "..": root}}
    assert reading.at(row, ("..", "id")) == "p"
    assert reading.at(row, ("..", "..", "id")) == "r"
    assert reading.at(row, ("/", "id")) == "r"
    assert reading.at(row, ("/", "same")) == reading.at(root, ("/", "same")) == 1
    assert reading.at(row, ("..", "..", "..", "id")) is None


def test_a_text_with_members_is_both() -> None:
    row = {"id": TreeText(" 12 ", {"@root": "1.2", "4": {"1": "OP"}}), "plain": "x", "list": ["a", TreeText("b", {})]}
    assert reading.at(row, ("id", "@root")) == "1.2"
    assert reading.at(row, ("id", "4", "1")) == "OP"
    assert reading.at(row, ("id", (("4", "1"), "OP"))) == " 12 "
    assert reading.at(row, ("id", (("#text",), "12"), "@root")) == "1.2"
    assert reading.at(row, ("id", "@other")) is None
    text = reading.at(row, ("id", "#text"))
    assert (text, type(text)) == (" 12 ", str)
    assert reading.at(row, ("plain", "#text")) == "x"
    assert reading.at(row, ("list", "#text")) == ["a", "b"]
    faults: list[Fault] = []
    assert type(reading.as_text(row["id"], cell("string"), faults)) is str


def test_a_text_with_members_is_a_row() -> None:
    faults: list[Fault] = []
    held = TreeText("12", {"@root": "1.2"})
    row = {"@root": "1.2", "#text": "12"}
    assert reading.rows(held, cell("Pose"), faults) == [row]
    assert reading.rows([held, {"a": 1}], cell("Pose", maximum=None), faults) == [row, {"a": 1}]
    assert reading.item_rows([held, "x"]) == [{"value": "12", **row}, {"value": "x"}]
    assert reading.item_rows(held) == {"value": "12", **row}
    assert reading.item_rows([TreeText("12", {"value": "own"})]) == [{"value": "own", "#text": "12"}]
    assert faults == []


@pytest.mark.parametrize("type_name", ["string", "integer", "decimal", "boolean", "date"])
def test_several_values_where_one_is_read_are_counted(type_name: str) -> None:
    readers: dict[str, Callable[..., object]] = {
        "integer": reading.as_integer,
        "decimal": reading.as_decimal,
        "boolean": reading.as_boolean,
        "string": reading.as_text,
    }
    faults: list[Fault] = []
    if type_name == "date":
        assert reading.date_reader(cell("date"))(["2025-01-01", "2025-01-02"], faults) is None
    else:
        assert not readers[type_name](["1", "2"], cell(type_name), faults)
    assert [(fault.code, fault.args["count"], fault.args["most"]) for fault in faults] == [("FM412", 2, 1)]


@pytest.mark.parametrize("raw", [b"N/A", b" text "])
def test_where_a_path_leads_nowhere_is_a_fault_unless_the_map_has_the_word(raw: bytes) -> None:
    shut = reading.UnreadDocument(raw)
    for type_name in ("string", "integer", "decimal"):
        faults: list[Fault] = []
        reading.as_text(shut, cell(type_name), faults)
        reading.rows(shut, cell("Pose"), faults)
        reading.rows([{}, shut, shut], cell("Pose", maximum=None), faults)
        assert [(fault.code, fault.variant) for fault in faults] == [("FM410", "document")] * 3
    faults = []
    words = frozenset(("N/A", "text"))
    assert reading.as_text(shut, cell("string", nulls=words), faults) == ""
    assert reading.as_boolean(shut, cell("boolean", nulls=words), faults) is None
    assert reading.rows([{}, shut], cell("Pose", maximum=None, nulls=words), faults) == [{}]
    assert faults == []


def test_child_rows_are_counted() -> None:
    faults: list[Fault] = []
    assert reading.rows([{"a": 1}, None], cell("Pose", maximum=None), faults) == [{"a": 1}]
    assert reading.rows({"a": 1}, cell("Pose"), faults) == [{"a": 1}]
    assert reading.rows(None, cell("Pose"), faults) == []
    assert not faults
    assert reading.rows([{"a": 1}, {"a": 2}], cell("Pose"), faults) == ()
    assert [fault.code for fault in faults] == ["FM412"]


@pytest.mark.parametrize(
    ("raw", "count", "is_fault"),
    [
        (2, 2, False),
        ("3", 3, False),
        ("2,0", 2, False),
        (" 1.00 ", 1, False),
        (Decimal("2.00"), 2, False),
        (None, 1, False),
        (0, 0, False),
        (-1, 1, True),
        ("x", 1, True),
        ("1,000", 1, True),
        ("1,5", 1, True),
        (Decimal("1E+999999"), 1, True),
    ],
)
def test_quantities(raw: object, count: int, is_fault: bool) -> None:
    faults: list[Fault] = []
    assert reading.times(raw, cell("integer"), faults) == count
    assert bool(faults) is is_fault


def test_a_word_of_absence_may_be_a_number() -> None:
    faults: list[Fault] = []
    filled = cell("integer", nulls=frozenset(("99", "N/A")))
    assert [reading.as_integer(raw, filled, faults) for raw in (99, "99", 9, "9")] == [None, None, 9, 9]
    assert [reading.times(raw, filled, faults) for raw in (99, "99", "N/A", 9)] == [1, 1, 1, 9]
    assert not faults


def test_a_line_that_says_nothing_agrees_with_all() -> None:
    faults: list[Fault] = []
    reading.disagreeing([{"c": "a"}, {"c": " "}, {"c": None}, {}, {"c": "a "}], (cell("string"),), faults)
    assert faults == []
    reading.disagreeing([{"c": "a"}, {"c": "-"}], (cell("string", nulls=frozenset(("-",))),), faults)
    assert faults == []
    reading.disagreeing([{"c": "a"}, {"c": "b"}], (cell("string"),), faults)
    assert [fault.code for fault in faults] == ["FM413"]


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "value"),
    [
        ("1 234,50", ",", " ", "1234.50"),
        ("1\u202f234,50", ",", " ", "1234.50"),
        ("1\u00a0234\u00a0567,5", ",", " ", "1234567.5"),
        ("1234,5", ",", " ", "1234.5"),
        ("1.234,5", ",", ".", "1234.5"),
        ("1,234.5", ".", ",", "1234.5"),
        ("-12,5", ",", "", "-12.5"),
        ("7", ",", " ", "7"),
    ],
)
def test_a_number_in_the_marks_of_its_model(text: str, decimal: str, thousands: str, value: str) -> None:
    faults: list[Fault] = []
    marked = cell("decimal", decimal=decimal, thousands=thousands)
    assert reading.as_decimal(text, marked, faults) == Decimal(value)
    assert not faults
    if "." not in value:
        assert reading.as_integer(text, cell("integer", decimal=decimal, thousands=thousands), faults) == int(value)


@pytest.mark.parametrize("text", ["1.5", "12 34,5", "1 2345", "1,5,5", "1 234.5", "abc", ",5"])
def test_a_number_in_other_marks_is_a_fault(text: str) -> None:
    faults: list[Fault] = []
    assert reading.as_decimal(text, cell("decimal", decimal=",", thousands=" "), faults) is None
    assert [fault.code for fault in faults] == ["FM410"]


@pytest.mark.parametrize(
    ("raw", "decimals", "value"),
    [
        ("0000389500", 3, "389.500"),
        (" -0012 ", 2, "-0.12"),
        ("+7", 1, "0.7"),
        ("123456789012345678901234567890123456", 3, "123456789012345678901234567890123.456"),
        (389500, 3, "389.500"),
        (389500.0, 3, "389.500"),
    ],
)
def test_digits_whose_decimals_the_map_declares(raw: object, decimals: int, value: str) -> None:
    faults: list[Fault] = []
    declared = cell("decimal", decimals=decimals, decimal=",", nulls=frozenset(("0000000000",)))
    assert str(reading.as_decimal(reading.implied(raw, declared, faults), declared, faults)) == value
    assert not faults


@pytest.mark.parametrize("raw", ["12,5", "12.5", "1E3", "abc", "1 234", "++1", 12.5, True, float("nan")])
def test_other_texts_are_no_digits_with_decimals(raw: object) -> None:
    faults: list[Fault] = []
    assert (
        reading.as_decimal(reading.implied(raw, cell("decimal", decimals=2), faults), cell("decimal"), faults) is None
    )
    assert [fault.code for fault in faults] == ["FM410"]


@pytest.mark.parametrize("raw", [None, "", "   ", "0000000000"])
def test_no_digits_are_no_number_and_no_fault(raw: object) -> None:
    faults: list[Fault] = []
    declared = cell("decimal", decimals=2, nulls=frozenset(("0000000000",)))
    assert reading.as_decimal(reading.implied(raw, declared, faults), declared, faults) is None
    assert not faults


def test_lines_that_are_documents_are_compared_where_their_paths_lead() -> None:
    faults: list[Fault] = []
    lines = [{"op": {"site": "A"}}, {"op": {"site": "A"}}, {"op": {}}]
    reading.disagreeing(lines, (cell("string"),), faults, (("op", "site"),))
    assert not faults
    reading.disagreeing([*lines, {"op": {"site": "B"}}], (cell("string"),), faults, (("op", "site"),))
    assert [fault.code for fault in faults] == ["FM413"]


def test_numbers_of_a_driver_have_no_marks() -> None:
    marked = cell("decimal", decimal=",", thousands=" ")
    assert reading.as_decimal(Decimal("1.5"), marked, []) == Decimal("1.5")
    assert reading.as_decimal(1.5, marked, []) == Decimal("1.5")
    assert reading.as_integer(1234, cell("integer", decimal=",", thousands=" "), []) == 1234
    for number in (Decimal("1.234"), 1.125):
        faults: list[Fault] = []
        assert reading.as_integer(number, cell("integer", decimal=",", thousands="."), faults) is None
        assert [fault.code for fault in faults] == ["FM410"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-07-14 00:30+02", "2025-07-14T00:30:00+02:00"),
        ("2025-07-14T00:30:00+0200", "2025-07-14T00:30:00+02:00"),
        ("2025-07-14T00:30:00+02:00", "2025-07-14T00:30:00+02:00"),
        ("2025-07-14 00:30:00-03", "2025-07-14T00:30:00-03:00"),
    ],
)
def test_offsets_in_hours(text: str, moment: str) -> None:
    read = reading.date_reader(cell("dateTime"))
    assert read(text, []) == moment
    local = reading.date_reader(cell("dateTime", format="dd/MM/yyyy HH:mm Z"))
    assert local(f"14/07/2025 00:30 {moment[19:22]}", []) == moment


@pytest.mark.parametrize("offset", ["+99", "+9900", "+02:75", "+1"])
def test_an_offset_that_no_place_has(offset: str) -> None:
    faults: list[Fault] = []
    assert reading.date_reader(cell("dateTime"))(f"2025-07-14 00:30{offset}", faults) is None
    assert [fault.code for fault in faults] == ["FM410"]
