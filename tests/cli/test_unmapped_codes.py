"""Codes in no concept map: counted over preview and run, in every form of the report, none that says too much."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fhirmap.records import Unmapped
from fhirmap.runner.unmapped import UnmappedCodes, unmapped_lines
from tests.cli.conftest import NIR, Tiny, in_process

MAP = """\
/// url = 'https://tiny.example/fhir/StructureMap/tiny'
uses "http://hl7.org/fhir/StructureDefinition/Parameters" alias Parameters as target
conceptmap "lots" { prefix s = "urn:s" prefix t = "urn:t" s:L1 - t:one s:'LOT-2' - t:two }
model Stay from csv key 'id' delimiter ';' {
  id   : string 1..1 from 'id'
  nir  : string 1..1 from 'nir'
  lot  : string 0..1 from 'lot'
}
group tiny(source src : Stay, target tgt : Parameters) {
  src.nir as v -> tgt.parameter as p, p.name = 'nir', p.value = v "nir";
  src.lot as v -> tgt.parameter as p, p.name = 'lot', p.value = translate(v, '#lots', 'code') "lot";
}
"""
LOTS = ["L1", "L9", "L9", "L8", NIR, "<b>x</b>"]


def project(tiny: Callable[..., Tiny]) -> Tiny:
    made = tiny("csv")
    rows: list[Any] = [(str(n), NIR, "DURAND", "1951-02-03", lot) for n, lot in enumerate(LOTS)]
    made.write(rows)
    map_file = next(made.folder.glob("*.map"))
    map_file.write_text(MAP, encoding="utf-8")
    return made


def test_preview_counts_them(tiny: Callable[..., Tiny]) -> None:
    made = project(tiny)
    done = in_process("preview", made.folder)
    assert done.code == 1, "a parameter without a value is invalid"
    assert "  not in lots: L9 x2, <b>x</b> x1, L8 x1, 1 not shown\n" in done.out
    (table,) = json.loads(in_process("preview", made.folder, "--json").out)["unmapped"]
    assert (table["concept_map"], table["count"], table["hidden"]) == ("lots", 5, 1)
    assert table["codes"][0] == {"code": "L9", "count": 2}


def test_the_report_of_a_run_lists_them(tiny: Callable[..., Tiny]) -> None:
    made = project(tiny)
    done = in_process("run", made.folder)
    assert done.code == 1, "a parameter without a value is invalid"
    assert "not in lots: L9 x2" in done.out
    (page,) = (made.folder / "reports").glob("*.html")
    html = page.read_text(encoding="utf-8")
    assert "not in lots: <code>L9</code> 2×" in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html and "1 not shown" in html
    data = page.with_suffix(".json").read_text(encoding="utf-8")
    assert json.loads(data)["unmapped"][0]["count"] == 5
    assert NIR not in html + data + done.out
    assert "not in lots: L9 x2" in in_process("report", made.folder).out


def test_transform_lists_them(tmp_path: Path) -> None:
    (tmp_path / "t.map").write_text(MAP, encoding="utf-8")
    (tmp_path / "in.json").write_text(json.dumps({"id": "1", "nir": NIR, "lot": "L7"}), encoding="utf-8")
    done = in_process("transform", tmp_path / "t.map", tmp_path / "in.json")
    assert "not in lots: L7 x1" in done.err
    shown = json.loads(in_process("transform", tmp_path / "t.map", tmp_path / "in.json", "--json").out)
    assert shown["unmapped"][0]["codes"] == [{"code": "L7", "count": 1}]


def test_what_is_kept_does_not_grow() -> None:
    codes = UnmappedCodes()
    codes.add(Unmapped("m", f"c{n}") for n in range(5000))
    (table,) = codes.tables()
    assert (table.count, len(table.codes), table.hidden) == (5000, 1000, 4000)
    assert unmapped_lines([table])[0].endswith("988 further codes, 4000 not shown")
