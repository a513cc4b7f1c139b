"""Words of absence and numbers without digits are keys of no record, and join no rows, in any source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st

from fhirmap.compilation.maps import compile_map
from fhirmap.records import Record
from fhirmap.runtime.cell_text import is_no_key
from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceColumn, SourceKind, SourcePlan
from fhirmap.sources.keys import KeyColumn, RecordKeys
from tests.sources.conftest import Database, columns
from tests.sources.exports import FLAT, HEAD, STAYS, write
from tests.sources.exports import read as read_file
from tests.sources.theatre import read

WORDS = ["NULL", "\\N", "#N/A", "N/A", "None", "-", "nan", "(null)", '="NULL"', "#REF!", "NA", "?", "\u200b"]
WORDS += ["INCONNU", "inconnue", "Unknown", "SANS", "N.C.", "XXXX", "....", "à compléter", "1,20E+05", "1.2E+11", '="']
KEYS = ["1042", "A", "0", "00", "000123", "12E3", "NULL1", "12345.0", "9999", "TRUE"]
DECLARED = "VOIR DOSSIER"
CODE = (SourceColumn("id", "a.map:1:3", "Row.id", "code"), *columns("v"))


@pytest.mark.parametrize("text", WORDS)
def test_a_word_is_no_key(text: str) -> None:
    assert KeyColumn().is_word(text)


@pytest.mark.parametrize("text", KEYS)
def test_a_number_or_reference_is_a_key(text: str) -> None:
    assert not KeyColumn().is_word(text)


@given(st.text("0129aeEINXx/-+.,='#² é٣", min_size=1, max_size=9) | st.sampled_from([*WORDS, *KEYS]))
@example("1,2E-5")
@example("#div/0")
@example("0-0")
@example("'12")
@example("12\N{NO-BREAK SPACE}345")
def test_a_word_is_one_whatever_is_asked_first(text: str) -> None:
    assert KeyColumn().is_word(text) == is_no_key(text)


def test_a_column_of_codes_holds_any_text_but_for_the_map_s_own_words() -> None:
    column = KeyColumn(frozenset(("SANS",)), is_code=True)
    assert [column.is_word(text) for text in ("NA", "-", "INCONNU", "SANS")] == [False, False, False, True]


def test_one_part_of_a_key_is_enough() -> None:
    keys = RecordKeys(replace(FLAT, key=("site", "id"), nulls=(DECLARED,)))
    parts = [("A", "1"), ("A", "NULL"), ("-", "1"), ("A", DECLARED), ("", "1")]
    assert [keys.key(entry) for entry in parts] == ["A|1", "", "", "", ""]
    assert [keys.fault(entry).variant for entry in parts[1:]] == ["word", "word", "word", ""]


def seen(records: list[Record]) -> list[tuple[str, bool, list[str]]]:
    return [(r.key, r.superseded, [f"{f.code} {f.variant}".strip() for f in r.faults]) for r in records]


@pytest.mark.parametrize("word", ["NULL", "\\N", "#N/A", "-", "INCONNU", "1,20E+05", DECLARED])
@pytest.mark.parametrize("latest", [None, Order("v")])
def test_lines_of_a_csv_file_without_a_key_are_a_record_each(tmp_path: Path, word: str, latest: Order | None) -> None:
    path = write(tmp_path / "a.csv", f"id;v\n{word};1\n1042; 2\n {word} ;3\n")
    plan = replace(FLAT, nulls=(DECLARED,), latest=latest)
    assert seen(read_file(path, plan)) == [
        ("", False, ["FM717 word"]),
        ("1042", False, []),
        ("", False, ["FM717 word"]),
    ]


def test_flat_lines_of_a_csv_file_with_a_word_are_not_one_record(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", HEAD + "NULL;D;A;1\n1;D;B;1\nNULL;G;C;1\n1;D;E;1\n")
    records = read_file(path, STAYS)
    assert seen(records) == [("", False, ["FM717 word"]), ("", False, ["FM717 word"]), ("1", False, [])]
    assert [[line["Lot"] for line in r.values["lines"]] for r in records] == [[], [], ["B", "E"]]


def test_a_csv_key_that_is_read_as_a_code(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;v\nNA;1\nSANS;2\n")
    shape = RowLayout("Row", CODE)
    assert seen(read_file(path, replace(FLAT, shape=shape))) == [("NA", False, []), ("SANS", False, [])]
    assert seen(read_file(path, replace(FLAT, shape=shape, nulls=("NA",)))) == [
        ("", False, ["FM717 word"]),
        ("SANS", False, []),
    ]


@pytest.mark.parametrize("suffix", ["json", "ndjson"])
@pytest.mark.parametrize("latest", [None, Order("v")])
def test_objects_without_a_key_are_a_record_each(tmp_path: Path, suffix: str, latest: Order | None) -> None:
    entries = [f'{{"id": {key}, "v": 1}}' for key in ('"NULL"', "1042", '" null "', '"N/A"', "0", "120000")]
    text = "\n".join(entries) if suffix == "ndjson" else f"[{','.join(entries)}]"
    shape = RowLayout("Row", columns("id", "v"))
    plan = SourcePlan(SourceKind.JSON, "", ("id",), shape, nulls=("0",), latest=latest)
    none = ("", False, ["FM717 word"])
    found = seen(read_file(write(tmp_path / f"a.{suffix}", text), plan))
    assert found == [none, ("1042", False, []), none, none, none, ("120000", False, [])]


TEXT = sa.String(20)


def fill(database: Database, prefix: str, word: str) -> None:
    database.fill(
        f"{prefix}o",
        [sa.Column("n", sa.Integer()), sa.Column("id", TEXT), sa.Column("patient", TEXT)],
        [
            {"n": 1, "id": "1042", "patient": "P1"},
            {"n": 2, "id": "1043", "patient": word},
            {"n": 3, "id": word, "patient": "P1"},
            {"n": 4, "id": f"{word} ", "patient": "P2"},
            {"n": 5, "id": None, "patient": None},
            {"n": 6, "id": "1044", "patient": "none so called"},
        ],
    )
    database.fill(
        f"{prefix}p",
        [sa.Column("id", TEXT), sa.Column("name", TEXT)],
        [{"id": "P1", "name": "one"}, {"id": word, "name": "other"}, {"id": None, "name": "none"}],
    )


@pytest.mark.parametrize("word", ["NULL", "\\N", "#N/A", "N/A", "None", "-", "INCONNU", "1,20E+05", DECLARED])
@pytest.mark.parametrize("is_unique", [False, True])
def test_rows_that_share_a_word_are_not_joined(database: Database, prefix: str, word: str, is_unique: bool) -> None:
    fill(database, prefix, word)
    if is_unique:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE UNIQUE INDEX {prefix}u ON {prefix}p (id)")
    child = Child(
        ChildKind.JOIN, "patient", "patient", RowLayout("P", columns("name")), f"{prefix}p", (("id", "patient"),)
    )
    shape = RowLayout("O", columns("n"), (child,))
    plan = SourcePlan(SourceKind.TABLE, f"{prefix}o", ("id",), shape, nulls=(DECLARED,))
    records = sorted(read(database, plan), key=lambda record: int(record.values["n"]))
    assert [
        (*entry, [row["name"] for row in r.values["patient"]]) for entry, r in zip(seen(records), records, strict=True)
    ] == [
        ("1042", False, [], ["one"]),
        ("1043", False, ["FM755 word"], []),
        ("", False, ["FM717 word"], ["one"]),
        ("", False, ["FM717 word"], []),
        ("", False, ["FM717"], []),
        ("1044", False, [], []),
    ]
    (fault,) = records[1].faults
    assert fault.columns == (f"{prefix}p.id", f"{prefix}o.patient")


@pytest.mark.parametrize("latest", [None, Order("n")])
def test_rows_of_a_table_without_a_key_are_a_record_each(database: Database, prefix: str, latest: Order | None) -> None:
    """No row is the revision of another then, and none is passed over as superseded."""
    fill(database, prefix, "NULL")
    plan = SourcePlan(SourceKind.TABLE, f"{prefix}o", ("id",), RowLayout("O", columns("n")), latest=latest)
    records = read(database, plan)
    found = {record.values["n"]: entry for record, entry in zip(records, seen(records), strict=True)}
    assert found == {
        1: ("1042", False, []),
        2: ("1043", False, []),
        3: ("", False, ["FM717 word"]),
        4: ("", False, ["FM717 word"]),
        5: ("", False, ["FM717"]),
        6: ("1044", False, []),
    }


def test_a_join_on_numbers_that_the_map_says_are_none(database: Database, prefix: str) -> None:
    database.fill(
        f"{prefix}o",
        [sa.Column("id", sa.Integer()), sa.Column("patient", sa.Integer())],
        [{"id": 1, "patient": 0}, {"id": 2, "patient": 7}],
    )
    database.fill(
        f"{prefix}p",
        [sa.Column("id", sa.Integer()), sa.Column("name", TEXT)],
        [{"id": n, "name": f"{n}"} for n in (0, 7)],
    )
    own = (SourceColumn("id", "a.map:2:1", "P.id", "integer", nulls=("0",)), *columns("name"))
    child = Child(ChildKind.JOIN, "patient", "patient", RowLayout("P", own), f"{prefix}p", (("id", "patient"),))
    plan = SourcePlan(SourceKind.TABLE, f"{prefix}o", ("id",), RowLayout("O", columns("id"), (child,)))
    records = read(database, plan)
    assert [(record.key, len(record.values["patient"]), len(record.faults)) for record in records] == [
        ("1", 0, 1),
        ("2", 1, 0),
    ]


def test_the_lines_of_a_word_are_no_record_s(database: Database, prefix: str) -> None:
    rows = [{"id": key, "side": "D", "lot": f"L{n}"} for n, key in enumerate(("NULL", "1", "NULL", "1"))]
    database.fill(f"{prefix}o", [sa.Column(name, TEXT) for name in ("id", "side", "lot")], rows)
    line = RowLayout("L", columns("lot"))
    child = Child(ChildKind.JOIN, "lines", "lines", line, f"{prefix}o", (("id", "id"),), order=(Order("lot"),))
    shape = RowLayout("O", columns("id", "side"), (child,))
    records = read(database, SourcePlan(SourceKind.TABLE, f"{prefix}o", ("id",), shape, grouped=True))
    found = {
        record.key: (entry[2], [row["lot"] for row in record.values["lines"]])
        for record, entry in zip(records, seen(records), strict=True)
    }
    assert found == {"1": ([], ["L1", "L3"]), "": (["FM717 word"], [])}


def test_a_word_is_no_revision(database: Database, prefix: str) -> None:
    """A text that the map does not name makes the order unknown; one that it names is an absent revision."""
    rows = [("1", "2025-01-01"), ("1", "VOIR"), ("2", "2025-01-01"), ("2", "NULL"), ("3", "2025-01-01")]
    database.fill(
        f"{prefix}o", [sa.Column(name, TEXT) for name in ("id", "v")], [{"id": key, "v": text} for key, text in rows]
    )
    shape = RowLayout("O", columns("id", "v"))
    plan = SourcePlan(SourceKind.TABLE, f"{prefix}o", ("id",), shape, latest=Order("v"), nulls=("VOIR",))
    current = {r.key: (r.values["v"], [f.code for f in r.faults]) for r in read(database, plan) if not r.superseded}
    assert current.pop("2")[1] == ["FM756"]
    assert current == {"1": ("2025-01-01", []), "3": ("2025-01-01", [])}


def test_a_word_is_no_revision_of_a_file(tmp_path: Path) -> None:
    text = "id;v\n1;2025-01-01\n1;VOIR\n2;2025-01-01\n2;NULL\n3;2025-01-01\n"
    plan = replace(FLAT, latest=Order("v"), nulls=("VOIR",))
    current = [r for r in read_file(write(tmp_path / "a.csv", text), plan) if not r.superseded]
    assert [(r.key, [f.code for f in r.faults]) for r in current] == [("1", []), ("2", ["FM756"]), ("3", [])]


def test_the_words_of_a_map_are_in_its_plan() -> None:
    transformer = compile_map(
        "model M from csv key 'id' null 'SANS', ' ' {\n  id : string from 'id' null 'X '\n  n : code from 'n'\n}\n"
        "group g(source src : M, target tgt) {\n  src.id as v -> tgt.id = v;\n}\n"
    )
    assert transformer.store is not None
    assert transformer.store.nulls == ("SANS",)
    assert [column.nulls for column in transformer.store.shape.columns] == [("X",), ()]


@pytest.mark.parametrize(
    ("document", "variant"),
    [
        ('[{"id": {"x": 1}}]', "form"),
        ('[{"id": true}]', "form"),
        ('[{"id": " "}]', ""),
        ('[{"id": null}]', ""),
        ('[{"id": "N/A"}]', "word"),
    ],
)
def test_a_key_that_is_there_and_no_text_is_not_said_to_be_empty(tmp_path: Path, document: str, variant: str) -> None:
    plan = replace(FLAT, kind=SourceKind.JSON, name="", key=("id",), shape=RowLayout("Row", columns("id")))
    (record,) = read_file(write(tmp_path / "a.json", document), plan)
    assert [(fault.code, fault.variant) for fault in record.faults] == [("FM717", variant)]
