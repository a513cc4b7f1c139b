"""The grammar files, found in one place and made into a parser once a process.

Working out the tables of an LALR parser takes a quarter of a second, more than `fhirmap check` may take in all. So
they come with the package in ``grammar.tables``, which ``python -m fhirmap.language.grammar`` writes. The grammar
files stay the truth: the tables name the digest of the grammar that they were made from, and are used for no other.
"""

from __future__ import annotations

import io
import pickle
import zlib
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import lark
from lark import Lark, Token

_FILES = ("fml.lark", "fhirpath.lark")
_STARTS = ["structure_map", "entire_expression"]
_TABLES = Path(__file__).with_name("grammar.tables")
_DIGEST_SIZE = 32

StoredTable: TypeAlias = Any
"""What lark stores of a parser: dicts, lists, tuples, sets, texts, numbers."""


@cache
def grammar_folder() -> Path:
    """The folder of ``fml.lark`` and ``fhirpath.lark``: inside an installed package, else beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_grammar"
    return installed if installed.is_dir() else package.parent / "grammar"


@cache
def map_parser() -> Lark:
    """The parser of whole maps (start ``structure_map``) and of single expressions (start ``entire_expression``)."""
    stored = _TABLES.read_bytes() if _TABLES.is_file() else b""
    if stored[:_DIGEST_SIZE] == grammar_digest():
        return Lark.load(io.BytesIO(zlib.decompress(stored[_DIGEST_SIZE:])))
    return build_parser()


def build_parser() -> Lark:
    """The parser, built from the grammar files."""
    source = grammar_folder() / _FILES[0]
    return Lark(
        source.read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        start=_STARTS,
        keep_all_tokens=True,
        maybe_placeholders=False,
        source_path=str(source),
    )


def grammar_digest() -> bytes:
    """What tables depend on: the grammar files and lark's version."""
    digest = sha256(lark.__version__.encode())
    for file in _FILES:
        digest.update((grammar_folder() / file).read_bytes().replace(b"\r\n", b"\n"))
    return digest.digest()


def parser_to_tables(parser: Lark) -> bytes:
    """What ``grammar.tables`` holds: digest, then the compressed tables, of plain values and no path."""
    buffer = io.BytesIO()
    parser.save(buffer)
    saved = _plain(pickle.loads(buffer.getvalue()))  # noqa: S301 - what lark has just written
    saved["data"]["options"] |= {"source_path": None, "import_paths": []}
    return grammar_digest() + zlib.compress(pickle.dumps(saved, protocol=4), 9)


def _plain(value: StoredTable) -> StoredTable:
    """``value`` without lark's own classes."""
    if isinstance(value, dict):
        return {_plain(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(entry) for entry in value)
    return str(value) if isinstance(value, Token) else value


if __name__ == "__main__":
    _TABLES.write_bytes(parser_to_tables(build_parser()))
