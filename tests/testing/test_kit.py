"""The kit finds what is wrong with a plug-in: each way to break the contract is an AssertionError that names it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import fhirmap.functions.dates
from fhirmap.extending import Address, Envelope, Receipt, ReceiptState, Record, SinkSettings, SourcePlan
from fhirmap.sinks.ndjson_file import NdjsonFile
from fhirmap.sinks.ndjson_file import open_sink as open_ndjson
from fhirmap.sources.files.file_source import FileSource
from fhirmap.testing import check_functions, check_sink, check_source, envelope_of, plan_of

PLAN = plan_of("model Stay from csv key 'id' delimiter ',' { id : string 1..1  born : date 0..1 }")
ENVELOPE = envelope_of({"resourceType": "Patient", "id": "12"}, "12")


@pytest.fixture
def address(tmp_path: Path) -> Address:
    path = tmp_path / "stays.csv"
    path.write_text("id,born\n12,1951-02-03\n13,\n", encoding="utf-8")
    return Address("csv", "stays.csv", path=path)


def test_the_built_in_kinds_keep_their_contracts(address: Address, tmp_path: Path) -> None:
    check_source(FileSource, address, PLAN, keys=["12", "13"])
    settings = SinkSettings("ndjson", path=tmp_path / "out.ndjson")
    check_sink(open_ndjson, settings, [(ENVELOPE, ReceiptState.ACCEPTED)])
    check_functions(fhirmap.functions.dates)


class Shuffled(FileSource):
    """Gives its records in another order each time."""

    turn = 0

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        found = list(super().records(keys))
        self.turn += 1
        yield from found if self.turn % 2 else reversed(found)


class Forgetful(FileSource):
    """Takes no notice of the keys that are wanted."""

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        yield from super().records()


class Nowhere(FileSource):
    """Does not say where a record is."""

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        yield from (Record(record.key, record.values) for record in super().records(keys))


@pytest.mark.parametrize(("source", "words"), [(Shuffled, "order"), (Forgetful, "records(["), (Nowhere, "origin")])
def test_a_source_that_breaks_its_contract(source: type[FileSource], words: str, address: Address) -> None:
    def opened(where: Address, plan: SourcePlan) -> FileSource:
        return source(where, plan)

    with pytest.raises(AssertionError) as caught:
        check_source(opened, address, PLAN, keys=["12", "13"])
    assert words in str(caught.value)


class Answering(NdjsonFile):
    """Answers each envelope with one receipt."""

    def __init__(self, path: Path, receipt: Receipt) -> None:
        super().__init__(path)
        self.receipt = receipt

    def send(self, envelope: Envelope) -> Receipt:
        return self.receipt


@pytest.mark.parametrize(
    ("receipt", "words"),
    [
        (Receipt(ReceiptState.REFUSED, "FM663"), "was expected"),
        (Receipt(ReceiptState.ACCEPTED, "FM6xx"), "no code"),
        (Receipt(ReceiptState.ACCEPTED, "", stops_run=True), "stops no run"),
        (Receipt(ReceiptState.ACCEPTED, "", reason="with hunter2"), "secret"),
        (Receipt(ReceiptState.ACCEPTED, "", reason=ENVELOPE.payload.decode()), "payload"),
    ],
)
def test_a_receipt_that_breaks_its_contract(receipt: Receipt, words: str, tmp_path: Path) -> None:
    def opened(_: SinkSettings) -> Answering:
        return Answering(tmp_path / "out.ndjson", receipt)

    with pytest.raises(AssertionError) as caught:
        check_sink(opened, SinkSettings("x"), [(ENVELOPE, ReceiptState.ACCEPTED)], secrets=["hunter2"])
    assert words in str(caught.value)


def test_functions_that_break_their_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wards_of_the_kit.py").write_text(
        "from fhirmap.extending import function\n\n\n@function\ndef ward(code: str) -> str:\n"
        '    """The ward.\n\n    Example:\n        >>> ward("1")\n        \'two\'\n    """\n    return code\n',
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(AssertionError, match="does not hold"):
        check_functions(import_module("wards_of_the_kit"))
    with pytest.raises(AssertionError, match="no function"):
        check_functions(ModuleType("empty"))
