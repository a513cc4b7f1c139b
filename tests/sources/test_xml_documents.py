"""XML documents read by models of the language: letters of CDA R2, messages of HPRIM XML, files of MEMdoc."""

# ruff: noqa: E501  documents and maps

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.sources import open_source

MEMDOC = """
model Operation from xml path 'implants.implant' key 'patientid', 'operationdate' {
  patient : string 1..1 from 'patientid'
  day     : date   1..1 from 'operationdate'
  side    : code   0..1 from 'anatomycode'
  sender  : string 0..1 from '../providerid'
  pieces  : Piece  1..* lines
}
model Piece {
  article : string 1..1 from 'articlenumber'
  text    : string 0..1 from 'articledescription'
  lot     : string 1..1 from 'lotnumber'
}
"""
LETTER = """
model Letter from xml path 'h:ClinicalDocument' prefix h = 'urn:hl7-org:v3' key 'h:setId.@extension'
    latest by 'h:versionNumber.@value' {
  id       : string  1..1 from 'h:setId.@extension'
  nir      : string  0..1 from 'h:recordTarget.h:patientRole.h:id[@root=1.2.250.1.213.1.4.8].@extension'
  day      : date    1..1 from 'h:documentationOf.h:serviceEvent.h:effectiveTime.h:low.@value' format 'hl7' zone 'Europe/Paris'
  side     : code    0..1 from 'h:component.h:structuredBody.h:component.h:section[h:code.@code=47519-4].h:entry.h:procedure.h:targetSiteCode.h:qualifier[h:name.@code=272741003].h:value.@code'
  implants : Implant 1..* from 'h:component.h:structuredBody.h:component.h:section[h:code.@code=46264-8].h:entry.h:supply'
}
model Implant {
  label   : string 1..1 from 'h:participant.h:participantRole.h:id[@root=2.51.1.1].@extension'
  article : string 0..1 from 'h:participant.h:participantRole.h:playingDevice.h:code.@displayName'
  code    : string 0..1 from 'h:participant.h:participantRole.h:playingDevice.h:code.h:translation[@codeSystem=1.2.250.1.215.200.2.1].@code'
}
"""
LETTER_RULES = """
group main(source src : Letter, target tgt : Result) {
  src.id as v -> tgt.key = v;
  src.nir as v -> tgt.nir = v;
  src.day as v -> tgt.day = v;
  src.side as v -> tgt.side = translate(v, '#side', 'code');
  src.implants as i then {
    i.article as a, i.label as l -> tgt.pieces = (%a + '/' + %l.parseUdi().lot);
    i.code as v -> tgt.texts = v;
  };
}
"""
RESULT = """
model Result { key : string 0..1  nir : string 0..1  day : date 0..1  side : string 0..1  sender : string 0..1
  pieces : string 0..*  texts : string 0..* }
conceptmap "side" { prefix s = "urn:s" prefix t = "urn:t" s:"1" - t:DROITE s:"2" - t:GAUCHE
  s:"7771000" - t:GAUCHE s:"24028007" - t:DROITE }
"""
MEMDOC_RULES = """
group main(source src : Operation, target tgt : Result) {
  src.patient as p, src.day as d -> tgt.key = (%p + '|' + %d.toString());
  src.day as v -> tgt.day = v;
  src.side as v -> tgt.side = translate(v, '#side', 'code');
  src.sender as v -> tgt.sender = v;
  src.pieces as p then {
    p.article as a, p.lot as l -> tgt.pieces = (%a + '/' + %l);
    p.text as v -> tgt.texts = v;
  };
}
"""


def results(url: str, text: str) -> list[dict[str, Any]]:
    """What a map makes of a source, without a fault."""
    transformer = compile_map(text)
    assert transformer.store is not None
    found = []
    with open_source(url, transformer.store) as source:
        assert [(entry.code, entry.message) for entry in source.check()] == []
        for record in source.records():
            result = transformer(record.values)
            assert [fault.code for fault in (*record.faults, *result.faults)] == [], record.origin
            if not record.superseded:
                found.append(result.resource or {})
    return found


def wanted(folder: Path) -> list[dict[str, str]]:
    with (folder / "expected.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=";"))


def formats(shared_dir: Path, name: str) -> Path:
    folder = shared_dir / "renacot" / "formats" / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder


def test_memdoc_gives_the_expected_records(shared_dir: Path) -> None:
    folder = formats(shared_dir, "memdoc-xml")
    found = results(str(folder / "*.xml"), MEMDOC + RESULT + MEMDOC_RULES)
    assert {entry["sender"] for entry in found} == {"scanlab"}
    assert "Cupule à revêtement" in [text for entry in found for text in entry["texts"]]
    assert {entry["key"]: (entry["day"], entry["side"], entry["pieces"]) for entry in found} == {
        row["key"]: (row["date"], row["side"], row["implants"].split(" + ")) for row in wanted(folder)
    }


def test_letters_give_the_expected_records(shared_dir: Path) -> None:
    folder = formats(shared_dir, "cda-ldl-ses")
    found = results(str(folder / "*.xml"), LETTER + RESULT + LETTER_RULES)
    assert {entry["key"]: entry for entry in found}.keys() == {"SET1", "SET3"}
    for row in wanted(folder):
        (entry,) = [entry for entry in found if entry["key"] == row["key"]]
        assert (entry["nir"], entry["day"], entry.get("side", "")) == (row["nir"], row["date"], row["side"])
        assert entry["pieces"] == row["implants"].split(" + ")


EVENTS = """<?xml version="1.0" encoding="ISO-8859-1"?>
<evenementsServeurActes version="1.05" xmlns="http://www.hprim.org/hprimXML">
  <enteteMessage><identifiantMessage>M1</identifiantMessage></enteteMessage>
  <evenementServeurActe>
    <dateAction>2025-03-17T09:50:00</dateAction>
    <patient><identifiant><emetteur etat="permanent"><valeur>700001</valeur></emetteur></identifiant>
      <personnePhysique sexe="F"><nomUsuel>PÂRIS</nomUsuel></personnePhysique></patient>
    <intervention><identifiant><emetteur><valeur>I1</valeur></emetteur></identifiant></intervention>
    <actesCCAM>
      <acteCCAM action="création" facturable="oui"><identifiant><emetteur>A1</emetteur></identifiant>
        <codeActe>NEKA020</codeActe><execute><date>2025-03-17</date><heure>08:15:00</heure></execute></acteCCAM>
      <acteCCAM action="création" facturable="non"><identifiant><emetteur>A2</emetteur></identifiant>
        <codeActe>ZZLP025</codeActe><execute><date>2025-03-17</date></execute></acteCCAM>
    </actesCCAM>
  </evenementServeurActe>
  <evenementServeurActe>
    <dateAction>2025-03-18T09:50:00</dateAction>
    <patient><identifiant><emetteur etat="permanent"><valeur>700002</valeur></emetteur></identifiant></patient>
    <intervention><identifiant><emetteur>I2</emetteur></identifiant></intervention>
    <actesCCAM><acteCCAM action="création"><identifiant><emetteur>A3</emetteur></identifiant>
      <codeActe>MEKA010</codeActe><execute><date>2025-03-18</date></execute></acteCCAM></actesCCAM>
  </evenementServeurActe>
  <fin><nombre>2</nombre></fin>
</evenementsServeurActes>"""
PREFIX = "prefix p = 'http://www.hprim.org/hprimXML'"
EVENT = f"""
model Event from xml path 'p:evenementsServeurActes.p:evenementServeurActe' {PREFIX}
    key 'p:patient.p:identifiant.p:emetteur.p:valeur' {{
  patient : string 1..1 from 'p:patient.p:identifiant.p:emetteur.p:valeur'
  sex     : code   0..1 from 'p:patient.p:personnePhysique.@sexe'
  name    : string 0..1 from 'p:patient.p:personnePhysique.p:nomUsuel'
  acts    : Act    1..* from 'p:actesCCAM.p:acteCCAM'
  total   : string 0..1 from '../p:fin.p:nombre'
}}
model Act {{
  code : string 1..1 from 'p:codeActe'
  day  : date   1..1 from 'p:execute.p:date'
  paid : code   0..1 from '@facturable'
}}
model Result {{ patient : string 0..1  sex : string 0..1  name : string 0..1  acts : string 0..*  total : string 0..1 }}
group main(source src : Event, target tgt : Result) {{
  src.patient as v -> tgt.patient = v;
  src.sex as v -> tgt.sex = v;
  src.name as v -> tgt.name = v;
  src.total as v -> tgt.total = v;
  src.acts as act then {{ act.code as c, act.day as d -> tgt.acts = (%c + ' ' + %d.toString()); }};
}}
"""
ACT = f"""
model Act from xml path 'p:evenementsServeurActes.p:evenementServeurActe.p:actesCCAM.p:acteCCAM[@facturable=oui]' {PREFIX}
    key 'p:identifiant.p:emetteur' {{
  code    : string 1..1 from 'p:codeActe'
  patient : string 1..1 from '../../p:patient.p:identifiant.p:emetteur.p:valeur'
  message : string 0..1 from '/p:enteteMessage.p:identifiantMessage'
  count   : integer 0..1 from '../../../p:fin.p:nombre'
}}
model Result {{ code : string 0..1  patient : string 0..1  message : string 0..1  count : integer 0..1 }}
group main(source src : Act, target tgt : Result) {{
  src.code as v -> tgt.code = v;
  src.patient as v -> tgt.patient = v;
  src.message as v -> tgt.message = v;
  src.count as v -> tgt.count = v;
}}
"""


def test_events_and_their_acts(tmp_path: Path) -> None:
    path = tmp_path / "events.xml"
    path.write_text(EVENTS, encoding="iso-8859-1")
    assert results(str(path), EVENT) == [
        {
            "patient": "700001",
            "sex": "F",
            "name": "PÂRIS",
            "acts": ["NEKA020 2025-03-17", "ZZLP025 2025-03-17"],
            "total": "2",
        },
        {"patient": "700002", "acts": ["MEKA010 2025-03-18"], "total": "2"},
    ]


def test_acts_with_what_is_above_them(tmp_path: Path) -> None:
    path = tmp_path / "events.xml"
    path.write_text(EVENTS, encoding="iso-8859-1")
    assert results(str(path), ACT) == [{"code": "NEKA020", "patient": "700001", "message": "M1", "count": 2}]


SPARSE = """<r><c k="1"><n u="a">x</n><p><q>1</q></p></c><c k="2"><n>y</n><p>2</p></c><c k="3"><n/><p/></c></r>"""
SPARSE_MAP = """
model C from xml path 'r.c' key '@k' { n : string 0..1 from 'n'  u : string 0..1 from 'n.@u'  p : P 0..* from 'p' }
model P { q : string 0..1 from 'q'  own : string 0..1 from '#text' }
model Result { n : string 0..1  u : string 0..1  q : string 0..*  own : string 0..*  rows : integer 0..1 }
group main(source src : C, target tgt : Result) {
  src.n as v -> tgt.n = v;
  src.u as v -> tgt.u = v;
  src -> tgt.rows = (%src.p.count());
  src.p as p then { p.q as v -> tgt.q = v; p.own as v -> tgt.own = v; };
}
"""


def test_what_one_element_lacks_is_absent_and_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(SPARSE, encoding="utf-8")
    assert results(str(path), SPARSE_MAP) == [
        {"n": "x", "u": "a", "q": ["1"], "rows": 1},
        {"n": "y", "own": ["2"], "rows": 1},
        {"rows": 0},
    ]


REFERENCES = """<d xmlns="urn:d"><maker id="m1">ACME</maker><maker id="m2"><name>BONE</name></maker>
<list><op id="1"><use ref="p1"/><use ref="p2"/></op><op id="2"><use ref="p2"/></op></list>
<piece id="p1" maker="m1"/><piece id="p2" maker="m2"><lot>L2</lot></piece></d>"""
REFERENCES_MAP = """
model Op from xml path 'd:d.d:list.d:op' prefix d = 'urn:d' key '@id' { id : string 1..1 from '@id'  uses : Use 1..* from 'd:use' }
model Use { piece : Piece 1..1 join '/d:piece' on '@id' = '@ref' }
model Piece { id : string 1..1 from '@id'  lot : string 0..1 from 'd:lot'  maker : Maker 1..1 join '/d:maker' on '@id' = '@maker' }
model Maker { text : string 0..1 from '#text'  name : string 0..1 from 'd:name' }
model Result { id : string 0..1  pieces : string 0..*  lots : string 0..*  makers : string 0..* }
group main(source src : Op, target tgt : Result) {
  src.id as v -> tgt.id = v;
  src.uses as u then { u.piece as p then {
    p.id as v -> tgt.pieces = v;
    p.lot as v -> tgt.lots = v;
    p.maker as m then { m.text as v -> tgt.makers = v; m.name as v -> tgt.makers = v; };
  }; };
}
"""


def test_what_an_attribute_refers_to_is_looked_up(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(REFERENCES, encoding="utf-8")
    assert results(str(path), REFERENCES_MAP) == [
        {"id": "1", "pieces": ["p1", "p2"], "lots": ["L2"], "makers": ["ACME", "BONE"]},
        {"id": "2", "pieces": ["p2"], "lots": ["L2"], "makers": ["BONE"]},
    ]
    whole = REFERENCES_MAP.replace("'d:d.d:list.d:op'", "'d:d'").replace(
        "'@id' { id : string 1..1 from '@id'  uses : Use 1..* from 'd:use' }",
        "'@k' { id : string 1..1 from '@k'  uses : Use 1..* from 'd:list.d:op.d:use' }",
    )
    path.write_text(REFERENCES.replace("<d xmlns", '<d k="9" xmlns'), encoding="utf-8")
    (only,) = results(str(path), whole)
    assert only["pieces"] == ["p1", "p2", "p2"]


PARTS = """<d><list><op id="1"><part ref="a"><part ref="b">text<part ref="a"/></part></part></op></list>
<piece id="a"><lot>L1</lot></piece><piece id="b"><lot>L2</lot></piece></d>"""
PARTS_MAP = """
model Op from xml path 'd.list.op' key '@id' { parts : Part 0..* from 'part' }
model Part { ref : string 1..1 from '@ref'  parts : Part 0..* from 'part'  piece : Piece 0..1 join '/piece' on '@id' = '@ref' }
model Piece { lot : string 0..1 }
model Result { lots : string 0..* }
group main(source src : Op, target tgt : Result) { src.parts as p then part(p, tgt); }
group part(source p : Part, target tgt : Result) {
  p.piece as piece then { piece.lot as v -> tgt.lots = v; };
  p.parts as inner then part(inner, tgt);
}
"""


def test_elements_in_elements_of_their_own_kind_look_up_too(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(PARTS, encoding="utf-8")
    assert results(str(path), PARTS_MAP) == [{"lots": ["L1", "L2", "L1"]}]
