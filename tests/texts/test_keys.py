"""Each key that the code names is in the catalogues, and each text of the catalogues is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click

from fhirmap import texts
from fhirmap.cli import COMMANDS, commands
from fhirmap.cli.journal import JOURNAL_COMMANDS
from fhirmap.cli.journal import command as journal
from fhirmap.cli.localized import Localized
from tests.texts.test_texts import keys

PACKAGE = Path(__file__).resolve().parents[2] / "fhirmap"
ASKING = {"text", "Text", "optional_text"}
WORD = r"[\w-]+"


@cache
def known() -> frozenset[str]:
    return frozenset(key for area in texts.areas() for key in keys(area, "en"))


def asked() -> Iterator[tuple[str, ast.expr]]:
    """Place and first argument of each call that asks for a text."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ASKING and node.args:
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.args[0]


def patterns(node: ast.expr) -> list[str]:
    """What a key can be, as regular expressions; nothing where it is made elsewhere."""
    if isinstance(node, ast.Constant):
        return [re.escape(str(node.value))]
    if isinstance(node, ast.IfExp):
        return [*patterns(node.body), *patterns(node.orelse)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(re.escape(str(e.value)) if isinstance(e, ast.Constant) else WORD for e in node.values)]
    return []


def of_commands() -> Iterator[str]:
    """The keys of the help of each command."""
    group = click.Context(commands)
    found = [commands.get_command(group, name) for name in COMMANDS]
    found += [journal.get_command(group, name) for name in JOURNAL_COMMANDS]
    for command in found:
        assert isinstance(command, Localized)
        yield from (f"commands.{command.words}.{part}" for part in ("summary", "help", "examples"))
        for param in command.params:
            if isinstance(param, click.Option) and param.name not in ("lang", "help"):
                yield f"commands.{command.words}.options.{param.name}"
            elif isinstance(param, click.Argument):
                yield f"cli.metavars.{param.metavar or param.name}"


def literals() -> Iterator[str]:
    """Literals that could be keys, of the code and of the pages."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
                yield from re.findall(r'Text\("([\w.-]+)"', node.value)  # a docstring's example
    for path in PACKAGE.rglob("*.j2"):
        yield from re.findall(r'"([\w.-]+)"', path.read_text(encoding="utf-8"))


def test_each_key_that_is_asked_for_is_there() -> None:
    missing = [
        (place, pattern)
        for place, node in asked()
        for pattern in patterns(node)
        if not pattern.startswith("functions") and not any(re.fullmatch(pattern, key) for key in known())
    ]
    assert not missing


def test_each_command_has_its_help() -> None:
    assert [key for key in of_commands() if key not in known()] == []


def test_each_text_is_used() -> None:
    used = {*literals(), *of_commands()}
    made = [pattern for _, node in asked() for pattern in patterns(node) if WORD in pattern]
    unused = [key for key in sorted(known() - used) if not any(re.fullmatch(pattern, key) for pattern in made)]
    assert not unused
