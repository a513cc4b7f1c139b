"""Lines of fixed width with counted groups, against slices and `strptime` of plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.sources import Kind

MODELS = """
model Record from fixed key '1-10' encoding 'cp1252' {
  number : string  1..1 from 1..10
  name   : string  0..1 from 11..30
  start  : date    0..1 from 31..38 format 'ddMMyyyy'
  price  : decimal 0..1 from 39..48 decimals 3
  codes  : string  0..* from 53 count 49..50 width 8
  acts   : Act     0..* from after 'codes' count 51..52 width 19
}

model Act {
  day  : date   0..1 from 1..8 format 'ddMMyyyy'
  code : string 1..1 from 9..15
  side : string 0..1 from 16
}
"""


def write(path: Path, count: int) -> None:
    """Lines of two codes and three acts each."""
    with path.open("w", encoding="cp1252", newline="") as file:
        for number in range(count):
            day = f"{1 + number % 28:02}032025"
            acts = "".join(f"{day}NEKA0{number % 10}{piece}G   " for piece in range(3))
            file.write(f"{number + 1:010}{'NOËL':<20}{day}{389500 + number:010}0203{'I10':<8}{'M16.1':<8}{acts}\r\n")


def read(path: Path) -> Iterator[dict[str, Any]]:
    """What a programmer writes: slices of each line, its days and numbers converted."""
    with path.open(encoding="cp1252") as file:
        for line in file:
            codes, acts = int(line[48:50]), int(line[50:52])
            start = 52 + 8 * codes
            yield {
                "number": line[:10].strip(),
                "name": line[10:30].strip(),
                "start": _day(line[30:38]),
                "price": Decimal(line[38:48]).scaleb(-3),
                "codes": [line[52 + 8 * place : 60 + 8 * place].strip() for place in range(codes)],
                "acts": [_act(line[start + 19 * place : start + 19 * place + 19]) for place in range(acts)],
            }


def _act(text: str) -> dict[str, str]:
    return {"day": _day(text[:8]), "code": text[8:15].strip(), "side": text[15:16].strip()}


def _day(text: str) -> str:
    return datetime.strptime(text, "%d%m%Y").date().isoformat()


KIND = Kind("stays.txt", MODELS, write, read)
