"""What `check` says of files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.sources import open_source
from tests.sources.exports import FLAT, read, write
from tests.sources.records_of import read_model


def test_files_that_are_all_wrong_are_an_error_of_the_check(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "v\nx\n")
    write(tmp_path / "b.csv", "v\nx\n")
    with open_source(str(tmp_path), FLAT) as source:
        assert [(entry.code, entry.args["column"]) for entry in source.check()] == [("FM704", "id")]


def test_a_condition_on_a_column_that_is_not_there(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;v\n1;a\n")
    with open_source(str(path), replace(FLAT, where="w = 'a'")) as source:
        assert [(entry.code, entry.args["column"]) for entry in source.check()] == [("FM704", "w")]
    with pytest.raises(ConfigError) as caught, open_source(str(path), replace(FLAT, where="v ==== 'a'")) as source:
        source.check()
    assert caught.value.code == "FM715"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("e[t=A]", []),
        ("e[t=a]", ["FM782 filter"]),
        ("e[u=A]", ["FM782 filter"]),
        ("e[7]", ["FM782 filter"]),
        ("e", []),
        ("none", []),
        ("none[t=A]", []),
        ("none[0]", []),
    ],
)
def test_a_path_whose_brackets_leave_no_record(tmp_path: Path, path: str, said: list[str]) -> None:
    file = write(tmp_path / "a.json", '{"e": [{"t": "A", "id": "1"}, {"t": "B", "id": "2"}], "none": []}')
    model = f"model M from json path '{path}' key 'id' where \"[id] = 'x'\" {{ id : string 1..1 from 'id' }}"
    assert [f"{entry.code} {entry.variant}" for entry in read_model(file, model).checks] == said


def test_an_xml_path_whose_brackets_leave_no_record(tmp_path: Path) -> None:
    file = write(tmp_path / "a.xml", '<r><o t="A" id="1"/></r>')
    for condition, said in (("A", []), ("a", ["FM782"])):
        model = f"model M from xml path 'r.o[@t={condition}]' key '@id' {{ id : string 1..1 from '@id' }}"
        assert [entry.code for entry in read_model(file, model).checks] == said


def test_brackets_leave_no_record_where_a_file_without_one_is_the_first(tmp_path: Path) -> None:
    write(tmp_path / "a.json", '{"e": []}')
    model = "model M from json path 'e[t=X]' key 'id' { id : string 1..1 from 'id' }"
    assert not read_model(tmp_path / "*.json", model).checks
    write(tmp_path / "b.json", '{"e": [{"t": "A", "id": "1"}]}')
    assert [entry.code for entry in read_model(tmp_path / "*.json", model).checks] == ["FM782"]


STATED = """
model Case from json path 'cases' key 'id' where "{where}" {{ id : string 1..1 from 'id' }}
"""


@pytest.mark.parametrize(
    ("where", "said"),
    [
        # One letter off what is there: the cancelled record would be sent.
        ("[statut] is null or [statut] <> 'ANNULE'", [("FM704", "where", "statut")]),
        ("[stay.Motif] is null", [("FM704", "where", "stay.Motif")]),
        # Perhaps only cancelled records have it, and today there is none.
        ("[dateAnnulation] is null", [("FM726", "where", "dateAnnulation")]),
        ("[etat] = 'X'", [("FM726", "where", "etat")]),
        ("[lot1] is null", [("FM726", "where", "lot1")]),
        # Only records that are left out have it; one is there and null.
        ("[reason] is null and [note] is null", []),
    ],
)
def test_a_condition_on_a_path_that_no_record_has(tmp_path: Path, where: str, said: list[tuple[str, str, str]]) -> None:
    cases = [
        {"id": "1", "status": "OK", "dateValidation": "x", "lot2": "x", "note": None, "stay": {"motif": "a"}},
        {"id": "2", "status": "ANNULE", "reason": "error"},
    ]
    path = write(tmp_path / "a.json", json.dumps({"cases": cases}))
    found_ = read_model(path, STATED.format(where=where)).checks
    assert [(entry.code, entry.variant, entry.args["column"]) for entry in found_] == said
    assert [entry.is_error for entry in found_] == [code == "FM704" for code, *_ in said]
    assert all("did you mean `stay.motif`?" in (entry.hint_text or "") for entry in found_ if "Motif" in where)


@pytest.mark.parametrize("kind", ["json", "xml"])
@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("[statut] is null", [("FM704", "where", "statut")]),
        ("[etat] is null", [("FM726", "where", "etat")]),
        # Only what is left out has it.
        ("[status] is null", []),
    ],
)
def test_a_condition_of_what_is_looked_up(
    tmp_path: Path, kind: str, where: str, said: list[tuple[str, str, str]]
) -> None:
    lots = [{"url": "p", "n": "A", "status": "ANNULE"}, {"url": "p", "n": "B"}]
    document = {"case": [{"id": "1", "piece": "p"}], "lot": lots}
    shown = "".join(f"<lot>{''.join(f'<{name}>{text}</{name}>' for name, text in lot.items())}</lot>" for lot in lots)
    text = f"<d><case><id>1</id><piece>p</piece></case>{shown}</d>"
    path = write(tmp_path / f"a.{kind}", json.dumps(document) if kind == "json" else text)
    models = f"""
model Case from {kind} path '{"case" if kind == "json" else "d.case"}' key 'id' {{
  id : string 1..1 from 'id'  lots : Lot 0..* join '/lot' on 'url' = 'piece' where "{where}" }}
model Lot {{ n : string 0..1 from 'n' }}
"""
    found_ = read_model(path, models)
    assert [(entry.code, entry.variant, entry.args["column"]) for entry in found_.checks] == said
    assert [lot["n"] for lot in found_.records[0].values["lots"]] == (["A", "B"] if said else ["B"])


def test_a_path_of_what_a_condition_leaves_out_everywhere_is_there(tmp_path: Path) -> None:
    document = {"case": [{"id": "1", "piece": "p"}], "lot": [{"url": "p", "n": "A", "status": "ANNULE"}]}
    path = write(tmp_path / "a.json", json.dumps(document))
    models = """
model Case from json path 'case' key 'id' {
  id : string 1..1 from 'id'  lots : Lot 0..* join '/lot' on 'url' = 'piece' where "[status] is null" }
model Lot { n : string 0..1 from 'n'  m : string 0..1 from 'm' }
"""
    found = read_model(path, models)
    assert "lots" not in found.records[0].values
    assert [(entry.code, entry.args["column"]) for entry in found.checks] == [("FM726", "m")]


def test_a_condition_of_rows_that_are_joined_on_a_path_that_none_has(tmp_path: Path) -> None:
    lots = write(tmp_path / "b.json", '[{"case": "1", "lot": "A", "status": "ANNULE"}]')
    path = write(tmp_path / "a.csv", "id\n1\n")
    models = """
model Case from csv key 'id' { id : string 1..1 from 'id'; lots : Lot 0..* join on 'case' = 'id' }
model Lot from json source 'lots' where "[statut] is null" { lot : string 0..1 from 'lot' }
"""
    (entry,) = read_model(path, models, {"lots": str(lots)}).checks
    assert (entry.code, entry.variant, entry.args["column"]) == ("FM704", "where", "statut")


@pytest.mark.parametrize(
    ("kind", "text", "where", "said"),
    [
        ("xml path 'c.p'", "<c><p><id>1</id><status>X</status></p></c>", "[statut] is null", "FM704"),
        ("xml path 'c.p'", "<c><p><id>1</id><date value='1'/></p></c>", "[date.@nullFlavor] is null", "FM726"),
        ("hl7", "MSH|^~\\&|A|B|C|D|20260101||ORU^R01|1|P|2.5\rPID|1||1\rOBR|1|2\r", "[OBR.25] is null", "FM726"),
    ],
)
def test_conditions_of_other_documents(tmp_path: Path, kind: str, text: str, where: str, said: str) -> None:
    path = write(tmp_path / f"a.{kind[:3]}", text)
    key = "MSH.10" if kind == "hl7" else "id"
    model = f"model Case from {kind} key '{key}' where \"{where}\" {{ id : string 1..1 from '{key}' }}"
    (entry,) = read_model(path, model).checks
    assert (entry.code, entry.variant) == (said, "where")


def test_titles_before_the_names_are_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "Extraction du bloc;\nmars 2025;\n\nid;v\n1;a\n")
    assert [(r.key, r.origin) for r in read(path, FLAT)] == [("1", "a.csv:5")]
    with open_source(str(path), FLAT) as source:
        (entry,) = source.check()
    assert (entry.code, entry.variant, entry.args["line"]) == ("FM753", "titles", 4)
    with open_source(str(path), replace(FLAT, names_line=4)) as source:
        assert source.check() == []
    assert [r.key for r in read(path, replace(FLAT, names_line=4))] == ["1"]
