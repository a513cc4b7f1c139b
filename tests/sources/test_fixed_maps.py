"""Lines of fixed width as models read them."""

from __future__ import annotations

from pathlib import Path

from tests.sources.records_of import read_model

STAY = """
model Stay from fixed key '1-4' where "[5] = '2'" encoding 'cp1252' {
  number : string  1..1 from 1..4
  name   : string  0..1 from 6..13
  start  : date    0..1 from 14..21 format 'ddMMyyyy'
  price  : decimal 0..1 from 22..28 decimals 3
  codes  : string  0..* from 33 count 29..30 width 4
  acts   : Act     0..* from after 'codes' count 31..32 width 16
}

model Act {
  day  : date   0..1 from 1..8 format 'ddMMyyyy'
  code : code   1..1 from 9..15
  side : code   0..1 from 16
  stay : string 1..1 from '../1-4'
}
"""


def line(number: str, kind: str = "2", *, rest: str = "0000") -> str:
    return f"{number}{kind}NOËL    170320250389500{rest}"


def test_positions_groups_and_decimals(tmp_path: Path) -> None:
    path = tmp_path / "stays.txt"
    lines = [
        line("A001", rest="0201I10 E1191803" + "2025NEKA020G"),
        line("A002", "1", rest="xx"),
        line("A003", rest="0000"),
        "A0042NOËL",
    ]
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    found = read_model(path, STAY)
    assert found.checks == []
    assert [(record.key, record.origin, record.faults) for record in found.records] == [
        ("A001", "stays.txt:1", []),
        ("A003", "stays.txt:3", []),
        ("A004", "stays.txt:4", ["FM766 count"]),
    ]
    assert found.records[0].values == {
        "number": "A001",
        "name": "NOËL",
        "start": "2025-03-17",
        "price": found.records[0].values["price"],
        "codes": ["I10", "E119"],
        "acts": [{"day": "2025-03-18", "code": "NEKA020", "side": "G", "stay": "A001"}],
    }
    assert str(found.records[0].values["price"]) == "389.500"
    assert "acts" not in found.records[1].values


def test_text_after_the_last_group_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "stays.txt"
    path.write_bytes(line("A001", rest="0100I10 more").encode("cp1252"))
    (record,) = read_model(path, STAY).records
    assert (record.faults, record.values["codes"]) == (["FM767"], ["I10"])


def test_positions_that_no_line_reaches_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "stays.txt"
    path.write_bytes(line("A001").encode("cp1252"))
    found = read_model(path, STAY.replace("from 6..13", "from 76..83"))
    assert [(entry.code, entry.variant) for entry in found.checks] == [("FM726", "positions")]
