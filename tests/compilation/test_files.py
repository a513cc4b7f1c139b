"""Files that maps are, and files that maps name."""

from __future__ import annotations

from pathlib import Path

import pytest

import fhirmap
from fhirmap.compilation.files import read_map

MAP = """conceptmap "g" from "{name}" columns 'a', 'b' { prefix s = "urn:s" prefix t = "urn:t" }
group main(source src, target tgt) { src.id as v -> tgt.gender = translate(v, '#g', 'code'); }
"""


@pytest.mark.parametrize("name", ["codes\0.csv", "c" * 5000 + ".csv", ".", "no/such/codes.csv"])
@pytest.mark.parametrize("with_folder", [True, False])
def test_a_file_that_no_folder_can_hold_is_a_diagnostic(tmp_path: Path, name: str, with_folder: bool) -> None:
    folder = tmp_path if with_folder else None
    found = fhirmap.check(MAP.replace("{name}", name), name="buffer.map", folder=folder)
    assert [entry.code for entry in found if entry.is_error] == ["FM102"]


def test_a_map_by_such_a_name_is_not_there() -> None:
    with pytest.raises(fhirmap.ConfigError) as caught:
        fhirmap.compile_map("a\0b")
    assert caught.value.code == "FM760"


def test_lines_end_alike_whatever_wrote_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.map"
    file.write_bytes(b"\xef\xbb\xbfgroup\r\na\rb\n")
    assert read_map(file) == "group\na\nb\n"
