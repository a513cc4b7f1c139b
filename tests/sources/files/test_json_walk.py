"""The way from an object to the records in it."""

from __future__ import annotations

from typing import Any

import pytest

from fhirmap.source_plan import path_steps
from fhirmap.sources.files.json_walk import JsonWalk
from fhirmap.sources.shown_names import MemberNames

DOCUMENT: dict[str, Any] = {
    "id": 1,
    "list": [{"k": "x", "in": {"n": 1}}, {"k": "y", "in": [{"n": 2}, {"n": 3}]}, {"k": "x"}, {"in": None}, {"in": 5}],
}


def walked(path: str) -> list[tuple[object, str, int]]:
    steps = path_steps(path)
    return [
        (found.value, "/".join(found.place), len(found.above)) for found in JsonWalk(steps).entries(DOCUMENT, steps)
    ]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", [(DOCUMENT, "", 0)]),
        ("list[].in[]",
         [({"n": 1}, "list/0/in", 2), ({"n": 2}, "list/1/in/0", 2), ({"n": 3}, "list/1/in/1", 2), (5, "list/4/in", 2)]),
        ("list[k=x].in.n", [(1, "list/0/in/n", 3)]),
        ("list[1].in[1].n", [(3, "list/1/in/1/n", 3)]),
        ("list[0].in[0]", [({"n": 1}, "list/0/in", 2)]),
        ("list[9].in", []),
        ("none", []),
        ("id.n", [(1, "id", 1)]),
    ],
)  # fmt: skip
def test_what_a_path_leads_to(path: str, found: list[tuple[object, str, int]]) -> None:
    assert walked(path) == found


def test_what_is_missing() -> None:
    def missing(path: str) -> object:
        walk = JsonWalk(path_steps(path))
        assert list(walk.entries(DOCUMENT, walk.path)) == []
        return walk.missing

    assert missing("lists.in") == ("lists", MemberNames(("id", "list"), 0))
    assert missing("list[k=x].inn") == ("inn", MemberNames(("k", "in"), 0))
    assert missing("list[k=z].inn") is None
    assert missing("list[1].in.`m.n`") == ("`m.n`", MemberNames(("n",), 0))
    walk = JsonWalk(path_steps("list"))
    assert (walk.levels, JsonWalk(path_steps("a[].b[x=1].c[0]")).levels) == (1, 3)
    assert list(walk.entries(DOCUMENT, walk.path))
    assert walk.missing is None
