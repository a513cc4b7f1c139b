"""No text for people outside the catalogues: the literals of the code are read, not run.

Prose is two words or more. Docstrings are for programmers. What is no text for people has a line below, with
the reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "fhirmap"
CHECKED = (
    "analysis",
    "cli",
    "compilation",
    "diagnostics",
    "inspection",
    "interchange",
    "journal",
    "language",
    "model",
    "registry",
    "runner",
    "runtime",
    "functions",
    "sinks",
    "sources",
    "texts",
)
"""Packages whose texts are all in the catalogues."""

PROSE = re.compile(r"(?<![\w$%{}/.'`-])[A-Za-zÀ-ÿ]{2,}[,:;]? (?:`[^`]*` )?[A-Za-zÀ-ÿ`]{2,}")

FILES = {
    "analysis/expression_functions.py": "kinds of arguments, as words of a small language",
    "diagnostics/explain.py": "info strings of fenced blocks",
    "diagnostics/subject.py": "values of enumerations, as pages hold them",
    "journal/append_only.py": "SQL",
    "journal/migrations.py": "SQL",
    "language/models.py": "keywords of the language",
    "language/node_text.py": "the text of maps",
    "interchange/structure_map/shapes.py": "names and types of a resource's elements",
    "runner/metrics.py": "HELP of metrics: the same in every language, as a monitoring system compares it",
    "registry/app.py": "answers of the simulator: those of the registry, which speaks French",
    "registry/declaration.py": "the same",
    "registry/pairing.py": "the same",
    "runtime/cell_text.py": "words that are looked for in cells",
    "runtime/functions.py": "errors for the author of a plug-in, when it is loaded",
    "sources/column_words.py": "words that are looked for in the names of columns",
    "sources/sql_changes.py": "SQL",
    "sources/sql_snapshot.py": "SQL",
    "sources/sql_nesting.py": "the text of generated code",
    "sources/sql_errors.py": "words that are looked for in the messages of databases",
}
LITERALS = {
    "from position": "the text of a map",
    "<generated from": "the file name of generated code",
    "<Transformer of": "a repr",
    "calendar month": "a unit, compared and never shown",
    "the grammar's QUANTITY": "of an assertion",
    "a whole map always": "of an assertion",
    "the outermost state": "of an assertion",
    "sans identifiant": "a value of the archive's column `state`: data, the same in each language",
    "fhirmap status --": "a command to type",
    "fhirmap run": "a command to type",
    'imports "{}"': "the text of a map; its comments come from the catalogue",
    r"\s*\(at (?:line": "what tomllib writes where a file is broken",
    "the key has a password": "never shown: OpenSSL turns it into an error of its own",
    "-----BEGIN": "the frame of PEM",
    "unmapped for s = error": "the text of a map: language",
    "unmapped error": "what a map has in its concept map: language",
    "<?xml version": "the first line of an XML document",
    "REPEATABLE READ": "SQL",
    "SELECT typname": "SQL",
    "SELECT nextval": "SQL",
    "ISO, YMD": "a setting of PostgreSQL",
    "SET SESSION": "SQL",
    "SET LOCAL": "SQL",
    "START TRANSACTION": "SQL",
    "PRAGMA": "SQL",
    "DELETE FROM": "SQL",
    "INSERT INTO": "SQL",
    "BEGIN IMMEDIATE": "SQL",
    "CREATE TABLE": "SQL",
    "EXPLAIN SELECT": "SQL",
}


def prose(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Literals with words in them, an f-string as one, without docstrings."""
    passed = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed |= {id(part) for part in node.values}
            words = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            words = node.value
        else:
            continue
        if PROSE.search(words):
            yield node.lineno, words


@pytest.mark.parametrize("package", CHECKED)
def test_texts_are_in_the_catalogues(package: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {words!r}"
        for path in sorted((PACKAGE / package).rglob("*.py"))
        if path.relative_to(PACKAGE).as_posix() not in FILES
        for line, words in prose(ast.parse(path.read_text(encoding="utf-8")))
        if not any(entry in words for entry in LITERALS)
    ]
    assert not found, "\n".join(found)


def test_a_page_has_no_words_of_its_own() -> None:
    for page in PACKAGE.glob("runner/templates/*.j2"):
        shown = re.sub(r"(?s)<style>.*?</style>|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", page.read_text(encoding="utf-8"))
        assert not re.findall(r"[A-Za-z]{2,}", shown), page.name


def test_a_text_in_the_code_is_found() -> None:
    lines = (
        "def f(n):",
        "    'Not this one.'",
        "    echo(f'{n} records were sent')",
        "    say('no run yet')",
        "    text('a.b')",
    )
    code = "\n".join(lines)
    assert [line for line, _ in prose(ast.parse(code))] == [3, 4]


def test_each_exception_is_needed() -> None:
    found = [
        words
        for package in CHECKED
        for path in (PACKAGE / package).rglob("*.py")
        for _, words in prose(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert [entry for entry in LITERALS if not any(entry in words for words in found)] == []
    assert [name for name in FILES if not (PACKAGE / name).is_file()] == []
