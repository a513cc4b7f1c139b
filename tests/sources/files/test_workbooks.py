"""Which workbook and sheet is read, and which cannot be."""

from __future__ import annotations

import gzip
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import xlsxwriter

from fhirmap.errors import ConfigError
from fhirmap.source_plan import SourcePlan
from fhirmap.sources.files import packed, workbooks
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.sources.files.workbooks import open_sheet
from tests.sources.files.sheets import PLAN, grid, ods_row, reader_of, rewritten, write_ods, write_xlsx

ROWS = grid(1, [["id"], ["1"]])


def opened(path: Path, name: str = "") -> str:
    """The name of the sheet that is opened."""
    return open_sheet(SourceFile(path, path.name, str(path)), replace(PLAN, name=name, position="a.map:1:1")).name


def fails(path: Path, name: str = "") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        opened(path, name)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return caught.value


def test_sheets_by_name_by_place_and_alone(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"Notes": {}, "Poses 2025": ROWS})
    assert [opened(path, name) for name in ("", "Poses 2025", "poses\u00a02025 ", "2", "1")] == [
        *("Poses 2025",) * 4,
        "Notes",
    ]


def test_a_sheet_called_by_a_number_is_that_one(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"2": ROWS, "1": ROWS})
    assert [opened(path, name) for name in ("1", "2")] == ["1", "2"]


def test_charts_are_no_sheets(tmp_path: Path) -> None:
    def chart(book: xlsxwriter.Workbook) -> None:
        drawn = book.add_chart({"type": "bar"})
        drawn.add_series({"values": "=F!$A$1:$A$2"})
        book.add_chartsheet("Graphique").set_chart(drawn)

    path = write_xlsx(tmp_path / "a.xlsx", {"F": ROWS}, chart)
    assert opened(path) == "F"
    assert fails(path, "Graphique").code == "FM758"


def test_a_sheet_that_is_not_there(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"Poses": ROWS, "Notes": {}})
    entry = fails(path, "Pose").diagnostic()
    assert (entry.code, entry.variant, entry.meant, entry.args["position"]) == ("FM758", "", "Poses", "a.map:1:1")
    assert "`Poses`" in str(entry.hint) and "`Notes`" in str(entry.hint)
    assert fails(path, "3").code == fails(path, "0").code == "FM758"


def test_which_of_several_sheets_must_be_said(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"Poses": ROWS, "Notes": {}, "Stock": ROWS})
    error = fails(path)
    assert (error.code, error.diagnostic().variant, error.diagnostic().args["count"]) == ("FM758", "several", 2)
    assert str(error.diagnostic().args["names"]) == "`Poses`, `Stock`"
    assert fails(write_xlsx(tmp_path / "b.xlsx", {"Notes": {}})).diagnostic().variant == "empty"


def test_a_name_that_may_be_a_patient_s_is_not_shown(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"149113897061759": ROWS, "Poses": ROWS, "DUPONT Marie": ROWS})
    assert str(fails(path).diagnostic().args["names"]) == "`1`, `Poses`, `3`"
    for asked in ("Stock", "DUPONT Mari", "149113897061758"):
        entry = fails(path, asked).diagnostic()
        assert (entry.meant, str(entry.hint)) == (None, "there is `1`, `Poses`, `3`")
    for asked in ("1", "3", "DUPONT MARIE"):
        found = open_sheet(SourceFile(path, path.name, str(path)), replace(PLAN, name=asked))
        assert found.shown == ("1" if asked == "1" else "3")


def test_a_workbook_is_known_by_its_contents(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": ROWS})
    other = path.rename(tmp_path / "a.xls")
    assert opened(other) == "F"
    packed = tmp_path / "b.xlsx.gz"
    packed.write_bytes(gzip.compress(other.read_bytes()))
    assert opened(packed) == "F"
    assert opened(write_ods(tmp_path / "c.xlsx", {"G": [ods_row("id"), ods_row("1")]})) == "G"


@pytest.mark.parametrize(
    ("content", "variant"),
    [
        (b"", "other"),
        (b"id;nom\n1;DUPONT\n", "other"),
        (b"<html><table><tr><td>DUPONT</td></tr></table></html>", "other"),
        (b"PK\x03\x04 DUPONT", ""),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"DUPONT" * 200, ""),
    ],
)
def test_files_that_are_no_workbooks(tmp_path: Path, content: bytes, variant: str) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(content)
    error = fails(path)
    assert (error.code, error.diagnostic().variant) == ("FM757", variant)
    assert "DUPONT" not in str(error)


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"])
def test_damaged_workbooks(tmp_path: Path, part: str) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": ROWS})
    rewritten(path, part, lambda text: text[: len(text) // 2])
    assert fails(path).code == "FM757"
    whole = write_xlsx(tmp_path / "b.xlsx", {"F": ROWS}).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert fails(path).code == "FM757"


def test_files_that_are_not_there(tmp_path: Path) -> None:
    assert fails(tmp_path / "a.xlsx").code == "FM701"
    assert fails(tmp_path).code == "FM702"


def container(streams: dict[str, bytes]) -> bytes:
    """A compound file with these streams, each at least 4096 bytes long: what Excel puts an encrypted workbook into."""
    size, end, free = 512, 0xFFFFFFFE, 0xFFFFFFFF
    bodies = [content.ljust(-(-len(content) // size) * size, b"\0") for content in streams.values()]
    chain, starts, place = [0xFFFFFFFD, end], [], 2
    for body in bodies:
        count = len(body) // size
        starts.append(place)
        chain += [*range(place + 1, place + count), end]
        place += count

    def entry(name: str, kind: int, child: int, right: int, start: int, length: int) -> bytes:
        text = name.encode("utf-16-le")
        head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text) + 2 if name else 0, kind, 1, free, right, child)
        return head + b"\0" * 36 + struct.pack("<IQ", start, length)

    entries = [entry("Root Entry", 5, 1, free, end, 0)]
    for number, (name, content) in enumerate(streams.items(), 1):
        right = number + 1 if number < len(streams) else free
        entries.append(entry(name, 2, free, right, starts[number - 1], len(content)))
    entries += [entry("", 0, free, free, 0, 0)] * (4 - len(entries))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<I", 0) + b"\xff" * (4 * 108)
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(size, b"\xff")
    return header + table + b"".join(entries) + b"".join(bodies)


def test_workbooks_with_a_password(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(container({"EncryptionInfo": b"\x04" * 4096, "EncryptedPackage": b"\x07" * 9000}))
    assert (fails(path).code, fails(path).diagnostic().variant) == ("FM757", "password")
    path = write_ods(tmp_path / "a.ods", {"F": [ods_row("id")]})
    entry = b'manifest:full-path="content.xml" manifest:media-type="text/xml"'
    rewritten(
        path,
        "META-INF/manifest.xml",
        lambda text: text.replace(entry + b"/>", entry + b"><manifest:encryption-data/></manifest:file-entry>"),
    )
    rewritten(path, "content.xml", lambda text: b"\x07" * len(text))
    assert fails(path).diagnostic().variant == "password"


def test_a_workbook_that_the_library_does_not_survive(tmp_path: Path) -> None:
    start = struct.pack("<HHHHHHII", 0x809, 16, 0x600, 5, 0, 0, 0, 0)
    too_short = struct.pack("<HH", 0x85, 3) + b"abc"
    path = tmp_path / "a.xls"
    path.write_bytes(container({"Workbook": (start + too_short).ljust(5000, b"\0")}))
    assert fails(path).code == "FM757"


def test_a_sheet_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": {**ROWS, "J1000": "x"}})
    assert opened(path) == "F"
    monkeypatch.setattr(workbooks, "_MOST_CELLS", 9_999)
    entry = fails(path).diagnostic()
    assert (entry.code, entry.variant, entry.args["count"]) == ("FM757", "size", 10_000)


def test_damage_inside_the_archive_is_a_reason_and_no_crash(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": {f"A{row}": f"text {row}" for row in range(1, 400)}})
    whole = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("xl/worksheets/sheet1.xml")
    for offset in range(60, 200, 7):
        broken = bytearray(whole)
        broken[entry.header_offset + offset] ^= 0xFF
        path.write_bytes(broken)
        assert fails(path).code == "FM757"


def test_plans_of_one_sheet_read_it_again(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": ROWS})
    plan: SourcePlan = PLAN
    assert [len(list(reader_of(path, plan).rows(["id"]))) for _ in range(2)] == [1, 1]


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (
        write_xlsx(tmp_path / "a.xlsx", {"A": grid(1, [["id"], ["x" * 30_000], ["y" * 30_000]])}),
        write_ods(tmp_path / "a.ods", {"A": [ods_row("id"), ods_row("x" * 60_000)]}),
    ):
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        monkeypatch.setattr(workbooks, "MOST_WORKBOOK_BYTES", size)
        assert opened(path) == "A"
        monkeypatch.setattr(workbooks, "MOST_WORKBOOK_BYTES", size - 1)
        assert (fails(path).code, fails(path).diagnostic().variant) == ("FM702", "refused")
    monkeypatch.undo()
    bomb = write_xlsx(
        tmp_path / "b.xlsx", {"A": grid(1, [["id"], *(["x" * 30_000] for _ in range(20))])}, in_memory=True
    )
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/a", b"0" * 8_000_000)
    monkeypatch.setattr(packed, "FREE_BYTES", 1_000_000)
    assert "300 times its size" in fails(bomb).diagnostic().message
