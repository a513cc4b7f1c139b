"""Definitions from files, folders and packages."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

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
