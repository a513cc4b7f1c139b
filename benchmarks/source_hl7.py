"""Messages of HL7 v2, against the library `hl7`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hl7

from benchmarks.sources import Kind

MODELS = """
model Record from hl7 key 'OBR.3.1' {
  number  : string 1..1 from 'OBR.3.1'
  act     : string 1..1 from 'OBR.4.1'
  day     : string 1..1 from 'OBR.7'
  ins     : string 0..1 from 'PID.3[5=INS].1'
  family  : string 0..1 from 'PID.5.1'
  given   : string 0..1 from 'PID.5.2'
  side    : string 0..1 from 'OBX[3.1=20228-3].5.1'
  devices : Device 0..* from 'DEV'
}

model Device {
  udi    : string 0..1 from '2.1'
  maker  : string 0..1 from '5'
  ref    : string 0..1 from '8'
  lot    : string 0..1 from '10'
  expiry : string 0..1 from '13'
}
"""
_PLACES = {"udi": 2, "maker": 5, "ref": 8, "lot": 10, "expiry": 13}


def write(path: Path, count: int) -> None:
    """Messages of four pieces each."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for number in range(count):
            file.write(
                f"MSH|^~\\&|BLOC|CH|PFI|CH|20250317141{number % 10}||ORU^R01|{number}|P|2.9|||||FRA|UNICODE UTF-8\r"
                f"PID|1||{number}^^^CH&1.2&ISO^PI~{10**14 + number}^^^NIR&1.2&ISO^INS||DUVAL^Noël||19491108|M\r"
                "PV1|1|I|ORTH^^^CH||||||||||||||||2400101^^^CH^VN\r"
                f"OBR|1||B-{number}^BLOC|NEKA020^^CCAM|||20250317081500\r"
                "PRT||UC||OP^^participation|10999000010^CHIR^A\r"
                "OBX|1|CWE|20228-3^Cote^LN||7771000^gauche^SCT||||||F\r"
            )
            for piece in range(4):
                file.write(
                    f"OBX|{piece + 2}|ST|IMPL^Implant^L||CUP-{piece}||||||F\r"
                    f"DEV|AD|0102999610000105{number}^^2.51^ISO|||Orthalys|||CUP-{piece}||H{number}\\T\\{piece}|||20281106\r"
                )


def read(path: Path) -> Iterator[dict[str, Any]]:
    """What a programmer writes with `hl7`: a message at a time."""
    held: list[str] = []
    with path.open(encoding="utf-8", newline="") as file:
        for line in file:
            if line.startswith("MSH") and held:
                yield _record(hl7.parse("".join(held)))
                held.clear()
            held.append(line)
    yield _record(hl7.parse("".join(held)))


def _record(message: hl7.Message) -> dict[str, Any]:
    person, order = message.segment("PID"), message.segment("OBR")
    identifiers = (repetition for repetition in person[3] if str(repetition[4]) == "INS")
    sides = (result for result in message.segments("OBX") if str(result[3][0][0]) == "20228-3")
    return {
        "number": str(order[3][0][0]),
        "act": str(order[4][0][0]),
        "day": str(order[7]),
        "ins": str(next(identifiers)[0]),
        "family": str(person[5][0][0]),
        "given": str(person[5][0][1]),
        "side": str(next(sides)[5][0][0]),
        "devices": [_device(message, device) for device in message.segments("DEV")],
    }


def _device(message: hl7.Message, device: hl7.Segment) -> dict[str, Any]:
    texts = {name: str(device[place]).partition("^")[0] for name, place in _PLACES.items()}
    return {name: message.unescape(text) if "\\" in text else text for name, text in texts.items() if text}


KIND = Kind("messages.hl7", MODELS, write, read)
