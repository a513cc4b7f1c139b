"""JSON documents with the records further down, against msgspec alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.sources import Kind

MODELS = """
model Record from json path 'cases' key 'id' {
  number : string 1..1 from 'id'
  day    : date   0..1 from 'operation.day'
  side   : code   0..1 from 'operation.side'
  pieces : Piece  0..* from 'implants'
}

model Piece {
  lot       : string 1..1 from 'lot'
  reference : string 0..1 from 'reference'
}
"""


def write(path: Path, count: int) -> None:
    """One document with all cases, three pieces each."""
    with path.open("w", encoding="utf-8") as file:
        file.write('{"cases": [')
        for number in range(count):
            pieces = [{"lot": f"L{number:07}X{piece}", "reference": f"TIG-{piece}"} for piece in range(3)]
            operation = {"day": f"2025-03-{1 + number % 28:02}", "side": "DG"[number % 2]}
            case = {"id": f"S{number:07}", "operation": operation, "implants": pieces, "note": "sans objet"}
            file.write((", " if number else "") + json.dumps(case))
        file.write("]}")


def read(path: Path) -> Iterator[dict[str, Any]]:
    """What a programmer writes: the document as a whole, a dict a case."""
    for case in msgspec.json.decode(path.read_bytes())["cases"]:
        yield {
            "number": case["id"].strip(),
            "day": case["operation"]["day"],
            "side": case["operation"]["side"].strip(),
            "pieces": [{"lot": e["lot"].strip(), "reference": e["reference"].strip()} for e in case["implants"]],
        }


KIND = Kind("cases.json", MODELS, write, read)
