"""JSON of others: an object, or nothing."""

from __future__ import annotations

import pytest

from fhirmap.sinks.foreign_json import json_object


@pytest.mark.parametrize("body", [b"", b"null", b"[1]", b"\xff", b"{" * 100_000, b'"{}"'])
def test_what_is_no_object_is_an_empty_one(body: bytes) -> None:
    assert json_object(body) == {}


def test_an_object_with_a_byte_order_mark_or_a_number_too_long_to_compute_with() -> None:
    assert json_object(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    assert json_object(b'{"a": ' + b"1" * 5000 + b"}") == {"a": "1" * 5000}
