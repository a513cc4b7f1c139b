"""Models of XML documents."""

# ruff: noqa: E501  documents and maps

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from tests.inspection.written import inspected, models_of, round_trip

EXPORT = """<implants><file>f1</file><sent at="2025-03-17">x</sent>
<implant id="1"><patient><ipp>700001</ipp><name use="L">DUVAL</name></patient><day>17/03/2025</day><side>D</side>
 <lots><lot>L1</lot><lot>L2</lot></lots><piece n="1"><udi>U1</udi></piece><piece n="2"><udi>U2</udi></piece></implant>
<implant id="2"><patient><ipp>700002</ipp><name>MARTIN</name></patient><day>18/03/2025</day><side>G</side><weight>71.5</weight>
 <lots><lot>L3</lot></lots><piece n="1"><udi>U3</udi></piece></implant>
</implants>"""


def written(folder: Path, text: str, name: str = "a.xml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_records_and_what_repeats_below_them(tmp_path: Path) -> None:
    url = written(tmp_path, EXPORT)
    text = inspected(url)
    implant, piece = models_of(text)
    assert implant.store is not None
    assert (implant.name, implant.store.name, implant.store.key) == ("Implant", "implants.implant", ("@id",))
    assert {e.name: (e.type, e.maximum, e.column, e.format) for e in implant.elements} == {
        "patientIpp": ("string", 1, "patient.ipp", None),
        "patientNameUse": ("string", 1, "patient.name.@use", None),
        "patientName": ("string", 1, "patient.name", None),
        "day": ("date", 1, "day", "dd/MM/yyyy"),
        "side": ("string", 1, "side", None),
        "lotsLot": ("string", None, "lots.lot", None),
        "piece": ("Piece", None, "piece", None),
        "weight": ("decimal", 1, "weight", None),
        "id": ("string", 1, "@id", None),
        "file": ("string", 1, "../file", None),
        "sentAt": ("date", 1, "../sent.@at", None),
        "sent": ("string", 1, "../sent", None),
    }
    assert [(e.name, e.type, e.column) for e in piece.elements] == [
        ("n", "integer", "@n"),
        ("udi", "string", "udi"),
    ]
    first, second = round_trip(url, text)
    assert (first["lotsLot"], first["piece"]) == (["L1", "L2"], [{"udi": "U1", "n": 1}, {"udi": "U2", "n": 2}])
    assert (second["patientName"], second["day"], second["file"]) == ("MARTIN", "2025-03-18", "f1")


LETTER = """<Letter xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:o="urn:o">
<typeId root="1.3"/><setId extension="%s"/><versionNumber value="%s"/>
<effectiveTime xsi:type="TS" value="20250317081500+0100"/><code code="1" o:note="n"/></Letter>"""


def test_namespaces_are_declared_and_documents_are_records(tmp_path: Path) -> None:
    for name, key, version in (("a", "S1", "1"), ("b", "S1", "2"), ("c", "S2", "1")):
        written(tmp_path, LETTER % (key, version), f"{name}.xml")
    (tmp_path / "README.txt").write_text("what this is")
    url = str(tmp_path / "*.xml")
    text = inspected(url)
    (letter,) = models_of(text)
    assert letter.store is not None and letter.store.latest is not None
    assert letter.store.name == "n:Letter"
    assert letter.store.prefixes == (("n", "urn:hl7-org:v3"), ("o", "urn:o"))
    assert (letter.store.key, letter.store.latest.column) == (("n:setId.@extension",), "n:versionNumber.@value")
    assert {e.name: (e.type, e.column, e.format) for e in letter.elements} == {
        "typeIdRoot": ("string", "n:typeId.@root", None),
        "setIdExtension": ("string", "n:setId.@extension", None),
        "versionNumberValue": ("integer", "n:versionNumber.@value", None),
        "effectiveTimeValue": ("dateTime", "n:effectiveTime.@value", "hl7"),
        "codeCode": ("string", "n:code.@code", None),
        "codeNote": ("string", "n:code.@o:note", None),
    }
    assert len(round_trip(url, text)) == 3
    assert models_of(inspected(str(tmp_path))) == [letter]


def test_the_path_of_the_records_may_be_given(tmp_path: Path) -> None:
    url = written(tmp_path, EXPORT)
    piece = models_of(inspected(url, "implants.implant.piece"))[0]
    assert piece.store is not None
    assert (piece.name, piece.store.name) == ("Piece", "implants.implant.piece")
    assert {e.name: e.column for e in piece.elements}["file"] == "../../file"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("<rows><row><a>1</a></row></rows>", "rows.row"),
        ("<export><rows><row><a>1</a></row></rows></export>", "export.rows.row"),
        (
            "<export><head><x>1</x><x>2</x></head><body><c a='1'/><c a='2'/><c a='3'/><c a='4'/><c a='5'/></body></export>",
            "export.body.c",
        ),
        ("<case><id>1</id><patient><name>x</name></patient></case>", "case"),
        ("<case><id>1</id><note>x</note><note>y</note></case>", "case"),
        ("<a.b><c.d e='1'/><c.d e='2'/></a.b>", "`a.b`.`c.d`"),
    ],
)
def test_where_the_records_are(tmp_path: Path, text: str, path: str) -> None:
    store = models_of(inspected(written(tmp_path, text)))[0].store
    assert store is not None and store.name == path


def test_no_value_is_shown(tmp_path: Path) -> None:
    number = "149113897061759"
    text = (
        f"<rows><row id='1'><nir>{number}</nir><n{number}>x</n{number}><d n{number}='1'>y</d></row><row id='2'/></rows>"
    )
    found = inspected(written(tmp_path, text))
    assert number not in found
    assert "1 name looks like a value" in found


def test_documents_without_records(tmp_path: Path) -> None:
    url = written(tmp_path, EXPORT)
    for path, code in (("implants.none", "FM750"), ("other.none", "FM714")):
        with pytest.raises(ConfigError) as caught:
            inspected(url, path)
        assert caught.value.code == code
    with pytest.raises(ConfigError) as caught:
        inspected(written(tmp_path, "<!DOCTYPE r><r/>", "b.xml"))
    assert caught.value.code == "FM780"
