"""Files whose columns change between two runs: what is renamed or gone stops the run before anything is sent, or is
said where a record need not have it; another order is no change."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import COLUMNS, ROWS, Tiny, in_process, tiny, tiny_map, unfolded
from tests.sources.files.sheets import grid, write_xlsx

__all__ = ["tiny"]

Rows = Sequence[Sequence[Any]]
Writing = Callable[[Path, Sequence[str], Rows], None]


def _csv(path: Path, names: Sequence[str], rows: Rows) -> None:
    lines = [names, *rows]
    path.write_text("".join(";".join("" if cell is None else str(cell) for cell in line) + "\n" for line in lines))


def _workbook(path: Path, names: Sequence[str], rows: Rows) -> None:
    write_xlsx(path, {"Stays": grid(1, (names, *rows))})


def _objects(names: Sequence[str], rows: Rows) -> list[dict[str, Any]]:
    return [{name: cell for name, cell in zip(names, row, strict=True) if cell is not None} for row in rows]


def _json(path: Path, names: Sequence[str], rows: Rows) -> None:
    path.write_text(json.dumps({"stays": _objects(names, rows)}))


def _ndjson(path: Path, names: Sequence[str], rows: Rows) -> None:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in _objects(names, rows)))


def _xml(path: Path, names: Sequence[str], rows: Rows) -> None:
    stays = ["".join(f"<{name}>{cell}</{name}>" for name, cell in entry.items()) for entry in _objects(names, rows)]
    path.write_text(f"<all>{''.join(f'<stay>{stay}</stay>' for stay in stays)}</all>")


def _parquet(path: Path, names: Sequence[str], rows: Rows) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    cells = list(zip(*rows, strict=True))
    parquet.write_table(pa.table(dict(zip(names, map(list, cells), strict=True))), path)


@dataclass(frozen=True)
class Kind:
    """A kind of file: what a map says, what its name ends with, and how it is written."""

    store: str
    suffix: str
    write: Writing


KINDS = {
    "csv": Kind("csv key 'id' delimiter ';'", "csv", _csv),
    "workbook": Kind("sheet key 'id'", "xlsx", _workbook),
    "json": Kind("json path 'stays' key 'id'", "json", _json),
    "ndjson": Kind("json key 'id'", "ndjson", _ndjson),
    "xml": Kind("xml path 'all.stay' key 'id'", "xml", _xml),
    "parquet": Kind("parquet key 'id'", "parquet", _parquet),
}


@dataclass(frozen=True)
class Files:
    """A project over a file."""

    project: Tiny
    kind: Kind

    def write(self, names: Sequence[str], rows: Rows) -> None:
        self.kind.write(self.project.folder / f"stays.{self.kind.suffix}", names, rows)


@pytest.fixture(params=KINDS)
def files(request: pytest.FixtureRequest, tiny: Callable[..., Tiny]) -> Files:
    """Three stays in a file of each kind, all of them sent."""
    kind = KINDS[request.param]
    project: Tiny = tiny("csv")
    project.data.unlink()
    (project.folder / "tiny.map").write_text(tiny_map(kind.store))
    project.configure(source=f'url = "stays.{kind.suffix}"\ncomplete = true')
    found = Files(project, kind)
    found.write(COLUMNS, ROWS)
    done = in_process("run", project.folder)
    assert done.code == 0, done
    assert len(project.sent) == len(ROWS)
    return found


def renamed(old: str, new: str) -> list[str]:
    return [new if name == old else name for name in COLUMNS]


IN_COLUMNS = ("csv", "workbook", "parquet")
"""Kinds with names of columns; the others have names in each record, which may lack one."""


@pytest.mark.parametrize(
    ("old", "new"), [("lot", "numero_lot"), ("nir", "numero"), ("id", "ident"), ("born", "borne"), ("name", "NAMES")]
)
def test_a_column_that_is_renamed_stops_before_anything_is_sent(files: Files, old: str, new: str) -> None:
    if files.kind not in [KINDS[name] for name in IN_COLUMNS] and new.startswith("num"):
        pytest.skip("a record need not have it")
    changed = [(*row[:4], f"{row[4]}x") for row in ROWS[:2]]
    files.write(renamed(old, new), changed)
    in_process("run", files.project.folder).reported("FM704", 2, old)
    assert len(files.project.sent) == len(ROWS)
    assert _withdrawn(files.project) == []
    # As it was again, what has changed is sent.
    files.write(COLUMNS, [*changed, ROWS[2]])
    assert in_process("run", files.project.folder).code == 0
    assert len(files.project.sent) == len(ROWS) + 2


@pytest.mark.parametrize("files", IN_COLUMNS, indirect=True)
def test_a_column_that_is_dropped_stops_too(files: Files) -> None:
    files.write(COLUMNS[:-1], [row[:-1] for row in ROWS])
    in_process("run", files.project.folder).reported("FM704", 2, "lot")
    assert len(files.project.sent) == len(ROWS)
    assert _withdrawn(files.project) == []


@pytest.mark.parametrize("files", ["json", "ndjson", "xml"], indirect=True)
def test_what_no_record_of_a_document_has_any_more_is_said(files: Files) -> None:
    files.write(renamed("lot", "numero_lot"), ROWS)
    done = in_process("run", files.project.folder)
    assert "has `lot` (FM726)" in unfolded(done.out)
    assert "`numero_lot`" in unfolded(done.out)


def test_another_order_and_more_columns_are_no_change(files: Files) -> None:
    order = [4, 2, 0, 3, 1]
    names = [*(COLUMNS[at] for at in order), "more"]
    files.write(names, [[*(row[at] for at in order), "x"] for row in reversed(ROWS)])
    assert in_process("run", files.project.folder).code == 0
    assert len(files.project.sent) == len(ROWS)
    assert files.project.ledger["read"] == len(ROWS)


def test_cells_that_become_empty_are_values_of_their_records(files: Files) -> None:
    files.write(COLUMNS, [(*ROWS[0][:4], None), *ROWS[1:]])
    assert in_process("run", files.project.folder).code == 0
    assert len(files.project.sent) == len(ROWS) + 1
    names = [part["name"] for part in files.project.sent[-1]["parameter"]]
    assert names == ["nir", "name", "born"]


def test_cells_of_another_kind_are_faults_of_their_records(files: Files) -> None:
    """A day that became any text: no such record is sent, the others are."""
    files.write(COLUMNS, [(*ROWS[0][:3], "inconnue", "L9"), (*ROWS[1][:4], "L8"), ROWS[2]])
    done = in_process("run", files.project.folder)
    assert done.code == 1, done
    assert len(files.project.sent) == len(ROWS) + 1
    assert files.project.ledger["invalid"] == 1
    assert [(entry["key"], entry["cause"]) for entry in _withdrawn(files.project)] == [("1", "invalid")]


def _withdrawn(project: Tiny) -> list[Any]:
    found: list[Any] = json.loads(in_process("status", project.folder, "--json").out)["withdrawn"]
    return found
