"""Entries cut out of a text that is no JSON as a whole."""

from __future__ import annotations

import pytest

from fhirmap.sources.files.json_entries import UnreadEntry, cut_entries, decode_entries, decode_entry, decode_in_parts


@pytest.mark.parametrize(
    ("text", "path", "cuts"),
    [
        (b'[{"a": NaN}, {"b": "},{"}]', [], [b'{"a": NaN}', b' {"b": "},{"}']),
        (b'{"n": [1], "d": {"c": [1, [2, 3]]}}', ["d", "c"], [b"1", b" [2, 3]"]),
        (b"[ ]", [], []),
        (b'{"a": NaN}', [], [b'{"a": NaN}']),
        (b'{"c": [1]}', ["d"], None),
        (b'{"c": [1], "c": [2]}', ["c"], None),
        (b'{"c": [1]', ["c"], None),
        (b'{"c": [1}]', ["c"], None),
        (b'[{"a": "x}, {"b": "y"}]', [], None),
    ],
)
def test_cut_entries(text: bytes, path: list[str], cuts: list[bytes] | None) -> None:
    assert cut_entries(text, path) == cuts


def test_decode_entry() -> None:
    assert decode_entry(b'{"a": "::", "b": {"a": 1}}') == {"a": "::", "b": {"a": 1}}
    assert decode_entry(b'{"a": 1, "a": 1}') == UnreadEntry(is_double=True)
    assert decode_entry(b'{"a": NaN}') == UnreadEntry()
    assert decode_entry(b'{"a": "\xe9"}') == UnreadEntry(is_damaged=True)


def test_decode_entries() -> None:
    assert decode_entries([b'{"a": 1}\n', b" [2]"]) == [{"a": 1}, [2]]
    assert decode_entries([b'{"a": 1}', b'{"a": 1, "a": 2}', b"{"]) == [{"a": 1}, UnreadEntry(True), UnreadEntry()]
    # Texts that are no JSON are none together either.
    assert decode_entries([b"1,2", b"[3", b"4]"]) == [UnreadEntry()] * 3
    [huge, one] = decode_entries([b"[9E99999999999999999999]", b"1.50"])
    assert str(huge) == "[Decimal('NaN')]"
    assert str(one) == "1.50"


def test_what_can_be_read_of_a_document() -> None:
    deep = b"[" * 5000 + b"]" * 5000
    raw = b'{"a": {"b": [{"c": "\xff", "d": 1}, {"c": 2}, ' + deep + b']}, "n": "x", "e": NaN}'
    unread = UnreadEntry()
    found = decode_in_parts(raw)
    assert isinstance(found, dict)
    assert found["a"]["b"][:2] == [{"c": UnreadEntry(is_damaged=True), "d": 1}, {"c": 2}]
    assert (found["n"], found["e"]) == ("x", unread)
    assert decode_in_parts(b'{"a": [1}') == unread
