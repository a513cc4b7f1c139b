"""SQL sources against real SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import random
import sqlite3
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.errors import ConfigError
from fhirmap.records import Record
from fhirmap.sources import open_source
from fhirmap.sources.sql_table import key_text
from fhirmap.stores import Child, Order, Shape, StorePlan
from tests.sources.conftest import Database, columns


def read(database: Database, plan: StorePlan, keys: list[str] | None = None) -> list[Record]:
    with open_source(database.url, plan) as source:
        return list(source.records(keys))


def theatre(database: Database, prefix: str, count: int = 40, seed: int = 1) -> dict[str, list[dict[str, Any]]]:
    """Interventions with patients, poses and articles; some without, some pointing nowhere."""
    chance = random.Random(seed)
    patients = [{"id_patient": n, "nir": f"{n:013}" if n % 5 else None} for n in range(1, 12)]
    makers = [{"id_fourn": n, "nom": f"Maker {n}"} for n in (1, 2)]
    articles = [{"id_article": n, "ref": f"R{n}", "id_fourn": 1 + n % 3} for n in range(1, 9)]
    operations = [
        {"id_op": n, "id_patient": chance.choice([*range(1, 14), None]), "statut": chance.choice("RRRA")}
        for n in range(1, count + 1)
    ]
    poses = [
        {
            "id_pose": n,
            "id_op": chance.randint(1, count + 3),
            "id_article": chance.choice([*range(1, 10), None]),
            "rang": chance.choice([1, 1, 2, 3, None]),
            "supprime": chance.choice([0, 0, 0, 1]),
        }
        for n in range(1, count * 3)
    ]
    number, text = sa.Integer(), sa.String(40)
    key = {"primary_key": True, "autoincrement": False}
    database.fill(f"{prefix}patient", [sa.Column("id_patient", number, **key), sa.Column("nir", text)], patients)
    database.fill(f"{prefix}fourn", [sa.Column("id_fourn", number, **key), sa.Column("nom", text)], makers)
    database.fill(
        f"{prefix}article",
        [sa.Column("id_article", number, **key), sa.Column("ref", text), sa.Column("id_fourn", number)],
        articles,
    )
    database.fill(
        f"{prefix}op",
        [sa.Column("id_op", number, **key), sa.Column("id_patient", number), sa.Column("statut", text)],
        operations,
    )
    database.fill(
        f"{prefix}pose",
        [
            sa.Column("id_pose", number, **key),
            *(sa.Column(name, number) for name in ("id_op", "id_article", "rang", "supprime")),
        ],
        poses,
    )
    return {"op": operations, "patient": patients, "pose": poses, "article": articles, "fourn": makers}


def theatre_plan(prefix: str) -> StorePlan:
    maker = Shape("Maker", columns("nom"))
    article = Shape(
        "Article", columns("ref"), (Child("join", "f", "f", maker, f"{prefix}fourn", (("id_fourn", "id_fourn"),)),)
    )
    pose = Shape(
        "Pose",
        columns("id_pose"),
        (Child("join", "a", "a", article, f"{prefix}article", (("id_article", "id_article"),)),),
    )
    operation = Shape(
        "Op",
        columns("id_op", "statut"),
        (
            Child(
                "join",
                "p",
                "p",
                Shape("P", columns("nir")),
                f"{prefix}patient",
                (("id_patient", "id_patient"),),
                at_most_one=True,
            ),
            Child(
                "join",
                "poses",
                "poses",
                pose,
                f"{prefix}pose",
                (("id_op", "id_op"),),
                where="supprime = 0 -- not taken back",
                order=(Order("id_pose", True),),
            ),
        ),
    )
    return StorePlan("table", f"{prefix}op", ("id_op",), operation, where="statut <> 'A'")


def expected(data: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    def where(table: str, **wanted: Any) -> list[dict[str, Any]]:
        return [row for row in data[table] if all(v is not None and row[k] == v for k, v in wanted.items())]

    found = []
    for op in data["op"]:
        if op["statut"] == "A":
            continue
        poses = []
        for pose in sorted(where("pose", id_op=op["id_op"], supprime=0), key=lambda row: -row["id_pose"]):
            articles = [
                {"ref": a["ref"], "f": [{"nom": f["nom"]} for f in where("fourn", id_fourn=a["id_fourn"])]}
                for a in where("article", id_article=pose["id_article"])
            ]
            poses.append({"id_pose": pose["id_pose"], "a": articles})
        patients = [{"nir": p["nir"]} for p in where("patient", id_patient=op["id_patient"])]
        found.append({"id_op": op["id_op"], "statut": op["statut"], "p": patients, "poses": poses})
    return found


def only(
    values: Any, names: tuple[str, ...] = ("id_op", "statut", "p", "poses", "nir", "id_pose", "a", "ref", "f", "nom")
) -> Any:
    """The values without the columns that only joins need."""
    if isinstance(values, list):
        return [only(entry, names) for entry in values]
    if not isinstance(values, dict):
        return values
    wanted = dict(values)
    if "rang" in wanted or "a" in wanted:
        wanted.pop("id_op", None)
    return {name: only(value, names) for name, value in wanted.items() if name in names}


def test_children_nested_and_looked_up_are_those_of_their_parents(database: Database, prefix: str) -> None:
    data = theatre(database, prefix)
    records = read(database, theatre_plan(prefix))
    assert [only(dict(record.values)) for record in records] == expected(data)
    assert [record.key for record in records] == [str(row["id_op"]) for row in expected(data)]
    assert records[0].origin == f"{prefix}op id_op={records[0].key}"
    assert not any(record.faults or record.superseded for record in records)


@pytest.mark.parametrize("order", [(Order("statut", True), Order("id_patient")), (Order("id_patient", True),)])
def test_any_declared_order_keeps_children_with_their_parents(
    database: Database, prefix: str, order: tuple[Order, ...]
) -> None:
    data = theatre(database, prefix, seed=2)
    records = read(database, replace(theatre_plan(prefix), order=order))
    found = sorted((only(dict(record.values)) for record in records), key=lambda values: values["id_op"])
    assert found == expected(data)
    assert [r.key for r in records] != sorted((r.key for r in records), key=int)


def test_a_query_is_read_as_a_table_is(database: Database, prefix: str) -> None:
    data = theatre(database, prefix, seed=3)
    text = f"SELECT o.* FROM {prefix}op o -- the café's own; 10:30\n;"
    plan = replace(theatre_plan(prefix), kind="query", name="operations.sql", query=text)
    with open_source(database.url, plan) as source:
        assert source.check() == []
        assert source.count() == len(expected(data))
        assert [only(dict(record.values)) for record in source.records()] == expected(data)


def test_only_the_asked_records_are_given(database: Database, prefix: str) -> None:
    data = theatre(database, prefix)
    keys = [str(row["id_op"]) for row in expected(data)][3:9]
    plan = theatre_plan(prefix)
    assert [record.key for record in read(database, plan, [*keys, "999", "x"])] == keys
    query = replace(plan, kind="query", name="q.sql", query=f"SELECT * FROM {prefix}op")
    assert [record.key for record in read(database, query, [*keys, "999", "x"])] == keys
    assert read(database, plan, []) == []


def test_text_keys_that_a_collation_takes_for_equal_stay_apart(database: Database, prefix: str) -> None:
    keys = ["a", "A", "b", "é", "e", "E", "_x", "Z", "10", "9", "ß", "ss", "a b"]
    rows = [{"id": n, "k": key, "rev": 1} for n, key in enumerate(keys)]
    database.fill(
        f"{prefix}doc",
        [
            sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
            sa.Column("k", sa.String(10)),
            sa.Column("rev", sa.Integer()),
        ],
        rows,
    )
    lines = [{"id": n * 10 + m, "doc": n, "v": m} for n in range(len(keys)) for m in range(n % 3)]
    database.fill(
        f"{prefix}line",
        [
            sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
            sa.Column("doc", sa.Integer()),
            sa.Column("v", sa.Integer()),
        ],
        lines,
    )
    child = Child("join", "lines", "lines", Shape("L", columns("v")), f"{prefix}line", (("doc", "id"),))
    plan = StorePlan("table", f"{prefix}doc", ("k",), Shape("D", columns("k"), (child,)))
    records = read(database, plan)
    assert sorted(record.key for record in records) == sorted(keys)
    found = {record.key: [line["v"] for line in record.values["lines"]] for record in records}
    assert found == {key: list(range(n % 3)) for n, key in enumerate(keys)}
    assert not any(record.faults for record in records)


def test_the_latest_revision_is_the_record(database: Database, prefix: str) -> None:
    rows = [
        {"k": "1", "maj": "20250101", "v": "old"},
        {"k": "1", "maj": "20250301", "v": "new"},
        {"k": "1", "maj": None, "v": "oldest"},
        {"k": "2", "maj": "20250101", "v": "only"},
        {"k": "3", "maj": "20250101", "v": "twin"},
        {"k": "3", "maj": "20250101", "v": "twin"},
        {"k": None, "maj": "20250101", "v": "lost"},
        {"k": " ", "maj": "20250101", "v": "blank"},
    ]
    database.fill(f"{prefix}doc", [sa.Column(name, sa.String(10)) for name in ("k", "maj", "v")], rows)
    shape = Shape("D", columns("k", "v"))
    plan = StorePlan("table", f"{prefix}doc", ("k",), shape, latest=Order("maj"))
    records = read(database, plan)
    assert sorted((r.key, r.values["v"], r.superseded, *(f.code for f in r.faults)) for r in records) == [
        ("", "blank", False, "FM717"),
        ("", "lost", False, "FM717"),
        ("1", "new", False),
        ("1", "old", True),
        ("1", "oldest", True),
        ("2", "only", False),
        ("3", "twin", False, "FM718"),
        ("3", "twin", False, "FM718"),
    ]
    doubles = read(database, replace(plan, latest=None), ["1", "2"])
    assert [(r.key, [f.code for f in r.faults]) for r in doubles] == [("1", ["FM718"])] * 3 + [("2", [])]


def test_a_key_of_several_columns(database: Database, prefix: str) -> None:
    pairs = [{"site": site, "no": no, "v": f"{site}{no}"} for site in ("N", "S") for no in (1, 2)]
    key = {"primary_key": True, "autoincrement": False}
    database.fill(
        f"{prefix}op",
        [sa.Column("site", sa.String(3), **key), sa.Column("no", sa.Integer(), **key), sa.Column("v", sa.String(5))],
        pairs,
    )
    database.fill(
        f"{prefix}pose",
        [sa.Column("site", sa.String(3)), sa.Column("no", sa.Integer()), sa.Column("lot", sa.String(9))],
        [{"site": row["site"], "no": row["no"], "lot": row["v"]} for row in pairs for _ in range(2)],
    )
    child = Child(
        "join", "poses", "poses", Shape("P", columns("lot")), f"{prefix}pose", (("site", "site"), ("no", "no"))
    )
    plan = StorePlan("table", f"{prefix}op", ("site", "no"), Shape("O", columns("v"), (child,)))
    records = read(database, plan)
    assert [record.key for record in records] == ["N|1", "N|2", "S|1", "S|2"]
    assert all([p["lot"] for p in r.values["poses"]] == [r.values["v"]] * 2 for r in records)
    assert [record.key for record in read(database, plan, ["S|1"])] == ["S|1"]


def test_an_empty_table_holds_no_record(database: Database, prefix: str) -> None:
    theatre(database, prefix, count=1)
    with database.engine.begin() as connection:
        connection.execute(sa.text(f"DELETE FROM {prefix}op"))
    with open_source(database.url, theatre_plan(prefix)) as source:
        assert source.check() == []
        assert source.count() == 0
        assert list(source.records()) == []


def test_what_the_database_lacks_is_found_at_once_with_its_place(database: Database, prefix: str) -> None:
    theatre(database, prefix, count=2)
    plan = theatre_plan(prefix)
    poses = plan.shape.children[1]
    wrong = replace(poses, shape=replace(poses.shape, columns=columns("id_pose", "no_lot", "rangg")))
    patients = replace(plan.shape.children[0], table=f"{prefix}patients", position="a.map:9:1")
    plan = replace(plan, shape=replace(plan.shape, columns=columns("id_op", "statu"), children=(patients, wrong)))
    with open_source(database.url, plan) as source:
        found = source.check()
    told = [(d.code, d.args.get("column", d.args.get("table")), d.args["position"]) for d in found]
    assert told == [
        ("FM704", "statu", "a.map:2:3"),
        ("FM703", f"{prefix}patients", "a.map:9:1"),
        ("FM704", "no_lot", "a.map:2:3"),
        ("FM704", "rangg", "a.map:3:3"),
    ]
    assert "did you mean `statut`?" in found[0].hint_text
    assert f"did you mean `{prefix}patient`?" in found[1].hint_text


def test_names_are_found_whatever_their_case(database: Database, prefix: str) -> None:
    data = theatre(database, prefix)
    plan = theatre_plan(prefix)
    plan = replace(plan, name=plan.name.upper(), shape=replace(plan.shape, columns=columns("ID_OP", "Statut")))
    records = read(database, plan)
    assert [record.values["ID_OP"] for record in records] == [row["id_op"] for row in expected(data)]


@pytest.mark.parametrize(
    ("where", "near"),
    [("statut <> ", ""), ("no_such = 1", "no_such"), ("statut = 'A' AND", ""), ("nofunction(statut)", "")],
)
def test_sql_that_the_database_refuses_is_told_before_reading(
    database: Database, prefix: str, where: str, near: str
) -> None:
    theatre(database, prefix, count=2)
    with open_source(database.url, replace(theatre_plan(prefix), where=where)) as source:
        found = source.check()
    assert [entry.code for entry in found] == ["FM715"]
    assert near in found[0].message


def test_reading_is_one_snapshot(database: Database, prefix: str) -> None:
    data = theatre(database, prefix, count=900)
    with open_source(database.url, theatre_plan(prefix)) as source:
        records = source.records()
        first = [next(records)]
        if database.kind != "sqlite":  # a SQLite reader holds writers off
            with database.engine.begin() as connection:
                connection.execute(sa.text(f"INSERT INTO {prefix}op VALUES (100000, 1, 'R')"))
                connection.execute(sa.text(f"DELETE FROM {prefix}pose"))
        found = [only(dict(record.values)) for record in [*first, *records]]
    assert found == expected(data)


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    plan = StorePlan("table", "t", ("id",), Shape("T", columns("id")))
    for url in ("postgresql://reader:s3cret@127.0.0.1:1/bloc", "mysql://reader:s3cret@127.0.0.1:1/bloc"):
        with pytest.raises(ConfigError) as caught:
            open_source(url, plan).check()
        assert caught.value.code == "FM708"
        assert "s3cret" not in str(caught.value)
        assert "reader:***@127.0.0.1:1" in str(caught.value)


def test_a_refused_login_and_an_unknown_database_are_told_apart(database: Database) -> None:
    if database.kind == "sqlite":
        pytest.skip("SQLite knows no login")
    plan = StorePlan("table", "t", ("id",), Shape("T", columns("id")))
    url = sa.make_url(database.url)
    stranger = url.set(username="fm_stranger", password="s3cret").render_as_string(hide_password=False)
    elsewhere = url.set(database="fm_no_such_database").render_as_string(hide_password=False)
    with pytest.raises(ConfigError) as refused:
        open_source(stranger, plan).check()
    assert (refused.value.code, "s3cret" in str(refused.value)) == ("FM709", False)
    with pytest.raises(ConfigError) as unknown:
        open_source(elsewhere, plan).check()
    assert unknown.value.code == "FM708"
    assert "no such database" in str(unknown.value)


# --- SQLite alone -----------------------------------------------------------------------------------------------------


def small(path: Path, statement: str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)") -> StorePlan:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()
    return StorePlan("table", "t", ("id",), Shape("T", columns("id", "v")))


def code_of(path: Path | str, plan: StorePlan) -> str:
    with pytest.raises(ConfigError) as caught:
        list(open_source(str(path), plan).records())
    return caught.value.code


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    plan = small(tmp_path / "a.sqlite")
    assert code_of(tmp_path / "b.sqlite", plan) == "FM701"
    assert not (tmp_path / "b.sqlite").exists()
    assert code_of(f"sqlite:///{tmp_path}", plan) == "FM702"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    plan = small(tmp_path / "a.sqlite")
    (tmp_path / "b.sqlite").write_bytes(b"id;v\n1;x\n" * 400)
    assert code_of(tmp_path / "b.sqlite", plan) == "FM706"
    whole = (tmp_path / "a.sqlite").read_bytes()
    (tmp_path / "c.sqlite").write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))
    assert code_of(tmp_path / "c.sqlite", plan) == "FM706"


def test_a_locked_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhirmap.sources.sql_table._LOCK_S", 0.05)
    plan = small(tmp_path / "a.sqlite")
    holder = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert code_of(tmp_path / "a.sqlite", plan) == "FM707"
    holder.close()


def test_a_read_only_file_is_read_and_never_written(tmp_path: Path) -> None:
    folder = tmp_path / "é ?#%"
    folder.mkdir()
    path = folder / "a.sqlite"
    plan = small(path)
    before = path.read_bytes()
    path.chmod(0o400)
    folder.chmod(0o500)
    try:
        assert list(open_source(str(path), plan).records()) == []
    finally:
        folder.chmod(0o700)
    assert path.read_bytes() == before
    assert [entry.name for entry in folder.iterdir()] == ["a.sqlite"]


def test_a_cell_that_is_no_utf8_spoils_its_record_alone(tmp_path: Path) -> None:
    plan = small(tmp_path / "a.sqlite")
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute("INSERT INTO t VALUES (1, 'é'), (2, CAST(x'E9' AS TEXT)), (3, 'z')")
    connection.close()
    assert [r.values["v"] for r in open_source(str(tmp_path / "a.sqlite"), plan).records()] == ["é", b"\xe9", "z"]


def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    plan = small(tmp_path / "a.sqlite")
    lines = Child("join", "lines", "lines", Shape("L", columns("x")), "l", (("t", "id"),))
    plan = replace(plan, shape=replace(plan.shape, children=(lines,)))

    def peak(count: int) -> int:
        with sqlite3.connect(tmp_path / "a.sqlite") as connection:
            connection.execute("DROP TABLE IF EXISTS l")
            connection.execute("CREATE TABLE l (t INTEGER, x TEXT)")
            connection.execute("DELETE FROM t")
            connection.executemany("INSERT INTO t VALUES (?, ?)", ((n, f"value {n}") for n in range(count)))
            connection.executemany(
                "INSERT INTO l VALUES (?, ?)", ((n, f"line {m}") for n in range(count) for m in (1, 2))
            )
        connection.close()
        tracemalloc.start()
        assert sum(len(r.values["lines"]) for r in open_source(str(tmp_path / "a.sqlite"), plan).records()) == 2 * count
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    small_peak = peak(2_000)
    assert peak(20_000) < small_peak * 1.2


def test_a_file_model_does_not_read_a_database(tmp_path: Path) -> None:
    plan = replace(small(tmp_path / "a.sqlite"), kind="csv")
    assert code_of(tmp_path / "a.sqlite", plan) == "FM716"


@pytest.mark.parametrize(("value", "text"), [(12, "12"), (12.0, "12"), (" 007 ", "007"), (None, ""), (b"\x01", "01")])
def test_key_text(value: object, text: str) -> None:
    assert key_text(value) == text


def test_a_copy_in_wal_mode_is_read_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = small(tmp_path / "a.sqlite")
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("INSERT INTO t VALUES (1, 'x')")
    connection.close()
    monkeypatch.setattr("fhirmap.sources.sql_table.os.access", lambda *_: False)
    assert [record.key for record in open_source(str(tmp_path / "a.sqlite"), plan).records()] == ["1"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.sqlite"]
