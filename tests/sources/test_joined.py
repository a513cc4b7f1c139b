"""Records whose child rows are in another place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
import sqlalchemy as sa

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Fault, Record, TreeText
from fhirmap.runtime.reading import at
from fhirmap.source_plan import (
    AttributeRows,
    Child,
    ChildKind,
    Order,
    RowLayout,
    SourceColumn,
    SourceKind,
    SourcePlan,
    path_steps,
)
from fhirmap.sources import Source, open_source
from fhirmap.sources.joined import JoinedSource, without_stores
from fhirmap.sources.samples import Sample
from fhirmap.sources.store_rows import StoreRow, join_text
from tests.sources.conftest import Database, columns


@dataclass
class Listed:
    """A source of rows in memory."""

    plan: SourcePlan
    rows: Sequence[Mapping[str, Any]]
    faults: Mapping[int, Fault] = field(default_factory=dict)
    lost: Collection[int] = ()
    is_open: bool = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.is_open = False

    def columns(self) -> Mapping[str, tuple[str, ...]]:
        return {self.plan.name: tuple(dict.fromkeys(name for row in self.rows for name in row))}

    def check(self) -> list[Diagnostic]:
        there = self.columns()[self.plan.name]
        needed = dict.fromkeys((*self.plan.key, *self.plan.shape.column_names))
        return [Diagnostic("FM704", args={"column": name}) for name in needed if name.split(".")[0] not in there]

    def samples(self, count: int) -> Iterator[Sample]:
        yield Sample("", self.plan.shape, self.rows[:count])

    def count(self) -> int | None:
        return len(self.rows)

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        for row in self.joined_rows(self.plan.key):
            key = "|".join(row.parts) if all(row.parts) else ""
            if keys is None or key in keys:
                yield Record(key, row.values, row.origin, row.faults)

    def joined_rows(self, names: Sequence[str]) -> Iterator[StoreRow]:
        for number, row in enumerate(self.rows, 1):
            cells = [at(row, path_steps(name)) if self.plan.kind.is_tree else row.get(name) for name in names]
            faults = (self.faults[number],) if number in self.faults else ()
            is_lost = number in self.lost
            values = dict.fromkeys(row) if is_lost else row
            yield StoreRow(tuple(map(join_text, cells)), values, faults, f"{self.plan.shape.model}:{number}", is_lost)


SURGEON = RowLayout("Surgeon", columns("rpps", "name"))
SURGEONS = SourcePlan(SourceKind.CSV, "", (), SURGEON, source="surgeons")
BY = Child(
    ChildKind.JOIN, "surgeon", "surgeon", SURGEON, "surgeons", (("rpps", "by"),), at_most_one=True,
    position="a.map:9:3", store=SURGEONS,
)  # fmt: skip
STAY = SourcePlan(SourceKind.CSV, "", ("id",), RowLayout("Stay", columns("id", "by"), (BY,)))


class Places:
    """Rows by the name of the source; what was opened."""

    def __init__(self, **rows: Any) -> None:
        self.rows = rows
        self.opened: list[Listed] = []

    def open(self, plan: SourcePlan) -> Source:
        held = self.rows[plan.source or "own"]
        found = replace(held, plan=plan) if isinstance(held, Listed) else Listed(plan, held)
        self.opened.append(found)
        return found

    def source(self, plan: SourcePlan) -> JoinedSource:
        return JoinedSource(self.open(replace(plan, shape=without_stores(plan.shape))), plan, self.open)

    def read(self, plan: SourcePlan) -> list[Record]:
        with self.source(plan) as source:
            found = list(source.records())
        assert not any(place.is_open for place in self.opened)
        return found


def names(record: Record, key: str = "surgeon") -> list[str]:
    return [row["name"] for row in record.values[key]]


def test_rows_of_another_place_are_joined_to_the_letter() -> None:
    surgeons = [
        {"rpps": " 10001 ", "name": "A"},
        {"rpps": "010001", "name": "B"},
        {"rpps": "x", "name": "C"},
        {"rpps": "X", "name": "D"},
        {"rpps": "x", "name": "E"},
        {"rpps": "", "name": "F"},
        {"rpps": None, "name": "G"},
    ]
    stays = [{"id": str(n), "by": by} for n, by in enumerate(["10001", 10001, "x", "X ", "y", "", None], 1)]
    found = Places(own=stays, surgeons=surgeons).read(STAY)
    assert [names(record) for record in found] == [["A"], ["A"], ["C", "E"], ["D"], [], [], []]
    assert [record.key for record in found] == list("1234567")
    assert not any(record.faults for record in found)


def test_a_word_of_absence_is_a_key_of_nothing_and_a_fault_where_rows_have_it() -> None:
    surgeons = [{"rpps": word, "name": word} for word in ("INCONNU", "NULL", "ZZ", "1")]
    stays = [{"id": str(n), "by": by} for n, by in enumerate(["INCONNU", "NULL", "ZZ", "N/A", "1"], 1)]
    plan = replace(STAY, shape=replace(STAY.shape, children=(replace(BY, store=replace(SURGEONS, nulls=("ZZ",))),)))
    found = Places(own=stays, surgeons=surgeons).read(plan)
    assert [names(record) for record in found] == [[], [], [], [], ["1"]]
    assert [[(fault.code, fault.variant) for fault in record.faults] for record in found] == [
        [("FM755", "word")], [("FM755", "word")], [("FM755", "word")], [], [],
    ]  # fmt: skip
    (fault,) = found[0].faults
    assert (fault.position, fault.columns) == ("a.map:9:3", ("surgeons.rpps",))
    assert fault.args["columns"] == "surgeons.rpps = by"
    code = replace(BY, shape=replace(SURGEON, columns=(replace(SURGEON.columns[0], type="code"), SURGEON.columns[1])))
    kept = Places(own=stays, surgeons=surgeons).read(replace(STAY, shape=replace(STAY.shape, children=(code,))))
    assert [names(record) for record in kept] == [["INCONNU"], ["NULL"], ["ZZ"], [], ["1"]]


def test_what_is_wrong_with_a_row_comes_to_each_record_that_joins_it_and_to_no_other() -> None:
    damaged = Fault("FM723", rule="text", args={"column": "name", "line": 2}, columns=("name",))
    ragged = Fault("FM719", rule="line", args={"line": 3, "found": 3, "expected": 2})
    surgeons = Listed(
        SURGEONS,
        [{"rpps": "1", "name": "A"}, {"rpps": "2", "name": "B"}, {"rpps": "3", "name": "C"}],
        {2: damaged, 3: ragged},
        lost=(3,),
    )
    again = replace(BY, key="assistant", element="assistant", on=(("rpps", "by"),))
    plan = replace(STAY, shape=replace(STAY.shape, children=(BY, again)))
    stays = [{"id": str(n), "by": by} for n, by in enumerate("1232", 1)]
    found = Places(own=stays, surgeons=surgeons).read(plan)
    codes = [[(fault.code, fault.columns) for fault in record.faults] for record in found]
    of_two = [("FM778", ("surgeons.rpps",)), ("FM723", ("surgeons.name",))]
    assert codes == [[], of_two, [("FM778", ("surgeons.rpps",)), ("FM719", ())], of_two]
    assert found[1].faults[0].args["origin"] == "Surgeon:2"
    assert [names(record) for record in found] == [["A"], ["B"], [], ["B"]]


def test_rows_that_no_record_can_join_are_counted() -> None:
    surgeons = Listed(
        SURGEONS, [{"rpps": rpps, "name": "A"} for rpps in ("1", "", None, "2", "")], {4: Fault("FM719")}, lost=(4,)
    )
    with Places(own=[{"id": "1", "by": "1"}], surgeons=surgeons).source(STAY) as source:
        found = source.check()
    assert [(entry.code, entry.variant, entry.args["count"], entry.args["origin"]) for entry in found] == [
        ("FM777", "", 3, "Surgeon:2"),
        ("FM777", "lost", 1, "Surgeon:4"),
    ]
    assert {entry.args["position"] for entry in found} == {"a.map:9:3"}
    assert not any(entry.is_error for entry in found)


def test_columns_samples_and_faults_of_the_layout_are_those_of_all_places() -> None:
    places = Places(own=[{"id": "1", "by": "1"}], surgeons=[{"rpps": "1", "nom": "A"}])
    with places.source(STAY) as source:
        assert source.columns() == {"": ("id", "by"), "surgeons": ("rpps", "nom")}
        assert [(sample.table, len(sample.rows)) for sample in source.samples(5)] == [("", 1), ("surgeons", 1)]
        assert [entry.args["column"] for entry in source.check()] == ["name"]
        assert source.count() == 1


def test_children_of_children_are_joined_level_by_level() -> None:
    unit = RowLayout("Unit", columns("code", "label"))
    units = SourcePlan(SourceKind.CSV, "", (), unit, source="units")
    of_unit = Child(ChildKind.JOIN, "unit", "unit", unit, "units", (("code", "unit"),), store=units)
    surgeon = RowLayout("Surgeon", columns("rpps", "name"), (of_unit,))
    by = replace(BY, shape=surgeon, store=replace(SURGEONS, shape=surgeon))
    places = Places(
        own=[{"id": "1", "by": "1"}, {"id": "2", "by": "2"}],
        surgeons=[{"rpps": "1", "name": "A", "unit": "U"}, {"rpps": "2", "name": "B", "unit": None}],
        units=[{"code": "U", "label": "Orthopaedics"}],
    )
    one, two = places.read(replace(STAY, shape=replace(STAY.shape, children=(by,))))
    assert [row["label"] for row in one.values["surgeon"][0]["unit"]] == ["Orthopaedics"]
    assert two.values["surgeon"][0]["unit"] == []
    assert places.opened[1].plan.shape.column_names == ("rpps", "name", "unit")


def test_rows_get_theirs_wherever_they_are() -> None:
    """Under lines of the record, and under objects of a document, whose tree is not changed."""
    pose = RowLayout("Pose", columns("lot", "by"), (BY,))
    lines = Child(ChildKind.LINES, "poses", "poses", pose)
    flat = SourcePlan(SourceKind.CSV, "", ("id",), RowLayout("Stay", columns("id"), (lines,)))
    surgeons = [{"rpps": "1", "name": "A"}, {"rpps": "2", "name": "B"}]
    own: list[dict[str, Any]] = [{"id": "1", "poses": [{"lot": "L", "by": "2"}, {"lot": "M", "by": "9"}]}]
    (record,) = Places(own=own, surgeons=surgeons).read(flat)
    assert [names(row) for row in map(_as_record, record.values["poses"])] == [["B"], []]

    pose = RowLayout("Pose", columns("lot"), (replace(BY, on=(("rpps", "team.by"),)),))
    nested = SourceColumn("op.poses", "a.map:3:3", "poses", nested=True, repeats=True, below=pose)
    document = SourcePlan(SourceKind.JSON, "", ("id",), RowLayout("Stay", (*columns("id"), nested)))
    tree: dict[str, Any] = {
        "id": "1",
        "op": {"poses": [{"lot": "L", "team": {"by": 2}}, {"lot": "M", "team": {"by": ["1", "2", "1"]}}, "x"]},
    }
    for pose_row in tree["op"]["poses"][:2]:
        pose_row[".."] = tree
    (record,) = Places(own=[tree], surgeons=surgeons).read(document)
    first, second, _ = record.values["op"]["poses"]
    assert (names(_as_record(first)), names(_as_record(second))) == (["B"], ["A", "B"])
    assert first[".."] is record.values
    assert "surgeon" not in tree["op"]["poses"][0]


def test_rows_of_documents_are_joined_to_others_and_others_to_them() -> None:
    upper = replace(BY, on=(("rpps", "../by"),), store=replace(SURGEONS, kind=SourceKind.JSON))
    item = RowLayout("Item", columns("lot"), (upper,))
    nested = SourceColumn("items", "a.map:3:3", "items", nested=True, repeats=True, below=item)
    plan = SourcePlan(SourceKind.JSON, "", ("id",), RowLayout("Stay", (*columns("id"), nested)))
    tree: dict[str, Any] = {"id": "1", "by": TreeText("1", {"@x": "y"}), "items": [{"lot": "L"}]}
    tree["items"][0][".."] = tree
    (record,) = Places(own=[tree], surgeons=[{"rpps": 1, "name": "A", "more": [1]}]).read(plan)
    assert record.values["items"][0]["surgeon"] == [{"rpps": 1, "name": "A", "more": [1]}]


def test_an_element_that_is_very_deep_does_not_end_the_reading() -> None:
    deep: Any = {"by": "1"}
    for _ in range(5000):
        deep = {"x": deep}
    nested = SourceColumn("item", "a.map:3:3", "item", nested=True, below=RowLayout("Item", (), (BY,)))
    plan = SourcePlan(SourceKind.JSON, "", ("id",), RowLayout("Stay", (*columns("id"), nested)))
    tree = {"id": "1", "item": {"by": "1"}, "deep": deep}
    (record,) = Places(own=[tree], surgeons=[{"rpps": "1", "name": "A"}]).read(plan)
    assert names(_as_record(record.values["item"])) == ["A"]


def _as_record(values: Mapping[str, Any]) -> Record:
    return Record("", values)


def test_rows_of_a_file_are_sorted_and_several_columns_join() -> None:
    pose = RowLayout("Pose", columns("stay", "site", "rank", "name"))
    child = Child(
        ChildKind.JOIN, "poses", "poses", pose, "poses", (("stay", "id"), ("site", "site")),
        order=(Order("rank", descending=True),), store=SourcePlan(SourceKind.CSV, "", (), pose, source="poses"),
    )  # fmt: skip
    plan = SourcePlan(SourceKind.CSV, "", ("id",), RowLayout("Stay", columns("id", "site"), (child,)))
    poses = [
        ("1", "A", "9", "a"),
        ("1", "A", "10", "b"),
        ("1", "A", "", "c"),
        ("1", "B", "1", "d"),
        ("2", "A", "1", "e"),
    ]
    places = Places(
        own=[{"id": "1", "site": "A"}, {"id": "1", "site": "B"}, {"id": "2", "site": "B"}],
        poses=[dict(zip(pose.column_names, row, strict=True)) for row in poses],
    )
    assert [names(record, "poses") for record in places.read(plan)] == [["b", "a", "c"], ["d"], []]


def test_one_place_is_opened_and_read_once_for_all_that_join_it() -> None:
    other = replace(BY, key="assistant", element="assistant", on=(("rpps", "with"),))
    plan = replace(STAY, shape=RowLayout("Stay", columns("id", "by"), (BY, other)))
    places = Places(
        own=[{"id": "1", "by": "1", "with": "2"}], surgeons=[{"rpps": str(n), "name": str(n)} for n in (1, 2)]
    )
    (record,) = places.read(plan)
    assert (names(record), names(record, "assistant")) == (["1"], ["2"])
    assert len(places.opened) == 2
    assert places.opened[0].plan.shape.column_names == ("id", "by", "with")


def test_the_conditions_of_a_store_and_of_its_join_hold_both() -> None:
    child = replace(BY, where="a = 1 -- why", store=replace(SURGEONS, where="b = 2"))
    places = Places(own=[], surgeons=[])
    with places.source(replace(STAY, shape=replace(STAY.shape, children=(child,)))):
        assert places.opened[1].plan.where == "(b = 2\n) and (a = 1 -- why\n)"
        assert places.opened[1].plan.key == ("rpps",)


def test_attributes_that_no_row_of_a_store_has_are_reported() -> None:
    shape = RowLayout("Value", columns("stay", "code", "value"))
    attributes = AttributeRows("code", "value", columns("SIZE", "LOT"))
    child = Child(
        ChildKind.JOIN, "values", "values", shape, "values", (("stay", "id"),), attributes=attributes,
        store=SourcePlan(SourceKind.CSV, "", (), shape, source="values"),
    )  # fmt: skip
    places = Places(own=[{"id": "1"}], values=[{"stay": "1", "code": " SIZE ", "value": "5"}])
    with places.source(SourcePlan(SourceKind.CSV, "", ("id",), RowLayout("Stay", columns("id"), (child,)))) as source:
        assert [(entry.code, entry.args["attribute"]) for entry in source.check()] == [("FM774", "LOT")]
        assert [sample.attributes for sample in source.samples(1)] == [None, attributes]


def test_a_layout_says_whether_it_has_rows_of_other_places() -> None:
    assert STAY.shape.has_stores
    assert not without_stores(STAY.shape).has_stores
    nested = SourceColumn("a", below=STAY.shape)
    assert RowLayout("M", (nested,)).has_stores
    lines = Child(ChildKind.LINES, "l", "l", STAY.shape)
    assert RowLayout("M", (), (lines,)).has_stores
    assert not without_stores(RowLayout("M", (nested,), (lines,))).has_stores


def test_places_are_closed_where_one_of_them_cannot_be_opened() -> None:
    places = Places(own=[])

    def fail(plan: SourcePlan) -> Source:
        raise ConfigError("FM701", source="x", path="x")

    own = places.open(STAY)
    with pytest.raises(ConfigError):
        JoinedSource(own, STAY, fail)
    assert not places.opened[0].is_open


def test_rows_of_a_table_with_its_own_joins_are_joined_to_records_of_another_place(
    database: Database, prefix: str
) -> None:
    database.fill(
        f"{prefix}surgeon",
        [sa.Column("rpps", sa.String(20)), sa.Column("name", sa.String(20)), sa.Column("rank", sa.Integer())],
        [
            {"rpps": "1", "name": "B", "rank": 10},
            {"rpps": "1", "name": "A", "rank": 9},
            {"rpps": "2 ", "name": "C", "rank": 1},
            {"rpps": None, "name": "D", "rank": 1},
            {"rpps": "1", "name": "E", "rank": 0},
        ],
    )
    database.fill(
        f"{prefix}degree",
        [sa.Column("of", sa.String(20)), sa.Column("title", sa.String(20))],
        [{"of": "A", "title": "x"}, {"of": "A", "title": "y"}],
    )
    degree = Child(
        ChildKind.JOIN, "degrees", "degrees", RowLayout("Degree", columns("title")), f"{prefix}degree",
        (("of", "name"),), order=(Order("title", descending=True),),
    )  # fmt: skip
    shape = RowLayout("Surgeon", columns("rpps", "name"), (degree,))
    store = SourcePlan(SourceKind.TABLE, f"{prefix}surgeon", (), shape, where="rank > 0", source="db")
    child = replace(BY, shape=shape, table="surgeons", order=(Order("rank"),), store=store)
    plan = replace(STAY, shape=replace(STAY.shape, children=(child,)))
    own = Listed(STAY, [{"id": "1", "by": "1"}, {"id": "2", "by": "2"}, {"id": "3", "by": None}])

    def open_store(plan: SourcePlan) -> Source:
        return open_source(database.url, plan)

    with JoinedSource(own, plan, open_store) as source:
        assert source.check() == []
        for _ in range(2):
            found = list(source.records())
            assert [names(record) for record in found] == [["A", "B"], ["C"], []]
            assert [[row["title"] for row in surgeon["degrees"]] for surgeon in found[0].values["surgeon"]] == [
                ["y", "x"],
                [],
            ]
        assert set(source.columns()) == {"", "surgeons", f"{prefix}degree"}
        assert [sample.table for sample in source.samples(1)] == ["", "surgeons", f"{prefix}degree"]


def test_a_column_that_a_store_lacks_is_found_before_anything_is_read(database: Database, prefix: str) -> None:
    database.fill(f"{prefix}surgeon", [sa.Column("rpps", sa.String(20)), sa.Column("nom", sa.String(20))], [])
    store = SourcePlan(SourceKind.TABLE, f"{prefix}surgeon", (), SURGEON)
    plan = replace(STAY, shape=replace(STAY.shape, children=(replace(BY, store=store),)))
    with JoinedSource(
        Listed(STAY, [{"id": "1", "by": "1"}]), plan, lambda plan: open_source(database.url, plan)
    ) as source:
        assert [(entry.code, entry.args["column"]) for entry in source.check()] == [("FM704", "name")]


def test_rows_of_a_file_are_joined_to_records_of_a_table(database: Database, prefix: str, tmp_path: Path) -> None:
    database.fill(
        f"{prefix}stay",
        [sa.Column("id", sa.Integer(), primary_key=True), sa.Column("by", sa.Numeric(12, 0))],
        [{"id": 1, "by": 10001}, {"id": 2, "by": None}, {"id": 3, "by": 10002}],
    )
    path = tmp_path / "surgeons.csv"
    path.write_text("rpps;name\n10001;A\n10002;B\n", encoding="utf-8")
    plan = replace(STAY, kind=SourceKind.TABLE, name=f"{prefix}stay")

    def open_store(plan: SourcePlan) -> Source:
        return open_source(str(path), plan)

    own = open_source(database.url, replace(plan, shape=without_stores(plan.shape)))
    with JoinedSource(own, plan, open_store) as source:
        assert source.check() == []
        assert [(record.key, names(record)) for record in source.records()] == [("1", ["A"]), ("2", []), ("3", ["B"])]
        assert [(record.key, names(record)) for record in source.records({"3"})] == [("3", ["B"])]
