"""XML documents as rows, and what is said of a model that does not fit one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.source_plan import RowLayout, SourceColumn
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.sources.files.xml_reader import XmlReader
from fhirmap.texts import LANGUAGES, language_of
from tests.sources.files.documents import document, plan_of, read

LETTER = """<?xml version="1.0"?>
<Letter xmlns="urn:hl7-org:v3" xmlns:x="urn:x"><setId extension="S1"/><x:note x:by="me">n</x:note>
<recordTarget><id>7</id></recordTarget></Letter>"""
EXPORT = """<export site="992"><file>f1</file><cases><day>2025-03-17</day>
<case id="1"><side>G</side><piece>a</piece><piece>b</piece></case><case id="2"><side>D</side></case></cases></export>"""


def reader_of(folder: Path, text: str, path: str, **prefixes: str) -> XmlReader:
    return XmlReader(document(folder, text), plan_of(path, **prefixes))


def said(entry: Diagnostic) -> list[str]:
    found = []
    for language in LANGUAGES:
        with language_of(language):
            found += [entry.message, str(entry.hint)]
    return found


def test_rows_have_their_line_and_number(tmp_path: Path) -> None:
    rows = read(document(tmp_path, EXPORT), plan_of("export.cases.case", "side", "piece", "../day", "../../file"))
    assert [(row.place, row.number, row.faults, row.is_lost) for row in rows] == [
        (":2", 1, [], False),
        (":2", 2, [], False),
    ]
    assert rows[0].cells == {
        "@id": "1",
        "side": "G",
        "piece": ["a", "b"],
        "..": {"day": "2025-03-17", "..": {"@site": "992", "file": "f1"}},
    }


def test_a_reading_gives_the_same_each_time_and_follows_the_file(tmp_path: Path) -> None:
    plan = plan_of("export.cases.case", "../../end")
    file = document(tmp_path, EXPORT)
    reader = XmlReader(file, plan)
    first = list(reader.rows(["../../end"]))
    assert list(reader.rows(["../../end"])) == first
    document(tmp_path, EXPORT.replace("</export>", "<end>1</end></export>"))
    assert [row.cells[".."][".."] for row in reader.rows(["../../end"])] == [{"@site": "992", "end": "1"}] * 2


def test_names_are_what_is_there(tmp_path: Path) -> None:
    assert list(reader_of(tmp_path, EXPORT, "export.cases.case").names()) == [
        "@id",
        "side",
        "piece",
        "../day",
        "../../@site",
        "../../file",
    ]
    assert list(reader_of(tmp_path, EXPORT, "export.cases.none").names()) == []
    assert list(reader_of(tmp_path, LETTER, "", h="urn:hl7-org:v3").names()) == [
        "h:setId",
        "h:setId.@extension",
        "h:recordTarget",
        "h:recordTarget.h:id",
    ]


def test_what_is_there_is_not_complained_of(tmp_path: Path) -> None:
    needed = dict.fromkeys(("@id", "side", "piece", "../day", "../../@site", "../../../none", "none"), "m.map:2:1")
    assert reader_of(tmp_path, EXPORT, "export.cases.case").check(needed) == []


def only(found: list[Diagnostic]) -> tuple[str, str, Mapping[str, object]]:
    (entry,) = found
    assert all(said(entry))
    return entry.code, entry.variant, entry.args


def test_a_namespace_that_the_model_did_not_declare_is_the_first_thing_said(tmp_path: Path) -> None:
    code, variant, args = only(reader_of(tmp_path, LETTER, "Letter").check({"setId.@extension": "m.map:2:1"}))
    assert (code, variant, args["position"]) == ("FM781", "", "m.map:1:1")
    assert (args["namespace"], args["prefix"], args["written"]) == ("urn:hl7-org:v3", "n", "n:Letter")
    code, variant, args = only(reader_of(tmp_path, LETTER, "n:Letter", n="urn:other").check({}))
    assert (code, variant, args["prefix"]) == ("FM781", "", "n2")


@pytest.mark.parametrize(
    ("path", "variant", "written"),
    [
        ("setId.@extension", "known", "h:setId"),
        ("h:recordTarget.id", "known", "h:id"),
        ("h:note", "", "x:note"),
        ("h:setId.@h:extension", "none", "@extension"),
        ("../../h:none", None, None),
        ("h:none.@x", None, None),
    ],
)
def test_a_path_that_misses_for_its_namespace(
    tmp_path: Path, path: str, variant: str | None, written: str | None
) -> None:
    found = reader_of(tmp_path, LETTER, "h:Letter", h="urn:hl7-org:v3").check({path: "m.map:2:9"})
    if variant is None:
        assert found == []
        return
    code, shown, args = only(found)
    assert (code, shown, args["written"], args["position"], args["column"]) == (
        "FM781",
        variant,
        written,
        "m.map:2:9",
        path,
    )


def test_one_namespace_is_said_once_for_all_its_paths(tmp_path: Path) -> None:
    reader = reader_of(tmp_path, LETTER, "h:Letter", h="urn:hl7-org:v3")
    found = reader.check(dict.fromkeys(("setId.@extension", "setId.@root", "recordTarget"), "m.map:2:9"))
    assert [entry.args["step"] for entry in found] == ["setId", "recordTarget"]


def test_an_ancestor_s_path_that_misses_for_its_namespace(tmp_path: Path) -> None:
    text = '<r><h:n xmlns:h="urn:h">1</h:n><c/></r>'
    code, _, args = only(reader_of(tmp_path, text, "r.c").check({"../n": "m.map:2:9"}))
    assert (code, args["written"]) == ("FM781", "h:n")


@pytest.mark.parametrize(
    ("path", "code", "variant", "shown", "meant"),
    [
        ("exports.cases.case", "FM714", "xml", "exports", "export"),
        ("other", "FM714", "xml", "other", None),
        ("export.cases.cases", "FM714", "xml", "export.cases.cases", "case"),
        ("export.list.case", "FM714", "xml", "export.list", None),
        ("export.cases.patient", "FM782", "", "export.cases.patient", None),
    ],
)
def test_records_that_are_not_there(
    tmp_path: Path, path: str, code: str, variant: str, shown: str, meant: str | None
) -> None:
    reader = reader_of(tmp_path, EXPORT, path)
    (entry,) = reader.check({})
    assert (entry.code, entry.variant, entry.args["path"], entry.meant) == (code, variant, shown, meant)
    assert all(said(entry))
    if code == "FM782":
        assert not entry.is_error
        assert list(reader.rows([])) == []
        return
    with pytest.raises(ConfigError) as caught:
        list(reader.rows([]))
    assert (caught.value.code, caught.value.diagnostic().meant) == (code, meant)


@pytest.mark.parametrize("text", ["<export/>", '<export site="9"></export>', "<export><cases/></export>"])
def test_an_export_without_a_record_is_none(tmp_path: Path, text: str) -> None:
    reader = reader_of(tmp_path, text, "export.cases.case")
    assert [entry.code for entry in reader.check({})] == ["FM782"]
    assert list(reader.rows([])) == []


def test_a_namespace_is_said_by_a_reading_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        list(reader_of(tmp_path, LETTER, "Letter").rows([]))
    assert caught.value.code == "FM781"


def test_what_cannot_be_read_is_an_error_of_each_way_to_read_it(tmp_path: Path) -> None:
    for text, code in (("<r>", "FM780"), ("<!DOCTYPE r><r/>", "FM780"), (b"<r>\xe9</r>", "FM705")):
        reader = XmlReader(document(tmp_path, text), plan_of("r.c"))
        for read_it in (reader.names, lambda given=reader: given.check({}), lambda given=reader: list(given.rows([]))):
            with pytest.raises(ConfigError) as caught:
                read_it()
            assert caught.value.code == code
    missing = XmlReader(SourceFile(tmp_path / "none.xml", "none.xml", "none.xml"), plan_of("r.c"))
    with pytest.raises(ConfigError) as caught:
        missing.check({})
    assert caught.value.code == "FM701"


SECTIONS = """<d><s><code v="P"/><e>1</e></s><s><code v="D"/><e t="x">2</e><e t="y">3</e></s>
<s><e t="x">4</e><code v="D"/></s></d>"""


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("d.s[code.@v=D].e", ["2", "3", "4"]),
        ("d.s[code.@v=D].e[@t=x]", ["2", "4"]),
        ("d.s.e[@t='y']", ["3"]),
        ("d.s[code.@v=none].e", []),
    ],
)
def test_a_filter_on_the_way_to_the_records(tmp_path: Path, path: str, texts: list[str]) -> None:
    rows = read(document(tmp_path, SECTIONS), plan_of(path, "#text"))
    assert [row.cells["#text"] for row in rows] == texts
    assert [row.number for row in rows] == list(range(1, len(texts) + 1))


def test_the_root_is_reached_from_a_record(tmp_path: Path) -> None:
    rows = read(document(tmp_path, EXPORT), plan_of("export.cases.case", "/file"))
    assert rows[0].cells[".."][".."] == {"@site": "992", "file": "f1"}


def test_names_with_dots_are_written_as_paths_have_them(tmp_path: Path) -> None:
    text = "<e.x><c.y><n.z>1</n.z></c.y></e.x>"
    assert list(reader_of(tmp_path, text, "`e.x`.`c.y`").names()) == ["`n.z`"]
    assert read(document(tmp_path, text), plan_of("`e.x`.`c.y`", "`n.z`"))[0].cells["n.z"] == "1"


def test_only_what_is_read_is_in_a_row(tmp_path: Path) -> None:
    text = "<r><c k='1'><a>x</a><b>y</b><d><e/></d><g>z</g></c></r>"
    nested = SourceColumn("d", below=RowLayout("D", (SourceColumn("e"), SourceColumn("../g"), SourceColumn("../../h"))))
    plan = replace(plan_of("r.c"), shape=RowLayout("M", (SourceColumn("a"), nested)))
    (row,) = XmlReader(document(tmp_path, text), plan).rows(["a", "d"])
    assert row.cells == {"@k": "1", "a": "x", "d": {"e": None}, "g": "z", "..": {}}
    (row,) = XmlReader(document(tmp_path, text), plan).rows(["@k"])
    assert row.cells == {"@k": "1", "g": "z", "..": {}}
