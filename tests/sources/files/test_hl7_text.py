"""Where messages begin and end in a file of HL7 v2."""

from __future__ import annotations

import io

import pytest

import fhirmap.sources.files.hl7_text as module
from fhirmap.sources.files.hl7_text import Block, blocks


def cut(raw: bytes, encoding: str = "utf-8") -> list[Block]:
    return list(blocks(io.BytesIO(raw), encoding))


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_message_goes_to_the_next_msh(end: str) -> None:
    found = cut(f"MSH|1{end}PID|2{end}{end}MSH|3{end}".encode())
    assert [(block.line, block.text.strip(b"\r"), block.is_message) for block in found] == [
        (1, b"MSH|1\rPID|2", True),
        (4, b"MSH|3", True),
    ]


def test_what_comes_before_the_first_message_is_none() -> None:
    before, first = cut(b"x\ny\nMSH|1")
    assert (before.line, before.text, before.is_message) == (0, b"\rx\ry", False)
    assert (first.line, first.text) == (3, b"MSH|1")


def test_a_name_inside_a_line_begins_nothing() -> None:
    assert len(cut(b"MSH|1\rOBX|MSH|2\r MSH|3\r")) == 1


@pytest.mark.parametrize("between", [b"\x1c\r\x0b", b"\x1c\x0b", b"\r\x1c\r\x0b", b"\r\x1c\x0b", b"\x1c\r\n\x0b"])
def test_frames_of_mllp(between: bytes) -> None:
    found = cut(b"\x0bMSH|1\rPID|1" + between + b"MSH|2\r\x1c\r")
    assert [block.text.split(b"\r")[0] for block in found] == [b"MSH|1", b"MSH|2"]
    assert [block.is_open for block in found] == [False, False]


def test_a_frame_without_an_end_is_open() -> None:
    found = cut(b"\x0bMSH|1\rPID|1\r\x0bMSH|2\r\x1c\r\x0bMSH|3\r")
    assert [block.is_open for block in found] == [True, False, True]


def test_byte_order_marks_are_no_text() -> None:
    assert [block.text for block in cut(b"\xef\xbb\xbfMSH|1\r\xef\xbb\xbfMSH|2")] == [b"MSH|1", b"MSH|2"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_wide_letters_become_utf8(encoding: str) -> None:
    assert [block.text for block in cut("MSH|é\r\nMSH|2".encode(encoding), encoding)] == ["MSH|é".encode(), b"MSH|2"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 19])
def test_chunks_cut_nothing(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = b"x\r\n\x0bMSH|1\r\nPID|1\r\n\x1c\r\n\x0bMSH|2\r\nPID|2\r\n\x1c\r\nMSH|3\r\rPID|3\n\nMSH|4"
    whole = cut(raw)
    monkeypatch.setattr(module, "_CHUNK", size)
    assert cut(raw) == whole
    assert [block.line for block in whole] == [0, 2, 5, 8, 12]


def test_a_message_that_is_too_long_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK", 16)
    monkeypatch.setattr(module, "_LONGEST", 64)
    found = cut(b"MSH|1\r" + b"OBX|" + b"x" * 200 + b"\r" + b"OBX|2\r" * 20 + b"MSH|2\rPID|1\r")
    assert [(block.line, block.text[:5], block.is_long) for block in found] == [
        (1, b"", True),
        (23, b"MSH|2", False),
    ]
