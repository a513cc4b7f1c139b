"""The grammar files, found in one place and built into a parser once a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lark import Lark


@cache
def grammar_folder() -> Path:
    """The folder of ``fml.lark`` and ``fhirpath.lark``: inside an installed package, else beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_grammar"
    return installed if installed.is_dir() else package.parent / "grammar"


@cache
def map_parser() -> Lark:
    """The parser of whole maps (start ``structure_map``) and of single expressions (start ``entire_expression``)."""
    return _build("fml.lark", ["structure_map", "entire_expression"])


@cache
def expression_parser() -> Lark:
    """The parser of single expressions alone, which is built in half the time."""
    return _build("fhirpath.lark", ["entire_expression"])


def _build(file: str, starts: list[str]) -> Lark:
    folder = grammar_folder()
    return Lark(
        (folder / file).read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        start=starts,
        keep_all_tokens=True,
        maybe_placeholders=False,
        import_paths=[str(folder)],
        source_path=str(folder / file),
    )
