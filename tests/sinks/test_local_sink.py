"""Sinks of this machine: a batch is accepted as a whole, or the run ends and says why."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fhirmap.errors import DeliveryError
from fhirmap.records import Envelope, ReceiptState
from fhirmap.sinks import Sink
from fhirmap.sinks.ndjson_file import NdjsonFile
from fhirmap.sinks.parquet_folder import ParquetFolder
from fhirmap.sinks.standard_output import StandardOutput

ENVELOPES = [Envelope(f"k{number}", b'{"id":"%d"}' % number, "d") for number in range(3)]


def on_a_stream(_: Path) -> Sink:
    return StandardOutput(io.BytesIO())


def in_a_file(folder: Path) -> Sink:
    return NdjsonFile(folder / "out.ndjson")


def in_a_folder(folder: Path) -> Sink:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'fhirmap[parquet]'")
    return ParquetFolder(folder / "out")


@pytest.mark.parametrize("make", [on_a_stream, in_a_file, in_a_folder])
def test_each_of_a_batch_is_accepted_without_an_answer(make: Callable[[Path], Sink], tmp_path: Path) -> None:
    sink = make(tmp_path)
    sink.prepare()
    receipts = [*sink.send_all(ENVELOPES[:2]), sink.send(ENVELOPES[2])]
    assert [(receipt.state, receipt.status) for receipt in receipts] == [(ReceiptState.ACCEPTED, 0)] * 3
    assert not sink.is_remote
    assert sink.batch_size > 1
    sink.close()


def test_a_reader_that_has_gone_ends_the_run() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", buffering=0) as stream, pytest.raises(DeliveryError) as raised:
        StandardOutput(stream).send_all(ENVELOPES)
    assert raised.value.code == "FM619"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_file_that_cannot_grow_is_said_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "out.ndjson").symlink_to("/dev/full")
    with pytest.raises(DeliveryError) as raised:
        NdjsonFile(tmp_path / "out.ndjson").send_all(ENVELOPES)
    assert (raised.value.code, raised.value.diagnostic().args["file"]) == ("FM619", str(tmp_path / "out.ndjson"))


WRITTEN = b'{"id":"a"}\n'


@pytest.mark.parametrize(
    ("held", "left"),
    [
        (b"", b""),
        (WRITTEN, WRITTEN),
        (WRITTEN + b'{"id":"b', WRITTEN),
        (b'{"id":"b', b""),
        (b"{", b""),
        (WRITTEN + bytes(9), WRITTEN),
        (WRITTEN + b'{"id"' + bytes(9), WRITTEN),
        (WRITTEN + b'{"id":"b"}', WRITTEN + b'{"id":"b"}\n'),
        (b'{"only":"copy"}', b'{"only":"copy"}\n'),
    ],
    ids=[
        *("nothing", "lines", "half a line", "half a first line", "its first sign"),
        *("zeros", "half a line and zeros", "no line break", "another object"),
    ],
)
def test_a_file_goes_on_after_its_last_whole_line(held: bytes, left: bytes, tmp_path: Path) -> None:
    (tmp_path / "out.ndjson").write_bytes(held)
    sink = NdjsonFile(tmp_path / "out.ndjson")
    sink.send_all(ENVELOPES[:1])
    sink.close()
    assert (tmp_path / "out.ndjson").read_bytes() == left + b'{"id":"0"}\n'


@pytest.mark.parametrize(
    "held", [b"id;lot\n1;A\n2;B", b"id;lot\n1;A\n", b"[1]", b'{\n  "only": "copy"\n}', b"\n", b"SQLite format 3"]
)
def test_a_file_of_something_else_is_left_as_it_is(held: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(held)
    with pytest.raises(DeliveryError) as raised:
        NdjsonFile(path)
    shown = raised.value.diagnostic()
    assert (shown.code, path.read_bytes()) == ("FM619", held)
    assert shown.hint_text == "choose another `path`, or move away what is there"
