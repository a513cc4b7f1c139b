"""`fhirmap fmt`: what it writes, what it leaves alone, and its exit codes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.cli.conftest import in_process

RAGGED = "group  g(source s,target t){ s.a->t.b ; }  // the end\n"
RIGHT = "group g(source s, target t) {\n  s.a -> t.b;\n} // the end\n"
WRONG = "group g(source s, target t) {\n  s.a -> t.b\n}\n"


@pytest.fixture
def ragged(tmp_path: Path) -> Path:
    path = tmp_path / "a.map"
    path.write_bytes(RAGGED.encode())
    path.chmod(0o640)
    return path


def test_in_place_and_the_second_time_nothing(ragged: Path) -> None:
    assert in_process("fmt", ragged).code == 0
    assert ragged.read_bytes() == RIGHT.encode()
    assert ragged.stat().st_mode & 0o777 == 0o640
    written = ragged.stat().st_mtime_ns
    assert in_process("fmt", ragged).err == ""
    assert ragged.stat().st_mtime_ns == written


def test_check_and_diff_write_nothing(ragged: Path) -> None:
    checked, shown = in_process("fmt", "--check", ragged), in_process("fmt", "--diff", ragged)
    assert (checked.code, shown.code) == (1, 1)
    assert "would change" in checked.out and "+  s.a -> t.b;" in shown.out
    assert ragged.read_bytes() == RAGGED.encode()
    ragged.write_bytes(RIGHT.encode())
    assert in_process("fmt", "--check", ragged).code == in_process("fmt", "--diff", ragged).code == 0


def test_a_map_with_a_syntax_error_is_left_alone_the_others_are_not(ragged: Path) -> None:
    wrong = ragged.with_name("b.map")
    wrong.write_text(WRONG, encoding="utf-8")
    done = in_process("fmt", ragged.parent)
    assert done.code == 2 and "error[FM002]" in done.err
    assert wrong.read_text(encoding="utf-8") == WRONG
    assert ragged.read_bytes() == RIGHT.encode()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "bom"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_line_ends_and_byte_order_mark_stay(ragged: Path, mark: bytes, end: bytes) -> None:
    ragged.write_bytes(mark + RAGGED.encode().replace(b"\n", end))
    assert in_process("fmt", ragged).code == 0
    assert ragged.read_bytes() == mark + RIGHT.encode().replace(b"\n", end)
    assert in_process("fmt", "--check", ragged).code == 0


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(RAGGED))
    assert in_process("fmt", "-").out == RIGHT
    monkeypatch.setattr("sys.stdin", io.StringIO(WRONG))
    done = in_process("fmt", "-")
    assert done.code == 2 and done.out == "" and "<stdin>:2:13" in done.err
