"""Where the entries of a JSON document are, and what is found of its structure."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.sources.files.json_scan import JsonOutline, MisplacedSign, NamedTwice, place_in, scan, texts_of


def texts(text: str | bytes, *path: str) -> list[str]:
    raw = text.encode() if isinstance(text, str) else text
    outline = scan(io.BytesIO(raw), path)
    return [text.decode("utf-8", "replace").strip() for text in entries(raw, outline)]


def entries(raw: bytes, outline: JsonOutline) -> list[bytes]:
    found = []
    for part, (start, end) in enumerate(zip(outline.entries.starts, outline.entries.ends, strict=True)):
        found += texts_of(raw[start:end], outline.entries.count(part))
    assert len(found) == outline.entries.total
    return found


def outlined(text: str, *path: str) -> JsonOutline:
    return scan(io.BytesIO(text.encode()), path)


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        ('{"a": {"b": [1, {"x": [1,2]}, "s,]\\"", tru]}, "z": [3]}', ("a", "b"),
         ["1", '{"x": [1,2]}', '"s,]\\""', "tru"]),
        ("[]", (), []),
        (" [ ] ", (), []),
        ("[1,]", (), ["1", ""]),
        ("[,]", (), ["", ""]),
        ('{"a": 1}', (), ['{"a": 1}']),
        ('{"a": {"b": {"c": 1}}}', ("a", "b"), ['{"c": 1}']),
        ('[{"a": [1]}, {"a": [2]}]', ("a",), ['{"a": [1]}', '{"a": [2]}']),
        ('{"\\u0061": [1]}', ("a",), ["1"]),
        ("\ufeff[1]", (), ["1"]),
        ('{"a": null}', ("b",), []),
    ],
)  # fmt: skip
def test_entries(text: str, path: tuple[str, ...], found: list[str]) -> None:
    assert texts(text, *path) == found


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)


@given(st.lists(_VALUES, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_every_list_is_cut_into_its_items(items: list[Any], indent: int | None, ascii_only: bool) -> None:
    text = json.dumps({"x": items, "a": {"b": items}}, indent=indent, ensure_ascii=ascii_only)
    text = text.encode("utf-8", "replace").decode()
    assert [json.loads(found) for found in texts(text, "a", "b")] == json.loads(text)["a"]["b"]


_ENTRIES = (
    '{"a": [{"b": 1}, {}]}',
    '{"a": "}],[{"}',
    "{}",
    '{"a": tru}',
    '{"x": "\\ud800"}',
    '{"x"}',
    '["{"]',
    "5",
    "",
)
"""Objects that are JSON, also with brackets in a text; objects that are none; no objects."""


@given(
    st.lists(st.sampled_from(_ENTRIES[:3]) | st.sampled_from(_ENTRIES), min_size=2, max_size=30),
    st.sampled_from([",", " ,\n "]),
    st.sampled_from(["]", '], "z": [{"a": 1}, {"a": 2}]', ' ], "y": [{}, {}, {}], "z": [{"b": "{"}, {}]']),
    st.sampled_from([(8, 16), (40, 80), (1 << 15, 1 << 18)]),
)
def test_objects_that_are_passed_together_are_cut_as_one_by_one(
    items: list[str], comma: str, rest: str, sizes: tuple[int, int]
) -> None:
    text = f'{{"a": [{comma.join(items)}{rest}}}'
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("fhirmap.sources.files.json_scan._PART", sizes[0])
        patched.setattr("fhirmap.sources.files.json_scan._LARGEST_PART", sizes[1])
        assert texts(text, "a") == items


def test_objects_are_passed_together_around_one_that_is_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhirmap.sources.files.json_scan._PART", 1000)
    monkeypatch.setattr("fhirmap.sources.files.json_scan._LARGEST_PART", 2000)
    items = ['{"a": 123456}'] * 1000
    assert len(outlined(f"[{','.join(items)}]").entries.starts) < 50
    items[500] = '{"a": 12345G}'
    assert len(outlined(f"[{','.join(items)}]").entries.starts) < 300


def test_texts_of_a_part() -> None:
    deep = b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}"
    assert texts_of(b' {"a": 1} , {}', 2) == [b'{"a": 1}', b"{}"]
    assert texts_of(deep + b",{}", 2) == [deep, b"{}"]
    assert texts_of(b'{"a": 1}, {"b', 2) == texts_of(b"{}", 2) == [b"", b""]


def test_what_the_outline_says() -> None:
    found = outlined('{"a": {"b": 1}, "c": 2}', "a", "x")
    assert (found.found, found.depth, found.names) == (False, 1, {"b": (12, 13)})
    assert not outlined('{"a": 3}', "a", "b").found
    assert outlined('{"a": [{"b": []}]}', "a", "b").depth == 1
    two = outlined('{"a": 1}\n{"a": 2}')
    assert (two.is_object, two.end, two.trailing) == (True, 8, 9)
    assert outlined('{"a": 1}  ').trailing is None


def test_members_on_the_way() -> None:
    text = '{"id": "é", "a": {"x": {"y": [1]}, "b": [2]}, "late": [3]}'
    raw = text.encode()
    found = scan(io.BytesIO(raw), ("a", "b"), [("late", "id", "none"), ("x",)])
    places = [{name: raw[start:end].decode() for name, (start, end) in some.items()} for some in found.members]
    assert places == [{"id": '"é"', "late": "[3]"}, {"x": '{"y": [1]}'}]


def test_a_byte_that_is_no_utf8_is_found_wherever_a_part_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = '["éé'.encode() + b'\xe9", 1]'
    for size in (1, 2, 3, 100):
        monkeypatch.setattr("fhirmap.sources.files.json_scan._CHUNK", size)
        assert scan(io.BytesIO(raw), ()).damage == 6
    assert scan(io.BytesIO('["é"]'.encode()), ()).damage is None


@pytest.mark.parametrize(
    ("text", "offset", "is_end"),
    [
        ("", 0, True),
        ("  ", 2, True),
        ('{"a": [1}', 8, False),
        ("[1}", 2, False),
        ('[{"a": [}]', 8, False),
        ('["a]', 4, True),
        ('{"a": [{"b": 1}, ', 17, True),
        ("{'a'", 1, False),
        ('{"a" 1}', 5, False),
        ('{"a": 1 "b": 2}', 8, False),
        ('{"a": }', 6, False),
        ("]", 0, False),
    ],
)
def test_a_document_whose_brackets_do_not_balance(text: str, offset: int, is_end: bool) -> None:
    with pytest.raises(MisplacedSign) as found:
        scan(io.BytesIO(text.encode()), ("a",))
    assert (found.value.offset, found.value.is_end) == (offset, is_end)


@pytest.mark.parametrize("text", ['{"a": [1], "a": [2]}', '{"id": 1, "a": [1], "id": 2}'])
def test_a_member_that_is_there_twice(text: str) -> None:
    with pytest.raises(NamedTwice):
        scan(io.BytesIO(text.encode()), ("a",), [("id",)])
    assert texts('{"other": 1, "a": [1], "other": 2}', "a") == ["1"]


def test_line_and_column() -> None:
    raw = '\ufeff{"é":\n "éa'.encode()
    assert place_in(io.BytesIO(raw), 3) == (1, 1)
    assert place_in(io.BytesIO(raw), len(raw)) == (2, 5)
