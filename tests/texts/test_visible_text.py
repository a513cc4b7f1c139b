"""Signs that command a terminal or hide text are shown by their numbers."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from fhirmap.texts.visible_text import is_storable, storable, visible


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("plain, d'été\u00a0!", "plain, d'été\u00a0!"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\x1b]0;title\x07b", "a\\x1b]0;title\\x07b"),
        ("a\x9b31mb\x85c", "a\\x9b31mb\\x85c"),
        ("a\r\nb\tc", "a\\x0d\\x0ab\\x09c"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("\u202edcba\u2066x\u2069", "\\u202edcba\\u2066x\\u2069"),
        ("a\u200bb\ufeffc\ud800", "a\\u200bb\\ufeffc\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_is_not_seen_is_shown_by_its_number(words: str, shown: str) -> None:
    assert visible(words) == shown


def test_no_control_or_mark_of_direction_is_left_of_all_signs() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    left = {sign for sign in visible(every) if unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Cs")}
    assert left == set()
    turning = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    assert not any(unicodedata.bidirectional(sign) in turning for sign in visible(every))


def test_what_is_stored_keeps_its_lines_and_nothing_that_commands() -> None:
    assert storable("a\r\nb\tc\u2028d") == "a \nb c d"
    assert storable("\x00\x1b\x9b\u202e\u200e\ud800 é\u00a0\u200b") == "\ufffd" * 6 + " é\u00a0\u200b"
    assert [is_storable(text) for text in ("a b\u202e", "a\nb", "\x00", "\udfff")] == [True, False, False, False]
