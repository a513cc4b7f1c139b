"""Parts of texts that hold several things."""

from __future__ import annotations

import doctest

import pytest

from fhirmap.errors import TransformFailed
from fhirmap.functions import text_parts
from fhirmap.functions.text_parts import capture


def test_examples_of_the_documentation() -> None:
    assert doctest.testmod(text_parts).failed == 0


@pytest.mark.parametrize(
    ("text", "pattern", "group", "found"),
    [
        ("LOT A12 SN 42", r"SN (\d+)", None, "42"),
        ("LOT A12 SN 42", r"LOT (\w+) SN (\d+)", 2, "42"),
        ("LOT A12 SN 42", r"SN \d+", None, "SN 42"),
        ("LOT A12 SN 42", r"SN (\d+)", 0, "SN 42"),
        ("LOT A12", r"SN (\d+)", None, None),
        ("LOT A12", r"LOT (\w+)( SN)?", 2, None),
        ("LOT \nA12", r"LOT.*(A12)$", None, "A12"),
        ("", r"(.*)", None, None),
    ],
)
def test_a_part_of_a_text(text: str, pattern: str, group: int | None, found: str | None) -> None:
    assert capture(text, pattern, group) == found


@pytest.mark.parametrize(("pattern", "group", "code"), [("(", None, "FM433"), ("(a)", 2, "FM463"), ("a", -1, "FM463")])
def test_no_such_part(pattern: str, group: int | None, code: str) -> None:
    with pytest.raises(TransformFailed) as caught:
        capture("a", pattern, group)
    assert caught.value.code == code
