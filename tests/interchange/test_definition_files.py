"""Which files of a folder hold definitions, without a look into one."""

from __future__ import annotations

from pathlib import Path

from fhirmap.interchange.definition_files import definition_files, is_package


def test_a_folder_holds_json_and_xml_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "below.json").mkdir()
    for name in ("b.xml", "a.json", "package.json", ".index.json", "c.txt", "below.json/d.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    found = [path.relative_to(tmp_path).as_posix() for path in definition_files(tmp_path)]
    assert found == ["a.json", "b.xml", "below.json/d.json"]


def test_a_file_is_itself_whatever_it_is_called(tmp_path: Path) -> None:
    assert list(definition_files(tmp_path / "x.map")) == [tmp_path / "x.map"]


def test_an_archive_is_a_package(tmp_path: Path) -> None:
    (tmp_path / "folder.tgz").mkdir()
    names = ("x.tgz", "x.tar.gz", "x.json", "folder.tgz")
    assert [is_package(tmp_path / name) for name in names] == [True, True, False, False]
