"""What of a code that no concept map holds a message may show."""

from __future__ import annotations

import pytest

from fhirmap.runtime.shown_code import shown_code


@pytest.mark.parametrize(
    ("value", "is_shown"),
    [
        ("DROIT", True), ("Genou droit", True), ("12345678", True), ("NEKA020", True), (4, True),
        ("123456789", False), ("12 34 56 78 9", False), ("+33612345678", False), ("1951-02-03", False),
        ("03/02/1951", False), ("a text that goes on and on", False), (" x", False), ("a\nb", False), ("", False),
    ],
)  # fmt: skip
def test_what_of_a_code_may_be_shown(value: object, is_shown: bool) -> None:
    assert shown_code(value, 10) == (str(value) if is_shown else "")


def test_what_is_much_longer_than_the_codes_of_its_table_is_no_code() -> None:
    assert [shown_code("DUVAL", longest) for longest in (0, 1, 3)] == ["", "DUVAL", "DUVAL"]
    assert [shown_code("MARTINEAU", longest) for longest in (1, 4, 5)] == ["", "", "MARTINEAU"]
