"""Definitions from files, folders and packages."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from fhirmap.interchange import packages
from fhirmap.interchange.packages import load_definitions
from tests.model.profiles import load


def test_a_package_is_read(tmp_path: Path) -> None:
    path = tmp_path / "guide.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {
            "package/package.json": '{"name": "guide"}',
            "package/ValueSet-x.json": json.dumps({"resourceType": "ValueSet", "url": "urn:x", "status": "draft"}),
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    assert load(path).value_set("urn:x") is not None


@pytest.mark.parametrize(
    ("name", "content", "code", "position"),
    [
        ("broken.json", b'{"resourceType": "ValueSet",\n  "url": }', "FM351", "2:10"),
        ("latin.json", b'{"resourceType": "ValueSet", "url": "\xe9"}', "FM350", None),
        ("broken.xml", b"<ValueSet xmlns='http://hl7.org/fhir'><url></ValueSet>", "FM351", "1:46"),
        ("empty.json", b'{"resourceType": "CodeSystem"}', "FM352", "1:1"),
        (
            "odd.json",
            b'{"resourceType": "StructureDefinition", "url": "urn:x", "kind": 1, "differential": 7}',
            "FM352",
            "1:1",
        ),
        ("package.tgz", b"no archive", "FM350", None),
    ],
)
def test_an_unreadable_file_is_one_diagnostic(
    tmp_path: Path, name: str, content: bytes, code: str, position: str | None
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    good = tmp_path / "good.json"
    good.write_text('{"resourceType": "ValueSet", "url": "urn:good"}')
    definitions, diagnostics = load_definitions([path, good])
    assert [entry.code for entry in diagnostics] == [code]
    assert definitions.value_set("urn:good") is not None
    span = diagnostics[0].span
    assert (f"{span.line}:{span.column}" if span else None) == position
    assert str(path) in diagnostics[0].message


def test_a_missing_file_is_a_diagnostic(tmp_path: Path) -> None:
    _, diagnostics = load_definitions([tmp_path / "nowhere.json"])
    assert [entry.code for entry in diagnostics] == ["FM350"]


def test_what_is_no_definition_passes_silently(tmp_path: Path) -> None:
    (tmp_path / "patient.json").write_text('{"resourceType": "Patient"}')
    (tmp_path / "data.json").write_text("[1, 2]")
    _, diagnostics = load_definitions([tmp_path])
    assert diagnostics == ()


class _Zeros(io.RawIOBase):
    """A file of ``size`` blanks that no one has to keep."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        size = self._left if size < 0 else min(size, self._left)
        self._left -= size
        return b" " * size


def _archive(place: Path, *members: tuple[str, int, bytes]) -> Path:
    with tarfile.open(place, "w:gz", compresslevel=1) as archive:
        for name, size, kind in members:
            entry = tarfile.TarInfo(name)
            entry.size, entry.type = size, kind
            archive.addfile(entry, _Zeros(size))
    return place


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([("package/a.json", 140_000_000, tarfile.REGTYPE)], "it holds more than 128 MB"),
        ([("a", 140_000_000, tarfile.GNUTYPE_LONGNAME)], "it holds more than 128 MB"),
        ([("a", 140_000_000, tarfile.XHDTYPE)], "it holds more than 128 MB"),
        ([(f"p{number}", 0, tarfile.REGTYPE) for number in range(12)], "more than 10 members"),
        ([(f"package/{name}.json", 900_000, tarfile.REGTYPE) for name in "abc"], "it holds more than 2 MB"),
        ([("package/example/a.json", 4_000_000, tarfile.REGTYPE), ("b", 0, tarfile.REGTYPE)], "more than 3 MB"),
    ],
)
def test_a_package_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: list[tuple[str, int, bytes]], reason: str
) -> None:
    if "128" not in reason:
        monkeypatch.setattr(packages, "_MOST_MEMBERS", 10)
        monkeypatch.setattr(packages, "_MOST_RESOURCES_BYTES", 2_000_000)
        monkeypatch.setattr(packages, "_MOST_UNPACKED_BYTES", 3_000_000)
    _, found = load_definitions([_archive(tmp_path / "a.tgz", *members)])
    assert [entry.code for entry in found][-1:] == ["FM350"]
    assert reason in found[-1].message


def test_definitions_from_a_device_or_a_pipe_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    _, found = load_definitions([tmp_path / "pipe.json", Path("/dev/zero")])
    assert [entry.code for entry in found] == ["FM350", "FM350"]
