"""CSV files, against the standard library's reader."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.sources import Kind

MODELS = """
model Record from csv key 'N°' encoding 'cp1252' delimiter ';' {
  number : string  1..1 from 'N°'
  name   : string  0..1 from 'Nom'
  side   : code    0..1 from 'Côté'
  day    : date    0..1 from 'Date' format 'dd/MM/yyyy'
  lot    : string  0..1 from 'Lot'
  count  : integer 0..1 from 'Qté'
  maker  : string  0..1 from 'Fournisseur'
  text   : string  0..1 from 'Désignation'
}
"""
NAMES = ("N°", "Nom", "Côté", "Date", "Lot", "Qté", "Fournisseur", "Désignation")


def write(path: Path, count: int) -> None:
    """One line a record."""
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(NAMES)
        for number in range(count):
            day = f"{1 + number % 28:02}/03/2025"
            lot = f"L{number % 9}X{number:07}"
            writer.writerow((f"S{number:07}", "NOËL", "DG"[number % 2], day, lot, 1 + number % 3, "Orthalys", "Tige"))


def read(path: Path) -> Iterator[dict[str, Any]]:
    """What a programmer writes: a dict a line, its day and number converted."""
    with path.open(encoding="cp1252", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            yield {
                "number": row["N°"].strip(),
                "name": row["Nom"].strip(),
                "side": row["Côté"].strip(),
                "day": datetime.strptime(row["Date"], "%d/%m/%Y").date().isoformat(),
                "lot": row["Lot"].strip(),
                "count": int(row["Qté"]),
                "maker": row["Fournisseur"].strip(),
                "text": row["Désignation"].strip(),
            }


KIND = Kind("poses.csv", MODELS, write, read)
