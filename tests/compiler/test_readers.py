"""Readers: text in place, the rest through the runtime, and nothing that a row holds raises."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import fhirmap
from fhirmap.compiler.plain_texts import odd_text
from fhirmap.compiler.python import Name
from fhirmap.data import RawValue
from fhirmap.records import ReadRecord, TreeText
from tests.compiler.generated import PATIENT, body_of


def compiled(models: str) -> fhirmap.Transformer:
    group = "group g(source src : Row, target tgt : Patient) { src.a as v -> tgt.id = 'x'; }\n"
    return fhirmap.compile_map(PATIENT + models + group, validate=False)


def paragraph(models: str, element: str) -> str:
    """The statements that read an element."""
    paragraphs = body_of(compiled(models), "_read").split("\n\n")
    (found,) = (text for text in paragraphs if text.startswith(f"# {element} :"))
    return found.partition("\n")[2].partition("\nreturn record")[0]


def test_a_text_is_stripped_in_place() -> None:
    assert paragraph("model Row { a : string }\n", "a") == (
        "cell = row.get('a')\n"
        "if cell is not None:\n"
        "    value = cell.strip() if type(cell) is str else as_text(cell, _ROW_A, faults)\n"
        f"    if {odd_text(Name('value'))}:\n"
        "        value = mended(value, _ROW_A, faults)\n"
        "    if value:\n"
        "        record['a'] = value"
    )


def test_texts_that_mean_nothing_are_left_out() -> None:
    one = paragraph('model Row { a : string null "-" }\n', "a")
    assert "if value == '-':\n        value = ''\n    elif value and (value[:3] in ODD_STARTS or " in one
    assert "if value in {'-', 'X'}:\n        value = ''" in paragraph('model Row { a : string null "-", "X" }\n', "a")
    assert "if value and value not in {'-', 'X'}:" in paragraph('model Row { a : code null "-", "X" }\n', "a")
    assert "nulls=frozenset(('-', 'X'))" in compiled('model Row { a : string null "X", "-" }\n').source


def test_what_paths_lead_to_is_looked_up_in_place() -> None:
    models = "model Row from json key 'id' { a : code from 'act.day.a' b : code from 'act.day.b' }\n"
    assert paragraph(models, "a").startswith(
        "act = row.get('act', {})\n"
        "act_day = act.get('day', {}) if type(act) is dict else at(row, ('act', 'day'))\n"
        "cell = act_day.get('a') if type(act_day) is dict else at(row, ('act', 'day', 'a'))\n"
        "if type(cell) is list:\n"
        "    cell = one(cell, _ROW_A, faults)\n"
    )
    assert paragraph(models, "b").startswith("cell = act_day.get('b') if type(act_day) is dict else")


@pytest.mark.parametrize(
    ("row", "values", "codes"),
    [
        ({"act": {"day": {"a": " x ", "b": ["y"]}}}, {"a": "x", "b": "y"}, []),
        ({"act": [{"day": {"a": "x"}}, {"day": {"b": "y"}}]}, {"a": "x", "b": "y"}, []),
        ({"act": {"day": [{"a": "x"}, {"a": "y"}]}}, {}, ["FM412"]),
        ({"act": {"day": TreeText("t", {"a": "x"})}}, {"a": "x"}, []),
        ({"act": {"day": None}}, {}, []),
        ({"act": {}}, {}, []),
        ({}, {}, []),
        ({"act": None}, {}, []),
        ({"act": ""}, {}, []),
        ({"act": 0}, {}, ["FM410", "FM410"]),
        ({"act": "text"}, {}, ["FM410", "FM410"]),
    ],
)
def test_paths_lead_through_what_is_no_plain_object(row: RawValue, values: RawValue, codes: list[str]) -> None:
    read = compiled("model Row from json key 'id' { a : code from 'act.day.a' b : code from 'act.day.b' }\n").read(row)
    assert (read.values, [fault.code for fault in read.faults]) == (values, codes)


def test_names_of_paths_are_none_of_the_reader() -> None:
    models = (
        "model Row from json key 'k' { a : code from 'row.cell' b : code from 'record.at' c : code from 'value.one' }\n"
    )
    read = compiled(models).read({"row": {"cell": "x"}, "record": {"at": "y"}, "value": {"one": "z"}})
    assert (read.values, read.faults) == ({"a": "x", "b": "y", "c": "z"}, ())


def test_a_required_element_is_reported_where_it_is_absent() -> None:
    assert paragraph("model Row { a : integer 1..1 }\n", "a") == (
        "cell = row.get('a')\n"
        "value = as_integer(cell, _ROW_A, faults)\n"
        "if value is not None:\n"
        "    record['a'] = value\n"
        "else:\n"
        "    absent(_ROW_A, faults)"
    )
    read = compiled("model Row { a : integer 1..1 }\n").read({})
    assert [(fault.code, fault.columns) for fault in read.faults] == [("FM411", ("a",))]


def test_child_rows_are_read_by_a_reader_of_their_own() -> None:
    transformer = compiled("model Row { a : string part : Part 0..* }\nmodel Part { x : integer }\n")
    assert "item = read_part(child, faults)" in transformer.source
    read = transformer.read({"a": " v ", "part": [{"x": "1"}, {"x": "one"}]})
    assert read.values == {"a": "v", "part": [{"x": 1}, {}]}
    assert [(fault.code, fault.path) for fault in read.faults] == [("FM410", "Row.part[1].x")]


def test_the_same_model_from_two_places_has_two_readers() -> None:
    models = "model Row { a : string one : Part two : Part }\nmodel Part { x : integer }\n"
    transformer = compiled(models)
    found = transformer.read({"one": {"x": "1"}, "two": {"x": "2"}}).values
    assert found == {"one": {"x": 1}, "two": {"x": 2}}
    assert "def read_part_2(row, faults):" in transformer.source


def test_a_row_of_another_shape_is_a_fault() -> None:
    transformer = compiled("model Row { a : string part : Part 0..* }\nmodel Part { x : integer }\n")
    for row in ("text", [1], None, 5):
        read = transformer.read(row)  # type: ignore[arg-type]
        assert read.values == {}
        # Nothing at all may be a fault of ours, too.
        assert [fault.code for fault in read.faults] == ["FM414" if row is None else "FM438"]


def test_a_number_of_thousands_of_digits_is_a_fault_of_its_cell() -> None:
    read = compiled("model Row { a : integer b : string }\n").read({"a": 10**5000, "b": "x"})
    assert read.values == {"b": "x"}
    assert [(fault.code, fault.path) for fault in read.faults] == [("FM410", "Row.a")]


TABLE = """model Row from table 'T' key 'id' {
  a : string
  b : string from 'B é'
  poses : Pose 0..* join 'POSE' on 'id' repeat 'n'
  facts : Facts 0..1 join 'FACT' on 'id' attributes 'code' values 'v'
}
model Pose { lot : string }
model Facts { size : string from 'S' }
"""
WHOLE = {"a": "x", "B é": None, "poses": [{"lot": "L", "n": 1}], "facts": [{"code": "S", "v": None}]}


def test_the_cells_of_a_table_are_fetched_at_once() -> None:
    text = body_of(compiled(TABLE), "_read")
    assert text.startswith(
        "try:\n    a_raw = row['a']\n    b_raw = row['B é']\n"
        "    poses_raw = row['poses']\n    facts_raw = row['facts']\n"
        "except (KeyError, TypeError):\n    raise lacking(row, _ROW_NEEDS)\nrecord = {}\n"
    )
    assert "row.get(" not in text


def test_a_row_that_has_every_column_is_read() -> None:
    assert compiled(TABLE).read(WHOLE).faults == ()
    assert compiled(TABLE).read(WHOLE | {"more": 1}).values["a"] == "x"


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ({**WHOLE, "A": "x"} | {}, None),
        ({name: value for name, value in WHOLE.items() if name != "a"}, "`a`"),
        ({"A": "x", **{name: value for name, value in WHOLE.items() if name not in ("a", "B é")}}, "`B é`, `a`"),
        ({name: value for name, value in WHOLE.items() if name != "poses"}, "`poses`"),
        (WHOLE | {"poses": [{"lot": "L", "n": 1}, {"Lot": "L", "n": 1}]}, "`lot`"),
        (WHOLE | {"poses": [{"lot": "L"}]}, "`n`"),
        (WHOLE | {"facts": [{"code": "S", "value": "54"}]}, "`v`"),
        ({}, "`B é`, `a`, `facts`, `poses`"),
    ],
)
@pytest.mark.parametrize("store", ["table 'T'", "query 'select 1'", "csv"])
def test_a_row_that_lacks_a_column_is_a_fault(row: dict[str, object], columns: str | None, store: str) -> None:
    text = TABLE.replace("table 'T'", store)
    if store == "csv":
        text = text.replace("join 'POSE' on 'id'", "lines").replace("join 'FACT' on 'id'", "lines")
    transformer = compiled(text)
    read = transformer.read(row)
    assert [(fault.code, fault.args["columns"]) for fault in read.faults] == ([("FM417", columns)] if columns else [])
    result = transformer(row)
    assert [fault.code for fault in result.faults] == (["FM417"] if columns else [])
    assert result.valid is (columns is None)


def test_a_row_of_a_table_of_another_shape_is_a_fault() -> None:
    for row in ("text", [1], 5):
        read = compiled(TABLE).read(row)  # type: ignore[arg-type]
        assert [fault.code for fault in read.faults] == ["FM438"]
    read = compiled(TABLE).read(WHOLE | {"poses": ["text"]})
    assert [fault.code for fault in read.faults] == ["FM438"]


@pytest.mark.parametrize("store", ["", "from json key 'id'"])
def test_a_key_of_a_document_may_be_absent(store: str) -> None:
    read = compiled(
        f"model Row {store} {{ a : string  b : string from 'x.y'  poses : Row2 0..* }}\nmodel Row2 {{ z : string }}\n"
    )
    assert read.read({"a": "x"}).faults == ()


def test_a_number_whose_decimals_are_implied() -> None:
    models = """model Row from fixed key '1-4' {
  a : string 1..1 from 1..4 decimals 2 null '0000'
  b : integer from 5..8 decimals 2
  c : decimal 0..* from 10 count 9 width 4 decimals 1
}
"""
    transformer = compiled(models)
    read = transformer.read({"1-4": "0125", "5-8": "0300", "c": ["0012", "   5"]})
    assert read.values == {"a": "1.25", "b": 3, "c": [Decimal("1.2"), Decimal("0.5")]}
    assert read.faults == ()
    assert [fault.code for fault in transformer.read({"1-4": "0000", "5-8": "1,25", "c": []}).faults] == [
        "FM411", "FM410",
    ]  # fmt: skip


def test_documents_that_are_lines_agree_on_what_is_read_once() -> None:
    models = """model Row from json path 'rows' key 'op.id' { a : string from 'op.site'  parts : Part 0..* lines }
model Part { lot : string from 'pose.lot' }
"""
    transformer = compiled(models)
    lines = [{"op": {"site": "A"}, "pose": {"lot": "L"}}, {"op": {"site": "B"}}]
    read = transformer.read({"op.site": "A", "parts": lines})
    assert read.values == {"a": "A", "parts": [{"lot": "L"}, {}]}
    assert [fault.code for fault in read.faults] == ["FM413"]


def test_rows_that_are_joined_by_their_own_store_are_named_by_it() -> None:
    models = """model Row from table 'OP' key 'id' { a : string 1..1  part : Part 1..1 join on 'id' }
model Part from csv source 'stock' null '?' decimal ',' { price : decimal 1..1 from 'prix' }
"""
    transformer = compiled(models)
    assert [fault.columns for fault in transformer.read({"a": "x", "part": []}).faults] == [("stock",)]
    assert [fault.columns for fault in transformer.read({"a": "x", "part": [{"prix": "?"}]}).faults] == [
        ("stock.prix",)
    ]
    assert transformer.read({"a": "x", "part": [{"prix": "1,50"}]}).values["part"] == {"price": Decimal("1.50")}


def test_a_line_that_is_a_text_with_members_is_read_as_a_row() -> None:
    models = """model Row from xml path 'a.b' key '@id' { a : string from '@id'  parts : Part 0..* lines }
model Part { code : string from '@code'  text : string from '#text' }
"""
    line = TreeText("L", {"@id": "1", "@code": "c"})
    read = compiled(models).read({"@id": "1", "parts": [line]})
    assert (read.values, read.faults) == ({"a": "1", "parts": [{"code": "c", "text": "L"}]}, ())


_POSES = (
    "model Row from table 'A' key 'id' {\n"
    "  a : string p : Person join 'PERSON' on 'id' poses : Pose 0..* join 'POSE' on 'id' }\n"
    "model Person { nir : string }\n"
    "model Pose { lot : string expiry : string day : date article : Article join 'ARTICLE' on 'id_article' }\n"
    "model Article { reference : string null 'N/A' family : code maker : Maker join 'MAKER' on 'id_maker' }\n"
    "model Maker { name : string name2 : string 1..1 }\n"
    "model Out { d : date }\n"
    "group h(source src : Row, target tgt : Out) { src.poses as p -> tgt.d = dateIn(p.expiry, 'yyyy-MM-dd'); }\n"
)


def _catalogue_row(expiry: RawValue, reference: RawValue, name: RawValue) -> dict[str, RawValue]:
    article = {"reference": reference, "family": "F", "maker": [{"name": name, "name2": "M"}]}
    pose = {"lot": "L1", "expiry": expiry, "day": "2025-01-01", "article": [article]}
    return {"id": 1, "a": "x", "p": [{"nir": "2400372951001"}], "poses": [pose]}


def _read_again(read: Callable[[RawValue], ReadRecord], row: RawValue) -> tuple[Any, list[str]]:
    """What a row is read as, which must be the same when it comes again."""
    first, second = read(row), read(row)
    assert (first.values, first.faults) == (second.values, second.faults)
    return first.values, [fault.code for fault in first.faults]


def test_texts_of_a_catalogue_and_days_are_looked_at_once_and_no_others_are_kept() -> None:
    source = compiled(_POSES).source
    kept = {line.partition(" ")[0] for line in source.splitlines() if line.endswith(" = set()")}
    assert kept == {"_KNOWN_POSE_EXPIRY", "_KNOWN_ARTICLE_REFERENCE", "_KNOWN_MAKER_NAME"}


@pytest.mark.parametrize(
    ("cells", "read", "codes"),
    [
        (("2029-06-30", "REF-1", "Fab"), ("2029-06-30", "REF-1", "Fab"), []),
        ((" 2029-06-30", "REF-1 ", " Fab"), ("2029-06-30", "REF-1", "Fab"), []),
        (("1,2E+05", '="0012"', "NULL"), (None, "0012", None), ["FM459", "FM460", "FM459"]),
        (("20290630", "N/A", ""), ("20290630", None, None), []),
        (("20290630", "1234567", "1"), ("20290630", "1234567", "1"), []),
        (("9999", "INCONNU", "mars-12"), ("9999", "INCONNU", "mars-12"), ["FM465", "FM465", "FM465"]),
        ((20290630, 1234567, True), ("20290630", "1234567", "true"), ["FM465"]),
        ((["2029"], {"a": 1}, ["x"]), (None, None, None), ["FM410", "FM410", "FM410"]),
    ],
)
def test_a_text_that_comes_again_is_read_as_before(
    cells: tuple[RawValue, ...], read: tuple[str | None, ...], codes: list[str]
) -> None:
    transform = compiled(_POSES)
    values, found = _read_again(transform.read, _catalogue_row(*cells))
    (pose,) = values["poses"]
    article = pose["article"]
    assert (pose.get("expiry"), article.get("reference"), article["maker"].get("name")) == read
    assert found == codes
