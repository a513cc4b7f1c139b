"""What holds for every text and every tree."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhirmap.language import nodes as n
from fhirmap.language.expression_text import expression_to_text
from fhirmap.language.format import format_map
from fhirmap.language.parser import parse, parse_expression
from fhirmap.language.visit import walk
from tests.language import strategies
from tests.language.corpus import CONSTRUCTS, suite_maps

_QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=100)
_QUICK_SHRINK = pytest.mark.filterwarnings("ignore:Generating overly large repr")
_PIECES = st.sampled_from(
    [
        *(
            [
                ";",
                "{",
                "}",
                "(",
                ")",
                '"',
                "'",
                "`",
                "->",
                "then",
                "group",
                "/*",
                "*/",
                "//",
                "///",
                "=",
                ",",
                "..",
                "<<",
                "\\",
                "é",
                "where",
                "as",
                "1..",
                "%",
                "$this",
                "--",
                ":",
                "model",
                "from",
                "[",
                "]",
            ]
        ),
        *(" ", "\n", "\0", '"""', "@", "|", "{}", 'conceptmap "', 'uses "', "9" * 30, "\ufeff", "src.a", "tgt", "“"),
        *("=>", "`x`", "5 'mg'", "group g("),
    ]
)


def look_at(text: str) -> None:
    """Parses, and looks at all that came of it."""
    tree, diagnostics = parse(text)
    size = len(text.removeprefix("\ufeff"))
    for entry in diagnostics:
        assert entry.span is not None and 0 <= entry.span.start <= entry.span.end <= size
        assert entry.message
    for node in walk(tree):
        assert 0 <= node.span.start <= node.span.end <= size
    if not any(entry.is_error for entry in diagnostics):
        assert parse(format_map(tree, text))[0] == tree


@_QUIET
@given(strategies.expressions)
def test_an_expression_survives_its_text(expression: n.FPExpr) -> None:
    again, diagnostics = parse_expression(expression_to_text(expression))
    assert again == expression and diagnostics == ()


@_QUICK_SHRINK
@_QUIET
@given(strategies.maps)
def test_a_map_survives_its_text(tree: n.Map) -> None:
    text = format_map(tree)
    again, diagnostics = parse(text)
    assert [entry for entry in diagnostics if entry.is_error] == []
    assert again == tree
    assert format_map(again, text) == text


@_QUIET
@given(st.text())
def test_any_text_is_reported_and_never_fails(text: str) -> None:
    look_at(text)
    parse_expression(text)


@_QUIET
@given(st.lists(_PIECES, max_size=40))
def test_pieces_of_maps_in_any_order(pieces: list[str]) -> None:
    look_at("".join(pieces))
    look_at("group g(source src, target tgt) {\n" + "".join(pieces))


@pytest.mark.parametrize("seed", range(8))
def test_mutated_maps(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        text = chance.choice(CONSTRUCTS)
        for _ in range(chance.choice([1, 1, 2, 5])):
            at = chance.randrange(len(text) + 1)
            end = min(len(text), at + chance.choice([0, 1, 1, 3, 30]))
            text = (
                text[:at]
                + chance.choice(["", "", ";", "}", "'", '"', "{", "(", "//", "é", text[at:end] * 2])
                + text[end:]
            )
        look_at(text)


_TOKENS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|//.*|/\*.*?\*/|\s+|\w+|.", re.DOTALL)


def with_comments(text: str, chance: random.Random) -> tuple[str, list[str]]:
    """The text with comments strewn where blanks are, and those comments."""
    parts: list[str] = []
    strewn: list[str] = []
    for number, part in enumerate(_TOKENS.findall(text)):
        parts.append(part)
        if part.isspace() and chance.random() < 0.12:
            comment = chance.choice([f"/* c{number} */", f"// c{number}", f"/* c{number}\n   more */"])
            strewn.append(comment)
            parts.append(comment + (" " if comment.startswith("/*") else "\n"))
    return "".join(parts), strewn


@pytest.mark.parametrize("seed", range(40))
def test_formatting_keeps_comments_wherever_they_are(seed: int) -> None:
    chance = random.Random(seed)
    body = CONSTRUCTS[seed % len(CONSTRUCTS)]
    head = body[: body.index("uses ")] if "///" in body else ""
    text, strewn = with_comments(body[len(head) :], chance)
    text = head + text
    tree, diagnostics = parse(text)
    assert [entry for entry in diagnostics if entry.is_error] == []
    formatted = format_map(tree, text)
    again, _ = parse(formatted)
    assert again == tree
    assert sorted(comment.text for comment in again.comments) == sorted(comment.text for comment in tree.comments)
    assert {comment.text for comment in tree.comments} >= set(strewn)
    assert format_map(again, formatted) == formatted


def test_every_map_of_the_suite_survives_formatting(shared_dir: Path) -> None:
    paths = suite_maps(shared_dir)
    assert len(paths) > 40
    for path in paths:
        text = path.read_text(encoding="utf-8")
        tree, diagnostics = parse(text, path.name)
        assert diagnostics == (), path.name
        formatted = format_map(tree, text)
        again, diagnostics = parse(formatted, path.name)
        assert diagnostics == () and again == tree, path.name
        assert [comment.text for comment in again.comments] == [comment.text for comment in tree.comments]
        assert format_map(again, formatted) == formatted, path.name
