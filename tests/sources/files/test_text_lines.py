"""The encoding of a text file: refused as a whole, or damaged here and there."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.sources.files import text_lines
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.sources.files.text_lines import (
    DAMAGE,
    decoded,
    has_damage,
    is_damaged,
    may_have_damage,
    open_text,
    proved_encoding,
)

NAMES = b"id;v\n"
ASCII = b"1;a\n" * 20


def refused(path: Path, raw: bytes, declared: str = "", **options: bool) -> str:
    """The message that refuses a file; empty where it is taken."""
    path.write_bytes(raw)
    try:
        proved_encoding(SourceFile(path, "a.csv", "a.csv"), declared, **options)
    except ConfigError as error:
        assert error.code == "FM705"
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("raw", "declared"),
    [
        (NAMES + ASCII + "é\nè\nç\n".encode("cp1252"), ""),  # the letters of another encoding
        (NAMES + "é\nè\n".encode("cp1252"), ""),  # most lines
        ("numéro;v\n".encode("cp1252") + ASCII, ""),  # the names
        (NAMES + ASCII + "é\n".encode(), "cp1252"),
        (NAMES + ASCII + "é\nè\n".encode() + b"\xff\n", "cp1252"),
        ("é\n".encode("utf-16-le"), ""),
        ("id;v\n".encode("utf-16-le"), ""),
        ("id;v\n".encode("utf-16-be"), "cp1252"),
        ("id;v\n".encode("utf-32-le"), ""),
        (NAMES, "utf-16"),
        (NAMES, "utf-7777"),
    ],
)
def test_a_file_in_another_encoding_is_refused(tmp_path: Path, raw: bytes, declared: str) -> None:
    assert refused(tmp_path / "a.csv", raw, declared)


@pytest.mark.parametrize(
    ("raw", "declared"),
    [
        (NAMES + ASCII + "é\nè\n".encode("cp1252"), ""),
        (NAMES + ASCII + b"\xff\n" * 9, ""),  # no letters
        (NAMES + "é\n".encode() * 5 + "é\n".encode("cp1252") * 5, ""),
        (NAMES + "thé\n".encode("cp1252") + "é\n".encode(), "cp1252"),
        (NAMES + "thé\n".encode("cp1252"), "cp1252"),
        (b"", ""),
        (b"a", ""),
    ],
)
def test_damage_here_and_there_is_not(tmp_path: Path, raw: bytes, declared: str) -> None:
    assert not refused(tmp_path / "a.csv", raw, declared)


def test_the_place_and_the_encoding_meant_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    far = NAMES + b"1;x\n" * 300_000 + "2;é\n3;è\n4;ç\n".encode("cp1252")
    assert "byte 1200007, line 300002" in refused(path, far)
    assert "line 2" in refused(path, NAMES + b"\xe9\xe8\n\xe9\n")
    assert "utf-16-be" in refused(path, "id;v\n".encode("utf-16-be"))
    wide = b"\xff\xfe" + "a\n".encode("utf-16-le") + b"\0\xd8" * 2 + "\n".encode("utf-16-le") + b"\0\xd8"
    assert "byte 6, line 2" in refused(path, wide)


def test_a_strict_proof_takes_no_damage(tmp_path: Path) -> None:
    assert refused(tmp_path / "a.csv", NAMES + ASCII + b"\xff\n", strict=True)
    assert refused(tmp_path / "a.csv", NAMES + "thé\n".encode("cp1252") + "é\n".encode(), "cp1252", strict=True)


def test_damage_is_marked_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a\xe9;b\r\n\xc3\xa9")
    with open_text(SourceFile(path, "a.csv", "a.csv"), "utf-8") as text:
        assert list(text) == [f"a{DAMAGE};b\r\n", "é"]
    assert is_damaged(f"a{DAMAGE}", "utf-8")
    assert [is_damaged(text, "cp1252") for text in ("a", "é", "cafÃ©")] == [False, False, True]
    assert not is_damaged("cafÃ©", "utf-8")


EIGHT_BIT = ["cp1252", "iso-8859-15", "latin-1", "mac-roman", "cp850", "cp1251", "shift_jis", "hz", "cp500", "ascii"]


@pytest.mark.parametrize("encoding", ["utf-8", *EIGHT_BIT])
@pytest.mark.parametrize("written", ["", "utf-8"])
@pytest.mark.parametrize("text", ["", "a\nb", "é\nà\xa0»", "É\xa0;é\nÉ\xa0\n", "é\na;Ã©\né", "â‚¬", "本\nｱ", "дР°\nР°"])
def test_a_text_has_damage_where_one_of_its_lines_is_damaged(text: str, written: str, encoding: str) -> None:
    shown = decoded(text.encode(written or encoding, "replace"), encoding)
    assert has_damage(shown, encoding) == any(is_damaged(line, encoding) for line in shown.split("\n"))
    parts = [shown[start:end] for start in range(len(shown)) for end in range(start + 1, len(shown) + 1)]
    assert may_have_damage(shown, encoding) or not any(is_damaged(part, encoding) for part in parts)


def test_a_long_line_is_cut_between_two_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_lines, "_CHUNK", 8)
    monkeypatch.setattr(text_lines, "_LONG_LINE", 3)
    for blanks in range(6):
        assert refused(tmp_path / "a.csv", b" " * blanks + ("é€😀" * 40).encode() + b"\n" + NAMES) == ""
    assert "byte 14" in refused(tmp_path / "a.csv", b"a" * 14 + b"\xe9b" * 9, strict=True)
