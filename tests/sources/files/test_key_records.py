"""What the rows of one key make, without a file: the files' own tests are those of `FileSource`."""

from __future__ import annotations

import pytest

from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources.files.key_records import KeyRecords, cell_reader
from tests.sources.conftest import columns

LINES = Child(ChildKind.LINES, "lignes", "lignes", RowLayout("Line", columns("lot", "rang")), order=(Order("rang"),))
PLAN = SourcePlan(SourceKind.CSV, "", ("id",), RowLayout("Row", columns("id", "cote"), (LINES,)), latest=Order("maj"))


def test_lines_agree_or_do_not() -> None:
    made = KeyRecords(PLAN)
    rows = [{"id": "1", "cote": "D", "lot": "B", "rang": "10"}, {"id": "1", "cote": "", "lot": "A", "rang": "9"}]
    record = made.whole("1", rows, "here", (), is_old=False, are_odd=False)
    assert record.values == {
        "id": "1",
        "cote": "D",
        "lignes": [{"lot": "A", "rang": "9"}, {"lot": "B", "rang": "10"}],
    }
    assert record.faults == ()
    rows[1]["cote"] = "G"
    record = made.whole("1", rows, "here", (), is_old=True, are_odd=True)
    assert (record.values["cote"], record.superseded) == (None, True)
    assert [(fault.code, fault.columns) for fault in record.faults] == [("FM720", ("cote",))]


def test_a_number_and_the_same_digits_as_a_text_agree() -> None:
    made = KeyRecords(PLAN)

    def said(*cells: object) -> tuple[object, list[str]]:
        record = made.whole("1", [{"id": "1", "cote": cell} for cell in cells], "", (), is_old=False, are_odd=False)
        return record.values["cote"], [fault.code for fault in record.faults]

    assert said(601, "601", " 601 ") == (601, [])
    assert said("601", 601) == ("601", [])
    assert said(601, "0601") == said(1, True) == said(601, 602) == said(1, "1.0") == (None, ["FM720"])


def test_revisions_and_their_faults() -> None:
    made = KeyRecords(PLAN)
    old, new = made.revision({"maj": "31/12/2024"}), made.revision({"maj": "02/01/2025"})
    assert old is not None and new is not None and old < new
    assert [fault.code for fault in made.faults("double", are_odd=True)] == ["FM718", "FM756"]
    assert not list(made.faults("superseded", are_odd=True))
    assert made.without_key("here", ()).values == {"id": None, "cote": None, "lignes": []}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [("ids[use=a].v", "1"), ("ids[use=b].v", ["2", "3"]), ("ids.v", ["1", "2", "3"]), ("name", "x"), ("no", None)],
)
def test_cells_at_paths(path: str, wanted: str | list[str] | None) -> None:
    ids = [{"use": "a", "v": "1"}, {"use": "b", "v": "2"}, {"use": "b", "v": "3"}]
    assert cell_reader(path, is_tree=True)({"ids": ids, "name": "x"}) == wanted
