"""Paths as maps write them, and the steps that sources and readers go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.data import PathSteps
from fhirmap.source_plan import Child, ChildKind, MalformedPath, RowLayout, SourceColumn, path_name, path_steps


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("", ()),
        ("a", ("a",)),
        ("a.b c.é", ("a", "b c", "é")),
        ("a[0][12].b", ("a", 0, 12, "b")),
        ("[1]", (1,)),
        ("[]", ()),
        ("a.[0]", ("a", 0)),
        ("entry[].resource.name[]", ("entry", "resource", "name")),
        ("a[x=1]", ("a", (("x",), "1"))),
        ("a[x.y[0]=p q].z", ("a", (("x", "y", 0), "p q"), "z")),
        ("a[x='p]=[ \"q']", ("a", (("x",), 'p]=[ "q'))),
        ('a[x="it\'s"]', ("a", (("x",), "it's"))),
        ("a[ x = y ]", ("a", (("x",), "y"))),
        ("a[x=1][y=2][0].z", ("a", (("x",), "1"), (("y",), "2"), 0, "z")),
        ("PRT[4.1=OP].5.1", ("PRT", (("4", "1"), "OP"), "5", "1")),
        ("h:id[@root=1.2.250].@extension", ("h:id", (("@root",), "1.2.250"), "@extension")),
        ("../../x", ("..", "..", "x")),
        ("../[0]", ("..", 0)),
        ("/entry", ("/", "entry")),
        ("`a.b`.c", ("a.b", "c")),
        ("`N° [1]`[0]", ("N° [1]", 0)),
        ("`a``b`", ("a`b",)),
        ("``", ("",)),
        ("a[`x=y.z`=1]", ("a", (("x=y.z",), "1"))),
        ("a/b.c", ("a/b", "c")),
    ],
)
def test_steps(path: str, steps: PathSteps) -> None:
    assert path_steps(path) == steps


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a[", "bracket"),
        ("a[x", "bracket"),
        ("a[x]", "bracket"),
        ("a[x=", "bracket"),
        ("a[x=]", "bracket"),
        ("a[='y']", "bracket"),
        ("a[x='y]", "bracket"),
        ("a[x='']", "bracket"),
        ("a[x==y]", "bracket"),
        ("a[x!=y]", "bracket"),
        ("a[x>=1]", "bracket"),
        ("a[x=1 and y=2]", "bracket"),
        ("a[../x=1]", "bracket"),
        ("a[/x=1]", "bracket"),
        ("a[-1]", "bracket"),
        ("a[*]", "bracket"),
        ("a[1234567890]", "bracket"),
        ("a[²]", "bracket"),
        ("a[b[c=1]=2]", "bracket"),
        ("a[x..y=1]", "name"),
        ("a..b", "name"),
        (".a", "name"),
        ("a.", "name"),
        ("..", "name"),
        ("../", "name"),
        ("/", "name"),
        ("/../x", "name"),
        ("x/../y", "name"),
        ("a]", "mark"),
        ("a[0]b", "mark"),
        ("`a", "mark"),
        ("a`b`", "mark"),
        ("`a`b", "mark"),
    ],
)
def test_what_is_no_path(path: str, reason: str) -> None:
    with pytest.raises(MalformedPath) as found:
        path_steps(path)
    assert found.value.reason == reason


@given(st.text(alphabet="ab.[]`=/'\"1 ", max_size=20))
def test_any_text_is_a_path_or_is_refused(text: str) -> None:
    try:
        steps = path_steps(text)
    except MalformedPath:
        return
    assert isinstance(steps, tuple)


@given(st.text(max_size=8), st.text(max_size=8))
def test_any_name_can_be_written(first: str, second: str) -> None:
    assert path_steps(f"{path_name(first)}.{path_name(second)}") == (first, second)


def test_a_hostile_path_is_refused_at_once() -> None:
    for path in (
        "a[" + "`" * 60_000,
        "a[" + "[0]" * 20_000,
        "`" * 60_001,
        "a[x='" + "'" * 60_000,
        "a" + "[0]" * 5_000 + "]",
    ):
        with pytest.raises(MalformedPath):
            path_steps(path)


def test_layouts_that_lead_to_children_through_rows_that_are_nested_again() -> None:
    child = Child(ChildKind.JOIN, "found", "found", RowLayout("Found", ()))
    innermost = RowLayout("Innermost", (SourceColumn("c", again=2),))
    inner = RowLayout("Inner", (SourceColumn("b", below=innermost), SourceColumn("b2", again=2)))
    outer = RowLayout("Outer", (SourceColumn("a", below=inner),), (child,))
    other = RowLayout("Other", (SourceColumn("d", again=1),))
    top = RowLayout("Top", (SourceColumn("o", below=outer), SourceColumn("p", below=other)))
    assert {layout.model for layout in top.leading_to(lambda _: True)} == {"Top", "Outer", "Inner", "Innermost"}
    assert top.leading_to(lambda _: False) == []
