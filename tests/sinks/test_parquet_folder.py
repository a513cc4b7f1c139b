"""Payloads as files of Parquet: what a run has sent is there once, whole, and for its owner alone."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'fhirmap[parquet]'")

import pyarrow.parquet as pq

from fhirmap.errors import ConfigError, DeliveryError
from fhirmap.records import Envelope
from fhirmap.runner.engine import build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.run import RunOutcome, run
from fhirmap.sinks import SinkSettings, open_sink, parquet_folder

MAP = """uses "http://hl7.org/fhir/StructureDefinition/Patient" as target
model Row from csv key 'id' delimiter ',' { id : string 1..1 from 'id'  text : string 0..1 from 'text' }
group row(source src : Row, target tgt : Patient) {
  src.id as v -> tgt.id = v "id";
  src.text as v -> tgt.language = v "text";
}
"""


def run_rows(folder: Path, rows: str) -> RunOutcome:
    (folder / "own.map").write_text(MAP, encoding="utf-8")
    (folder / "rows.csv").write_text(f"id,text\n{rows}", encoding="utf-8")
    (folder / "fhirmap.toml").write_text(
        '[project]\nname = "p"\n[map]\nsource = "own.map"\n[source]\nurl = "rows.csv"\n'
        '[sink]\nkind = "parquet"\npath = "out"\n[limits]\nmap_changes = "resend"\n',
        encoding="utf-8",
    )
    return run(build_engine(load_project(folder)))


def test_a_run_adds_what_is_new_or_changed(tmp_path: Path) -> None:
    assert run_rows(tmp_path, "a,fr\nb,\n").report.ledger.accepted == 2
    assert run_rows(tmp_path, "a,fr\nb,de\nc,\n").report.ledger.accepted == 2
    files = list((tmp_path / "out").iterdir())
    assert len(files) == 2
    if os.name != "nt":
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    rows = pq.read_table(tmp_path / "out").to_pylist()
    assert sorted((row["key"], row["resource"]) for row in rows) == [
        ("a", '{"id":"a","language":"fr","resourceType":"Patient"}'),
        ("b", '{"id":"b","language":"de","resourceType":"Patient"}'),
        ("b", '{"id":"b","resourceType":"Patient"}'),
        ("c", '{"id":"c","resourceType":"Patient"}'),
    ]
    assert all(row["digest"] == hashlib.sha256(row["resource"].encode()).hexdigest() for row in rows)


def test_a_batch_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    sink = open_sink(SinkSettings("parquet", path=tmp_path / "out"))
    (tmp_path / "out").rmdir()
    with pytest.raises(DeliveryError) as caught:
        sink.send(Envelope("a", b"{}", "d"))
    assert caught.value.code == "FM619"
    sink.close()


def test_a_batch_whose_name_is_not_kept_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = open_sink(SinkSettings("parquet", path=tmp_path / "out"))

    def fail(_: Path) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(parquet_folder, "sync_folder", fail)
    with pytest.raises(DeliveryError) as caught:
        sink.send(Envelope("a", b"{}", "d"))
    assert (caught.value.code, list((tmp_path / "out").iterdir())) == ("FM619", [])


def test_what_a_killed_run_left_unfinished_goes_after_a_day(tmp_path: Path) -> None:
    names = [".part-old.parquet", ".part-new.parquet", "part-old.parquet"]
    for name in names:
        (tmp_path / name).write_bytes(b"PAR1")
        if "old" in name:
            os.utime(tmp_path / name, (0, 0))
    open_sink(SinkSettings("parquet", path=tmp_path)).close()
    assert {path.name for path in tmp_path.iterdir()} == set(names[1:])


def test_where_nothing_can_be_put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "spark").mkdir()
    (tmp_path / "spark" / "_SUCCESS").write_text("")
    for name in ("file", "spark"):
        with pytest.raises(DeliveryError) as caught:
            open_sink(SinkSettings("parquet", path=tmp_path / name))
        assert caught.value.code == "FM619"
    with pytest.raises(ConfigError) as without_path:
        open_sink(SinkSettings("parquet"))
    assert without_path.value.code == "FM791"
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError) as without_library:
        open_sink(SinkSettings("parquet", path=tmp_path / "out"))
    assert without_library.value.code == "FM797"
