"""No copy, export or page takes the place of a file that the project works with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.runner.own_files import require_other_file
from fhirmap.runner.project import Project
from fhirmap.runner.project_file import load_project
from tests.cli.conftest import Tiny

OWN = [
    *("fhirmap.toml", "tiny.map", "stays.sqlite", "out.ndjson", "archive.csv"),
    *("journal.db", "journal.db-wal", "journal.db-shm", "journal.db.lock"),
]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "tiny.map").write_text("", encoding="utf-8")
    made = Tiny(tmp_path, "sqlite").configure(
        project='name = "tiny"',
        map='source = "tiny.map"',
        source='url = "sqlite:///stays.sqlite"',
        sink='kind = "ndjson"\npath = "out.ndjson"',
        archive__csv='path = "archive.csv"',
    )
    return load_project(made.folder)


@pytest.mark.parametrize("name", OWN)
def test_an_own_file_is_refused_under_whatever_name(project: Project, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch()
    (tmp_path / "link").symlink_to(path)
    os.link(path, tmp_path / "second")
    for place in (path, tmp_path / "link", tmp_path / "second", tmp_path / "." / name):
        with pytest.raises(ConfigError, match="FM815"):
            require_other_file(project, place)


def test_another_file_is_not(project: Project, tmp_path: Path) -> None:
    require_other_file(project, tmp_path / "copy.db")
