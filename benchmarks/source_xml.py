"""XML: an export of operations with their implants, read by lxml's `iterparse`."""

# ruff: noqa: E501  a document
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from benchmarks.sources import Kind

_SPACE = "urn:hospital:theatre"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_RECORD = """  <operation id="OP{number:06}">
    <patient ipp="{ipp}"><name>Patient {number}</name><sex>{sex}</sex></patient>
    <day>2025-{month:02}-{day:02}</day><side>{side}</side><surgeon>10{surgeon:09}</surgeon>
    <note>Consigne n\N{DEGREE SIGN}{number}, sans objet</note>
    <implants>
      <implant lot="L{number}"><reference>CUP-{size}</reference><udi>01029996100{size}</udi><quantity>1</quantity></implant>
      <implant lot="M{number}"><reference>TIG-{size}</reference><udi>01029996200{size}</udi><quantity>2</quantity></implant>
    </implants>
  </operation>
"""
_MODELS = f"""
model Record from xml path 't:export.t:operation' prefix t = '{_SPACE}' key '@id' {{
  id       : string  1..1 from '@id'
  ipp      : string  1..1 from 't:patient.@ipp'
  name     : string  0..1 from 't:patient.t:name'
  sex      : code    0..1 from 't:patient.t:sex'
  day      : date    1..1 from 't:day'
  side     : code    0..1 from 't:side'
  surgeon  : string  0..1 from 't:surgeon'
  implants : Implant 1..* from 't:implants.t:implant'
}}
model Implant {{
  lot       : string  1..1 from '@lot'
  reference : string  0..1 from 't:reference'
  udi       : string  0..1 from 't:udi'
  quantity  : integer 0..1 from 't:quantity'
}}
"""


def write(path: Path, records: int) -> None:
    """An export of so many operations."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<export xmlns="{_SPACE}">\n')
        for number in range(records):
            values = {
                "ipp": 7_000_000 + number,
                "sex": "MF"[number % 2],
                "month": number % 12 + 1,
                "day": number % 28 + 1,
            }
            values |= {"side": "DG"[number % 2], "surgeon": 123_456_789 - number % 1000, "size": 100 + number % 90}
            file.write(_RECORD.format(number=number, **values))
        file.write("</export>\n")


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The operations of an export, one after the other, each let go."""
    t = f"{{{_SPACE}}}"
    seen: set[str] = set()
    for _, element in etree.iterparse(path, events=("end",), tag=f"{t}operation", resolve_entities=False):
        number = element.get("id")
        assert number and number not in seen
        seen.add(number)
        patient, day = element.find(f"{t}patient"), _text(element, f"{t}day")
        assert patient is not None and _DAY.fullmatch(day)
        resource = {
            "id": number,
            "ipp": patient.get("ipp"),
            "name": _text(patient, f"{t}name"),
            "sex": _text(patient, f"{t}sex"),
            "day": day,
            "side": _text(element, f"{t}side"),
            "surgeon": _text(element, f"{t}surgeon"),
            "implants": [
                {
                    "lot": implant.get("lot"),
                    "reference": _text(implant, f"{t}reference"),
                    "udi": _text(implant, f"{t}udi"),
                    "quantity": int(_text(implant, f"{t}quantity")),
                }
                for implant in element.iterfind(f"{t}implants/{t}implant")
            ],
        }
        yield {name: value for name, value in resource.items() if value}
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _text(element: etree._Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


KIND = Kind("operations.xml", _MODELS, write, read)
