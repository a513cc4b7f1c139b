"""No text for people outside the catalogues: string literals of the code are read, not run.

Prose is two words or more. Docstrings are for programmers; keys, names, codes, SQL, and the text of generated files have
a line in `ALLOWED`, with the reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "fhirmap"
CHECKED = ("cli", "runner", "registry", "sinks", "sources", "journal", "embedding.py", "mapset.py","errors.py","records.py","inspection")
"""Packages whose texts are all in the catalogues."""

WORDS = re.compile(r"(?<![\w$%{}/.'`-])[A-Za-zÀ-ÿ]{2,}[,:;]? (?:`[^`]*` )?[A-Za-zÀ-ÿ`]{2,}")

ALLOWED: dict[str, str] = {}


def prose(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Literals with words in them, f-strings as one, without docstrings."""
    skipped = set(_docstrings(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in ast.walk(node) if isinstance(part, ast.Constant)}
            shown = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            if WORDS.search(shown):
                yield node.lineno, shown
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            if WORDS.search(node.value):
                yield node.lineno, node.value


def _docstrings(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)


@pytest.mark.parametrize("package", CHECKED)
def test_texts_are_in_the_catalogues(package: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {words!r}"
        for path in sorted(([PACKAGE / package] if package.endswith(".py") else (PACKAGE / package).rglob("*.py")))
        for line, words in prose(ast.parse(path.read_text(encoding="utf-8")))
        if not any(entry in words for entry in ALLOWED)
    ]
    assert not found, "\n".join(found)


def test_a_text_in_the_code_is_found() -> None:
    code = 'def f(n):\n    """Not this one."""\n    echo(f"{n} records were sent")\n    say("no run yet")\n    text("run.read")'
    assert [line for line, _ in prose(ast.parse(code))] == [3, 4]
