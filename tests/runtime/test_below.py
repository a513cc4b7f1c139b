"""One element of all that is below: the same items as by way of each node, or the same fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.errors import TransformFailed
from fhirmap.runtime import fhirpath as fp
from fhirmap.runtime.fhirpath.below import Search

TABLE = fp.TypeTable(
    {
        "Part": {
            "code": "code",
            "rank": "integer",
            "value": ("string", "boolean", "Part", "Mark"),
            "sub*": "Part",
            "tag*": "string",
            "amount*": "decimal",
            "mark": "Mark",
            "any*": "Resource",
            "strange": "Strange",
        },
        "Mark": {"code": "string", "mark*": "Mark"},
        "Extension": {"url": "uri", "value": ("code", "Mark"), "extension*": "Extension"},
        "Thing": {"code*": "Mark", "sub*": "Part", "reference": "uri"},
    }
)
NAMES = [
    "code",
    "value",
    "valueString",
    "valueMark",
    "sub",
    "tag",
    "mark",
    "any",
    "reference",
    "resourceType",
    "none",
    "id",
    "extension",
    "url",
]
TEXTS = st.sampled_from(["a", "b"])
PARTS: st.SearchStrategy[dict[str, Any]] = st.deferred(lambda: _object(PART))
MARKS: st.SearchStrategy[dict[str, Any]] = st.deferred(
    lambda: _object({"code": TEXTS, "mark": st.lists(MARKS, max_size=2)})
)
THINGS: st.SearchStrategy[dict[str, Any]] = st.deferred(
    lambda: _object({"code": st.lists(MARKS, max_size=2), "sub": st.lists(PARTS, max_size=1), "reference": TEXTS}).map(
        lambda held: {**held, "resourceType": "Thing"}
    )
)
EXTENSIONS: st.SearchStrategy[dict[str, Any]] = st.deferred(
    lambda: _object(
        {
            "url": TEXTS,
            "valueCode": TEXTS,
            "valueMark": MARKS,
            "_valueCode": BESIDE,
            "extension": st.lists(EXTENSIONS, max_size=2),
        }
    )
)
BESIDE: st.SearchStrategy[dict[str, Any]] = st.deferred(
    lambda: _object({"id": TEXTS, "extension": st.lists(EXTENSIONS, max_size=2)})
)
PART: dict[str, st.SearchStrategy[Any]] = {
    "code": TEXTS,
    "rank": st.integers(0, 3),
    "valueString": TEXTS,
    "valueBoolean": st.booleans(),
    "valuePart": PARTS,
    "valueMark": MARKS,
    "sub": st.lists(PARTS | st.none(), max_size=2),
    "tag": st.lists(TEXTS | st.none(), max_size=2),
    "amount": st.lists(st.integers(0, 3), max_size=2),
    "mark": MARKS,
    "any": st.lists(THINGS, max_size=2),
    "odd": TEXTS,
    "_code": BESIDE,
    "_rank": BESIDE,
    "_tag": st.lists(BESIDE | st.none(), max_size=3),
    "_valueString": BESIDE,
}
ODD = st.one_of(
    st.none(),
    st.integers(0, 2),
    TEXTS,
    st.booleans(),
    st.just([None, "a"]),
    st.just([{}]),
    st.just({"extension": [{"url": "u"}]}),
    st.just({"resourceType": "Mark", "code": "a"}),
    st.just({"resourceType": "Elsewhere"}),
)
ODD_KEYS = st.sampled_from([*PART, "_code", "_tag", "_valueString", "strange", "resourceType"])


def _object(members: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of its members, in any order."""
    names = st.lists(st.sampled_from(list(members)), unique=True, max_size=4)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: members[name] for name in chosen}))


def outcome(way: Callable[[list[Any], str], list[Any]], roots: list[Any], name: str) -> Any:
    try:
        found = way(roots, name)
    except TransformFailed as error:
        return error.code, error.args
    return [(item.value, item.type, item.sibling) if isinstance(item, fp.FhirNode) else item for item in found]


def by_items(roots: list[Any], name: str) -> list[Any]:
    return fp.member(fp.descendants(roots), name)


@given(st.lists(PARTS, max_size=3), st.sampled_from(NAMES))
def test_the_items_are_those_of_each_node(held: list[dict[str, Any]], name: str) -> None:
    roots = fp.nodes(held, "Part", TABLE)
    assert outcome(fp.member_below, roots, name) == outcome(by_items, roots, name)


@given(PARTS, ODD_KEYS, ODD, st.sampled_from(NAMES), st.booleans())
def test_what_is_of_another_shape_has_the_same_fault(
    held: dict[str, Any], key: str, odd: object, name: str, is_below: bool
) -> None:
    part = {**held, key: odd}
    roots = fp.nodes({"sub": [{"code": "a"}, part]} if is_below else part, "Part", TABLE)
    assert outcome(fp.member_below, roots, name) == outcome(by_items, roots, name)


@pytest.mark.parametrize(
    ("held", "goes_by_items"),
    [
        ({"code": "a"}, False),
        ({"sub": [{"valueMark": {"code": "a"}, "any": [{"resourceType": "Thing", "code": [{"code": "b"}]}]}]}, False),
        ({"sub": [None, {"code": "a", "_code": {"id": "i", "extension": [{"url": "u", "valueCode": "b"}]}}]}, False),
        ({"sub": [{"tag": ["a", None], "_tag": [None, {"extension": [{"valueMark": {"code": "a"}}]}]}]}, False),
        ({"sub": [{"code": "a", "_code": {"resourceType": "Mark", "code": "b"}}]}, True),
        ({"sub": [{"mark": {"code": "a"}, "_mark": {"id": "i"}}]}, True),
        ({"sub": [{"code": None}]}, True),
        ({"strange": {"code": "a"}}, True),
        ({"valueString": "a", "valueBoolean": True}, True),
    ],
)
def test_what_only_items_can_say(held: dict[str, Any], goes_by_items: bool) -> None:
    roots = fp.nodes(held, "Part", TABLE)
    for name in NAMES:
        assert outcome(fp.member_below, roots, name) == outcome(by_items, roots, name), name
    assert (Search(TABLE, "code").found(roots) is None) is goes_by_items


def test_values_of_primitives_and_data_without_types_go_by_items() -> None:
    assert fp.member_below(fp.nodes({"sub": [{"code": "a"}]}, "Part", TABLE), "value") == ["a"]
    assert fp.member_below([{"part": {"code": "a"}}], "code") == ["a"]
    assert fp.member_below([], "code") == []
