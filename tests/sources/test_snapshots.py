"""Which sources have snapshots."""

from __future__ import annotations

from pathlib import Path

from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from fhirmap.sources.snapshots import SnapshotSource
from tests.sources.conftest import columns
from tests.sources.theatre import small


def test_a_database_has_and_a_file_has_not(tmp_path: Path) -> None:
    with open_source(str(tmp_path / "a.sqlite"), small(tmp_path / "a.sqlite")) as source:
        assert isinstance(source, SnapshotSource)
        with source.one_snapshot([source]), source.one_snapshot(()):
            assert list(source.records()) == []
        assert list(source.records()) == []
    (tmp_path / "a.csv").write_text("id\n1\n")
    plan = SourcePlan(SourceKind.CSV, "", ("id",), RowLayout("T", columns("id")))
    with open_source(str(tmp_path / "a.csv"), plan) as source:
        assert not isinstance(source, SnapshotSource)
