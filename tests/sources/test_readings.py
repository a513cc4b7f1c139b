"""What a reading left out."""

from __future__ import annotations

import os
from pathlib import Path

from fhirmap.sources import open_source
from fhirmap.sources.readings import NOTHING, FolderSource, PartialSource, Unread
from fhirmap.texts import language_of
from tests.sources.exports import FLAT, write


def test_what_was_left_out_is_said_in_one_line() -> None:
    assert not NOTHING
    assert Unread(rows=1)
    assert Unread(2, 0, 1).diagnostic().message == (
        "2 files could not be read and 1 row could not be read: no record is taken for withdrawn this time"
    )
    with language_of("fr"):
        shown = Unread(unfinished=1).diagnostic().message
    assert shown.startswith("1 fichier est en cours d'écriture\N{NO-BREAK SPACE}: aucun enregistrement")


def test_a_folder_gives_its_files_with_their_keys(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id;v\n1;a\n;b\n")
    write(tmp_path / "b.csv", "v\nx\n")
    for path in tmp_path.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    for address, names in ((tmp_path / "a.csv", []), (tmp_path, ["a.csv"])):
        with open_source(str(address), FLAT) as source:
            assert isinstance(source, FolderSource)
            assert list(source.read_files()) == [], "nothing was read yet"
            assert isinstance(source, PartialSource)
            assert [record.key for record in source.records()][:2] == ["1", ""]
            assert source.unread() == Unread(files=len(names))
            found = list(source.read_files())
            assert [file.name for file in found] == names
            for file in found:
                assert (list(file.keys()), file.is_unchanged()) == (["1", ""], True)
                write(file.path, "id;v\n1;a\n")
                assert not file.is_unchanged()
