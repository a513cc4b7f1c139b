"""The grammar is LALR(1) without a conflict, and the tables that come with the package are its tables."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from lark import Lark, logger
from lark.parsers.lalr_analysis import Shift

from fhirmap.language import grammar
from fhirmap.language.grammar import build_parser, grammar_digest, grammar_folder, map_parser


@pytest.fixture(scope="module")
def built() -> Lark:
    return build_parser()


def test_no_conflict_is_resolved_by_luck(caplog: pytest.LogCaptureFixture) -> None:
    source = grammar_folder() / "fml.lark"
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.propagate = True
    try:
        with caplog.at_level(logging.DEBUG, logger=logger.name):
            Lark(
                source.read_text(encoding="utf-8"),
                parser="lalr",
                start=["structure_map", "entire_expression"],
                source_path=str(source),
                debug=True,
            )
    finally:
        logger.setLevel(level)
    assert [record.message for record in caplog.records if "conflict" in record.message.lower()] == []


def test_the_expression_grammar_works_alone() -> None:
    source = grammar_folder() / "fhirpath.lark"
    alone = Lark(source.read_text(encoding="utf-8"), parser="lalr", start="entire_expression")
    assert alone.parse("a.b[0] + 1 in (c | 'd')")


def test_the_tables_are_those_of_the_grammar(built: Lark) -> None:
    """If this fails: python -m fhirmap.language.grammar"""
    stored = grammar._TABLES.read_bytes()
    assert stored[:32] == grammar_digest()
    assert canonical(map_parser()) == canonical(built)
    assert described(map_parser()) == described(built)


def test_the_stored_tables_name_no_path_of_a_machine() -> None:
    import zlib

    stored = zlib.decompress(grammar._TABLES.read_bytes()[32:])
    assert str(grammar_folder()).encode() not in stored and b".lark" not in stored


def test_other_grammar_files_mean_other_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammar, "grammar_digest", lambda: b"x" * 32)
    built = object()
    monkeypatch.setattr(grammar, "build_parser", lambda: built)
    assert map_parser.__wrapped__() is built


def described(parser: Lark) -> set[tuple[str, str, int]]:
    """The terminals: name, pattern, priority."""
    return {(str(entry.name), entry.pattern.to_regexp(), entry.priority) for entry in parser.terminals}


def canonical(parser: Lark) -> list[tuple[Any, ...]]:
    """The parse table with its states numbered in the order of a walk, which is all that two of them may differ in."""
    table: Any = parser.parser.parser._parse_table
    return [row for start in sorted(table.start_states) for row in _walk(table, table.start_states[start])]


def _walk(table: Any, first: int) -> Iterator[tuple[Any, ...]]:
    numbers = {first: 0}
    waiting = [first]
    for state in waiting:
        row: list[tuple[str, str, object]] = []
        for symbol, (action, argument) in sorted(table.states[state].items(), key=lambda entry: str(entry[0])):
            if action is Shift:
                if argument not in numbers:
                    numbers[argument] = len(numbers)
                    waiting.append(argument)
                row.append((str(symbol), "shift", numbers[argument]))
            else:
                row.append(
                    (str(symbol), str(argument.origin.name), " ".join(str(part.name) for part in argument.expansion))
                )
        yield tuple(row)
